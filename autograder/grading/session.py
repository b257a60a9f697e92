"""One run of ``autograder grade``: find, skip what is current, grade the rest, keep every result as it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.course import Assignment
from autograder.deciding import task_digests
from autograder.errors import CourseError
from autograder.grading.comparison import Change, change
from autograder.grading.engine import Event, Finished, Grader, Listener, Planned, Run, grade_all
from autograder.grading.journal import Journal, Kept, hold, load, report_path
from autograder.grading.submissions import Submission, discover, read
from autograder.model import Graded, Report


@dataclass(frozen=True)
class Order:
    """What to grade: ``paths`` empty means the course's ``submitted/``, ``out`` None the course's ``reports/``.

    ``known`` are results, by student, that are certain already: their checks are not run for a new submission.
    """

    assignment: Assignment
    paths: tuple[Path, ...] = ()
    out: Path | None = None
    workers: int = 1
    fresh: bool = False
    known: Mapping[str, Kept] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the reports go."""
        return self.out or self.assignment.reports


@dataclass(frozen=True)
class Result:
    """What there is after the run: a report for each submission, unless a signal ended it early.

    ``left`` counts what it then left ungraded. ``of_the_course`` is true when these are the course's own submissions
    and reports, so that the gradebook follows.
    """

    folder: Path
    reports: tuple[Report, ...]
    finished: int
    left: int
    stopped_by: int | None
    of_the_course: bool


Hire = Callable[[], AbstractContextManager[Grader]]


def grade_class(order: Order, hire: Hire, on_event: Listener) -> Result:
    """Carry out an order; ``hire`` is called once, and only if something is left to grade.

    Raises:
        CourseError: the paths hold no submissions, two of one student, or are the folder of the reports.
        GraderError: the folder of the reports is in use or cannot be written to, or the grader cannot start.
    """
    assignment = order.assignment
    submissions = discover(assignment, order.paths)
    _refuse_overwriting(submissions, order.folder)
    with hold(order.folder) as journal:
        pending = _pending(order, journal, submissions)
        on_event(Planned(len(pending), len(submissions) - len(pending)))
        run = _grade_pending(order, journal.record, pending, hire, on_event) if pending else Run(0, None)
    paths = [report_path(order.folder, submission.student) for submission in submissions]
    reports = tuple(load(path) for path in paths if path.exists())
    return Result(
        folder=order.folder,
        reports=reports,
        finished=run.finished,
        left=len(pending) - run.finished,
        stopped_by=run.stopped_by,
        of_the_course=order.out is None and _all_below(assignment.course.submitted, submissions),
    )


@dataclass(frozen=True)
class Comparison:
    """What an order would change: ``graded`` submissions were looked at, ``left`` were not, as a signal ended it."""

    changes: tuple[Change, ...]
    graded: int
    left: int
    stopped_by: int | None


def compare_class(order: Order, hire: Hire, on_event: Listener) -> Comparison:
    """Carry out an order without writing anything; say what it would change.

    Raises:
        CourseError, GraderError: as ``grade_class``.
    """
    submissions = discover(order.assignment, order.paths)
    changes: list[Change] = []

    def compare(graded: Graded) -> None:
        path = report_path(order.folder, graded.report.student)
        found = change(load(path) if path.exists() else None, graded.report)
        if found is not None:
            changes.append(found)

    with hold(order.folder) as journal:
        pending = _pending(order, journal, submissions)
        on_event(Planned(len(pending), len(submissions) - len(pending)))
        run = _grade_pending(order, compare, pending, hire, on_event) if pending else Run(0, None)
    changes.sort(key=lambda one: one.student)
    return Comparison(tuple(changes), run.finished, len(pending) - run.finished, run.stopped_by)


def _pending(order: Order, journal: Journal, submissions: Sequence[Submission]) -> list[tuple[Submission, Kept]]:
    digests = task_digests(order.assignment)
    if order.fresh:
        pending: list[tuple[Submission, Kept]] = [(submission, ()) for submission in submissions]
    else:
        pending = journal.pending(submissions, digests, order.assignment.rubric.limits)
    return [(one, _joined(kept, order.known.get(one.student, ()))) for one, kept in pending]


def _joined(kept: Kept, known: Kept) -> Kept:
    names = {task.name for task in kept}
    return (*kept, *(task for task in known if task.name not in names))


def _grade_pending(
    order: Order,
    take: Callable[[Graded], None],
    pending: Sequence[tuple[Submission, Kept]],
    hire: Hire,
    on_event: Listener,
) -> Run:
    """Grade what is pending; ``take`` each result as it comes."""
    notes = {submission.student: submission.note for submission, _ in pending if submission.note}

    def keep(event: Event) -> None:
        if isinstance(event, Finished):
            event = Finished(_with_note(event.graded, notes.get(event.graded.report.student)))
            take(event.graded)
        on_event(event)

    limits = order.assignment.rubric.limits
    with hire() as grader:
        jobs = (replace(read(submission, limits), kept=kept) for submission, kept in pending)
        return grade_all(order.assignment, grader, jobs, min(order.workers, len(pending)), keep)


def _with_note(graded: Graded, note: str | None) -> Graded:
    if note is None:
        return graded
    notebook = replace(graded.report.notebook, notes=(note, *graded.report.notebook.notes))
    return replace(graded, report=replace(graded.report, notebook=notebook))


def _refuse_overwriting(submissions: Sequence[Submission], folder: Path) -> None:
    """The executed notebook of a student would replace the submission itself."""
    for submission in submissions:
        if submission.path.parent.resolve() == folder.resolve():
            raise CourseError("holds the submissions themselves: choose another folder with --out", path=folder)


def _all_below(folder: Path, submissions: Sequence[Submission]) -> bool:
    return all(submission.path.is_relative_to(folder) for submission in submissions)
