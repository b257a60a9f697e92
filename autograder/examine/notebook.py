"""Run a sanitised notebook from top to bottom in a subject.

nbclient does the work. What comes back over the kernel's sockets are claims of the student's process: they fill the
executed notebook that people look at, within bounds, and decide nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import nbformat
import zmq.asyncio
from jupyter_client import AsyncKernelClient, AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from nbclient import NotebookClient
from nbclient.exceptions import CellControlSignal, DeadKernelError
from nbformat import NotebookNode

from autograder.rubric import Limits
from autograder.subject.process import SubjectProcess
from autograder.subject.provisioner import SubjectProvisioner

GRACE_S = 1.0
"""How long an interrupted cell may take to stop before its process is ended."""

_MESSAGES = 8
_MESSAGE_BYTES = 16 << 20
"""How many of the kernel's messages may wait to be read, and what one may hold: they wait in the examiner's memory, and
a student's process sends them faster than they can be looked at. One that is larger costs the connection, which comes
back; what a cell prints in a fifth of a second is one message."""

_SHOWN = frozenset({"stream", "display_data", "update_display_data", "execute_result", "error"})
_LOG = logging.getLogger("autograder.nbclient")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


@dataclass(frozen=True)
class CellEnd:
    """What became of one cell: ``ok``, ``error``, ``timeout`` (interrupted) or ``died`` (its process ended)."""

    index: int
    status: str
    cause: str = ""


@dataclass(frozen=True)
class Executed:
    """A notebook that was run. ``fatal`` is the cell that ended the process, if one did: nothing after it ran."""

    notebook: NotebookNode
    ends: tuple[CellEnd, ...]

    @property
    def fatal(self) -> CellEnd | None:
        """The cell that took the process with it."""
        return next((end for end in self.ends if end.status == "died"), None)

    @property
    def failed(self) -> int:
        """How many cells did not end well."""
        return sum(end.status != "ok" for end in self.ends)


def is_graded(cell: NotebookNode) -> bool:
    """Say whether the examiner fills this cell in, so that it is not run."""
    return bool(cell.metadata.get("nbgrader", {}).get("grade"))


def run_notebook(
    notebook: NotebookNode, subject: SubjectProcess, limits: Limits, *, skip: frozenset[int], time_s: float
) -> Executed:
    """Run every code cell but the graded ones and those in ``skip``; a copy with the outputs comes back."""
    return asyncio.run(_Run(notebook, subject, limits).cells(skip, time_s))


class _Run:
    """One run of one notebook."""

    def __init__(self, notebook: NotebookNode, subject: SubjectProcess, limits: Limits) -> None:
        self.notebook: NotebookNode = nbformat.from_dict(notebook)
        self.subject = subject
        self.limits = limits
        self.dead = asyncio.Event()

    async def cells(self, skip: frozenset[int], time_s: float) -> Executed:
        manager = _manager(self.subject)
        client = _Client(self.notebook, manager, self.limits, self.subject.interrupt)
        loop = asyncio.get_running_loop()
        loop.add_reader(self.subject.fileno(), self._look)
        end_at = loop.time() + time_s
        ends: list[CellEnd] = []
        try:
            await manager.start_kernel()
            await self._while_alive(client.async_start_new_kernel_client(), GRACE_S + self.limits.cell_s)
            for index, cell in enumerate(self.notebook.cells):
                if cell.cell_type != "code" or not cell.source.strip() or is_graded(cell) or index in skip:
                    continue
                ends.append(await self._cell(client, index, min(self.limits.cell_s, end_at - loop.time())))
                if ends[-1].status == "died":
                    break
        finally:
            self._look_away()
            if client.kc is not None:
                client.kc.stop_channels()
            manager.context.destroy(linger=0)
        return Executed(self.notebook, tuple(ends))

    def _look(self) -> None:
        if self.subject.poll() is not None:
            self._look_away()
            self.dead.set()

    def _look_away(self) -> None:
        """Stop watching the subject; a killed one has no descriptor any more."""
        if self.subject.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.subject.fileno())

    async def _cell(self, client: _Client, index: int, limit_s: float) -> CellEnd:
        cell = self.notebook.cells[index]
        if limit_s <= 0:
            cell.outputs = [_note("Not run: the time for the whole notebook was used up.")]
            return CellEnd(index, "timeout", "the time for the whole notebook was used up")
        client.begin_cell()
        work = asyncio.ensure_future(client.async_execute_cell(cell, index))
        status, cause = await self._finish(work, limit_s)
        client.end_cell()
        if client.flooded:
            status = status if status == "died" else "error"
            cell.outputs.append(_note(f"The output was cut: {client.bounds} are kept."))
        if cause:
            cell.outputs.append(_note(cause))
        if status == "ok" and any(output.output_type == "error" for output in cell.outputs):
            status = "error"
        return CellEnd(index, status, cause)

    async def _finish(self, work: asyncio.Future[Any], limit_s: float) -> tuple[str, str]:
        """Wait for a cell; interrupt it at its limit, and end the process if that does not help."""
        if await self._wait(work, limit_s):
            return self._result(work)
        self.subject.interrupt()
        if await self._wait(work, GRACE_S):
            status, cause = self._result(work)
            return ("timeout", f"Interrupted after {limit_s:g} s.") if status != "died" else (status, cause)
        work.cancel()
        self._look_away()
        self.subject.kill()
        return (
            "died",
            f"This cell ran longer than {limit_s:g} s and did not stop when interrupted; its process was ended.",
        )

    def _result(self, work: asyncio.Future[Any]) -> tuple[str, str]:
        if self.dead.is_set():
            work.cancel()
            return "died", f"The process that ran this cell ended: {self.subject.poll()}."
        if work.exception() is not None:
            return "error", ""
        return "ok", ""

    async def _wait(self, work: asyncio.Future[Any], limit_s: float) -> bool:
        """Wait until the work is done or the subject is dead; False when the time is up first."""
        dying = asyncio.ensure_future(self.dead.wait())
        done, _ = await asyncio.wait({work, dying}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        dying.cancel()
        if work.done() and isinstance(None if work.cancelled() else work.exception(), DeadKernelError):
            await asyncio.wait({asyncio.ensure_future(self.dead.wait())}, timeout=GRACE_S)
            self.dead.set()
        return bool(done)

    async def _while_alive(self, work: Awaitable[Any], limit_s: float) -> None:
        task = asyncio.ensure_future(work)
        if not await self._wait(task, limit_s) or self.dead.is_set():
            task.cancel()
            raise DeadKernelError(f"the kernel did not start: {self.subject.poll() or 'no answer'}")
        task.result()


class _Client(NotebookClient):
    """nbclient with a bound on what it keeps, and no widgets."""

    def __init__(self, notebook: NotebookNode, manager: AsyncKernelManager, limits: Limits, stop: Any) -> None:
        super().__init__(notebook, km=manager, allow_errors=True, timeout=None, log=_LOG, iopub_timeout=2)
        self.bounds = f"at most {limits.output_kib} KiB of a cell, and {limits.notebook_mib} MiB of a notebook,"
        self.output_bytes = limits.output_kib << 10
        self.stop = stop
        self.flooded = False
        self._left = self.output_bytes
        self._stopping: asyncio.TimerHandle | None = None
        self._left_in_all = limits.notebook_mib << 20  # as much as a submission may have: this one could be submitted

    def begin_cell(self) -> None:
        """Give the next cell its share of output."""
        self.flooded = False
        self._left = self.output_bytes

    def end_cell(self) -> None:
        """Leave a cell alone that has ended: an interrupt would meet the kernel, or the next cell."""
        if self._stopping is not None:
            self._stopping.cancel()
            self._stopping = None

    def _flood(self) -> None:
        """Interrupt a cell that goes on after its output was cut."""
        if not self.flooded:
            self._stopping = asyncio.get_running_loop().call_later(GRACE_S, self.stop)
        self.flooded = True

    def _has_room(self, content: object) -> bool:
        size = len(str(content))
        self._left -= size
        if self._left < 0 or size > self._left_in_all:
            return False
        self._left_in_all -= size
        return True

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Keep an output while there is room; a cell that goes on after the first one too many is interrupted."""
        if msg.get("msg_type") in _SHOWN and not self._has_room(msg.get("content")):
            self._flood()
            return None
        try:
            result: NotebookNode | None = super().process_message(msg, cell, cell_index)
        except CellControlSignal:
            raise
        except Exception:  # noqa: BLE001 - a forged message: nothing in it is worth an error of ours
            return None
        return result

    def handle_comm_msg(self, outs: list[NotebookNode], msg: dict[str, Any], cell_index: int) -> None:
        """Widgets need a browser; their messages are dropped."""


