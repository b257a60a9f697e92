"""The error of forecasts beside a baseline's, compared with scikit-learn's."""

from __future__ import annotations

import contextlib

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import root_mean_squared_error

from autograder.checks import assert_error_against_baseline
from autograder.checks.regression import rmse
from autograder.errors import CheckFailure, CourseError
from tests.strategies import anything

TARGETS = np.arange(8.0)[:, np.newaxis]
PERSISTENCE = TARGETS - 1

_NUMBERS = hnp.arrays(np.float64, (8, 1), elements=st.floats(-100, 100))


@given(_NUMBERS, _NUMBERS)
def test_the_error_is_scikit_learns(predictions: np.ndarray, targets: np.ndarray) -> None:
    """The root of the mean square agrees with an independent implementation."""
    assert rmse(predictions, targets) == pytest.approx(root_mean_squared_error(targets, predictions))


@pytest.mark.parametrize("share, passes", [(0.0, True), (0.5, True), (0.84, True), (0.86, False), (1.0, False)])
def test_the_ratio_decides(share: float, passes: bool) -> None:
    """An error of that share of the baseline's passes up to the threshold, and the ratio is returned."""
    expected = contextlib.nullcontext() if passes else pytest.raises(CheckFailure, match="too large")
    with expected:
        received = assert_error_against_baseline(TARGETS + share, TARGETS, PERSISTENCE, 0.85)
        assert received == pytest.approx(share)


@given(st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_the_unit_of_the_data_does_not_matter(scale: float, shift: float) -> None:
    """The ratio is the same in other units and from another zero."""
    moved = [scale * (values + shift) for values in (TARGETS + 0.5, TARGETS, PERSISTENCE)]
    assert assert_error_against_baseline(moved[0], moved[1], moved[2], 0.85) == pytest.approx(0.5)


def test_the_message_shows_everything_that_decided() -> None:
    """Ratio, both errors, threshold and the number of items stand in the message."""
    with pytest.raises(CheckFailure) as caught:
        assert_error_against_baseline(TARGETS - 2, TARGETS, PERSISTENCE, 0.85, hint="Train for more epochs.")
    assert str(caught.value).splitlines() == [
        "The error of your predictions is too large.",
        "Expected: at most 0.85 of the error of repeating the last value",
        "Received: 2 of it: an RMSE of 2 beside 1, over 8 items",
        "Train for more epochs.",
    ]


@pytest.mark.parametrize(
    "received, words",
    [
        (TARGETS[:, 0], "(8,)"),
        (TARGETS.tolist(), "a list of 8 items"),
        (np.where(TARGETS == 3, np.nan, TARGETS), "1 NaN"),
        (np.full_like(TARGETS, 1e300), "inf of it"),
    ],
    ids=["a row for a column", "a list", "not finite", "so large that its square overflows"],
)
def test_what_is_no_forecast_is_told_apart(received: object, words: str) -> None:
    """No broadcasting, no NaN and no overflow passes, and each is named."""
    with pytest.raises(CheckFailure) as caught:
        assert_error_against_baseline(received, TARGETS, PERSISTENCE, 0.85)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "targets, baseline",
    [(TARGETS, PERSISTENCE[:, 0]), (TARGETS, TARGETS), (TARGETS, TARGETS * np.nan), (TARGETS[:0], TARGETS[:0])],
    ids=["another shape", "without an error", "not finite", "empty"],
)
def test_a_baseline_that_is_no_measure_is_the_authors_mistake(targets: np.ndarray, baseline: np.ndarray) -> None:
    """It would make every student right, or none."""
    with pytest.raises(CourseError, match="the baseline"):
        assert_error_against_baseline(targets, targets, baseline, 0.85)


@given(value=anything())
def test_anything_as_forecast_fails_at_most(value: object) -> None:
    """Whatever stands for a forecast fails and never breaks."""
    with contextlib.suppress(CheckFailure):
        assert_error_against_baseline(value, TARGETS[:2], PERSISTENCE[:2], 0.85)
