"""The solution of ``rnn`` against oracles that share nothing with it.

They are Keras's layer and TensorFlow's gradients, values that are known exactly, and laws that hold for any input.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks.plugin import load_reference
from autograder.course import Course

Array = npt.NDArray[Any]

RNN = load_reference(Course.find(Path(__file__).parent).assignment("rnn").solution)
SIZES = [(1, 1, 1, 1), (3, 7, 2, 5), (5, 1, 3, 3), (2, 12, 4, 3)]
"""Sequences, steps, inputs, units."""

properties = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _layer(seed: int, count: int, steps: int, inputs: int, units: int) -> tuple[Array, ...]:
    """Draw sequences, a first state, and the weights and biases of a layer."""
    rng = np.random.default_rng(seed)
    shapes = ((count, steps, inputs), (count, units), (inputs, units), (units, units), (units,))
    return tuple(0.8 * rng.normal(size=shape) for shape in shapes)


def _unrolled(tf: Any, x: Any, h0: Any, wx: Any, wh: Any, b: Any) -> list[Any]:
    """Return the states after each step, by TensorFlow's operations."""
    states = [h0]
    for t in range(x.shape[1]):
        states.append(tf.tanh(tf.matmul(x[:, t], wx) + tf.matmul(states[-1], wh) + b))
    return states[1:]


@pytest.mark.parametrize("sizes", SIZES)
def test_forward_is_keras_simple_rnn(tf: Any, sizes: tuple[int, ...]) -> None:
    """Keras's SimpleRNN with the same weights and the same first state gives the same states."""
    x, h0, *weights = _layer(1, *sizes)
    layer = tf.keras.layers.SimpleRNN(sizes[-1], return_sequences=True, dtype="float64")
    layer.build(x.shape)
    layer.set_weights(weights)
    expected = layer(x, initial_state=tf.constant(h0)).numpy()
    np.testing.assert_allclose(RNN.rnn_forward(x, h0, *weights), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("sizes", SIZES)
def test_backward_is_tensorflows(tf: Any, sizes: tuple[int, ...]) -> None:
    """All five gradients agree with TensorFlow's tape for an arbitrary gradient at every step."""
    inputs = [tf.constant(value) for value in _layer(2, *sizes)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        h = tf.stack(_unrolled(tf, *inputs), axis=1)
    grad_h = np.random.default_rng(3).normal(size=h.shape)
    expected = tape.gradient(h, inputs, tf.constant(grad_h))
    x, h0, wx, wh, _ = (value.numpy() for value in inputs)
    received = RNN.rnn_backward(grad_h, x, h0, h.numpy(), wx, wh)
    for have, want in zip(received, expected, strict=True):
        np.testing.assert_allclose(have, want.numpy(), rtol=1e-9, atol=1e-12)


def test_gradient_flow_is_the_norm_of_tensorflows_jacobians(tf: Any) -> None:
    """The norm of ``d h_T / d h_t`` is that of the Jacobian which the tape finds, for every step."""
    inputs = [tf.constant(value) for value in _layer(4, 1, 6, 2, 4)]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(inputs)
        states = _unrolled(tf, *inputs)
    expected = [np.linalg.norm(tape.jacobian(states[-1], state).numpy()) for state in states]
    h = np.concatenate([state.numpy() for state in states])
    np.testing.assert_allclose(RNN.gradient_flow(h, inputs[3].numpy()), expected, rtol=1e-9)


def test_clipping_is_tensorflows(tf: Any) -> None:
    """``tf.clip_by_global_norm`` gives the same arrays, above and below the norm."""
    rng = np.random.default_rng(5)
    gradients = {"a": rng.normal(size=(3, 4)), "b": 5 * rng.normal(size=7), "c": rng.normal(size=(1, 1))}
    for max_norm in (0.5, 3.0, 100.0):
        expected, _ = tf.clip_by_global_norm([tf.constant(value) for value in gradients.values()], max_norm)
        for have, want in zip(RNN.clip_gradients(gradients, max_norm).values(), expected, strict=True):
            np.testing.assert_allclose(have, want.numpy(), rtol=1e-12)


def test_one_step_of_the_training_is_tensorflows(tf: Any) -> None:
    """One batch moves every parameter against the clipped gradient that TensorFlow's tape finds."""
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(11, 5, 1)), rng.normal(size=(11, 1))
    start, _ = RNN.train_rnn(x, y, hidden=6, epochs=0, seed=3)
    moved, losses = RNN.train_rnn(x, y, hidden=6, epochs=1, learning_rate=0.25, seed=3)
    variables = {name: tf.Variable(value) for name, value in start.items()}
    with tf.GradientTape() as tape:
        weights = (variables[name] for name in ("Wx", "Wh", "b"))
        last = _unrolled(tf, tf.constant(x), tf.zeros((11, 6), tf.float64), *weights)[-1]
        forecasts = last @ variables["Wy"] + variables["by"]
        loss = tf.reduce_mean(tf.square(forecasts - y))
    gradients = tape.gradient(loss, list(variables.values()))
    clipped, norm = tf.clip_by_global_norm(gradients, 1.0)
    assert float(norm) > 1
    for name, gradient in zip(variables, clipped, strict=True):
        np.testing.assert_allclose(moved[name], start[name] - 0.25 * gradient.numpy(), rtol=1e-9, atol=1e-12)
    assert losses == pytest.approx([float(loss)])
    np.testing.assert_allclose(RNN.predict_rnn(start, x), forecasts.numpy(), rtol=1e-9)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.25])
