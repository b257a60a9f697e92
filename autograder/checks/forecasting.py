"""A student's pair of functions that train and apply a forecaster of a series, judged by what it forecasts.

A forecast is worth something when it is better than the cheapest one, *persistence*: tomorrow will be as today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_array, assert_numbers, assert_tuple
from autograder.checks.regression import rmse
from autograder.errors import CheckFailure
from autograder.subject.proxy import Subject

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Windows:
    """Windows ``X (n, length, 1)`` of a series in the order of time, and ``y (n, 1)``, the values that follow them."""

    X: Array
    y: Array

    @classmethod
    def cut(cls, series: Array, length: int) -> Windows:
        """Cut a series ``(L,)`` into its ``L - length`` windows."""
        starts = np.arange(len(series) - length)
        return cls(series[starts[:, np.newaxis] + np.arange(length)][..., np.newaxis], series[length:, np.newaxis])

    @classmethod
    def standardized(cls, known: Array, later: Array, length: int) -> tuple[Windows, Windows]:
        """Cut what is known of a series, and what comes later, both standardized by what is known.

        The first later windows reach back into what is known, so that there is one for each later value.
        """
        series = (np.concatenate([known, later]) - known.mean()) / known.std()
        return cls.cut(series[: len(known)], length), cls.cut(series[len(known) - length :], length)

    @property
    def last(self) -> Array:
        """The last value of each window ``(n, 1)``: the forecast of persistence."""
        return self.X[:, -1]


@dataclass(frozen=True)
class Forecaster:
    """The functions ``train(X, y, ...) -> (parameters, losses)`` and ``predict(parameters, X)``.

    Parameters stay in the subject: they are the student's own, and only a handle of them comes here.
    """

    student: Subject
    train: str
    predict: str

    def trained(self, windows: Windows, **options: object) -> tuple[Any, Any]:
        """Train; return handles of the parameters and of the losses."""
        received = getattr(self.student.handle, self.train)(windows.X, windows.y, **options)
        hint = "Return both: `return parameters, losses`."
        parameters, losses = assert_tuple(received, 2, name=f"the result of {self.train}", hint=hint)
        return parameters, losses

    def forecasts(self, parameters: object, X: Array) -> Array:  # noqa: N803 - the contract's name
        """Return the forecasts ``(n, 1)`` for windows ``(n, length, 1)``, checked."""
        received = getattr(self.student, self.predict)(parameters, X)
        return assert_array(received, (len(X), 1), like=np.float32, name=f"the result of {self.predict}")

    def best_forecasts(self, known: Windows, later: Windows, seeds: Sequence[int], **options: object) -> Array:
        """Train once per seed on known windows; return the forecasts ``(n, 1)`` for later ones that err least.

        A window holds the answer to the one before it. So all networks are asked for one window after the other, in the
        order of time: that reveals nothing which a forecaster could not know by then.
        """
        networks = [self.trained(known, seed=seed, **options)[0] for seed in seeds]
        turns = [[self.forecasts(network, X[np.newaxis])[0] for network in networks] for X in later.X]
        by_network = np.moveaxis(np.array(turns, dtype=np.float64), 1, 0)  # (networks, n, 1)
        return min(by_network, key=lambda forecasts: rmse(forecasts, later.y))

    def loss(self, parameters: object, windows: Windows) -> float:
        """Return the mean squared error of the forecasts for windows."""
        return rmse(self.forecasts(parameters, windows.X), windows.y) ** 2

    def losses(self, handle: Any, epochs: int) -> Array:
        """Return the losses that the training reported, one per epoch."""
        return assert_numbers(self.student.value(handle), epochs, name="losses", hint="Append one mean loss per epoch.")


def assert_trained(early: Array, late: Array) -> Array:
    """Return the later of two networks' forecasts: they differ, and not every window gets the same one."""
    if np.ptp(late) < 1e-6:
        raise CheckFailure("Every window gets the same forecast.", hint="The windows have to reach the result.")
    if np.abs(late - early).max() < 1e-3:
        raise CheckFailure(
            "More epochs change no forecast.", hint="Keep the parameters of each step, and train for `epochs` epochs."
        )
    return late
