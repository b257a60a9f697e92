"""The verdict on a loss curve: its error rates on simulated curves, its parts against SciPy's."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, kendalltau, theilslopes

from autograder.checks import assert_loss_falls
from autograder.checks.trend import _Curve, falling_probability
from autograder.errors import CheckFailure, CourseError
from tests.strategies import anything

Curve = npt.NDArray[np.float64]

EPOCHS, NOISE, CURVES = 10, 0.05, 1000


def passes(losses: Curve, drop: float = 0.2) -> bool:
    """Return the verdict."""
    try:
        assert_loss_falls(losses, drop=drop)
    except CheckFailure:
        return False
    return True


def simulated(shape: Curve, autocorrelation: float, noise: float = NOISE) -> list[Curve]:
    """Draw curves of that shape; the noise is a share of the loss, and is like that of the epoch before."""
    rng = np.random.default_rng(20)
    draws = rng.normal(size=(CURVES, len(shape)))
    for epoch in range(1, len(shape)):
        fresh = math.sqrt(1 - autocorrelation**2) * draws[:, epoch]
        draws[:, epoch] = autocorrelation * draws[:, epoch - 1] + fresh
    return list(shape * (1 + noise * draws))


def falling(final: float, epochs: int = EPOCHS) -> Curve:
    """Return an exponential from 1 to ``final``."""
    return np.asarray(final ** (np.arange(epochs) / (epochs - 1)))


def settling(floor: float) -> Curve:
    """Return an exponential from 1 that is near a floor after three epochs."""
    return np.asarray(floor + (1 - floor) * np.exp(-np.arange(EPOCHS)))


@pytest.mark.parametrize("autocorrelation", [0, 0.5, 0.9])
def test_a_flat_curve_passes_once_in_fifty_times_at_most(autocorrelation: float) -> None:
    """Not only the observed share is small: the upper bound of its interval is."""
    passed = sum(passes(curve) for curve in simulated(np.ones(EPOCHS), autocorrelation))
    assert binomtest(passed, CURVES).proportion_ci(0.99, method="exact").high <= 1 / 50


@pytest.mark.parametrize("autocorrelation", [0, 0.5, 0.9])
@pytest.mark.parametrize(
    "shape",
    [*(falling(final) for final in (0.5, 0.3, 0.1, 0.001)), *(settling(floor) for floor in (0.49, 0.3, 0.1, 0.01))],
    ids=lambda shape: f"{shape[1]:.2f} to {shape[-1]:.3f}",
)
def test_a_fall_to_under_half_passes_nineteen_times_in_twenty(shape: Curve, autocorrelation: float) -> None:
    """However steep it is, and whether or not it ends at a floor."""
    passed = sum(passes(curve) for curve in simulated(shape, autocorrelation))
    assert binomtest(passed, CURVES).proportion_ci(0.99, method="exact").low >= 19 / 20


@pytest.mark.parametrize("epochs", [5, 6, 7, 8, 9, 12, 30])
@pytest.mark.parametrize("autocorrelation", [0, 0.5, 0.9])
def test_the_rates_hold_at_other_lengths(epochs: int, autocorrelation: float) -> None:
    """From five epochs on, flat curves fail and a fall to half passes."""
    assert sum(passes(curve) for curve in simulated(np.ones(epochs), autocorrelation)) <= CURVES / 50
    assert sum(passes(curve) for curve in simulated(falling(0.5, epochs), autocorrelation)) >= CURVES * 19 / 20


@given(st.permutations(range(7)), st.integers(2, 7))
def test_the_probability_is_kendalls(order: list[int], count: int) -> None:
    """It is SciPy's exact one-sided one."""
    values = np.array(order[:count], dtype=np.float64)
    oracle = kendalltau(np.arange(count), values, method="exact", alternative="less")
    assert falling_probability(values) == pytest.approx(oracle.pvalue)


def test_equal_values_are_no_fall() -> None:
    """A curve that stands still is the least falling of all."""
    assert falling_probability(np.ones(5)) == 1


