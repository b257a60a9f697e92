"""The records of the sandbox: which walls, around what, how high, and what was used inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class Tier(str, Enum):
    """The kinds of walls, strongest first. ``NONE`` is for ``--unsafe-no-sandbox`` alone."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    NONE = "none"


@dataclass(frozen=True)
class Box:
    """What can be seen from inside: ``readable`` files and folders, without the ``masked`` ones below them."""

    readable: tuple[Path, ...]
    masked: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Walls:
    """The limits of one subject, all of its processes together unless it says otherwise.

    ``memory_mib`` bounds the address space of each process, over what it starts with, and is what a watchdog compares
    with ``Usage.memory_mib``; ``disk_mib`` is for the watchdog where the subject has no file system of its own.
    ``processes`` counts threads, and one process of ours. ``open_files`` and ``cpu_s`` are for each process. ``uid`` is
    the private user of the subject where the grader is root; None takes a random one. ``files`` are placed in the work
    folder first.
    """

    memory_mib: int = 2048
    processes: int = 64
    disk_mib: int = 64
    inodes: int = 4096
    open_files: int = 256
    cpu_s: int | None = None
    uid: int | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Usage:
    """What a subject uses now. ``memory_mib`` includes the files that it keeps in memory, ``processes`` its threads."""

    memory_mib: float
    processes: int
    disk_mib: float
