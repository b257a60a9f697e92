"""The error of forecasts beside that of a baseline, on data that the student never saw.

An error in the units of the data says little; its ratio to the error of a forecast that needs no learning, for a series
that it goes on as it stood, says whether anything was learned. The error is the root of the mean square (RMSE).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_array
from autograder.checks.evidence import note
from autograder.checks.wording import plural
from autograder.errors import CheckFailure, CourseError
from autograder.model import Evidence

Array = npt.NDArray[Any]


def assert_error_against_baseline(
    predictions: object,
    targets: Array,
    baseline_predictions: Array,
    at_most: float,
    *,
    baseline: str = "repeating the last value",
    hint: str | None = None,
    name: str = "your predictions",
) -> float:
    """Check that the RMSE of predictions is at most ``at_most`` of the baseline's; return the ratio.

    Args:
        predictions: of exactly the shape of ``targets``; a column ``(N, 1)`` is no row ``(N,)``.
        targets: the true values.
        baseline_predictions: what the baseline says, of the same shape.
        at_most: the largest ratio that passes, 0.85 for an error 15 % below the baseline's.
        baseline: what the baseline does, in the message.
        hint: ends the message about an error that is too large.
        name: of the predictions, in the messages.

    Raises:
        CheckFailure: the predictions have another form, are not finite, or are not accurate enough.
        CourseError: the baseline is no measure: another shape than the targets, not finite, or without an error.
    """
    least = baseline_error(targets, baseline_predictions)
    received = assert_array(predictions, np.shape(targets), like=np.float32, name=name)
    error = rmse(received, targets)
    ratio = error / least
    errors = f"an RMSE of {error:.3g} beside {least:.3g}, over {plural(received.size, 'item')}"
    text = f"{ratio:.3g} of the error of {baseline}: {errors}; at most {at_most:.3g} allowed."
    note(Evidence("error beside a baseline", text, ratio, threshold=at_most, items=received.size))
    if not ratio <= at_most:
        raise CheckFailure(
            f"The error of {name} is too large.",
            expected=f"at most {at_most:.3g} of the error of {baseline}",
            received=f"{ratio:.3g} of it: {errors}",
            hint=hint,
        )
    return ratio


def rmse(predictions: Array, targets: Array) -> float:
    """Return the root of the mean square of the differences; infinity where that overflows."""
    with np.errstate(over="ignore"):
        difference = predictions.astype(np.float64) - np.asarray(targets, dtype=np.float64)
        return float(np.sqrt(np.mean(difference**2)))


def baseline_error(targets: Array, baseline_predictions: Array) -> float:
    """Return the RMSE of a baseline.

    Raises:
        CourseError: it is no measure for targets of this shape.
    """
    shapes = np.shape(targets), np.shape(baseline_predictions)
    if shapes[0] != shapes[1] or 0 in shapes[0]:
        raise CourseError(
            f"the baseline has the shape {shapes[1]}, the targets {shapes[0]}: expected the same, not empty"
        )
    error = rmse(np.asarray(baseline_predictions), targets)
    if not (np.isfinite(error) and error > 0):
        raise CourseError(f"the baseline's error is {error:g}: expected one above 0, and finite, to compare with")
    return error
