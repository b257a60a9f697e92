"""What decides whether a forecaster has learned: its error relative to that of repeating the last value."""

from pathlib import Path

import numpy as np

from autograder.audit import Measurement
from autograder.checks.forecasting import Forecaster, Windows
from autograder.checks.regression import baseline_error, rmse
from autograder.data import draw_wave, hidden_sunspots, load_sunspots

LEARNED_NOTHING = ("trained_uphill", "targets_left_behind", "state_forgotten_in_training", "last_value_repeated")
"""On a wave an untrained network can be anything, a tolerable forecaster included; checks of the loss find it."""


def relative_error(student, known, later, seed, **options):
    """Train with one seed and return the error of the forecasts for later windows."""
    rnn = Forecaster(student, "train_rnn", "predict_rnn")
    forecasts = rnn.best_forecasts(known, later, (seed,), **options)
    return rmse(forecasts, later.y) / baseline_error(later.y, later.last)


def sunspots_error(student, seed):
    """Train on the public years and forecast the hidden ones."""
    hidden = hidden_sunspots(Path(__file__).parents[1] / "data")[1]
    return relative_error(student, *Windows.standardized(load_sunspots()[1], hidden, 10), seed)


def wave_error(student, seed):
    """Train on a fresh wave and forecast how it goes on."""
    series = draw_wave(np.random.default_rng(seed), 180)
    return relative_error(student, *Windows.standardized(series[:120], series[120:], 6), seed, epochs=20)


MEASUREMENTS = (
    Measurement(
        "sunspots_error",
        unit="error on 62 hidden years, relative to repeating the last number",
        higher_is_better=False,
        run=sunspots_error,
        wrong=("never_updated", *LEARNED_NOTHING),
        attempts=3,
        announced=0.85,
    ),
    Measurement(
        "wave_error",
        unit="error on 60 later values of a fresh wave, relative to repeating the last value",
        higher_is_better=False,
        run=wave_error,
        wrong=LEARNED_NOTHING,
        attempts=3,
    ),
)
