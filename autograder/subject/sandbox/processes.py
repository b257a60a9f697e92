"""A tree of processes seen from outside: who belongs to it, and the memory and disk that it uses."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_KIB_PER_MIB = 1024
_ROUND_S = 0.002
"""Seconds that the killed are given to die before the next look."""

_THREADS = 17
"""Where the number of threads is, counted from the state."""

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
    for process in _numbers(_PROC):
        if status := _status(process):
            yield process, int(status[1])


def _numbers(folder: Path) -> Iterator[int]:
    """The entries whose names are numbers: processes in ``/proc``, descriptors below one of them."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        yield from [int(entry.name) for entry in entries if entry.name.isdigit()]


def _status(process: int) -> list[str]:
    """The fields of a process's ``stat`` from its state on, none when it has ended. Its name may hold anything."""
    try:
        status = (_PROC / str(process) / "stat").read_text(errors="replace")
    except OSError:
        return []
    return status.rpartition(")")[2].split()


def kill_descendants(root: int) -> None:
    """Kill everything below ``root`` until nothing is left; whoever inherits the dead has to reap them."""
    while alive := [process for process in descendants(root) if _is_alive(process)]:
        for how in (signal.SIGSTOP, signal.SIGKILL):  # all are stopped first, so that they stop forking
            for process in alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, how)
        time.sleep(_ROUND_S)


def _is_alive(process: int) -> bool:
    status = _status(process)
    return bool(status) and status[0] not in {"Z", "X"}


def resident_mib(process: int) -> float:
    """Return what is in memory of a process, all that it shares included: quickly found, and never too little."""
    with contextlib.suppress(OSError):
        return int((_PROC / str(process) / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MIB
    return 0.0


def share_mib(process: int) -> float:
    """Return the process's share of memory: what it shares with n others counts by 1/n.

    A process that cannot be looked at counts with all that is in memory of it.
    """
    with contextlib.suppress(OSError):
        for line in (_PROC / str(process) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / _KIB_PER_MIB
    return resident_mib(process)


def threads(process: int) -> int:
    """Return how many threads a process has, 0 when it has ended."""
    status = _status(process)
    return int(status[_THREADS]) if status else 0


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
    total = 0
    folder = _PROC / str(process) / "fd"
    for descriptor in _numbers(folder):
        with contextlib.suppress(OSError):
            facts = (folder / str(descriptor)).stat()
            if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 0:
                total += facts.st_blocks * _BLOCK
    return total / MIB


def threads_of_user() -> int:
    """Return how many threads this process's user has on the machine."""
    total = 0
    for process in _numbers(_PROC):
        with contextlib.suppress(OSError):
            if (_PROC / str(process)).stat().st_uid == os.getuid():
                total += threads(process)
    return total