@pytest.mark.parametrize("steps, units", [(1, 3), (9, 2), (30, 5)])
def test_flow_through_rotations_at_rest_is_a_power(factor: float, steps: int, units: int) -> None:
    """At rest the tangent has slope 1, and ``factor`` times a rotation stretches by exactly ``factor``."""
    rotation, _ = np.linalg.qr(np.random.default_rng(7).normal(size=(units, units)))
    expected = np.sqrt(units) * factor ** np.arange(steps)[::-1]
    flow = RNN.gradient_flow(np.zeros((steps, units)), factor * rotation)
    np.testing.assert_allclose(flow, expected, rtol=1e-10)


@pytest.mark.parametrize("factor", [0.7, 1.0, 1.5])
def test_flow_through_a_scaled_identity_is_a_sum_of_products(factor: float) -> None:
    """Units that do not touch each other have a flow each, the product of their own slopes."""
    h = np.random.default_rng(8).uniform(-0.9, 0.9, (6, 3))
    own = [np.prod(factor * (1 - h[t + 1 :] ** 2), axis=0) for t in range(6)]
    expected = np.sqrt(np.sum(np.square(own), axis=1))
    np.testing.assert_allclose(RNN.gradient_flow(h, factor * np.eye(3)), expected, rtol=1e-12)


def _floats(*shape: int, bound: float = 2.0) -> st.SearchStrategy[Array]:
    return hnp.arrays(np.float64, shape, elements=st.floats(-bound, bound, allow_subnormal=False))


LAYERS = st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 3), st.integers(1, 4)).flatmap(
    lambda n: st.tuples(
        _floats(n[0], n[1], n[2]),
        _floats(n[0], n[3], bound=0.9),
        _floats(n[2], n[3]),
        _floats(n[3], n[3]),
        _floats(n[3]),
    )
)


@properties
@given(LAYERS)
def test_a_sequence_can_be_read_in_two_pieces(layer: tuple[Array, ...]) -> None:
    """The second piece begins with the last state of the first."""
    x, h0, *weights = layer
    whole = RNN.rnn_forward(x, h0, *weights)
    for cut in range(1, x.shape[1]):
        first = RNN.rnn_forward(x[:, :cut], h0, *weights)
        second = RNN.rnn_forward(x[:, cut:], first[:, -1], *weights)
        np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-12)


@properties
@given(LAYERS)
def test_states_know_nothing_of_the_future(layer: tuple[Array, ...]) -> None:
    """A changed last input changes the last state alone."""
    x, h0, *weights = layer
    changed = x.copy()
    changed[:, -1] += 1
    before, after = RNN.rnn_forward(x, h0, *weights), RNN.rnn_forward(changed, h0, *weights)
    np.testing.assert_array_equal(before[:, :-1], after[:, :-1])


