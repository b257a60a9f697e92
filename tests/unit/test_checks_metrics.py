"""Accuracy with the exact binomial interval, compared with SciPy's."""

from __future__ import annotations

import contextlib

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from autograder.checks import assert_accuracy, assert_probabilities
from autograder.checks.metrics import binomial_interval
from autograder.errors import CheckFailure
from tests.strategies import anything

LABELS = np.arange(100) % 10


def predictions(correct: int) -> npt.NDArray[np.int_]:
    """Return labels of which exactly that many are right."""
    return np.where(np.arange(100) < correct, LABELS, (LABELS + 1) % 10)


@given(trials=st.integers(1, 3000), share=st.floats(0, 1), confidence=st.sampled_from([0.5, 0.9, 0.95, 0.999]))
def test_interval_is_scipys(trials: int, share: float, confidence: float) -> None:
    """The Clopper-Pearson interval agrees with an independent implementation, at both ends too."""
    for successes in {0, round(share * trials), trials}:
        oracle = binomtest(successes, trials).proportion_ci(confidence, method="exact")
        assert binomial_interval(successes, trials, confidence) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


@pytest.mark.parametrize("bad", [(-1, 5, 0.9), (6, 5, 0.9), (0, 0, 0.9), (1, 2, 1.0)])
def test_no_interval_of_nothing(bad: tuple[int, int, float]) -> None:
    """Impossible counts are an error of the caller."""
    with pytest.raises(ValueError, match="no interval"):
        binomial_interval(*bad)


def test_the_student_gets_the_benefit_of_the_interval() -> None:
    """The verdict changes exactly where SciPy's upper bound crosses the threshold."""
    for correct in range(75, 92):
        upper = binomtest(correct, 100).proportion_ci(0.95, method="exact").high
        expected = contextlib.nullcontext() if upper >= 0.9 else pytest.raises(CheckFailure)
        with expected:
            assert assert_accuracy(predictions(correct), LABELS, 0.9) == correct / 100


def test_the_message_shows_everything_that_decided() -> None:
    """Observed accuracy, interval, threshold and the number of items stand in the message."""
    with pytest.raises(CheckFailure) as caught:
        assert_accuracy(predictions(60), LABELS, 0.9, hint="Train for more epochs.")
    assert str(caught.value).splitlines() == [
        "The accuracy of your predictions is too low.",
        "Expected: at least 90.0%",
        "Received: 60.0% of 100 items; allowing for luck, 49.7% to 69.7%",
        "Train for more epochs.",
    ]


def test_probabilities_and_one_hot_labels_do_as_well() -> None:
    """Probabilities are judged by their largest column, labels may be one-hot."""
    probabilities = np.eye(10)[predictions(95)] * 0.5 + 0.05
    assert assert_accuracy(probabilities, np.eye(10)[LABELS], 0.9) == 0.95
    assert assert_accuracy(probabilities.astype(np.float32), LABELS, 0.9) == 0.95


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (np.full((100, 10), 0.2), "100 of 100 rows do not; row 0 sums to 2"),
        (np.full((100, 10), 0.05), "100 of 100 rows do not; row 0 sums to 0.5"),
        (np.full((100, 10), np.nan), "1000 NaN"),
        (np.eye(10)[LABELS] * 2 - 0.1, "outside, from -0.1 to 1.9"),
        (np.full((100, 9), 1 / 9), "(100, 9)"),
        (LABELS[:, np.newaxis], "(100, 1)"),
        (LABELS.tolist(), "a list of 100 items"),
        (LABELS.astype(float), "Integer labels of shape (100,) do as well."),
    ],
)
def test_what_is_no_prediction_is_told_apart(received: object, words: str) -> None:
    """Each malformed prediction has a failure of its own, before any accuracy."""
    with pytest.raises(CheckFailure) as caught:
        assert_accuracy(received, np.eye(10)[LABELS], 0.5)
    assert words in str(caught.value)


@given(value=anything())
def test_anything_as_prediction_fails_at_most(value: object) -> None:
    """Whatever stands for predictions fails and never breaks."""
    for labels in (np.array([0, 1]), np.eye(2)):
        with contextlib.suppress(CheckFailure):
            assert_accuracy(value, labels, 0.5)
    with contextlib.suppress(CheckFailure):
        assert_probabilities(value, (2, None))
