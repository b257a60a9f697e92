"""Outcomes, messages and shared points."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.results import Check, Verdict, task_results, verdict
from autograder.errors import CheckFailure, CourseError, StudentRaised
from autograder.model import Outcome, TaskResult
from autograder.rubric import Limits, Rubric, Task

HERE = Path(__file__)
PASSED = Verdict(Outcome.PASSED)


def results(points: float, weights: list[float], verdicts: list[Verdict]) -> TaskResult:
    """Put one task's verdicts together."""
    rubric = Rubric("Tiny", 1, (), Limits(), (Task("relu", points, ("relu",), (), ()),))
    checks = [Check(f"test_{n}", f"title {n}", "relu", weight) for n, weight in enumerate(weights)]
    (result,) = task_results(rubric, list(zip(checks, verdicts, strict=True)))
    return result


points = st.floats(0.01, 100)
weights = st.lists(st.sampled_from([1, 2, 3, 0.5, 0.1, 7]), min_size=1, max_size=12)


@given(points=points, weights=weights)
def test_a_full_pass_is_exactly_the_points(points: float, weights: list[float]) -> None:
    """However the points are shared, all of them is all of them, and the shares sum to them."""
    result = results(points, weights, [PASSED] * len(weights))
    assert (result.outcome, result.score, result.max_score) == (Outcome.PASSED, points, points)
    assert math.fsum(check.max_score for check in result.checks) == pytest.approx(points, abs=1e-4)


@given(points=points, weights=weights, data=st.data())
def test_points_are_earned_in_proportion_to_weight(points: float, weights: list[float], data: st.DataObject) -> None:
    """A task's score is the weight that passed, as a share of all weight, to a ten-thousandth per check."""
    passes = data.draw(st.lists(st.booleans(), min_size=len(weights), max_size=len(weights)))
    result = results(points, weights, [PASSED if ok else Verdict(Outcome.FAILED, "no") for ok in passes])
    share = sum(weight for weight, ok in zip(weights, passes, strict=True) if ok) / sum(weights)
    assert result.score == pytest.approx(points * share, abs=1e-4 * len(weights))
    assert result.score == pytest.approx(math.fsum(check.score for check in result.checks), abs=1e-4)


@pytest.mark.parametrize(
    ("outcomes", "task"),
    [
        ([Outcome.PASSED, Outcome.FAILED], Outcome.FAILED),
        ([Outcome.FAILED, Outcome.BROKEN, Outcome.PASSED], Outcome.BROKEN),
        ([Outcome.SKIPPED, Outcome.PASSED], Outcome.SKIPPED),
        ([Outcome.SKIPPED, Outcome.FAILED], Outcome.FAILED),
        ([], Outcome.BROKEN),
    ],
)
def test_the_worst_check_decides_the_task(outcomes: list[Outcome], task: Outcome) -> None:
    """A broken check shows in its task, a skipped one is no pass, and a task without checks was not graded."""
    result = results(10, [1] * len(outcomes), [Verdict(outcome) for outcome in outcomes])
    assert result.outcome is task


def caught(action: str) -> BaseException:
    """Run a statement of a test file and return what it raised, traceback and all."""
    with pytest.raises(BaseException) as info:  # noqa: PT011 - of any type
        exec(compile(action, str(HERE), "exec"))
    return info.value


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (CheckFailure("no", expected="1", received="2"), Verdict(Outcome.FAILED, "no\nExpected: 1\nReceived: 2")),
        (
            StudentRaised("f", ("ValueError",), "odd", "in f, at: x"),
            Verdict(Outcome.FAILED, "f raised ValueError: odd\nin f, at: x"),
        ),
        (AssertionError("my words"), Verdict(Outcome.FAILED, "my words")),
        (AssertionError("my words\nassert 3 == 4\n  + where"), Verdict(Outcome.FAILED, "my words")),
        (AssertionError("assert 3 == 4"), Verdict(Outcome.FAILED, "the title")),
        (AssertionError(), Verdict(Outcome.FAILED, "the title")),
    ],
)
def test_failures_speak_to_the_student(error: BaseException, expected: Verdict) -> None:
    """A failure's own words are told; what pytest adds to an assertion is not."""
    assert verdict(error, "the title", HERE) == expected


def test_skips_and_fails_keep_their_reason() -> None:
    """Pytest's own skip and fail are a skipped and a failed check."""
    with pytest.raises(pytest.skip.Exception) as skipped:
        pytest.skip("no data here")
    with pytest.raises(pytest.fail.Exception) as failed:
        pytest.fail("too slow")
    assert verdict(skipped.value, "t", HERE) == Verdict(Outcome.SKIPPED, "no data here")
    assert verdict(failed.value, "t", HERE) == Verdict(Outcome.FAILED, "too slow")


@pytest.mark.parametrize("error", ["int('secret')", "raise KeyError('secret')", "import sys; sys.exit('secret')"])
def test_a_broken_check_is_nobodys_fault_and_leaks_nothing(error: str) -> None:
    """Any other exception is a broken check: its type and line are told, its text is not."""
    found = verdict(caught("\n\n" + error), "t", HERE)
    outcome, message = found.outcome, found.message
    assert outcome is Outcome.BROKEN
    assert message.startswith("This check broke; it is not your fault and will be looked at by a person. (")
    assert message.endswith(f" in {HERE.name} line 3)")
    assert "secret" not in message


def test_an_error_elsewhere_names_the_place() -> None:
    """An exception that never passed through the test names where it came from, or else the test."""
    assert verdict(caught("1 / 0"), "t", Path("test_other.py")).message.endswith(f"in {HERE.name} line 1)")
    assert verdict(CourseError("x"), "t", HERE).message.endswith(f"(CourseError in {HERE.name})")
