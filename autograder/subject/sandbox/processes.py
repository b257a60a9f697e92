"""A tree of processes seen from outside: who belongs to it, and the memory and disk that it uses."""

from __future__ import annotations

import contextlib
import math
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
_BUFFER_MIB = 0.25
"""What one descriptor can keep of it: about the default size of a socket's buffer."""

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


def held_mib(process: int) -> float:
    """Return what the kernel may hold for a process in buffers, which count as nobody's memory."""
    return sum(_BUFFER_MIB for _ in _numbers(_PROC / str(process) / "fd"))


def folder_mib(folder: Path) -> float:
    """Return the space that a folder takes on the disk; an empty file counts too, since files can run out as well.

    A folder that cannot be looked into, or lies too deep to be reached, could hide anything: it is infinitely large.
    """
    total = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += _ENTRY + entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
        except FileNotFoundError:
            continue  # it was removed meanwhile
        except OSError:
            return math.inf
    return total / MIB


def nameless_mib(process: int, folder: Path, most_mib: float) -> float:
    """Return the space of what a process holds of ``folder`` that has no name there any more, open or mapped.

    How large a file is that is only mapped cannot be found out: it counts as ``most_mib``, the most that it can be.
    """
    total = 0
    descriptors = _PROC / str(process) / "fd"
    for descriptor in _numbers(descriptors):
        with contextlib.suppress(OSError):
            facts = (descriptors / str(descriptor)).stat()
            if stat.S_ISREG(facts.st_mode) and facts.st_nlink == 0:
                total += facts.st_blocks * _BLOCK
    return total / MIB + most_mib * len(_mapped_nameless(process, folder))


def _mapped_nameless(process: int, folder: Path) -> set[str]:
    """The inodes below ``folder`` that a process has mapped and that have no name any more."""
    try:
        lines = (_PROC / str(process) / "maps").read_text(errors="replace").splitlines()
    except OSError:
        return set()
    gone = [line.split(maxsplit=5) for line in lines if line.endswith(" (deleted)")]
    return {fields[4] for fields in gone if fields[5].startswith(f"{folder}/")}


def threads_of_user() -> int:
    """Return how many threads this process's user has on the machine."""
    total = 0
    for process in _numbers(_PROC):
        with contextlib.suppress(OSError):
            if (_PROC / str(process)).stat().st_uid == os.getuid():
                total += threads(process)
    return total
