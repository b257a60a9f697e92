"""Examine one submission: run its notebook, run the hidden checks against it, decide, write the record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import nbformat
from nbformat import NotebookNode

from autograder.errors import SubmissionError
from autograder.examine.checks import Checks
from autograder.examine.notebook import Executed
from autograder.examine.outputs import finished
from autograder.examine.reports import Maker
from autograder.examine.sanitise import sanitise
from autograder.examine.session import Session, Workshop
from autograder.model import Graded, Job, NotebookRun, Seconds, TaskResult
from autograder.subject.proxy import RemoteSubject

if TYPE_CHECKING:
    from autograder.course import Assignment


class Examiner:
    """Everything that is the same for a whole class, ready to examine one submission in a fork."""

    def __init__(self, checks: Checks, assignment: Assignment, workshop: Workshop, maker: Maker) -> None:
        self.checks = checks
        self.workshop = workshop
        self.maker = maker
        self.rubric = assignment.rubric
        self.release: NotebookNode = nbformat.read(assignment.release_notebook, as_version=4)
        self.released = frozenset(cell.source.strip() for cell in self.release.cells)

    def examine(self, job: Job) -> Graded:
        """Return the record of one submission.

        Raises:
            GraderError: it could not be examined, and not by its own fault.
        """
        started = time.monotonic()
        try:
            clean = sanitise(job.notebook or b"", self.release, self.rubric.tasks, self.workshop.limits)
        except SubmissionError as error:
            return Graded(self.maker.ungradable(job, error.message), None)
        session = Session(self.workshop, clean.notebook, clean.figures)
        try:
            executed = session.run()
            ran_s = session.notebook_s
            tasks = self._check(session, job, clean.notebook)
            session.raise_for_failure()
        finally:
            session.discard()
        total_s = time.monotonic() - started
        seconds = Seconds(round(total_s, 3), round(ran_s, 3), round(total_s - ran_s, 3))
        report = self.maker.graded(job, tasks, _run(executed, clean.notes), seconds)
        return Graded(report, finished(executed.notebook, tasks, self.released))

    def _check(self, session: Session, job: Job, notebook: NotebookNode) -> tuple[TaskResult, ...]:
        source = tuple(cell.source for cell in notebook.cells if cell.cell_type == "code")
        return self.checks.run(RemoteSubject(session, source), session, job.student, job.kept)


def _run(executed: Executed, notes: Sequence[str]) -> NotebookRun:
    return NotebookRun(cells_run=len(executed.ends), cells_failed=executed.failed, notes=tuple(notes))
