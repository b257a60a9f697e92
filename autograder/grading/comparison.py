"""What grading again would change, before anything is written: whose score, by how much, by which check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from autograder.model import CheckResult, Outcome, Report, TaskResult


@dataclass(frozen=True)
class CheckChange:
    """One check with another outcome than before; None where there was no such check, or is none any more."""

    task: str
    title: str
    before: Outcome | None
    after: Outcome | None


@dataclass(frozen=True)
class Change:
    """One student's score before and after; ``before`` is None for a submission that was never graded."""

    student: str
    before: float | None
    after: float
    checks: tuple[CheckChange, ...]

    @property
    def difference(self) -> float:
        """Points gained, or lost."""
        return self.after - (self.before or 0.0)


def change(before: Report | None, after: Report) -> Change | None:
    """Compare two reports of a student; None when score and outcomes are the same."""
    if before is None:
        return Change(after.student, None, after.score, ())
    checks = tuple(_changes(before, after))
    if before.score == after.score and not checks:
        return None
    return Change(after.student, before.score, after.score, checks)


def _changes(before: Report, after: Report) -> Iterator[CheckChange]:
    """Yield the checks whose outcome is another one, those that are gone last."""
    old, new = dict(_checks(before.tasks)), dict(_checks(after.tasks))
    for key in (*new, *(key for key in old if key not in new)):
        was, now = old.get(key), new.get(key)
        if (was and was.outcome) != (now and now.outcome):
            known = now or was
            assert known is not None
            yield CheckChange(key[0], known.title, was.outcome if was else None, now.outcome if now else None)


def _checks(tasks: tuple[TaskResult, ...]) -> Iterator[tuple[tuple[str, str], CheckResult]]:
    for task in tasks:
        for check in task.checks:
            yield (task.name, check.name), check
