"""Attacks by quantity: each takes far more than a subject may have, yet too little to hurt the machine, and holds it.

They run in a subject of their own, under a watchdog, and end by being killed.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from autograder.subject.sandbox.walls import Usage, Walls

WALLS = Walls(memory_mib=128, processes=24, disk_mib=16, inodes=512)
"""What the subject of a flood may have."""

_MIB = 1 << 20


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
            if taken == flood.enough:
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


def _is_over_disk(usage: Usage) -> bool:
    return usage.disk_mib > WALLS.disk_mib


def _is_over_processes(usage: Usage) -> bool:
    return usage.processes > WALLS.processes


def _is_over_memory(usage: Usage) -> bool:
    return usage.memory_mib > WALLS.memory_mib


FLOODS = (
    Flood("fill the disk", "MiB", _fill_disk, WALLS.disk_mib, 160, _is_over_disk),
    Flood("use up the inodes", "files", _use_up_inodes, WALLS.inodes, 6000, _is_over_disk),
    Flood("fork without end", "processes", _fork_many, WALLS.processes, 60, _is_over_processes),
    Flood("take all memory", "MiB", _take_memory, WALLS.memory_mib, 400, _is_over_memory),
)