class _KernelClient(AsyncKernelClient):
    """A kernel client for a kernel that has neither control channel nor heartbeat.

    The thread that waits for heartbeats looks up once a second, and stopping the channels would wait for it.
    """

    def start_channels(self, *_: Any, **__: Any) -> None:
        """Start the channels that are served."""
        super().start_channels(hb=False, control=False)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for the kernel's welcome, which says that its outputs are heard, and for its first reply.

        The inherited method cannot count on a welcome: it asks until it hears something, and then waits for silence.
        """
        await self.iopub_channel.get_msg(timeout=timeout)
        self.kernel_info()
        await self.shell_channel.get_msg(timeout=timeout)


class _Manager(AsyncKernelManager):
    """A kernel manager whose kernel has neither control channel nor heartbeat."""

    def _connect_control_socket(self) -> None:
        """The keeper interrupts and ends the kernel."""

    def client(self, **kwargs: Any) -> Any:
        """Make a client on this manager's context, whose sockets bound what they take; it would make one of its own."""
        return super().client(context=self.context, **kwargs)


def _manager(subject: SubjectProcess) -> AsyncKernelManager:
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, _MESSAGE_BYTES)
    context.setsockopt(zmq.RCVHWM, _MESSAGES)
    manager = _Manager(context=context, transport="ipc", client_factory=_KernelClient)
    manager._kernel_spec = KernelSpec(argv=["subject"], display_name="subject", language="python")
    manager.provisioner = SubjectProvisioner(subject=subject, kernel_spec=manager._kernel_spec, parent=manager)
    return manager


def _note(text: str) -> NotebookNode:
    made: NotebookNode = nbformat.v4.new_output("stream", name="stderr", text=f"[autograder] {text}\n")
    return made
