"""What a subject may be and use: a private user, no capability, hard limits for each process.

The kernel's limits are for one process, except that on the number of processes, which is counted by user; the tree as a
whole is watched from outside.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from autograder.subject.sandbox import linux
from autograder.subject.sandbox.walls import Walls

if sys.platform != "win32":  # where this package is imported too
    import resource

MIB = 1 << 20
_ADDRESS_SPACE_MIB = 2048
"""The least address space: TensorFlow on a CPU needs it, most of it never touched."""

_CAPABILITIES = {"CHOWN": 0, "SETGID": 6, "SETUID": 7, "SETPCAP": 8, "SYS_PTRACE": 19, "SYS_ADMIN": 21}
_LEAST_IDS = 60000
_QUIET_IDS = (1 << 30, 1 << 31)
"""Numbers that no distribution gives to a user; a random one of them is a subject's where the grader is root."""


def can_make_namespaces() -> bool:
    """True where namespaces need no user namespace first: for root, also in a container that is trusted with them."""
    return can_change_user() and _has_capabilities("SYS_ADMIN")


def can_change_user() -> bool:
    """True where a subject can get a user of its own."""
    return (
        os.geteuid() == 0 and _has_capabilities("CHOWN", "SETUID", "SETGID", "SETPCAP") and _mapped_ids() >= _LEAST_IDS
    )


def _has_capabilities(*names: str) -> bool:
    status = Path("/proc/self/status").read_text().splitlines()
    effective = int(next(line for line in status if line.startswith("CapEff:")).split()[1], 16)
    return all(effective >> _CAPABILITIES[name] & 1 for name in names)


def _mapped_ids() -> int:
    """How many user ids exist in this user namespace, from 0 up."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        if first == 0:
            return count
    return 0


def private_user() -> int:
    """Return a user id that nobody has: random, so that two graders on one machine do not meet."""
    mapped = _mapped_ids()
    first, last = _QUIET_IDS if mapped >= _QUIET_IDS[1] else (mapped // 2, mapped - 1)
    return random.SystemRandom().randrange(first, last)


def become(user: int | None) -> None:
    """Take ``user`` (None keeps the present one), give up every capability, and let no exec give one, for good."""
    if _has_capabilities("SETPCAP"):
        linux.lock_securebits()
        linux.drop_bounding_set()
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)


@contextlib.contextmanager
def seen_as(user: int | None) -> Iterator[None]:
    """Look at the processes of ``user`` as one of its own, where root may not look at others' (in a container)."""
    if user is None or _has_capabilities("SYS_PTRACE"):
        yield
        return
    group, me = os.getegid(), os.geteuid()
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(me)
        os.setegid(group)


def limit(walls: Walls, others: int) -> None:
    """Set the hard limits of this process and of all that it will start.

    ``others`` is how many threads the same user already has: the kernel counts them with the subject's.
    """
    for name, most in _limits(walls, others).items():
        kind = getattr(resource, name, None)
        if kind is None:
            continue  # this system has no such limit
        _, hard = resource.getrlimit(kind)
        bounded = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bounded, bounded))


def _limits(walls: Walls, others: int) -> dict[str, int]:
    limits = {
        "RLIMIT_AS": max(_ADDRESS_SPACE_MIB * MIB, _present_address_space() + walls.memory_mib * MIB),
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": walls.disk_mib * MIB,
        "RLIMIT_MEMLOCK": 65536,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_NICE": 0,
        "RLIMIT_NOFILE": walls.open_files,
        "RLIMIT_NPROC": walls.processes + others,
        "RLIMIT_RTPRIO": 0,
    }
    if walls.cpu_s is not None:
        limits["RLIMIT_CPU"] = walls.cpu_s
    return limits


def _present_address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
