"""The box of a fork server: the process walls itself in before it imports anything that a student's code could meet."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from pathlib import Path
from typing import NoReturn

from autograder.subject.sandbox import files, landlock, linux, namespaces, privileges, processes, seccomp
from autograder.subject.sandbox.walls import Box, Tier

_SCRATCH = "autograder-box-"
_FRESH_S = 60.0
"""Seconds that a grader may take from making its folder to locking it."""


def enter_box(tier: Tier, box: Box) -> None:
    """Put this process into ``box``, for good. Call it first, while there is one thread.

    It returns in another process, a descendant of the caller's; the caller itself stays outside, holds nothing but its
    standard streams, waits, and exits with the other's status. Whichever of them is killed takes the other along.
    Orphans of subjects are reaped by a process between the two, so that a server has to reap its own children only.

    Raises:
        OSError: a wall could not be put up; the text says which.
    """
    if tier is Tier.NONE:
        return
    seccomp.compiled(tier)  # libseccomp is looked for with programs that are not in the box
    if tier is Tier.NAMESPACES:
        _enter_namespaces(box)
    else:
        _enter_landlock(box)


def _enter_namespaces(box: Box) -> None:
    namespaces.leave_for_box(privileged=privileges.can_make_namespaces())
    _fork_and_wait()
    namespaces.build_box(box)
    _fork_and_wait()
    _settle(namespaces.CELL)


def _enter_landlock(box: Box) -> None:
    if landlock.version() < landlock.SCOPED_ABI:
        raise OSError(
            f"Landlock is of version {landlock.version()}, and {landlock.SCOPED_ABI} is needed: use Linux 6.12"
        )
    scratch = _make_scratch()
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    _fork_and_wait(scratch)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict_server(box, scratch)
    _settle(scratch)


def _make_scratch() -> Path:
    """Make the folder of the work folders, locked for as long as this process or one that it forks has it open.

    Those of graders that were killed are nobody's any more, and are removed.
    """
    for old in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*"):
        with contextlib.suppress(OSError):
            if old.stat().st_uid == os.geteuid() and time.time() - old.stat().st_mtime > _FRESH_S:
                os.close(_lock(old))
                files.remove(old)
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH))
    scratch.chmod(0o711)  # each work folder in it belongs to the private user of its subject
    _lock(scratch)
    return scratch


def _lock(folder: Path) -> int:
    """Return a descriptor that holds the lock on a folder; raises OSError when somebody else does."""
    import fcntl  # Windows, where this package is imported too, has none

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _settle(scratch: Path) -> None:
    os.environ["HOME"] = os.environ["TMPDIR"] = str(scratch)
    tempfile.tempdir = None  # it was found out before the walls went up
    os.chdir(scratch)


def _fork_and_wait(scratch: Path | None = None) -> None:
    """Return in a child, which dies with this process."""
    child = os.fork()
    if child:
        _wait_outside(child, scratch)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait_outside(child: int, scratch: Path | None) -> NoReturn:
    linux.close_descriptors(frozenset())
    status = _reap_until(child)
    if scratch is not None:
        processes.kill_descendants(os.getpid())
        files.remove(scratch)
    os._exit(status if status >= 0 else 128 - status)


def _reap_until(child: int) -> int:
    while True:
        process, status = os.wait()
        if process == child:
            return os.waitstatus_to_exitcode(status)
