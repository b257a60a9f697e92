"""Inside a cage: the warden, a trusted process that puts up the walls, forks the subject, and stays until it ends.

In the namespaces tier the warden is process 1 of the subject's own pid namespace, so the kernel ends everything with
it. In the others it inherits every orphan, and ends them itself. Nothing here returns to the code that forked it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from autograder.subject.sandbox import landlock, linux, namespaces, privileges, processes, seccomp
from autograder.subject.sandbox.interpreter import interpreter_box
from autograder.subject.sandbox.walls import Tier, Walls

READY = b"ready"
MESSAGE = 4096
"""Bytes of the longest answer: any other than ``READY`` is the text of an error, up to ``END``."""

END = b"\0"

FAREWELL = struct.Struct("<i")
"""The wait status of the subject, the warden's last word."""

_NAME = "student"


@dataclass(frozen=True)
class Order:
    """What a warden is to do. ``user`` is the private user, None to stay the present one; ``owner`` the one in effect.

    ``folder`` holds the work folder where the subject has no file system of its own.
    """

    tier: Tier
    walls: Walls
    keep_fds: frozenset[int]
    folder: Path | None
    user: int | None
    owner: int
    main: Callable[[], int]


def run(order: Order, control: socket.socket) -> NoReturn:
    """Be the warden."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # a keeper that ignores it would have nobody to wait for
        signal.pthread_sigmask(signal.SIG_BLOCK, _heeded())
        _let_go(order.keep_fds | {control.fileno()})
        cell = _put_up_walls(order)
        child = os.fork()
        if child == 0:
            _run_subject(order, control, cell)
        _let_go(frozenset({control.fileno()}))
        status = _watch(child, order.tier)
        control.sendall(FAREWELL.pack(status))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it must not run on as a second keeper
        _report(control, error)
    os._exit(0)


def _heeded() -> set[signal.Signals]:
    """The signals that a warden waits for; Windows, where this package is imported too, lacks some of them."""
    return {signal.SIGCHLD, signal.SIGINT, signal.SIGTERM}


def _report(control: socket.socket, error: BaseException) -> None:
    with contextlib.suppress(OSError):
        control.sendall((str(error) or type(error).__name__).encode()[: MESSAGE - 1] + END)


def _let_go(keep: frozenset[int]) -> None:
    """Close every descriptor but ``keep``, and lead the standard streams nowhere."""
    if sys.platform == "linux":
        linux.close_descriptors(keep)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in {0, 1, 2} - keep:
        os.dup2(nowhere, standard)
    if nowhere > 2:
        os.close(nowhere)


def _put_up_walls(order: Order) -> int | None:
    """Put up what warden and subject have in common; returns the descriptor of the subject's own file system."""
    os.setsid()
    os.umask(0o077)
    cell = None
    if order.tier is Tier.NAMESPACES:
        cell = namespaces.build_cell(order.walls, order.owner)
        namespaces.mount_processes(privileged=order.user is not None)
    if order.tier is not Tier.NONE:
        privileges.become(order.user)
    shared = order.user is None and order.tier is not Tier.NAMESPACES
    privileges.limit(order.walls, processes.threads_of_user() if shared else 0)
    if sys.platform == "linux":
        _bind_to_keeper(order.tier)
    if order.tier is Tier.NAMESPACES:
        landlock.restrict([Path("/")], [namespaces.WORK, namespaces.TEMPORARY, namespaces.SHARED_MEMORY])
        seccomp.install(order.tier)
    elif order.tier is Tier.LANDLOCK:
        _scope_signals()
    return cell


def _bind_to_keeper(tier: Tier) -> None:
    """End when the keeper does; whoever is below is not to look into this process, which is a copy of the keeper."""
    own_namespace = tier is Tier.NAMESPACES
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL if own_namespace else signal.SIGTERM)
    if not own_namespace:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    if tier is not Tier.NONE:
        linux.prctl(linux.PR_SET_DUMPABLE, 0)


def _scope_signals() -> None:
    """Keep signals inside, and make sure of it: the warden will send one to everybody it can reach."""
    landlock.scope_signals()
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        return
    raise OSError("Landlock does not keep signals inside")


def _run_subject(order: Order, control: socket.socket, cell: int | None) -> NoReturn:
    """Be the subject."""
    try:
        _enter(order)
        socket.send_fds(control, [READY], [] if cell is None else [cell])
    except BaseException as error:  # noqa: BLE001 - see run
        _report(control, error)
        os._exit(1)
    control.close()
    if cell is not None:
        os.close(cell)
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _heeded())  # an interrupt that came earlier counts from here on
        status = order.main()
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - the student's code ends here, in whatever way it chooses
        traceback.print_exc()
        status = 1
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status & 0xFF)


def _enter(order: Order) -> None:
    """Put up what the subject has for itself, and go to its work folder."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work, temporary = namespaces.WORK, namespaces.TEMPORARY
    if order.folder is not None:
        work, temporary = order.folder / "work", order.folder / "tmp"
    os.environ.update(HOME=str(work), TMPDIR=str(temporary), USER=_NAME, LOGNAME=_NAME)
    tempfile.tempdir = None  # the keeper's was another
    os.chdir(work)
    if order.tier is Tier.NONE:
        return
    if order.folder is not None:
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        _demand_interpreter()
        landlock.restrict_subject(interpreter_box(), order.folder)
        seccomp.install(order.tier)
    linux.prctl(linux.PR_SET_DUMPABLE, 1)


def _demand_interpreter() -> None:
    """Make sure that the subject's user can read its interpreter; Landlock takes rights and gives none."""
    for module in (os, linux):
        if not os.access(str(module.__file__), os.R_OK):
            raise OSError(
                f"{module.__file__} cannot be read by the private user of a subject: "
                "install Python and autograder where every user can read them, or grade as an ordinary user"
            )


def _watch(child: int, tier: Tier) -> int:
    """Pass SIGINT on and reap until the subject has ended, or has to; returns its wait status, when nothing is left."""
    status: int | None = None
    while status is None:
        heeded = signal.sigwait(_heeded())
        if heeded == signal.SIGINT:
            os.kill(child, signal.SIGINT)
        elif heeded == signal.SIGTERM:
            status = signal.SIGKILL
        else:
            status = _reap(child)
    if tier is not Tier.NAMESPACES:
        _end_everything(child, tier)
    return status


def _reap(child: int) -> int | None:
    """Reap who has ended; returns the wait status of ``child`` if it was among them."""
    found = None
    with contextlib.suppress(ChildProcessError):
        while True:
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                break
            if process == child:
                found = status
    return found


def _end_everything(child: int, tier: Tier) -> None:
    """Kill and reap whatever the subject left behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if tier is Tier.LANDLOCK:
            os.kill(-1, signal.SIGKILL)  # all at once; Landlock lets it reach nobody else
        elif sys.platform == "linux":
            processes.kill_descendants(os.getpid())
        else:
            os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
