"""Accuracy on data whose labels the student never saw, judged with the exact binomial interval.

An observed accuracy is one draw: with few items a good model can fall below a threshold by chance. The student gets
the benefit of the interval (Clopper and Pearson, Biometrika 26, 1934): only an upper bound below the threshold fails.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_array, assert_shape
from autograder.checks.evidence import note
from autograder.checks.wording import plural
from autograder.errors import CheckFailure
from autograder.model import Evidence

Array = npt.NDArray[Any]

_ROW_SUM_TOLERANCE = 1e-3


def assert_accuracy(
    received: object,
    labels: Array,
    threshold: float,
    *,
    confidence: float = 0.95,
    hint: str | None = None,
    name: str = "your predictions",
) -> float:
    """Check predictions for ``labels`` and return the observed accuracy.

    Args:
        received: probabilities ``(N, K)``, or integer labels ``(N,)``.
        labels: integers ``(N,)``, or one-hot ``(N, K)``.
        threshold: the accuracy that is asked for, 0 to 1.
        confidence: of the two-sided interval.
        hint: ends the message about a low accuracy.
        name: of the predictions, in the messages.

    Raises:
        CheckFailure: the predictions have another form, or even the interval's upper bound is below the threshold.
    """
    truth = np.asarray(labels).argmax(axis=1) if np.ndim(labels) == 2 else np.asarray(labels)
    classes = np.shape(labels)[1] if np.ndim(labels) == 2 else None
    predicted = _predicted(received, len(truth), classes, name)
    correct, items = int((predicted == truth).sum()), len(truth)
    low, high = binomial_interval(correct, items, confidence)
    observed = correct / items
    reaches = ", which the interval reaches" if observed < threshold else ""
    text = f"{observed:.1%} of {plural(items, 'item')} right ({confidence:.0%} interval {low:.1%} to {high:.1%}); "
    note(Evidence("accuracy", f"{text}{threshold:.1%} needed{reaches}.", observed, low, high, threshold, items))
    if high < threshold:
        raise CheckFailure(
            f"The accuracy of {name} is too low.",
            expected=f"at least {threshold:.1%}",
            received=f"{observed:.1%} of {plural(items, 'item')}; allowing for luck, {low:.1%} to {high:.1%}",
            hint=hint,
        )
    return observed


def assert_probabilities(
    received: object, shape: tuple[int, int | None], *, hint: str | None = None, name: str = "your output"
) -> Array:
    """Check probabilities ``(N, K)``: finite, from 0 to 1, each row summing to 1; return them."""
    array = assert_array(received, shape, like=np.float32, hint=hint, name=name)
    outside = (array < -_ROW_SUM_TOLERANCE) | (array > 1 + _ROW_SUM_TOLERANCE)
    if outside.any():
        count = f"{int(outside.sum())} of {plural(array.size, 'value')}"
        raise CheckFailure(
            f"The values of {name} are no probabilities.",
            expected="values from 0 to 1",
            received=f"{count} outside, from {array.min():.3g} to {array.max():.3g}",
            hint=hint,
        )
    sums = array.sum(axis=1, dtype=np.float64)
    wrong = np.abs(sums - 1) > _ROW_SUM_TOLERANCE
    if wrong.any():
        first = int(np.argmax(wrong))
        raise CheckFailure(
            f"The rows of {name} do not sum to 1.",
            expected="every row sums to 1",
            received=f"{int(wrong.sum())} of {plural(len(sums), 'row')} do not; row {first} sums to {sums[first]:.4g}",
            hint=hint,
        )
    return array


def binomial_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the two-sided Clopper-Pearson interval of a probability after ``successes`` in ``trials``."""
    if not 0 <= successes <= trials or trials < 1 or not 0 < confidence < 1:
        raise ValueError(f"no interval for {successes} of {trials} at confidence {confidence}")
    tail = (1 - confidence) / 2
    high = 1.0 if successes == trials else _solve(successes, trials, tail)
    low = 0.0 if successes == 0 else 1 - _solve(trials - successes, trials, tail)
    return low, high


def _predicted(received: object, items: int, classes: int | None, name: str) -> Array:
    """Return labels ``(N,)`` from labels or probabilities."""
    if type(received) is np.ndarray and received.dtype.kind in "iu":
        assert_shape(received, (items,), name=name)
        return received
    hint = f"Integer labels of shape ({items},) do as well."
    labels: Array = assert_probabilities(received, (items, classes), hint=hint, name=name).argmax(axis=1)
    return labels


def _solve(successes: int, trials: int, tail: float) -> float:
    """Return the probability at which at most ``successes`` in ``trials`` has the chance ``tail``, by bisection."""
    counts = np.arange(successes + 1)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])  # log n!
    ways = factorials[trials] - factorials[counts] - factorials[trials - counts]
    low, high = successes / trials, 1.0
    while (middle := (low + high) / 2) not in (low, high):
        chance = np.exp(ways + counts * np.log(middle) + (trials - counts) * np.log1p(-middle)).sum()
        low, high = (middle, high) if chance > tail else (low, middle)
    return high
