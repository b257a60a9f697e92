"""One subject behind its walls: started, interrupted, watched, and ended with everything that it started.

The keeper that calls ``spawn`` is the parent of a small trusted process, the warden, and that is the parent of the
subject. The warden inherits the subject's orphans, passes SIGINT on, and ends when the subject does, or when the keeper
dies.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from autograder.subject.sandbox import files, namespaces, privileges, processes, warden
from autograder.subject.sandbox.walls import Tier, Usage, Walls

START_S = 30.0
"""Seconds that putting up the walls may take on a machine that is busy with other subjects."""

_DYING_S = 5.0
"""Seconds that a warden may take to end its tree before it is done without it."""


class Cage:
    """A running subject. ``pid`` is its warden's, from whom everything inside descends."""

    def __init__(self, order: warden.Order, pid: int, control: socket.socket, cell: int | None) -> None:
        self.pid = pid
        self._tier = order.tier
        self._user = order.user
        self._walls = order.walls
        self._control = control
        self._cell = cell
        self._folder = order.folder
        self._status: int | None = None

    def fileno(self) -> int:
        """A descriptor that becomes readable when the subject has ended; it is closed once that is known."""
        return self._control.fileno()

    def interrupt(self) -> None:
        """Send SIGINT to the subject."""
        if self._status is None:
            os.kill(self.pid, signal.SIGINT)

    def wait(self, timeout_s: float | None) -> int | None:
        """Return the subject's exit status, -n when signal n ended it, or None when it still runs after ``timeout_s``.

        The status is what the subject chose: a claim.
        """
        if self._status is None and self._is_readable(timeout_s):
            farewell = self._control.recv(warden.FAREWELL.size)
            _, status = os.waitpid(self.pid, 0)
            told = len(farewell) == warden.FAREWELL.size
            self._status = os.waitstatus_to_exitcode(warden.FAREWELL.unpack(farewell)[0] if told else status)
            self._clear()
        return self._status

    def kill(self) -> int:
        """End the subject and everything that it started; all of it is dead when this returns the status."""
        if self._status is None:
            self._end_tree()
        status = self.wait(None)
        assert status is not None
        return status

    def usage(self, *, exact: bool = False) -> Usage:
        """Look at what the subject's processes use now.

        Unless ``exact``, shared pages count in full as long as the sum is within the limit: it is much quicker.
        """
        inside = processes.descendants(self.pid)
        with privileges.seen_as(self._user):
            disk_mib = self._disk_mib(inside)
            stored_mib = disk_mib if self._cell is not None else 0.0  # that file system is in memory
            stored_mib += sum(map(processes.held_mib, inside))
            memory_mib = stored_mib + sum(map(processes.resident_mib, inside))
            if exact or memory_mib > self._walls.memory_mib:
                memory_mib = stored_mib + sum(map(processes.share_mib, inside))
        return Usage(memory_mib, sum(map(processes.threads, inside)), disk_mib)

    def _disk_mib(self, inside: list[int]) -> float:
        if self._cell is not None:
            facts = os.fstatvfs(self._cell)
            return (facts.f_blocks - facts.f_bfree) * facts.f_frsize / processes.MIB
        assert self._folder is not None
        nameless = (processes.nameless_mib(one, self._folder, self._walls.disk_mib) for one in inside)
        return processes.folder_mib(self._folder) + sum(nameless)

    def _is_readable(self, timeout_s: float | None) -> bool:
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        return bool(poller.poll(None if timeout_s is None else timeout_s * 1000))

    def _end_tree(self) -> None:
        if self._tier is Tier.NAMESPACES:
            os.kill(self.pid, signal.SIGKILL)  # the kernel kills the rest, and its parent waits until it has
            return
        os.kill(self.pid, signal.SIGTERM)
        if not self._is_readable(_DYING_S):
            if sys.platform == "linux":
                processes.kill_descendants(self.pid)
            os.kill(self.pid, signal.SIGKILL)

    def _clear(self) -> None:
        """Give back what the dead subject held."""
        self._control.close()
        if self._cell is not None:
            os.close(self._cell)
        if self._folder is not None:
            files.remove(self._folder)
        self._cell = self._folder = None


def spawn(tier: Tier, walls: Walls, keep_fds: tuple[int, ...], main: Callable[[], int]) -> Cage:
    """Run ``main`` in a subject of its own, which has ``keep_fds`` and no other descriptor, and exits with its result.

    Call it from a process with one thread, inside a box of the same tier. The subject starts in its work folder;
    standard streams lead nowhere. In the landlock tier it reads what ``interpreter_box`` names, as far as its server
    may.

    Raises:
        OSError: a wall could not be put up, and nothing was run; the text says which.
    """
    user = _user(tier, walls)
    owner = os.geteuid() if user is None else user
    folder = None if tier is Tier.NAMESPACES else Path(tempfile.mkdtemp(prefix="subject-"))
    order = warden.Order(tier, walls, frozenset(keep_fds), folder, user, owner, main)
    ours, theirs = socket.socketpair()
    ours.settimeout(START_S)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        _fill_folder(order)
        with theirs:
            pid = _fork_warden(order, ours, theirs)
        return Cage(order, pid, ours, _await_ready(pid, ours))
    except BaseException:
        ours.close()
        if folder is not None:
            files.remove(folder)
        raise


def _user(tier: Tier, walls: Walls) -> int | None:
    """The private user of the subject, None where it is the grader's own."""
    if tier is Tier.NAMESPACES and privileges.can_make_namespaces():
        return walls.uid or privileges.private_user()
    if tier is Tier.LANDLOCK and os.geteuid() == 0:
        if not privileges.can_change_user():
            raise OSError(
                "root without CAP_SETUID cannot give a subject a user of its own: run the grader as another user"
            )
        return walls.uid or privileges.private_user()
    return None


def _fill_folder(order: warden.Order) -> None:
    """Make the folders of a subject that has no file system of its own."""
    if order.folder is None:
        return
    if order.user is not None:
        os.chown(order.folder, order.user, order.user)
    for name in ("work", "tmp"):
        files.make_private(order.folder / name, order.owner)
    files.place(order.folder / "work", order.walls.files, order.owner)


def _fork_warden(order: warden.Order, ours: socket.socket, theirs: socket.socket) -> int:
    apart = namespaces.children_apart() if order.tier is Tier.NAMESPACES else contextlib.nullcontext()
    with apart:
        child = os.fork()
        if child == 0:
            ours.close()
            warden.run(order, theirs)
    return child


def _await_ready(pid: int, ours: socket.socket) -> int | None:
    """Wait until the walls are up; returns the descriptor of the subject's own file system."""
    try:
        answer, descriptors, _, _ = socket.recv_fds(ours, len(warden.READY), 1)
        if answer != warden.READY:
            text, _, _ = (answer + ours.recv(warden.MESSAGE)).partition(warden.END)
            raise OSError(text.decode(errors="replace") or "the process ended while its walls were put up")
    except OSError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return descriptors[0] if descriptors else None
