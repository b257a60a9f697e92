"""Windows of a series, and a forecaster that is asked for one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.forecasting import Forecaster, Windows, assert_trained
from autograder.data import draw_wave
from autograder.errors import CheckFailure
from autograder.subject.proxy import ModuleSubject


def _forecaster(train: Any, predict: Any) -> Forecaster:
    return Forecaster(ModuleSubject({"train": train, "predict": predict}), "train", "predict")


def _scaled(factor_of: Any) -> Forecaster:
    """A forecaster whose seed decides by how much it multiplies the last value."""
    return _forecaster(lambda _x, _y, seed=0: (factor_of(seed), [1.0]), lambda factor, x: factor * x[:, -1])


@given(st.integers(1, 30).flatmap(lambda length: st.tuples(st.just(length), st.integers(length + 1, 60))))
def test_windows_are_followed_by_their_values(sizes: tuple[int, int]) -> None:
    """Window ``i`` begins at value ``i``, and what follows it is value ``i + length``."""
    length, size = sizes
    windows = Windows.cut(np.arange(float(size)), length)
    assert windows.X.shape == (size - length, length, 1) and windows.y.shape == (size - length, 1)
    np.testing.assert_array_equal(windows.X[:, 0, 0], np.arange(size - length))
    np.testing.assert_array_equal(windows.y, windows.last + 1)


def test_a_series_is_standardized_by_what_is_known() -> None:
    """Mean and deviation come from the known part, and every later value has its window."""
    known, later = Windows.standardized(np.array([1.0, 3.0, 1.0, 3.0]), np.array([5.0, 7.0]), 3)
    np.testing.assert_allclose(known.X[0, :, 0], [-1, 1, -1])
    np.testing.assert_allclose(later.y, [[3], [5]])
    np.testing.assert_allclose(later.X[:, :, 0], [[1, -1, 1], [-1, 1, 3]])


def test_the_best_of_several_seeds_counts() -> None:
    """One network that has learned is enough."""
    windows = Windows.cut(2.0 ** np.arange(8), 2)
    best = _scaled(float).best_forecasts(windows, windows, (0, 2, 5))
    np.testing.assert_allclose(best, windows.y)


def test_windows_are_shown_one_by_one_in_the_order_of_time() -> None:
    """So the answer, which the next window holds, is never there before the forecast."""
    seen: list[Any] = []

    def predict(_: Any, x: Any) -> Any:
        seen.append(x)
        return x[:, -1]

    windows = Windows.cut(np.arange(9.0), 3)
    _forecaster(lambda _x, _y, seed: (seed, []), predict).best_forecasts(windows, windows, (0, 1))
    assert [len(x) for x in seen] == [1] * (2 * len(windows.y))
    assert np.all(np.diff([x[0, 0, 0] for x in seen]) >= 0)


def test_the_loss_is_the_mean_square_of_the_forecasts() -> None:
    """Persistence on a straight line is off by one step everywhere."""
    windows = Windows.cut(np.arange(0, 20, 2.0), 4)
    rnn = _scaled(lambda _: 1.0)
    parameters, losses = rnn.trained(windows)
    assert rnn.loss(parameters, windows) == pytest.approx(4.0)
    np.testing.assert_array_equal(rnn.losses(losses, 1), [1.0])


@pytest.mark.parametrize("result", [None, 3.0, np.zeros(5), np.full((6, 1), np.nan)])
def test_forecasts_of_another_form_are_refused(result: Any) -> None:
    """Nothing that is no finite column of the right length is computed with."""
    rnn = _forecaster(lambda _x, _y: (0.0, []), lambda *_: result)
    with pytest.raises(CheckFailure, match="predict"):
        rnn.forecasts(0.0, np.zeros((6, 2, 1)))


def test_a_training_returns_two_things() -> None:
    """Parameters alone are told apart, with what to return."""
    with pytest.raises(CheckFailure, match="return parameters, losses"):
        _forecaster(lambda *_: {}, None).trained(Windows.cut(np.arange(5.0), 2))


def test_a_network_that_does_not_change_was_not_trained() -> None:
    """Forecasts have to differ between windows and between epochs."""
    column = np.arange(4.0)[:, np.newaxis]
    assert assert_trained(column, column + 1) is not None
    with pytest.raises(CheckFailure, match="More epochs"):
        assert_trained(column, column)
    with pytest.raises(CheckFailure, match="Every window"):
        assert_trained(column, np.ones((4, 1)))


def test_waves_are_drawn_anew_and_hard_to_forecast_by_repeating() -> None:
    """Another generator, another wave; the last value is a poor forecast of the next."""
    waves = [draw_wave(np.random.default_rng(seed), 100) for seed in range(20)]
    assert len({wave.tobytes() for wave in waves}) == 20
    for wave in waves:
        assert np.abs(wave).max() < 2
        assert np.diff(wave).std() > 0.4 * wave.std()
