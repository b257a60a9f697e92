"""A student's pair of functions that train a given Keras model on a series and forecast with it.

The model is the examiner's: an LSTM with ReLU and a dense layer, compiled, with weights drawn here. So what is judged
is the training and the forecasting, and nothing that the student built before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_array
from autograder.checks.models import Model, claimed, make_model
from autograder.errors import CheckFailure
from autograder.subject.proxy import Subject

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Trained:
    """A model after its training, and what the training returned, which should be a ``History``."""

    model: Model
    record: object
    train: str

    def claims(self) -> Mapping[str, tuple[float, ...]]:
        """Return what the ``History`` says, one number per epoch for each name."""
        return claimed(self.model.student, self.record, self.train)


@dataclass(frozen=True)
class SeriesForecaster:
    """The functions ``train(model, series, epochs) -> History`` and ``forecast(model, history) -> float``."""

    student: Subject
    train: str
    forecast: str

    def trained(self, series: Array, seed: int, *, window: int = 10, units: int = 50, **options: object) -> Trained:
        """Train a fresh model that reads ``window`` values; ``seed`` decides its weights and the order of batches."""
        self.student.model("seed_everything", seed, of=self.train)
        model = make_lstm(self.student, seed, window, units)
        record = getattr(self.student.handle, self.train)(model.handle, series, **options)
        return Trained(model, record, self.train)

    def next_value(self, trained: Trained, history: Array) -> float:
        """Return the forecast of the value after ``history``, checked."""
        received = getattr(self.student, self.forecast)(trained.model.handle, history)
        hint = "Return one number: `float(...)` of the only item."
        return float(assert_array(received, (), like=None, hint=hint, name=f"the result of {self.forecast}"))

    def forecasts(self, networks: Sequence[Trained], known: Array, later: Array) -> list[Array]:
        """Return for each network its forecasts ``(n,)`` of the ``n`` later values, each from all values before it.

        The history holds the answers to the forecasts before. So all networks are asked for one value after the other,
        in the order of time: that reveals nothing which a forecaster could not know by then.
        """
        series = np.concatenate([known, later])
        turns = [
            [self.next_value(network, series[:end]) for network in networks] for end in range(len(known), len(series))
        ]
        return list(np.array(turns).T)


def make_lstm(student: Subject, seed: int, window: int, units: int) -> Model:
    """Put a compiled LSTM ``(N, window, 1) -> (N, 1)`` with ReLU into the student's process, initialized as by Keras.

    The kernels are drawn from Glorot's uniform distribution, the recurrent one is orthogonal, and forgetting starts at
    a bias of 1.
    """
    layers = [
        _layer("InputLayer", batch_shape=[None, window, 1]),
        _layer("LSTM", units=units, activation="relu"),
        _layer("Dense", units=1),
    ]
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "registered_name": None,
        "config": {"name": "forecaster", "layers": layers},
        "compile_config": {"optimizer": "adam", "loss": "mean_squared_error"},
    }
    return make_model(student, json.dumps(config), _weights(np.random.default_rng(seed), units))


def _layer(kind: str, **config: object) -> dict[str, object]:
    return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None}


def _weights(rng: np.random.Generator, units: int) -> list[Array]:
    """Draw ``(1, 4H)``, ``(H, 4H)`` and ``(4H,)`` of the LSTM, ``(H, 1)`` and ``(1,)`` of the dense layer."""
    recurrent = np.linalg.qr(rng.normal(size=(4 * units, units)))[0].T
    bias = np.zeros(4 * units)
    bias[units : 2 * units] = 1
    drawn = [_glorot(rng, 1, 4 * units), recurrent, bias, _glorot(rng, units, 1), np.zeros(1)]
    return [array.astype(np.float32) for array in drawn]


def _glorot(rng: np.random.Generator, inputs: int, outputs: int) -> Array:
    limit = np.sqrt(6 / (inputs + outputs))
    return rng.uniform(-limit, limit, (inputs, outputs))


def assert_forecast(
    forecaster: SeriesForecaster, trained: Trained, history: Array, series: Array | None = None
) -> float:
    """Return a forecast that lies near the series, by default the history, and heeds more than the last value."""
    value = forecaster.next_value(trained, history)
    known = history if series is None else series
    low, high = known.mean() - 4 * known.std(), known.mean() + 4 * known.std()
    if not low <= value <= high:
        raise CheckFailure(
            "A forecast is not in the units of the series.",
            expected=f"a number from {low:.4g} to {high:.4g}",
            received=f"{value:.4g}",
            hint="Undo the scaling: the model's output is in the scale that it was trained in.",
        )
    other = forecaster.next_value(trained, np.concatenate([history[:-1][::-1], history[-1:]]))
    if value == other:
        hint = "The model reads a whole window: give it all the latest values."
        raise CheckFailure("Other values before the last one change no forecast.", hint=hint)
    return value
