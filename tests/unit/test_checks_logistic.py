"""The logistic regression that the examiner computes: its laws, and the rules of descent."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.checks.logistic import LOGISTIC, Adam, Descent, Logistic, network, row


def _drawn(seed: int, count: int = 8) -> Logistic:
    rng = np.random.default_rng(seed)
    return Logistic.draw(rng, rng.uniform(0, 1, (count, 2, 3, 1)), rng.permutation(np.arange(count) % 2))


@given(st.integers(0, 2**32))
@settings(max_examples=30)
def test_the_first_step_goes_along_the_measured_slope(seed: int) -> None:
    """A step of rate 1 is the gradient, which central differences of the loss confirm."""
    known = _drawn(seed)
    weights, _, _ = known.after(1, Descent(1.0))
    for place in range(weights.shape[1]):
        sides = []
        for shift in (-1e-5, 1e-5):
            moved = row(known.start).copy()
            moved[place] += shift
            other = Logistic(known.inputs, known.labels, (moved[:-1, np.newaxis], moved[-1:]))
            sides.append(other.after(1, Descent(0.0))[1][0])
        assert weights[0, place] - weights[1, place] == pytest.approx((sides[1] - sides[0]) / 2e-5, abs=1e-7)


def test_descent_lowers_the_loss_until_all_is_right() -> None:
    """Separable items end with an accuracy of 1."""
    inputs = np.array([[0.0], [0.2], [0.8], [1.0]])
    known = Logistic(inputs, np.array([0.0, 0.0, 1.0, 1.0]), (np.zeros((1, 1)), np.zeros(1)))
    _, losses, accuracies = known.after(200, Descent(2.0))
    assert losses[0] == pytest.approx(np.log(2))
    assert np.all(np.diff(losses) < 0)
    assert accuracies[-1] == 1


@given(st.floats(1e-4, 1), st.floats(0.01, 10))
def test_adams_first_step_has_the_length_of_its_rate(rate: float, size: float) -> None:
    """Whatever the gradient's size; that is what sets Adam apart."""
    np.testing.assert_allclose(Adam(rate)(np.array([size, -size])), [-rate, rate], rtol=1e-4)


def test_adam_is_its_definition_written_out() -> None:
    """Two steps by hand: g = 1, then g = 3."""
    adam = Adam(0.1)
    adam(np.array([1.0]))
    mean, square = (0.1 * 0.9 + 0.3) / 0.19, (0.001 * 0.999 + 0.009) / (1 - 0.999**2)
    np.testing.assert_allclose(adam(np.array([3.0])), [-0.1 * mean / np.sqrt(square)], rtol=1e-5)


def test_a_network_is_json_with_its_layers_in_order() -> None:
    """Nothing of Keras is imported to write it; it is compiled only on demand."""
    plain = json.loads(network((4, 5, 3), *LOGISTIC))
    assert [layer["class_name"] for layer in plain["config"]["layers"]] == ["InputLayer", "Flatten", "Dense"]
    assert "compile_config" not in plain
    compiled = json.loads(network((4, 5, 3), *LOGISTIC, optimizer=("SGD", 0.5)))["compile_config"]
    assert compiled["optimizer"]["config"] == {"learning_rate": 0.5}
