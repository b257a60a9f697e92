"""What decides whether an LSTM has learned to forecast: its error relative to that of repeating the last value."""

from pathlib import Path

import numpy as np

from autograder.audit import Measurement
from autograder.checks.regression import baseline_error, rmse
from autograder.checks.series import SeriesForecaster
from autograder.data import hidden_sunspots, load_sunspots


def sunspots_error(student, seed):
    """Train on the public years and forecast the hidden ones."""
    known, later = load_sunspots()[1], hidden_sunspots(Path(__file__).parents[1] / "data")[1]
    lstm = SeriesForecaster(student, "train_lstm", "forecast")
    (forecasts,) = lstm.forecasts([lstm.trained(known, seed)], known, later)
    return rmse(forecasts, later) / baseline_error(later, np.concatenate([known[-1:], later[:-1]]))


MEASUREMENTS = (
    Measurement(
        "sunspots_error",
        unit="error on 62 hidden years, relative to repeating the last number",
        higher_is_better=False,
        run=sunspots_error,
        wrong=("last_value_as_target", "whole_series_in_one_batch", "one_epoch_only"),
        attempts=3,
        announced=0.85,
    ),
)
