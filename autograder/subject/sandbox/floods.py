"""Attacks by quantity: each takes far more than a subject may have, yet too little to hurt the machine, and holds it.

They run in a subject of their own, under a watchdog, and end by being killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import mmap
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from autograder.subject.sandbox.walls import Usage, Walls

WALLS = Walls(memory_mib=128, processes=24, disk_mib=16, inodes=512)
"""What the subject of a flood may have."""

_MIB = 1 << 20
_PAIRS = 100
"""Pairs of sockets in each process that fills them: within the open files that it may have."""


@dataclass(frozen=True)
class Flood:
    """One thing to take too much of: ``take`` yields how much it has so far, ``limit`` is what it may have.

    It stops at ``enough``, so that the machine is not hurt. ``is_over`` is what a watchdog sees of it.
    """

    name: str
    unit: str
    take: Callable[[], Iterator[int]]
    limit: int
    enough: int
    is_over: Callable[[Usage], bool]


def hold(flood: Flood, tell: Callable[[int], None]) -> NoReturn:
    """Take until it is refused or enough, tell how much that was, and keep it."""
    taken = 0
    with contextlib.suppress(OSError, MemoryError):
        for taken in flood.take():
            if taken >= flood.enough:
                tell(taken)
                _sleep()  # inside the loop, so that the flood keeps what it has
    tell(taken)
    _sleep()


def _sleep() -> NoReturn:
    while True:
        time.sleep(60)


def _fill_disk() -> Iterator[int]:
    """In many files, none of which a limit on a single one would stop."""
    for number in itertools.count(1):
        Path(f"filler-{number}").write_bytes(bytes(_MIB))
        yield number


def _fill_disk_deep() -> Iterator[int]:
    """In a folder whose path is too long to be named, and that may not be listed."""
    for _ in range(400):
        Path("deep-folder").mkdir(0o700)
        os.chdir("deep-folder")
    Path("closed").mkdir(0o300)
    os.chdir("closed")
    yield from _fill_disk()


def _fill_disk_unseen() -> Iterator[int]:
    """In files that lose their names at once, and are kept open."""
    kept = []
    for number in itertools.count(1):
        place = Path(f"filler-{number}")
        kept.append(place.open("wb", buffering=0))
        kept[-1].write(bytes(_MIB))
        place.unlink()
        yield number


def _fill_disk_mapped() -> Iterator[int]:
    """In files that lose their names and their descriptors, and stay because a page of each is mapped."""
    for number in itertools.count(1):
        place = Path(f"filler-{number}")
        with place.open("w+b", buffering=0) as filler:
            filler.write(bytes(_MIB))
            _map_page(filler.fileno())
        place.unlink()
        yield number


def _map_page(descriptor: int) -> None:
    """Map a page for as long as the process lives, without the descriptor that Python's own mapping would keep."""
    library = ctypes.CDLL(None, use_errno=True)
    library.mmap.restype = ctypes.c_void_p
    length, offset = ctypes.c_size_t(mmap.PAGESIZE), ctypes.c_long(0)
    library.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, offset)


def _use_up_inodes() -> Iterator[int]:
    for number in itertools.count(1):
        Path(f"inode-{number}").touch()
        yield number


def _fork_many() -> Iterator[int]:
    for number in itertools.count(1):
        if os.fork() == 0:
            signal.pause()
        yield number


def _take_memory() -> Iterator[int]:
    """In blocks that are written to, so that they are really there; slowly, so that a watchdog has a chance."""
    blocks = []
    for number in itertools.count(1):
        blocks.append(b"x" * _MIB)
        time.sleep(0.001)
        yield number


def _fill_sockets() -> Iterator[int]:
    """In the buffers of sockets, which are the kernel's memory and no process's, by one child after the other."""
    source, sink = os.pipe()
    total = 0
    while True:
        if os.fork() == 0:
            pairs = [socket.socketpair() for _ in range(_PAIRS)]
            os.write(sink, sum(_stuff(one) for pair in pairs for one in pair).to_bytes(8, "little"))
            signal.pause()
        total += int.from_bytes(os.read(source, 8), "little")
        yield total // _MIB


def _stuff(stream: socket.socket) -> int:
    """Send until nothing more goes in; returns how many bytes that were."""
    stream.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            sent += stream.send(bytes(1 << 14))
    return sent


def _is_over_disk(usage: Usage) -> bool:
    return usage.disk_mib > WALLS.disk_mib


def _is_over_processes(usage: Usage) -> bool:
    return usage.processes > WALLS.processes


def _is_over_memory(usage: Usage) -> bool:
    return usage.memory_mib > WALLS.memory_mib


FLOODS = (
    Flood("fill the disk", "MiB", _fill_disk, WALLS.disk_mib, 160, _is_over_disk),
    Flood("fill the disk with files that have no name", "MiB", _fill_disk_unseen, WALLS.disk_mib, 160, _is_over_disk),
    Flood(
        "fill the disk with files that are only mapped", "MiB", _fill_disk_mapped, WALLS.disk_mib, 160, _is_over_disk
    ),
    Flood("fill the disk out of reach", "MiB", _fill_disk_deep, WALLS.disk_mib, 160, _is_over_disk),
    Flood("use up the inodes", "files", _use_up_inodes, WALLS.inodes, 6000, _is_over_disk),
    Flood("fork without end", "processes", _fork_many, WALLS.processes, 60, _is_over_processes),
    Flood("take all memory", "MiB", _take_memory, WALLS.memory_mib, 400, _is_over_memory),
    Flood("take memory in the kernel", "MiB", _fill_sockets, WALLS.memory_mib, 300, _is_over_memory),
)