@properties
@given(LAYERS, st.randoms(use_true_random=False))
def test_units_and_sequences_have_no_order(layer: tuple[Array, ...], random: Any) -> None:
    """Renamed units give renamed states, and so do sequences in another order."""
    x, h0, wx, wh, b = layer
    units = random.sample(range(len(b)), len(b))
    rows = random.sample(range(len(x)), len(x))
    renamed = RNN.rnn_forward(x[rows], h0[rows][:, units], wx[:, units], wh[units][:, units], b[units])
    np.testing.assert_allclose(renamed, RNN.rnn_forward(x, h0, wx, wh, b)[rows][:, :, units], atol=1e-12)


@properties
@given(LAYERS)
def test_without_biases_opposite_inputs_give_opposite_states(layer: tuple[Array, ...]) -> None:
    """The tangent is odd, and so is all that is made of it."""
    x, h0, wx, wh, b = layer
    states, opposite = RNN.rnn_forward(x, h0, wx, wh, 0 * b), RNN.rnn_forward(-x, -h0, wx, wh, 0 * b)
    np.testing.assert_allclose(opposite, -states, atol=1e-12)


@properties
@given(LAYERS)
def test_backward_is_linear_in_what_arrives(layer: tuple[Array, ...]) -> None:
    """Gradients of a sum are sums of gradients, and the gradient of nothing is nothing."""
    x, h0, wx, wh, b = layer
    h = RNN.rnn_forward(x, h0, wx, wh, b)
    rng = np.random.default_rng(9)
    one, two = rng.normal(size=h.shape), rng.normal(size=h.shape)
    parts = [RNN.rnn_backward(grad, x, h0, h, wx, wh) for grad in (one, two, one + 3 * two, 0 * one)]
    for first, second, together, nothing in zip(*parts, strict=True):
        np.testing.assert_allclose(first + 3 * second, together, atol=1e-9)
        assert not nothing.any()


@properties
@given(LAYERS)
def test_the_flow_is_what_the_way_back_carries(layer: tuple[Array, ...]) -> None:
    """Sent back one unit at a time, a gradient at the last step reaches h0 with the squares that the flow sums."""
    x, h0, wx, wh, b = (part[:1] if part.ndim > 1 and index < 2 else part for index, part in enumerate(layer))
    h = RNN.rnn_forward(x, h0, wx, wh, b)
    arriving = []
    for unit in range(len(b)):
        grad = np.zeros_like(h)
        grad[0, -1, unit] = 1
        arriving.append(RNN.rnn_backward(grad, x, h0, h, wx, wh)[1])
    flow = RNN.gradient_flow(np.concatenate([h0, h[0]]), wh)
    assert flow[0] == pytest.approx(np.linalg.norm(arriving), abs=1e-9)


@properties
@given(_floats(3, 2, bound=50), _floats(4, bound=50), st.floats(0.1, 20))
def test_clipping_keeps_the_direction_and_bounds_the_norm(a: Array, b: Array, max_norm: float) -> None:
    """The norm becomes the smaller of the two, every number keeps its share, and a second clipping changes nothing."""
    gradients = {"a": a, "b": b}
    before = np.concatenate([a.ravel(), b])
    clipped = RNN.clip_gradients(gradients, max_norm)
    after = np.concatenate([clipped["a"].ravel(), clipped["b"]])
    norm = np.linalg.norm(before)
    assert np.linalg.norm(after) == pytest.approx(min(norm, max_norm), abs=1e-9)
    np.testing.assert_allclose(after * norm, before * np.linalg.norm(after), atol=1e-6)
    again = RNN.clip_gradients(clipped, max_norm)
    np.testing.assert_allclose(again["b"], clipped["b"], rtol=1e-9)


@properties
@given(st.integers(2, 30).flatmap(lambda size: st.tuples(_floats(size), st.integers(1, size - 1))))
def test_windows_hold_the_series(case: tuple[Array, int]) -> None:
    """The answers are the series after its first window, and each window's last value is the answer before it."""
    series, length = case
    x, y = RNN.make_windows(series, length)
    np.testing.assert_array_equal(np.concatenate([x[0, :, 0], y[:, 0]]), series)
    np.testing.assert_array_equal(x[1:, -1], y[:-1])
    np.testing.assert_array_equal(x[1:, :-1], x[:-1, 1:])


def test_windows_are_no_views_of_the_series() -> None:
    """Whoever changes a window does not change the series."""
    series = np.arange(9.0)
    x, y = RNN.make_windows(series, 3)
    x += 1
    y += 1
    np.testing.assert_array_equal(series, np.arange(9.0))
