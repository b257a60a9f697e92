"""Put the candidates before the real grader, each in its sandbox, and keep every report.

    <audit>/candidates/<name>.ipynb     what each would submit
    <audit>/reports/<name>.json         what it got, the journal of the audit

A wrong answer is examined in the tasks that can notice; for the others the solution's results are certain, as long as
the solution gets everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from autograder.audit.candidates import Candidate, notebook
from autograder.course import Assignment
from autograder.grading.engine import Grader, Listener
from autograder.grading.journal import Kept, write_page
from autograder.grading.session import Hire, Order, Result, grade_class
from autograder.model import Report


@dataclass(frozen=True)
class Examined:
    """Everybody's report, and whether a signal ended the audit early."""

    reports: dict[str, Report]
    stopped_by: int | None


def examine(
    assignment: Assignment,
    everyone: Sequence[Candidate],
    hire: Hire,
    on_event: Listener,
    *,
    workers: int,
    fresh: bool,
) -> Examined:
    """Grade the solution, then everybody else.

    Raises:
        CourseError: the assignment was never built, or its hidden tests cannot be used.
        GraderError: another audit is under way, or the grader cannot start.
    """
    paths = write(assignment, everyone)
    reports = assignment.audit / "reports"
    with _once(hire) as lazily:
        first = grade_class(Order(assignment, paths[:1], reports, workers, fresh), lazily, on_event)
        if first.stopped_by is not None or len(everyone) == 1:
            return _examined(first)
        known = _certain(everyone, first.reports[0])
        rest = grade_class(Order(assignment, paths[1:], reports, workers, fresh, known), lazily, on_event)
    return _examined(first, rest)


def write(assignment: Assignment, everyone: Sequence[Candidate]) -> tuple[Path, ...]:
    """Write everybody's notebook, where it is not there already; return the paths in their order."""
    folder = assignment.audit / "candidates"
    release = assignment.release_notebook.read_bytes()
    paths = tuple(folder / f"{one.name}.ipynb" for one in everyone)
    for path, one in zip(paths, everyone, strict=True):
        text = notebook(release, one.program).decode()
        if not path.is_file() or path.read_text(encoding="utf8") != text:
            write_page(path, text)
    return paths


def _certain(everyone: Sequence[Candidate], solution: Report) -> dict[str, Kept]:
    """Return the solution's results in the tasks that cannot notice what is wrong with a candidate."""
    if solution.score < solution.max_score:
        return {}
    return {
        one.name: tuple(task for task in solution.tasks if task.name not in one.affects)
        for one in everyone
        if one.wrong_in
    }


def _examined(*results: Result) -> Examined:
    reports = {report.student: report for result in results for report in result.reports}
    return Examined(reports, results[-1].stopped_by)


@contextmanager
def _once(hire: Hire) -> Iterator[Hire]:
    """Hire one grader for several rounds, when the first of them needs it."""
    with ExitStack() as stack:
        hired: list[Grader] = []

        def lazily() -> AbstractContextManager[Grader]:
            if not hired:
                hired.append(stack.enter_context(hire()))
            return nullcontext(hired[0])

        yield lazily
