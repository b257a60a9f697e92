"""The vocabulary of the tests: what a check may say about a student's result, and how it says it."""

from __future__ import annotations

from autograder.checks.arrays import (
    assert_array,
    assert_close,
    assert_dict,
    assert_finite,
    assert_int,
    assert_numbers,
    assert_raises,
    assert_shape,
    assert_tuple,
    assert_unmodified,
)
from autograder.checks.gradients import assert_gradients
from autograder.checks.marks import task
from autograder.checks.metrics import assert_accuracy, assert_probabilities
from autograder.checks.regression import assert_error_against_baseline
from autograder.checks.trend import assert_loss_falls

__all__ = [
    "assert_accuracy",
    "assert_array",
    "assert_close",
    "assert_dict",
    "assert_error_against_baseline",
    "assert_finite",
    "assert_gradients",
    "assert_int",
    "assert_loss_falls",
    "assert_numbers",
    "assert_probabilities",
    "assert_raises",
    "assert_shape",
    "assert_tuple",
    "assert_unmodified",
    "task",
]
