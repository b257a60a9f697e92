"""The same submissions graded again and again: in another order each time, and in every second round too many at once.

A grade that depends on who came before, or on how busy the machine was, shows as a report that differs in anything but
its times.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from autograder.audit.candidates import Candidate, notebook
from autograder.course import Assignment
from autograder.grading.comparison import change
from autograder.grading.engine import Event, Finished, Grader, Listener, Planned, Run, grade_all
from autograder.model import Job, Report, Seconds


@dataclass(frozen=True)
class Difference:
    """A report that came out otherwise than in the first round, and how."""

    candidate: str
    round: int
    what: str


@dataclass(frozen=True)
class Stability:
    """What so many rounds over so many candidates showed; ``close`` counts the verdicts that were close ones."""

    rounds: int
    candidates: int
    differences: tuple[Difference, ...]
    close: int
    stopped_by: int | None


def repeat(
    assignment: Assignment, everyone: Sequence[Candidate], grader: Grader, on_event: Listener, workers: int, times: int
) -> Stability:
    """Grade everyone ``times`` times; compare each report with that of the first round.

    Raises:
        GraderError: the grader cannot go on.
    """
    release = assignment.release_notebook.read_bytes()
    jobs = [Job(assignment.slug, one.name, notebook(release, one.program)) for one in everyone]
    rounds: list[dict[str, Report]] = []
    stopped_by: int | None = None
    for number in range(times):
        reports: dict[str, Report] = {}
        order = random.Random(number).sample(jobs, len(jobs))  # noqa: S311 - an order, no secret
        run = _round(assignment, grader, order, workers * (1 + number % 2), reports, on_event)
        rounds.append(reports)
        stopped_by = run.stopped_by
        if stopped_by is not None:
            break
    differences = tuple(
        one for number, reports in enumerate(rounds) for one in _differences(rounds[0], reports, number)
    )
    close = sum(bool(check.close) for one in rounds[0].values() for task in one.tasks for check in task.checks)
    return Stability(len(rounds), len(jobs), differences, close, stopped_by)


def _round(
    assignment: Assignment,
    grader: Grader,
    jobs: Sequence[Job],
    workers: int,
    reports: dict[str, Report],
    on_event: Listener,
) -> Run:
    def keep(event: Event) -> None:
        if isinstance(event, Finished):
            reports[event.graded.report.student] = replace(event.graded.report, seconds=Seconds(0.0, 0.0, 0.0))
        on_event(event)

    on_event(Planned(len(jobs), 0))
    return grade_all(assignment, grader, jobs, workers, keep)


def _differences(first: dict[str, Report], reports: dict[str, Report], number: int) -> Iterator[Difference]:
    for name, report in reports.items():
        known = first.get(name)
        if known is not None and known.to_json() != report.to_json():
            found = change(known, report)
            checks = ", ".join(f"{one.task}: {one.title}" for one in found.checks) if found else ""
            what = f"{known.score:g} and {report.score:g} points; {checks}" if checks else _texts(known, report)
            yield Difference(name, number + 1, what)


def _texts(first: Report, other: Report) -> str:
    """Return the first lines of JSON in which two reports of one verdict differ."""
    pairs = zip(first.to_json().splitlines(), other.to_json().splitlines(), strict=False)
    return next((f"{a.strip()} / {b.strip()}" for a, b in pairs if a != b), "one has more lines than the other")
