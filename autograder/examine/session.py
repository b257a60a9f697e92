"""One submission's subjects: the first one, and a fresh one after each that had to be ended.

The session is what a ``RemoteSubject`` is linked to. It runs the notebook, leaves out the figures and each cell that
ends its process, and keeps the three clocks of rubric.toml: one check, one task, the whole submission.
"""

from __future__ import annotations

import socket
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from autograder.errors import CheckFailure, GraderError
from autograder.examine.notebook import Executed, run_notebook
from autograder.rubric import Limits
from autograder.subject.channel import Channel
from autograder.subject.process import SubjectProcess, spawn_subject
from autograder.subject.sandbox import Walls

FATAL_CELLS = 3
"""Cells that may end the process before the rest of the notebook is given up."""

_LOST = "a subject ended because its keeper had ended"

FRESH_SUBJECTS = 40
"""Subjects that one submission may use up in its checks."""


@dataclass(frozen=True)
class Workshop:
    """Where subjects come from: the fork server's socket and folder, and the files that each subject starts with."""

    control: socket.socket
    folder: Path
    files: Mapping[str, bytes]
    limits: Limits

    def subject(self) -> SubjectProcess:
        """Spawn one; raises GraderError."""
        limits = self.limits
        walls = Walls(memory_mib=limits.memory_mib, processes=limits.processes, disk_mib=limits.disk_mib)
        return spawn_subject(self.control, walls, self.files, self.folder)


class Session:
    """The subjects of one submission, one at a time."""

    def __init__(self, workshop: Workshop, notebook: NotebookNode, figures: frozenset[int]) -> None:
        self.workshop = workshop
        self.limits = workshop.limits
        self.check_s = workshop.limits.check_s
        self.notebook = notebook
        self.started = time.monotonic()
        self.notebook_s = 0.0
        self._skip = figures
        self._fatal = 0
        self._subject: SubjectProcess | None = None
        self._used = 0
        self._task = ""
        self._task_s: dict[str, float] = defaultdict(float)
        self._check_started = 0.0
        self._failure: GraderError | None = None

    def run(self) -> Executed:
        """Run the notebook; a cell that ends the process is left out of the next try. Returns the first try's outputs.

        Raises:
            GraderError: no subject could be had.
        """
        first = executed = self._try()
        while executed.fatal is not None and self._fatal < FATAL_CELLS:
            self._fatal += 1
            self._skip |= {executed.fatal.index}
            executed = self._try()
            first = _joined(first, executed)
        return first

    def begin_check(self, task: str) -> None:
        """Start the clock of one check of ``task``."""
        self._task = task
        self._check_started = time.monotonic()

    def end_check(self) -> None:
        """Charge the check's seconds to its task."""
        self._task_s[self._task] += time.monotonic() - self._check_started

    def renew(self, task: str) -> None:
        """Give a task its whole time again: what it used up was the fault of something that it builds on."""
        self._task_s[task] = 0.0

    def channel(self) -> Channel:
        """Return the channel to a live subject that has run the notebook; see ``proxy.Link``."""
        if self.time_left_s() <= 0:
            raise CheckFailure(f"The time for the checks of {self._task} was used up by earlier ones.")
        if self._subject is None:
            if self._used >= FRESH_SUBJECTS:
                raise CheckFailure("The process of this notebook was ended too often.")
            spent = time.monotonic()
            self._try_for_a_check()
            self._check_started += time.monotonic() - spent  # a fresh start is not the student's time
        if self._subject is None:
            raise CheckFailure("The notebook could not be run again after its process had ended.")
        return self._subject.agent

    def _try_for_a_check(self) -> None:
        try:
            self._try()
        except GraderError as error:
            self._failure = error  # the check that meets it is broken, and nobody else would hear of it
            raise

    def raise_for_failure(self) -> None:
        """Raise what went wrong in a check by no fault of the student's, so that nothing is decided by it.

        Raises:
            GraderError: a subject was lost, or could not be had.
        """
        if self._failure is not None:
            raise self._failure

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the subject."""
        if self._subject is not None:
            self._subject.interrupt()

    def discard(self) -> str:
        """End the subject; the next ``channel`` starts a fresh one."""
        cause = ""
        if self._subject is not None:
            died = self._subject.poll()
            cause = died or self._subject.kill()
            self._subject.kill()
            if self._subject.was_lost:
                self._failure = GraderError(_LOST)
            self._subject = None
        return cause

    def time_left_s(self) -> float:
        """Seconds that the check under way may still take."""
        now = time.monotonic()
        in_check = now - self._check_started
        return min(
            self.limits.check_s - in_check,
            self.limits.task_s - self._task_s[self._task] - in_check,
            self.limits.total_s - (now - self.started),
        )

    def _try(self) -> Executed:
        """Run the notebook in a fresh subject, which is kept when it lives to the end."""
        self._used += 1
        started = time.monotonic()
        subject = self.workshop.subject()
        time_s = self.limits.total_s - (started - self.started)
        try:
            executed = run_notebook(self.notebook, subject, self.limits, skip=self._skip, time_s=time_s)
        except DeadKernelError as error:
            raise GraderError(f"the subject's kernel did not come up ({subject.kill()}; {error})") from None
        except BaseException:
            subject.kill()
            raise
        self.notebook_s += time.monotonic() - started
        if subject.was_lost:
            subject.kill()
            raise GraderError(_LOST)
        if executed.fatal is None and subject.poll() is None:
            self._subject = subject
        else:
            subject.kill()
        return executed


def _joined(first: Executed, second: Executed) -> Executed:
    """Keep what the first try showed of the fatal cells, and take the rest from the second."""
    ends = {end.index: end for end in (*second.ends, *(end for end in first.ends if end.status == "died"))}
    notebook = second.notebook
    for end in first.ends:
        if end.status == "died":
            notebook.cells[end.index] = first.notebook.cells[end.index]
    return Executed(notebook, tuple(ends[index] for index in sorted(ends)))
