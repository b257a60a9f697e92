"""From what was found to a Report: the graded one, and the ungradable one."""

from __future__ import annotations

import hashlib
import importlib.metadata
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from autograder import __version__
from autograder.deciding import task_digests
from autograder.model import (
    SCHEMA,
    Job,
    NotebookRun,
    Outcome,
    Provenance,
    Report,
    ReportOutcome,
    Seconds,
    TaskResult,
)
from autograder.rubric import Rubric

if TYPE_CHECKING:
    from autograder.course import Assignment


@dataclass(frozen=True)
class Maker:
    """Everything about a report that is the same for a whole class."""

    rubric: Rubric
    assignment_sha256: str
    task_sha256: Mapping[str, str]
    sandbox: str

    @classmethod
    def of(cls, assignment: Assignment, sandbox: str) -> Maker:
        """Make the maker of an assignment's reports as it is on disk now."""
        return cls(assignment.rubric, assignment.digest(), task_digests(assignment), sandbox)

    def graded(self, job: Job, tasks: tuple[TaskResult, ...], notebook: NotebookRun, seconds: Seconds) -> Report:
        """The report of a submission that was examined."""
        score = round(math.fsum(task.score for task in tasks), 6)
        return self._report(job, ReportOutcome.GRADED, score, None, tasks, notebook, seconds)

    def ungradable(self, job: Job, reason: str) -> Report:
        """The report of a submission that could not be: every task 0 and flagged for a person to look."""
        tasks = tuple(self._not_run(task.name, task.points) for task in self.rubric.tasks)
        nothing = NotebookRun(0, 0)
        return self._report(job, ReportOutcome.UNGRADABLE, 0.0, reason, tasks, nothing, Seconds(0.0, 0.0, 0.0))

    def _not_run(self, name: str, points: float) -> TaskResult:
        return TaskResult(name, Outcome.SKIPPED, 0.0, points, carried_forward=False, checks=())

    def _report(
        self,
        job: Job,
        outcome: ReportOutcome,
        score: float,
        reason: str | None,
        tasks: tuple[TaskResult, ...],
        notebook: NotebookRun,
        seconds: Seconds,
    ) -> Report:
        provenance = Provenance(
            submission_sha256=hashlib.sha256(job.notebook or b"").hexdigest(),
            assignment_sha256=self.assignment_sha256,
            autograder=__version__,
            tensorflow=_version("tensorflow"),
            sandbox=self.sandbox,
        )
        total = sum(task.points for task in self.rubric.tasks)
        tasks = tuple(replace(task, sha256=self.task_sha256[task.name]) for task in tasks)
        return Report(
            SCHEMA, job.assignment, job.student, outcome, score, total, reason, tasks, notebook, seconds, provenance
        )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"
