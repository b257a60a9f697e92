"""Whoever leaves something behind is found out."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile.leftovers import Watch, watched

DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for descriptor in range(3):
            os.close(descriptor)
        time.sleep(60)
    os._exit(0)
os.wait()
"""


def _end(watch: Watch) -> None:
    """End the processes that a watch reports."""
    for line in watch.left():
        if line.startswith("process "):
            os.kill(int(line.split()[1]), signal.SIGKILL)
    watch.assert_nothing_left()


def test_nothing_is_nothing(tmp_path: Path) -> None:
    """A child that ended, a file that was removed and a socket that was closed are not left."""
    with watched(tmp_path):
        subprocess.run([sys.executable, "-c", ""], check=True)
        (tmp_path / "file").touch()
        (tmp_path / "file").unlink()
        for one in socket.socketpair():
            one.close()


def test_a_daemon_is_found(tmp_path: Path) -> None:
    """A session of its own and two forks do not hide a process."""
    watch = Watch(tmp_path)
    subprocess.run([sys.executable, "-c", DAEMON], check=True)
    with pytest.raises(AssertionError, match=r"process .* os\.setsid"):
        watch.assert_nothing_left(patience_s=0.5)
    _end(watch)


def test_what_is_about_to_end_is_waited_for(tmp_path: Path) -> None:
    """A daemon that takes half a second to end is not left."""
    with watched(tmp_path):
        subprocess.run([sys.executable, "-c", DAEMON.replace("60", "0.5")], check=True)


@pytest.mark.parametrize(
    ("leave", "words"),
    [
        (lambda folder: (folder / "subject").mkdir(), "file .*subject"),
        (lambda _: Path("/dev/shm/psm_left-by-a-test").touch(), "file /dev/shm/psm_left-by-a-test"),
        (lambda _: Path("/tmp/autograder-box-leftover").mkdir(), "folder /tmp/autograder-box-leftover"),
    ],
    ids=["temporary folder", "shared memory", "the box of a killed grader"],
)
def test_a_file_is_found(tmp_path: Path, leave: Callable[[Path], None], words: str) -> None:
    """Wherever it lies."""
    watch = Watch(tmp_path)
    leave(tmp_path)
    try:
        with pytest.raises(AssertionError, match=words):
            watch.assert_nothing_left(patience_s=0)
    finally:
        Path("/dev/shm/psm_left-by-a-test").unlink(missing_ok=True)
        if Path("/tmp/autograder-box-leftover").exists():
            Path("/tmp/autograder-box-leftover").rmdir()


def test_descriptors_and_threads_are_found(tmp_path: Path) -> None:
    """An open socket, and a thread that waits."""
    watch = Watch(tmp_path)
    release = threading.Event()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0left-by-a-test")
        threading.Thread(target=release.wait, name="idle").start()
        left = watch.left()
    release.set()
    assert [line.split()[0] for line in left] == ["descriptor", "thread"]
    watch.assert_nothing_left()


@pytest.mark.skipif(os.geteuid() != 0, reason="to mount needs root")
def test_a_mount_is_found(tmp_path: Path) -> None:
    """In a mount namespace of its own, so that nobody else sees it."""
    program = """
import subprocess, sys
from pathlib import Path
from autograder.subject.sandbox import linux
from tests.hostile.leftovers import Watch
linux.unshare(linux.CLONE_NEWNS)
linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
folder = Path(sys.argv[1])
watch = Watch(folder)
linux.mount("none", folder, "tmpfs", 0)
print(watch.left())
"""
    said = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True).stdout
    assert f"on {tmp_path}" in said
    assert "mount" in said


def test_a_file_that_is_removed_in_time_is_not_left(tmp_path: Path) -> None:
    """Somebody may be tidying up."""
    with watched(tmp_path):
        (tmp_path / "late").touch()
        threading.Timer(0.3, (tmp_path / "late").unlink).start()
