"""What is there before a submission is graded and must be there after it, and nothing else.

Whoever grades is a subreaper here, so that a process that leaves its session and its parent becomes the grader's child
and not the machine's: what descends from the grader is everything that it ever started.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from autograder.subject.sandbox import processes

SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock", "/run/user")
"""Places that everybody may write to."""

PATIENCE_S = 5.0
"""How long the dead may take to be buried."""

Things = dict[str, frozenset[str]]


def look(folders: tuple[Path, ...], token: str, key: int) -> Things:
    """List processes, descriptors, mounts, files and sockets. What attacks leave is marked by ``token`` or ``key``."""
    mine = [os.getpid(), *processes.descendants(os.getpid())]
    return {
        "process": frozenset(map(str, mine)),
        "descriptor": frozenset(one for process in mine for one in _descriptors(process)),
        "mount": frozenset(Path("/proc/self/mountinfo").read_text().splitlines()),
        "file": frozenset(one for folder in folders for one in _files(folder)),
        "shared file": frozenset(_marked(token)),
        "socket": frozenset(_lines("/proc/net/unix", token, *map(str, folders))),
        "shared memory": frozenset(
            line for kind in ("shm", "msg", "sem") for line in _lines(f"/proc/sysvipc/{kind}", f" {key} ")
        ),
        "key": frozenset(_lines("/proc/keys", token)),
    }


def left(before: Things, folders: tuple[Path, ...], token: str, key: int) -> list[str]:
    """Name what came or went since ``before``, once the dead had time to be buried."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        now = look(folders, token, key)
        changed = [f"{kind} {one}" for kind in now for one in sorted(now[kind] ^ before[kind])]
        if not changed or time.monotonic() > deadline:
            return changed
        time.sleep(0.01)


def _descriptors(process: int) -> Iterator[str]:
    """What a process has open, by number; another's may be out of sight."""
    folder = Path(f"/proc/{process}/fd")
    with contextlib.suppress(OSError):
        for entry in sorted(folder.iterdir()):
            with contextlib.suppress(OSError):
                to = entry.readlink()
                if not f"{to}/".startswith("/proc/"):  # that is somebody who looks, as this function does
                    yield f"{process}: {entry.name} -> {to}"


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            facts = path.lstat()
            yield f"{path} {oct(facts.st_mode)} {0 if path.is_dir() else (facts.st_size, facts.st_mtime_ns)}"


def _marked(token: str) -> Iterator[str]:
    for folder in map(Path, SHARED):
        with contextlib.suppress(OSError):
            yield from (str(path) for path in folder.iterdir() if token in path.name)


def _lines(path: str, *wanted: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for line in Path(path).read_text(errors="replace").splitlines():
            if any(text in line for text in wanted):
                yield " ".join(line.split()[1:]) if path == "/proc/net/unix" else line
