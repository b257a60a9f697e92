"""From what happened in pytest to what the report says: outcomes, messages, and points shared by weight."""

from __future__ import annotations

import itertools
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from autograder.errors import CheckFailure
from autograder.model import CheckResult, Evidence, Outcome, TaskResult
from autograder.rubric import Rubric, Task

_UNITS = 10_000
"""Points are shared in whole ten-thousandths, so that the shares of a task sum to its points exactly."""

_SEVERITY = (Outcome.PASSED, Outcome.SKIPPED, Outcome.FAILED, Outcome.BROKEN)


@dataclass(frozen=True)
class Verdict:
    """An outcome, what the student reads (nothing when it passed), what was measured, and which known mistake it is.

    ``close`` is a sentence for the instructor where the decision was a close one.
    """

    outcome: Outcome
    message: str = ""
    evidence: Evidence | None = None
    misconception: str | None = None
    close: str = ""


@dataclass(frozen=True)
class Check:
    """One check as its author wrote it: ``name`` is the test's, with its parameters; ``title`` is for the student."""

    name: str
    title: str
    task: str
    weight: float


def verdict(error: BaseException, title: str, test_file: Path) -> Verdict:
    """Say what an exception that left a check means for the student. No traceback, nothing of the test's insides."""
    if isinstance(error, CheckFailure):
        return Verdict(Outcome.FAILED, str(error))
    if isinstance(error, AssertionError):
        return Verdict(Outcome.FAILED, _own_words(error) or title)
    if isinstance(error, pytest.skip.Exception):
        return Verdict(Outcome.SKIPPED, error.msg or "This check was skipped.")
    if isinstance(error, pytest.fail.Exception):
        return Verdict(Outcome.FAILED, error.msg or title)
    what = f"{type(error).__name__} in {_where(error, test_file)}"
    message = f"This check broke; it is not your fault and will be looked at by a person. ({what})"
    return Verdict(Outcome.BROKEN, message)


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict that decides when a check went through several phases."""
    return max(verdicts, key=lambda one: _SEVERITY.index(one.outcome), default=Verdict(Outcome.PASSED))


def task_results(rubric: Rubric, verdicts: Sequence[tuple[Check, Verdict]]) -> tuple[TaskResult, ...]:
    """Put checks and their verdicts into the rubric's tasks; a task's points are shared by weight."""
    by_task: dict[str, list[tuple[Check, Verdict]]] = {task.name: [] for task in rubric.tasks}
    for check, found in verdicts:
        by_task[check.task].append((check, found))
    return tuple(_task_result(task, by_task[task.name]) for task in rubric.tasks)


def _task_result(task: Task, verdicts: Sequence[tuple[Check, Verdict]]) -> TaskResult:
    outcome = _task_outcome([found.outcome for _, found in verdicts])
    shares = _shares(task.points, [check.weight for check, _ in verdicts])
    checks = tuple(_check_result(check, found, share) for (check, found), share in zip(verdicts, shares, strict=True))
    earned = sum(round(check.score * _UNITS) for check in checks) / _UNITS
    score = task.points if outcome is Outcome.PASSED else earned
    return TaskResult(task.name, outcome, score, task.points, carried_forward=False, checks=checks)


def _check_result(check: Check, found: Verdict, share: float) -> CheckResult:
    score = share if found.outcome is Outcome.PASSED else 0.0
    return CheckResult(
        check.name,
        check.title,
        found.outcome,
        score,
        share,
        found.message,
        found.misconception,
        found.evidence,
        found.close,
    )


def _task_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """The worst of a task's checks; a task without any was not run, which a person has to see."""
    return max(outcomes, key=_SEVERITY.index, default=Outcome.BROKEN)


def _shares(points: float, weights: Sequence[float]) -> list[float]:
    """Split points by weight into ten-thousandths that sum to all of them."""
    exact = [Fraction(weight) for weight in weights]
    total = sum(exact)
    ends = [round(Fraction(points) * _UNITS * end / total) for end in itertools.accumulate(exact)]
    return [(end - start) / _UNITS for start, end in itertools.pairwise([0, *ends])]


def _own_words(error: AssertionError) -> str:
    """Return the message that the author gave to ``assert``, without what pytest adds to it."""
    text = str(error)
    return "" if text.startswith("assert ") else text.partition("\nassert ")[0].strip()


def _where(error: BaseException, test_file: Path) -> str:
    """Name the last line of the test that was reached, or the last line of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename) == test_file] or list(frames)
    return f"{Path(own[-1].filename).name} line {own[-1].lineno}" if own else test_file.name