@given(st.lists(st.floats(0.01, 100), min_size=5, max_size=20))
def test_the_slope_is_theil_and_sens(losses: list[float]) -> None:
    """The change over the whole curve is SciPy's slope times the length."""
    curve = _Curve(np.array(losses))
    slope = theilslopes(losses)[0] * (len(losses) - 1) / max(losses)
    assert curve.theil_sen() == pytest.approx(slope, abs=1e-12)


@given(position=st.integers(0, EPOCHS - 1), bad=st.sampled_from([math.nan, math.inf, -math.inf]))
def test_a_loss_that_is_not_finite_never_passes(position: int, bad: float) -> None:
    """One NaN or infinity anywhere outweighs a perfect fall."""
    losses = falling(0.1)
    losses[position] = bad
    with pytest.raises(CheckFailure, match="finite"):
        assert_loss_falls(losses)


@given(st.floats(-300, 300))
def test_the_unit_of_the_loss_does_not_matter(exponent: float) -> None:
    """Losses of 1e300 or 1e-300 are judged like those near 1."""
    unit = 10.0**exponent
    assert passes(falling(0.5) * unit)
    assert not passes(np.ones(EPOCHS) * unit)


@given(st.lists(st.floats(0.0, 10.0), min_size=5, max_size=15), st.floats(0.05, 0.9))
def test_asking_for_more_never_helps(losses: list[float], drop: float) -> None:
    """What falls by a share falls by half that share; what is turned round in time does not fall."""
    if passes(np.array(losses), drop):
        assert passes(np.array(losses), drop / 2)
        assert not passes(np.array(losses[::-1]), drop)


def test_a_fall_is_returned() -> None:
    """The share that was lost until the last epoch."""
    assert assert_loss_falls([4, 3, 2.5, 2.2, 1]) == 0.75


@pytest.mark.parametrize(
    ("losses", "words"),
    [
        ([2.3, 2.29, 2.3, 2.28, 2.27], "The loss falls, but only by 1%."),
        ([1, 1.5, 2, 2.5, 3], "The loss does not fall: it ends no lower than it began."),
        ([1, 1.4, 0.7, 1.6, 0.6], "The loss ends lower, but goes up and down on the way: that may be chance."),
        ([0, 0, 0, 0, 0], "The first value of the loss is not above 0."),
        ([-2, -3, -4, -5, -6], "The first value of the loss is not above 0."),
    ],
)
def test_the_message_names_what_is_wrong(losses: list[float], words: str) -> None:
    """A curve that hardly falls, one that rises, and one that jumps have each their own words."""
    with pytest.raises(CheckFailure) as caught:
        assert_loss_falls(losses)
    assert str(caught.value).splitlines()[0] == words


def test_the_message_shows_the_numbers() -> None:
    """Start, end and what was required stand in it, and a long curve is not listed in full."""
    with pytest.raises(CheckFailure) as caught:
        assert_loss_falls(np.linspace(2, 1.9, 30), hint="Train on.", name="the training loss")
    assert str(caught.value).splitlines() == [
        "The training loss falls, but only by 5%.",
        "Expected: a fall by at least 20%, from 2 to 1.6 or lower",
        "Received: from 2 to 1.9 in 30 epochs (2, 2, 1.99, 1.99, 1.99, ..., 1.91, 1.91, 1.91, 1.9, 1.9)",
        "Train on.",
    ]


@pytest.mark.parametrize("epochs", range(5))
def test_fewer_than_five_epochs_are_the_authors_mistake(epochs: int) -> None:
    """No verdict of four numbers means anything."""
    with pytest.raises(CourseError, match="train for 5 or more"):
        assert_loss_falls([1.0] * epochs)


@pytest.mark.parametrize("drop", [0, 1, -0.2, 20])
def test_a_fall_is_a_share(drop: float) -> None:
    """A percentage in the place of a share is the author's mistake."""
    with pytest.raises(CourseError, match="share between 0 and 1"):
        assert_loss_falls(falling(0.1), drop=drop)


@given(value=anything())
def test_anything_as_losses_fails_at_most(value: object) -> None:
    """Whatever stands for losses fails, or is too short, and never breaks."""
    with contextlib.suppress(CheckFailure, CourseError):
        assert_loss_falls(value)
