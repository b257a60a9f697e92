"""What decides whether an LSTM has learned to forecast: its error relative to that of repeating the last value."""

from pathlib import Path

import numpy as np

from autograder.audit import Measurement
from autograder.checks.regression import baseline_error, rmse
from autograder.checks.series import SeriesForecaster
from autograder.data import hidden_sunspots, load_sunspots


def sunspots_error(student, seed):
    """Train three networks on the public years, as the hidden test does; the best one forecasts the hidden ones.

    One network of thirty learns next to nothing.
    """
    known, later = load_sunspots()[1], hidden_sunspots(Path(__file__).parents[1] / "data")[1]
    lstm = SeriesForecaster(student, "train_lstm", "forecast")
    networks = [lstm.trained(known, 3 * seed + member) for member in range(3)]
    best = min(rmse(forecasts, later) for forecasts in lstm.forecasts(networks, known, later))
    return best / baseline_error(later, np.concatenate([known[-1:], later[:-1]]))


MEASUREMENTS = (
    Measurement(
        "sunspots_error",
        unit="error on 62 hidden years, relative to repeating the last number, best of 3 networks",
        higher_is_better=False,
        run=sunspots_error,
        wrong=("last_value_as_target", "whole_series_in_one_batch", "one_epoch_only"),
        announced=0.85,
    ),
)
