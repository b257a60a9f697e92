"""What checks measure reaches whoever listens, in words and in numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from autograder.checks import assert_accuracy, assert_close, assert_error_against_baseline, assert_loss_falls
from autograder.checks.evidence import close_calls, measuring, note
from autograder.checks.training import assert_claimed, assert_learning, assert_reported
from autograder.errors import CheckFailure
from autograder.model import Evidence


def measured(check: Callable[[], object]) -> Evidence:
    """Return what a check measured, whether it passes or fails."""
    with measuring() as found, suppress(CheckFailure):
        check()
    (evidence,) = found
    return evidence


@given(st.integers(1, 300), st.data(), st.floats(0.01, 0.99))
def test_an_accuracy_comes_with_its_interval(items: int, data: st.DataObject, threshold: float) -> None:
    """Observed value, SciPy's exact interval, threshold and items; the verdict can be read off them."""
    right = data.draw(st.integers(0, items))
    predicted = (np.arange(items) >= right).astype(int)
    with measuring() as found:
        try:
            assert_accuracy(predicted, np.zeros(items, int), threshold)
            passed = True
        except CheckFailure:
            passed = False
    (evidence,) = found
    expected = binomtest(right, items).proportion_ci(0.95, "exact")
    assert (evidence.observed, evidence.threshold, evidence.items) == (right / items, threshold, items)
    assert (evidence.low, evidence.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert evidence.high is not None
    assert passed == (evidence.high >= threshold)
    assert ("which the interval reaches" in evidence.text) == (passed and evidence.observed < threshold)


def test_an_error_comes_with_its_baseline() -> None:
    """The ratio, both errors and the number of items."""
    targets = np.array([1.0, 2.0, 3.0, 4.0])
    found = measured(lambda: assert_error_against_baseline(targets + 1, targets, targets + 2, 0.85))
    assert (found.observed, found.threshold, found.items) == (0.5, 0.85, 4)
    said = "0.5 of the error of repeating the last value: an RMSE of 1 beside 2, over 4 items; at most 0.85 allowed."
    assert found.text == said


@pytest.mark.parametrize(
    "losses, text",
    [
        ([2, 1.5, 1.2, 1.1, 1], "The loss falls by 50%, from 2 to 1, measured 5 times; a fall by 20% needed."),
        ([2, 2, 2, 2, 3], "The loss rises by 50%, from 2 to 3, measured 5 times; a fall by 20% needed."),
        (
            [*np.linspace(1, 0.2, 14), 0.81],
            "The loss falls by 19%, from 1 to 0.81, measured 15 times; a fall by 20% needed, which its trend reaches.",
        ),
    ],
)
def test_a_loss_comes_with_its_fall(losses: list[float], text: str) -> None:
    """How far it went, and how far it had to go."""
    assert measured(lambda: assert_loss_falls(losses)).text == text


def test_a_claim_stands_beside_what_was_computed() -> None:
    """What a student's training says of itself is shown, and is not the observed value."""
    reported = measured(lambda: assert_reported(np.array([1.9, 0.1]), early=2.0, late=1.5))
    claimed = measured(lambda: assert_claimed(np.array([1.9, 0.1]), np.array([1.9, 1.5])))
    assert reported == claimed
    assert (reported.observed, reported.claimed) == (1.5, 0.1)
    said = "Your training reports a last loss of 0.1; computed from its network it is 1.5."
    assert reported.text == said


def test_a_learning_network_shows_its_losses() -> None:
    """Both losses, and what would have been too much."""
    found = measured(lambda: assert_learning(2.2, 0.5))
    assert (found.observed, found.threshold) == (0.5, 0.9 * np.log(10))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_finite_is_not_recorded(number: float) -> None:
    """JSON has no such numbers, and a record of them would be read by nobody."""
    with measuring() as found:
        note(Evidence("loss", "", number))
        note(Evidence("loss", "", 1.0, threshold=number))
        note(Evidence("loss", "", 1.0))
    assert [json.loads(json.dumps(asdict(one)))["observed"] for one in found] == [1.0]


def test_numbers_of_numpy_become_json() -> None:
    """An author's own measurement may come from an array."""
    with measuring() as found:
        note(Evidence("loss", "", np.float32(0.5), threshold=np.float64(2), items=np.int64(7)))  # type: ignore[arg-type]
    assert json.loads(json.dumps(asdict(found[0])))["items"] == 7


def test_outside_of_a_check_nothing_is_kept() -> None:
    """A calibration measures without anybody listening, and checks within checks keep to themselves."""
    note(Evidence("loss", "", 1.0))
    with measuring() as outer:
        with measuring() as inner:
            note(Evidence("loss", "", 2.0))
        note(Evidence("loss", "", 3.0))
    assert ([one.observed for one in inner], [one.observed for one in outer]) == ([2.0], [3.0])


@pytest.mark.parametrize("error, is_close", [(1e-9, False), (2e-7, False), (4e-7, True), (3e-6, True), (1e-5, False)])
def test_an_error_near_the_tolerance_is_a_close_call(error: float, is_close: bool) -> None:
    """Within a factor of four of 1e-6, on either side; a verdict far from it is nobody's doubt."""
    with close_calls() as found, suppress(CheckFailure):
        assert_close(1.0 + error, 1.0)
    assert bool(found) is is_close


@pytest.mark.parametrize(
    "evidence, near",
    [
        (Evidence("loss", "", 0.99, threshold=1.0), True),
        (Evidence("loss", "", 0.9, threshold=1.0), False),
        (Evidence("loss", "", 0.9), False),
        (Evidence("accuracy", "", 0.9, 0.85, 0.9, threshold=0.904, items=200), True),
        (Evidence("accuracy", "", 0.9, 0.85, 0.95, threshold=0.904, items=200), False),
    ],
)
def test_a_measurement_near_its_threshold_is_a_close_call(evidence: Evidence, near: bool) -> None:
    """2 % of the threshold, or one item more or less of those that were counted."""
    with close_calls() as found, measuring():
        note(evidence)
    assert bool(found) is near
