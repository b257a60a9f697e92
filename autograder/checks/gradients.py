"""Gradients against central differences of the reference forward pass.

For an upstream gradient ``g`` the loss is ``sum(g * forward(*inputs))``. Its slope along a direction ``d`` is
``sum(g * (f(x + h d) - f(x - h d))) / 2h``, computed in float64; its error is of order ``h**2 + eps / h`` (Burden and
Faires, Numerical Analysis, 4.1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_array, assert_tuple
from autograder.checks.wording import number
from autograder.errors import CheckFailure

Array = npt.NDArray[Any]
Forward = Callable[..., Any]

_STEP = 1e-5
"""Near the cube root of the float64 epsilon, where truncation and rounding balance."""
_RTOL = {2: 1e-2, 4: 1e-3}
"""By the bytes of the gradient's floats; 1e-5 for wider ones, a thousand times the error of the differences."""


def assert_gradients(  # noqa: PLR0913 - what a call leaves out has its default; all are named
    received: object,
    forward: Forward,
    inputs: Sequence[Array],
    upstream: Array,
    *,
    names: Sequence[str] | None = None,
    rng: np.random.Generator | None = None,
    samples: int = 64,
    rtol: float | None = None,
    hint: str | None = None,
) -> None:
    """Check the gradient of every input, biases included, that a student's backward pass returned.

    A slope is right when it is off by at most ``rtol`` of the largest slope of that input.

    Args:
        received: one array, or a tuple of as many arrays as there are ``inputs``, in their order.
        forward: the reference; ``forward(*inputs)`` has the shape of ``upstream``.
        inputs: the points at which the student's function was called.
        upstream: the gradient of the loss with respect to the output, as the student's function received it.
        names: of the gradients, for the messages; default ``gradient 1``, ``gradient 2``, ...
        rng: chooses coordinates and directions.
        samples: coordinates of each input that are compared one by one, all where it has no more. A random direction
            through all of them is compared as well, so that a mistake outside the sample shows too.
        rtol: 1e-5 by default, and 1e-3 in a float32 gradient.
        hint: ends the message about a wrong value.

    Raises:
        CheckFailure: a gradient is missing, has another shape, or another value.
        ValueError: ``forward`` and ``upstream`` disagree about the shape: the author's mistake.
    """
    rng = rng if rng is not None else np.random.default_rng(0)
    names = names or [f"gradient {position + 1}" for position in range(len(inputs))]
    alone = len(inputs) == 1 and not isinstance(received, (tuple, list))
    parts = (received,) if alone else assert_tuple(received, len(inputs), hint=f"In this order: {', '.join(names)}.")
    points = tuple(np.asarray(point, dtype=np.float64) for point in inputs)
    for position, (part, point, name) in enumerate(zip(parts, inputs, names, strict=True)):
        array = assert_array(part, point.shape, like=point, name=name)
        tolerance = _RTOL.get(array.dtype.itemsize, 1e-5) if rtol is None else rtol
        gradient = _Gradient(name, array.astype(np.float64), tolerance, hint)
        slope = _Slope(forward, points, np.asarray(upstream, dtype=np.float64), position)
        if point.size:
            chosen = _chosen(point.size, samples, rng)
            gradient.check_coordinates(slope, chosen)
            gradient.check_direction(slope, rng, len(chosen))


@dataclass(frozen=True)
class _Slope:
    """The loss as a function of one input, the others held."""

    forward: Forward
    points: tuple[Array, ...]
    upstream: Array
    position: int

    def along(self, direction: Array) -> float:
        """Return the central difference along ``direction``, which has the input's shape and entries of at most 1."""
        step = _STEP * max(1.0, float(np.abs(self.points[self.position]).max()))
        change = self._forward(step * direction) - self._forward(-step * direction)
        return float(np.sum(self.upstream * change) / (2 * step))

    def _forward(self, offset: Array) -> Array:
        moved = [*self.points]
        moved[self.position] = moved[self.position] + offset
        output = np.asarray(self.forward(*moved), dtype=np.float64)
        if output.shape != self.upstream.shape:
            raise ValueError(f"forward returns shape {output.shape}, the upstream gradient has {self.upstream.shape}")
        return output


@dataclass(frozen=True)
class _Gradient:
    """One gradient that a student returned: finite, and of its input's shape."""

    name: str
    values: Array
    rtol: float
    hint: str | None

    def check_coordinates(self, slope: _Slope, chosen: Array) -> None:
        """Compare the slopes at the chosen positions."""
        size = self.values.size
        wanted = np.array([slope.along(_unit(self.values.shape, position)) for position in chosen])
        have = self.values.reshape(-1)[chosen]
        with np.errstate(over="ignore"):
            error = np.abs(have - wanted)
        bad = error > self.rtol * (float(np.abs(wanted).max()) or 1.0)
        if bad.any():
            first = int(np.argmax(bad))
            index = tuple(int(i) for i in np.unravel_index(chosen[first], self.values.shape))
            tried = f"{size}" if chosen.size == size else f"{chosen.size} tried values"
            self._fail(
                f"{int(bad.sum())} of {tried} differ, first at index {index}; the largest error is {error.max():.3g}.",
                f"{number(wanted[first])} at {index}, by central differences",
                f"{number(have[first])} at {index}",
            )

    def check_direction(self, slope: _Slope, rng: np.random.Generator, tried: int) -> None:
        """Compare the slope along one random direction, in which every value has its part."""
        direction = rng.uniform(-1.0, 1.0, self.values.shape)
        wanted = slope.along(direction)
        with np.errstate(over="ignore", invalid="ignore"):
            terms = self.values * direction
            have = float(terms.sum())
            scale = float(np.sqrt(np.square(terms).sum())) or 1.0
        if not abs(have - wanted) <= 10 * self.rtol * scale:
            self._fail(
                f"{tried} tried values are right, but not all: the slope along a random direction is off.",
                f"{number(wanted)}, by central differences",
                number(have),
            )

    def _fail(self, what: str, expected: str, received: str) -> None:
        message = f"The values of {self.name} are wrong: {what}"
        raise CheckFailure(message, expected=expected, received=received, hint=self.hint)


def _chosen(size: int, samples: int, rng: np.random.Generator) -> Array:
    return np.arange(size) if size <= samples else np.sort(rng.choice(size, samples, replace=False))


def _unit(shape: tuple[int, ...], position: int) -> Array:
    unit = np.zeros(shape)
    unit.reshape(-1)[position] = 1.0
    return unit
