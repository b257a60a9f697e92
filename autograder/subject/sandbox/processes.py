"""A tree of processes seen from outside: who belongs to it, and the memory and disk that it uses."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_KIB_PER_MIB = 1024
MIB = 1 << 20
_BLOCK = 512
"""Bytes of what ``st_blocks`` counts."""

_ENTRY = 4096
"""Bytes that the name of a file and its inode are taken to cost."""


def descendants(root: int) -> list[int]:
    """Return the processes that ``root`` started, and those that they did, without ``root``."""
    children: dict[int, list[int]] = defaultdict(list)
    for process, parent in _parents():
        children[parent].append(process)
    found: list[int] = []
    waiting = [root]
    while waiting:
        born = children.get(waiting.pop(), [])
        found += born
        waiting += born
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for name in os.listdir(_PROC):  # noqa: PTH208 - a name is all that is needed, of each process, several times a second
        if name.isdigit():
            with contextlib.suppress(OSError):  # it ended meanwhile
                status = (_PROC / name / "stat").read_text(errors="replace")
                yield int(name), int(status.rpartition(")")[2].split()[1])


def kill_descendants(root: int) -> None:
    """Kill everything below ``root`` until nothing is left; whoever inherits the dead has to reap them."""
    while alive := [process for process in descendants(root) if _is_alive(process)]:
        for how in (signal.SIGSTOP, signal.SIGKILL):  # all are stopped first, so that they stop forking
            for process in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, how)


def _is_alive(process: int) -> bool:
    try:
        status = (_PROC / str(process) / "stat").read_text(errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def memory_mib(process: int) -> float:
    """Return the process's share of memory: what it shares with n others counts by 1/n.

    A process that cannot be looked at counts with all that is in memory of it.
    """
    folder = _PROC / str(process)
    with contextlib.suppress(OSError):
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / _KIB_PER_MIB
    with contextlib.suppress(OSError):
        return int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    return 0.0


def threads(process: int) -> int:
    """Return how many threads a process has, 0 when it has ended."""
    try:
        status = (_PROC / str(process) / "stat").read_text(errors="replace")
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[17])


def folder_mib(folder: Path) -> float:
    """Return the space that a folder takes on the disk; an empty file counts too, since files can run out as well."""
    total = 0
    for parent, folders, names in os.walk(folder):
        total += (len(folders) + len(names)) * _ENTRY
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(Path(parent, name)).st_blocks * _BLOCK
    return total / MIB


def deleted_mib(process: int) -> float:
    """Return the space of the files that the process has open and that have no name any more."""
    folder = _PROC / str(process) / "fd"
    total = 0
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208 - see above
            with contextlib.suppress(OSError):
                facts = os.stat(folder / name)
                if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 0:
                    total += facts.st_blocks * _BLOCK
    return total / MIB


def threads_of_user() -> int:
    """Return how many threads this process's user has on the machine."""
    total = 0
    for name in os.listdir(_PROC):  # noqa: PTH208 - see above
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat(_PROC / name).st_uid == os.getuid():
                total += threads(int(name))
    return total
