"""The check of gradients, against layers whose derivatives are known on paper."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks import assert_gradients
from autograder.errors import CheckFailure
from tests.strategies import anything

NAMES = ["grad_x", "grad_weights", "grad_bias"]
Array = np.ndarray[Any, Any]


def tanh_layer(x: Array, weights: Array, bias: Array) -> Array:
    """A layer with curvature, so that differences are not exact."""
    output: Array = np.tanh(x @ weights + bias)  # (N, K)
    return output


def layer(seed: int, size: int = 5) -> tuple[tuple[Array, ...], Array, tuple[Array, ...]]:
    """Return inputs, upstream gradient and the gradients by the chain rule on paper."""
    rng = np.random.default_rng(seed)
    x, weights, bias = rng.normal(size=(6, size)), rng.normal(size=(size, 4)) / size, rng.normal(size=4)
    upstream = rng.normal(size=(6, 4))
    inner = upstream * (1 - tanh_layer(x, weights, bias) ** 2)
    return (x, weights, bias), upstream, (inner @ weights.T, x.T @ inner, inner.sum(axis=0))


@given(seed=st.integers(0, 10**6), size=st.sampled_from([1, 5, 40]))
def test_the_chain_rule_passes(seed: int, size: int) -> None:
    """Gradients derived on paper pass, of few values and of more than are tried, in float32 too."""
    inputs, upstream, gradients = layer(seed, size)
    assert_gradients(gradients, tanh_layer, inputs, upstream, rng=np.random.default_rng(seed))
    points = [one.astype(np.float32) for one in inputs]
    assert_gradients(tuple(one.astype(np.float32) for one in gradients), tanh_layer, points, upstream)


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_wrong_gradient_is_named(part: int) -> None:
    """One wrong value in any of the gradients, biases included, is found and shown with its index."""
    inputs, upstream, gradients = layer(1)
    gradients[part][(1,) * gradients[part].ndim] += 0.5
    with pytest.raises(CheckFailure) as caught:
        assert_gradients(gradients, tanh_layer, inputs, upstream, names=NAMES)
    text = str(caught.value)
    assert f"The values of {NAMES[part]} are wrong: 1 of {gradients[part].size} differ, first at index (1" in text
    assert "the largest error is 0.5" in text


@given(seed=st.integers(0, 10**6))
def test_a_mistake_outside_the_sample_is_found(seed: int) -> None:
    """Where values are only sampled, a wrong one that was not tried still shows in the random direction."""
    inputs, upstream, gradients = layer(seed, size=40)
    rng = np.random.default_rng(seed)
    gradients[1].reshape(-1)[rng.integers(160)] += 1.0
    with pytest.raises(CheckFailure, match="grad_weights are wrong"):
        assert_gradients(gradients, tanh_layer, inputs, upstream, names=NAMES, rng=rng, samples=8)


def test_a_thousandth_of_the_largest_slope_is_wrong() -> None:
    """The tolerance is well below a mistake that a person could make, and a wider one can be given."""
    inputs, upstream, gradients = layer(8)
    gradients[0][2, 3] += 1e-3 * np.abs(gradients[0]).max()
    with pytest.raises(CheckFailure, match=r"1 of 30 differ, first at index \(2, 3\)"):
        assert_gradients(gradients, tanh_layer, inputs, upstream)
    assert_gradients(gradients, tanh_layer, inputs, upstream, rtol=1e-2)


def test_the_mean_instead_of_the_sum_is_wrong() -> None:
    """A bias gradient that is averaged over the batch fails."""
    inputs, upstream, gradients = layer(2)
    with pytest.raises(CheckFailure, match="4 of 4 differ"):
        assert_gradients((*gradients[:2], gradients[2] / 6), tanh_layer, inputs, upstream)


def test_one_input_needs_no_tuple() -> None:
    """A layer of one input may return its gradient alone; its kink is not hit by small steps."""
    x = np.random.default_rng(3).normal(size=(3, 4))
    assert_gradients(2.0 * (x > 0), lambda x: np.maximum(x, 0), [x], np.full((3, 4), 2.0))


def test_a_missing_gradient_is_told_with_the_order() -> None:
    """Two gradients where three are due fail with the names in order."""
    inputs, upstream, gradients = layer(4)
    with pytest.raises(CheckFailure) as caught:
        assert_gradients(gradients[:2], tanh_layer, inputs, upstream, names=NAMES)
    assert "a tuple of 3 items" in str(caught.value)
    assert "grad_x, grad_weights, grad_bias" in str(caught.value)


def test_shapes_that_the_author_mixed_up_are_the_authors() -> None:
    """An upstream gradient of another shape than the output is an error of the test."""
    inputs, _, gradients = layer(5)
    with pytest.raises(ValueError, match="upstream"):
        assert_gradients(gradients, tanh_layer, inputs, np.ones((1, 4)))


@given(value=anything(), part=st.integers(0, 3))
def test_anything_in_a_gradients_place_fails_at_most(value: object, part: int) -> None:
    """Whatever stands for one gradient, or for all of them, fails and never breaks."""
    inputs, upstream, gradients = layer(6)
    received = value if part == 3 else tuple(value if i == part else g for i, g in enumerate(gradients))
    with contextlib.suppress(CheckFailure):
        assert_gradients(received, tanh_layer, inputs, upstream)


@pytest.mark.parametrize("huge", [1e308, -1e308])
def test_huge_gradients_fail(huge: float) -> None:
    """Values near the largest float neither overflow the check nor pass it."""
    inputs, upstream, gradients = layer(7)
    with pytest.raises(CheckFailure, match="30 of 30 differ"):
        assert_gradients((np.full((6, 5), huge), *gradients[1:]), tanh_layer, inputs, upstream)
