"""Landlock: rules on files, TCP, signals and abstract sockets that a process puts on itself, without any privilege.

It is the second wall inside the namespaces, as far as the kernel has it, and the first one where there are none; then
it has to know signals and abstract sockets (version 6). It does not look at who may stat, chmod or chdir: the filter
of system calls does that.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from autograder.subject.sandbox import linux
from autograder.subject.sandbox.walls import Box

SCOPED_ABI = 6
"""The first version with scopes."""

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
_RIGHTS_BITS = {1: 13, 2: 14, 3: 15, 4: 15}
"""How many rights on files each version knows; later ones know 16."""

_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1
_SCOPES = _ABSTRACT_SOCKETS | _SIGNALS

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_NEVER = _EXECUTE | _MAKE_CHAR | _MAKE_SOCK | _MAKE_BLOCK | _IOCTL_DEV
_DEVICES = tuple(Path("/dev") / name for name in ("null", "zero", "full", "random", "urandom"))
_FACTS = tuple(
    Path("/proc") / name
    for name in ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version", "sys/kernel", "sys/vm")
)
"""What programs read of ``/proc`` that is about the machine and about no process."""


def version() -> int:
    """Return the kernel's version of Landlock, 0 where there is none."""
    try:
        return linux.landlock_abi()
    except OSError:
        return 0


def restrict(readable: Iterable[Path], writable: Iterable[Path], listed: Iterable[Path] = ()) -> None:
    """Allow this process, and all that it will start, these files and no TCP, as far as the kernel can.

    Of what is below a ``listed`` folder names can be seen, and nothing more.

    Where it knows scopes, signals and abstract sockets reach only what is started from here on. What does not exist is
    passed over.
    """
    abi = version()
    if not abi:
        return
    handled = (1 << _RIGHTS_BITS.get(abi, 16)) - 1
    network = _BIND_TCP | _CONNECT_TCP if abi >= 4 else 0
    ruleset = linux.landlock_ruleset(handled, network, _SCOPES if abi >= SCOPED_ABI else 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ & handled)
        for path in listed:
            _allow(ruleset, path, _READ_DIR & handled)
        for path in writable:
            _allow(ruleset, path, handled & ~_NEVER)
        for path in _DEVICES:
            _allow(ruleset, path, handled & (_READ_FILE | _WRITE_FILE | _TRUNCATE))
        linux.landlock_restrict(ruleset)
    finally:
        os.close(ruleset)


def scope_signals() -> None:
    """Let signals from this process, and from all that it will start, reach no one else. Needs version 6."""
    ruleset = linux.landlock_ruleset(0, 0, _SIGNALS)
    try:
        linux.landlock_restrict(ruleset)
    finally:
        os.close(ruleset)


def restrict_server(box: Box, scratch: Path) -> None:
    """Restrict a fork server and all of its subjects to the box, ``/proc`` and the folder of their work folders."""
    allowed, divided = _without_masked(box)
    restrict([*allowed, Path("/proc")], [scratch], divided)  # importlib.metadata lists the folder of the packages


def restrict_subject(box: Box, work: Path) -> None:
    """Restrict a subject to the box, its own entry in ``/proc`` and its work folder."""
    restrict([*box.readable, Path("/proc/self"), *_FACTS], [work])


def _without_masked(box: Box) -> tuple[list[Path], list[Path]]:
    """The readable paths, a folder with something masked below it replaced by its other members; and those folders."""
    masked = {path.resolve() for path in box.masked}
    above = {parent for path in masked for parent in path.parents}
    allowed: list[Path] = []
    divided: list[Path] = []
    waiting = [path.resolve() for path in box.readable]
    while waiting:
        path = waiting.pop()
        if path in above:
            divided.append(path)
            waiting += [member for member in path.iterdir() if not member.is_symlink()]
        elif path not in masked:
            allowed.append(path)
    return allowed, divided


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # absent, or out of reach: then nothing of it can be allowed
    try:
        linux.landlock_allow(ruleset, access if path.is_dir() else access & _OF_A_FILE, descriptor)
    finally:
        os.close(descriptor)
