"""Examine one submission: run its notebook, run the hidden checks against it, decide, write the record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import nbformat
import pytest
from _pytest.runner import runtestprotocol
from nbformat import NotebookNode

from autograder.checks.plugin import EXAMINATION, Examination, check_outcome, collect_tasks, load_reference, task_of
from autograder.checks.results import Verdict
from autograder.errors import SubmissionError
from autograder.examine.diagnosis import Diagnosis
from autograder.examine.notebook import Executed
from autograder.examine.outputs import finished
from autograder.examine.reports import Maker
from autograder.examine.sanitise import sanitise
from autograder.examine.session import Session, Workshop
from autograder.misconceptions import load
from autograder.model import Graded, Job, NotebookRun, Outcome, Seconds, TaskResult
from autograder.rubric import Task
from autograder.subject.proxy import RemoteSubject
from autograder.subject.witness import Answer, Witness

if TYPE_CHECKING:
    from autograder.course import Assignment


class Examiner:
    """Everything that is the same for a whole class, ready to examine one submission in a fork."""

    def __init__(self, session: pytest.Session, assignment: Assignment, workshop: Workshop, maker: Maker) -> None:
        self.items = session.items
        self.config = session.config
        self.workshop = workshop
        self.maker = maker
        self.rubric = assignment.rubric
        self.release: NotebookNode = nbformat.read(assignment.release_notebook, as_version=4)
        self.reference = load_reference(assignment.solution)
        known = load(assignment.misconceptions) if assignment.misconceptions.is_file() else ()
        self.diagnosis = Diagnosis(known, session.config, lambda item: runtestprotocol(item, log=False))
        self.salt = assignment.course.salt.read_text(encoding="utf8").strip()

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
            tasks = self._check(session, job.student, clean.notebook)
        finally:
            session.discard()
        total_s = time.monotonic() - started
        seconds = Seconds(round(total_s, 3), round(ran_s, 3), round(total_s - ran_s, 3))
        report = self.maker.graded(job, tasks, _run(executed, clean.notes), seconds)
        return Graded(report, finished(executed.notebook, tasks))

    def _check(self, session: Session, student: str, notebook: NotebookNode) -> tuple[TaskResult, ...]:
        """Run every check, carry errors forward, and say which known mistakes the failed ones show."""
        source = tuple(cell.source for cell in notebook.cells if cell.cell_type == "code")
        witness = Witness(RemoteSubject(session, source))
        self.config.stash[EXAMINATION] = Examination(witness, self.reference, self.salt, student, self.rubric)
        checks = _Checks(self.items, session, witness)
        carried = self._carry_forward(checks)
        for check, mistake in self.diagnosis.of(self.items, checks.asked).items():
            found = checks.found[check]
            message = f"{mistake.feedback}\n{found.message}"
            checks.found[check] = replace(found, message=message, misconception=mistake.name)
        results = collect_tasks(self.rubric, self.items, checks.found)
        return tuple(replace(result, carried_forward=result.name in carried) for result in results)

    def _carry_forward(self, checks: _Checks) -> set[str]:
        """Repeat the checks that failed after something that their task builds on had failed; name who gained by it.

        In the repetition the reference answers for the failed functions, through the boundary; a check that then passes
        earns its points.
        """
        failed = {task_of(item) for item in self.items if checks.found[item.nodeid].outcome is not Outcome.PASSED}
        given = {task.name: self._given(task, failed) for task in self.rubric.tasks if task.name in failed}
        return {name for name, functions in given.items() if functions and checks.repeat(name, functions)}

    def _given(self, task: Task, failed: set[str]) -> dict[str, Callable[..., object]]:
        """The reference's functions for every failed task that ``task`` builds on, at whatever distance."""
        below: set[str] = set()
        for earlier in reversed(self.rubric.tasks):
            if earlier.name in task.builds_on or any(
                earlier.name in self.rubric.task(name).builds_on for name in below
            ):
                below.add(earlier.name)
        names = (name for one in self.rubric.tasks if one.name in below & failed for name in one.functions)
        return {name: getattr(self.reference, name) for name in names}


class _Checks:
    """The checks of one submission: what was ``found`` by each, and what the failed ones were answered (``asked``)."""

    def __init__(self, items: Sequence[pytest.Item], session: Session, witness: Witness) -> None:
        self.items = items
        self.session = session
        self.witness = witness
        self.asked: dict[str, Sequence[Answer]] = {}
        self.found = {item.nodeid: self._verdict(item) for item in items}

    def repeat(self, task: str, given: Mapping[str, Callable[..., object]]) -> bool:
        """Repeat the failed checks of a task with the given functions; say whether that earned anything."""
        earned = False
        self.session.renew(task)
        for item in self.items:
            if task_of(item) == task and self.found[item.nodeid].outcome is Outcome.FAILED:
                with self.witness.given(given):
                    verdict = self._verdict(item)
                if verdict.outcome is Outcome.PASSED:
                    self.found[item.nodeid] = replace(verdict, message=f"Passed with the given {', '.join(given)}.")
                    earned = True
        return earned

    def _verdict(self, item: pytest.Item) -> Verdict:
        self.session.begin_check(task_of(item))
        verdict = check_outcome(item, runtestprotocol(item, log=False))
        self.session.end_check()
        self.asked.pop(item.nodeid, None)
        if verdict.outcome is Outcome.FAILED:
            self.asked[item.nodeid] = self.witness.answers
        return verdict


def _run(executed: Executed, notes: Sequence[str]) -> NotebookRun:
    return NotebookRun(cells_run=len(executed.ends), cells_failed=executed.failed, notes=tuple(notes))
