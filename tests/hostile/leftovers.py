"""What a test has left behind: processes, threads, descriptors, files, mounts, control groups, memory of System V.

    with watched(folder):   # TMPDIR of everything that is started inside
        ...                 # AssertionError at the end that names what is still there after PATIENCE_S

``Watch`` is the same in two steps. From the first watch on this process inherits the orphans of everything that it
started, so whoever made itself a daemon is still found below it; the dead among them are buried. A socket is somebody's
descriptor: none is left when no process and no descriptor is, and its file would lie in a folder.

Other people and other workers use the machine at the same time. So of the places that all share only what has a name of
the grader's or of Python's counts, and of folders only those that no living process has to do with.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.subject.sandbox import linux, processes

PATIENCE_S = 15.0
"""Seconds that what is about to go may take on a busy machine."""

_LOOK_S = 0.05
_SHARED = (Path("/tmp"), Path("/var/tmp"))
_OURS = re.compile(r"(autograder|autograder-box|subject)-([a-z0-9_]{8}|[0-9a-f]{16})")
"""The temporary folders of servers, boxes and subjects; those of tests have other names."""

_PYTHONS = re.compile(r"psm_|sem\.|wnsm_|autograder")
"""What Python calls its shared memory and semaphores. Subjects have a /dev/shm of their own, or may not write there."""


class Watch:
    """The machine as it was when the watch began."""

    def __init__(self, folder: Path) -> None:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
        self.folder = folder
        self._before = self._look()

    def left(self) -> list[str]:
        """Return what is there now and was not at the beginning, one line each."""
        self._bury()
        return sorted(self._look() - self._before)

    def assert_nothing_left(self, patience_s: float = PATIENCE_S) -> None:
        """Wait for what is about to go.

        Raises:
            AssertionError: something stays.
        """
        deadline = time.monotonic() + patience_s
        while (left := self.left()) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)
        assert not left, "left behind:\n" + "\n".join(left)

    def _look(self) -> set[str]:
        found = {*_processes(), *_threads(), *_descriptors(), *_mounts(), *_control_groups(), *_shared_memory()}
        return found | {f"file {path}" for path in self.folder.iterdir()} | set(_abandoned())

    def _bury(self) -> None:
        """Reap the dead that this process inherited."""
        for pid in processes.descendants(os.getpid()):
            if _fields(pid)[:2] == ["Z", str(os.getpid())]:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


@contextmanager
def watched(folder: Path, patience_s: float = PATIENCE_S) -> Iterator[Watch]:
    """Make sure that what happens inside leaves nothing behind; an error of its own comes first."""
    watch = Watch(folder)
    yield watch
    watch.assert_nothing_left(patience_s)


def _fields(pid: int) -> list[str]:
    """The fields of a process's ``stat`` from its state on."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _processes() -> Iterator[str]:
    for pid in processes.descendants(os.getpid()):
        fields = _fields(pid)
        if fields:  # the time of its start, because numbers are used again
            yield f"process {pid} ({fields[0]}, started at {fields[19]}) {command_of(pid)}"


def command_of(pid: int) -> str:
    """Return a process's command line, empty when it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split()
    except OSError:
        return ""
    return " ".join(words)[:300]


def _threads() -> Iterator[str]:
    for thread in threading.enumerate():
        yield f"thread {thread.name} {thread.ident}"


def _descriptors() -> Iterator[str]:
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the listing's own is closed by now
            yield f"descriptor {number} -> {os.readlink(f'/proc/self/fd/{number}')}"


def _mounts() -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        number, _, _, _, place = line.split()[:5]
        yield f"mount {number} on {place}"


def _control_groups() -> Iterator[str]:
    for folder, _, _ in os.walk("/sys/fs/cgroup"):
        yield f"control group {folder}"


def _shared_memory() -> Iterator[str]:
    for folder in ("/dev/shm", "/dev/mqueue"):
        with contextlib.suppress(OSError):
            yield from (f"file {folder}/{name}" for name in os.listdir(folder) if _PYTHONS.match(name))
    for kind in ("shm", "sem", "msg"):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]:
                yield f"System V {kind} " + " ".join(line.split()[:2])


def _abandoned() -> Iterator[str]:
    """The grader's folders in places that all share, which nobody uses any more."""
    found = [path for place in _SHARED for path in place.glob("*") if _OURS.fullmatch(path.name)]
    commands = "\n".join(command_of(int(pid)) for pid in os.listdir("/proc") if pid.isdigit()) if found else ""
    yield from (f"folder {path}" for path in found if str(path) not in commands and not _is_locked(path))


def _is_locked(folder: Path) -> bool:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return True  # it has gone, or is somebody else's
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
