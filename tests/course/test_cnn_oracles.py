"""The solution of ``cnn_pipeline`` against oracles that share nothing with it.

They are TensorFlow's own operations and gradients, and laws that hold for any input.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks.plugin import load_reference
from autograder.course import Course

Array = npt.NDArray[Any]

CNN = load_reference(Course.find(Path(__file__).parent).assignment("cnn_pipeline").solution)
MOVES = [(1, 1, 0), (2, 1, 1), (3, 1, 1), (3, 2, 0), (3, 2, 1), (3, 3, 2), (5, 2, 2)]
"""Size, stride, padding."""

properties = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture
def rng() -> np.random.Generator:
    """One generator for the drawn cases."""
    return np.random.default_rng(20)


def _tf_conv2d(tf: Any, x: Any, kernels: Any, bias: Any, stride: int, padding: int) -> Any:
    padded = tf.pad(x, [[0, 0], [padding, padding], [padding, padding], [0, 0]])
    return tf.nn.conv2d(padded, kernels, stride, "VALID") + bias


@pytest.mark.parametrize("size, stride, padding", MOVES)
def test_conv2d_is_tensorflows(tf: Any, rng: np.random.Generator, size: int, stride: int, padding: int) -> None:
    """Convolution agrees with ``tf.nn.conv2d`` on non-square images of several channels."""
    x, kernels, bias = rng.normal(size=(3, 9, 7, 2)), rng.normal(size=(size, size, 2, 4)), rng.normal(size=4)
    expected = _tf_conv2d(tf, x, kernels, bias, stride, padding).numpy()
    np.testing.assert_allclose(CNN.conv2d(x, kernels, bias, stride, padding), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size, stride, padding", MOVES)
def test_conv2d_backward_is_tensorflows(
    tf: Any, rng: np.random.Generator, size: int, stride: int, padding: int
) -> None:
    """All three gradients agree with TensorFlow's tape for an arbitrary upstream gradient."""
    x, kernels, bias = (tf.constant(rng.normal(size=shape)) for shape in ((2, 8, 9, 3), (size, size, 3, 2), (2,)))
    with tf.GradientTape() as tape:
        tape.watch([x, kernels, bias])
        z = _tf_conv2d(tf, x, kernels, bias, stride, padding)
    grad = rng.normal(size=z.shape)
    expected = tape.gradient(z, [x, kernels, bias], tf.constant(grad))
    received = CNN.conv2d_backward(grad, x.numpy(), kernels.numpy(), stride, padding)
    for have, want in zip(received, expected, strict=True):
        np.testing.assert_allclose(have, want.numpy(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size, stride", [(2, 2), (3, 3), (3, 2), (2, 1), (2, 3), (1, 2)])
def test_pools_are_tensorflows(tf: Any, rng: np.random.Generator, size: int, stride: int) -> None:
    """Both pools agree with TensorFlow's, and so does the gradient of the maximum."""
    x = tf.constant(rng.normal(size=(2, 9, 8, 3)))
    average = tf.nn.avg_pool2d(x, size, stride, "VALID").numpy()
    np.testing.assert_allclose(CNN.average_pool2d(x.numpy(), size, stride), average, rtol=1e-12, atol=1e-12)
    with tf.GradientTape() as tape:
        tape.watch(x)
        z = tf.nn.max_pool2d(x, size, stride, "VALID")
    np.testing.assert_array_equal(CNN.max_pool2d(x.numpy(), size, stride), z.numpy())
    grad = rng.normal(size=z.shape)
    expected = tape.gradient(z, x, tf.constant(grad)).numpy()
    np.testing.assert_allclose(CNN.max_pool2d_backward(grad, x.numpy(), size, stride), expected, atol=1e-12)


def test_softmax_and_loss_are_tensorflows(tf: Any, rng: np.random.Generator) -> None:
    """The loss of the softmax is TensorFlow's loss of the logits."""
    logits, labels = 3 * rng.normal(size=(6, 5)), np.eye(5)[rng.integers(0, 5, 6)]
    expected = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits)).numpy()
    assert CNN.cross_entropy(CNN.softmax(logits), labels) == pytest.approx(expected, rel=1e-9)


def test_one_step_of_the_training_is_tensorflows(tf: Any, rng: np.random.Generator) -> None:
    """One batch moves every parameter by the learning rate times the gradient that TensorFlow's tape finds."""
    images, labels = rng.uniform(size=(10, 8, 8, 1)), np.eye(10)[rng.integers(0, 10, 10)]
    start, _ = CNN.train_cnn(images, labels, epochs=0, seed=3)
    moved, losses = CNN.train_cnn(images, labels, epochs=1, learning_rate=0.25, seed=3)
    variables = {name: tf.Variable(value) for name, value in start.items()}
    with tf.GradientTape() as tape:
        z = tf.nn.relu(_tf_conv2d(tf, images, variables["kernels"], variables["kernel_bias"], 1, 0))
        flat = tf.reshape(tf.nn.max_pool2d(z, 2, 2, "VALID"), (10, -1))
        logits = flat @ variables["weights"] + variables["weight_bias"]
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits))
    for name, gradient in tape.gradient(loss, variables).items():
        np.testing.assert_allclose(moved[name], start[name] - 0.25 * gradient.numpy(), rtol=1e-9, atol=1e-12)
    assert losses == pytest.approx([float(loss)])
    np.testing.assert_allclose(CNN.predict_cnn(start, images), tf.nn.softmax(logits).numpy(), rtol=1e-9)


def _floats(*shape: int, bound: float = 10.0) -> st.SearchStrategy[Array]:
    return hnp.arrays(np.float64, shape, elements=st.floats(-bound, bound, allow_subnormal=False))


IMAGES = st.tuples(st.integers(1, 3), st.integers(4, 8), st.integers(4, 8), st.integers(1, 3)).flatmap(
    lambda shape: _floats(*shape)
)


@properties
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 6), st.integers(0, 5))
def test_output_size_counts_positions(n: int, f: int, stride: int, padding: int) -> None:
    """The size is the number of places where the filter fits, counted one by one."""
    places = [start for start in range(0, n + 2 * padding, stride) if start + f <= n + 2 * padding]
    if places:
        assert CNN.output_size(n, f, stride, padding) == len(places)
    else:
        with pytest.raises(ValueError, match="does not fit"):
            CNN.output_size(n, f, stride, padding)


@properties
@given(_floats(2, 7, 6, 2), _floats(2, 7, 6, 2), _floats(3, 3, 2, 2), st.floats(-3, 3))
def test_conv2d_is_linear(x: Array, y: Array, kernels: Array, factor: float) -> None:
    """A weighted sum of images has the weighted sum of features."""
    together = CNN.conv2d(x + factor * y, kernels, np.zeros(2))
    apart = CNN.conv2d(x, kernels, np.zeros(2)) + factor * CNN.conv2d(y, kernels, np.zeros(2))
    np.testing.assert_allclose(together, apart, atol=1e-9)


@properties
@given(IMAGES, st.integers(0, 2), st.integers(0, 2))
def test_a_shifted_image_shifts_its_features(x: Array, down: int, right: int) -> None:
    """Features move with the image, as long as nothing leaves it."""
    kernels, bias = np.random.default_rng(1).normal(size=(3, 3, x.shape[3], 2)), np.ones(2)
    still = CNN.conv2d(np.pad(x, ((0, 0), (0, 2), (0, 2), (0, 0))), kernels, bias)
    moved = CNN.conv2d(np.pad(x, ((0, 0), (down, 2 - down), (right, 2 - right), (0, 0))), kernels, bias)
    height, width = x.shape[1] - 2, x.shape[2] - 2
    there = moved[:, down : down + height, right : right + width]
    np.testing.assert_allclose(there, still[:, :height, :width], atol=1e-9)


@properties
@given(IMAGES)
def test_a_kernel_of_one_in_the_middle_changes_nothing(x: Array) -> None:
    """The identity kernel with padding 1 gives the image back."""
    kernels = np.zeros((3, 3, x.shape[3], x.shape[3]))
    kernels[1, 1] = np.eye(x.shape[3])
    np.testing.assert_array_equal(CNN.conv2d(x, kernels, np.zeros(x.shape[3]), 1, 1), x)


@properties
@given(IMAGES, st.integers(1, 3), st.integers(1, 3), st.integers(0, 2))
def test_conv2d_backward_is_the_adjoint(x: Array, size: int, stride: int, padding: int) -> None:
    """``<conv(x), g> = <x, grad_x> = <kernels, grad_kernels>``: the law that defines a linear map's gradient."""
    rng = np.random.default_rng(2)
    kernels = rng.normal(size=(size, size, x.shape[3], 2))
    z = CNN.conv2d(x, kernels, np.zeros(2), stride, padding)
    grad = rng.normal(size=z.shape)
    grad_x, grad_kernels, grad_bias = CNN.conv2d_backward(grad, x, kernels, stride, padding)
    assert np.vdot(grad_x, x) == pytest.approx(np.vdot(z, grad), abs=1e-8)
    assert np.vdot(grad_kernels, kernels) == pytest.approx(np.vdot(z, grad), abs=1e-8)
    np.testing.assert_allclose(grad_bias, grad.sum(axis=(0, 1, 2)))


@properties
@given(IMAGES, st.integers(1, 3), st.integers(1, 3))
def test_pools_keep_their_order(x: Array, size: int, stride: int) -> None:
    """The mean of a window lies between its minimum and its maximum, and pooling a constant gives that constant."""
    average, largest = CNN.average_pool2d(x, size, stride), CNN.max_pool2d(x, size, stride)
    smallest = -CNN.max_pool2d(-x, size, stride)
    assert np.all(smallest - 1e-9 <= average) and np.all(average <= largest + 1e-9)
    np.testing.assert_allclose(CNN.average_pool2d(np.full_like(x, 3.0), size, stride), 3.0)


@properties
@given(IMAGES, st.integers(1, 3), st.integers(1, 3))
def test_max_pool_backward_loses_nothing(x: Array, size: int, stride: int) -> None:
    """Whatever arrives leaves, ties or not, and only values that are the largest of a window receive."""
    z = CNN.max_pool2d(x, size, stride)
    grad = np.random.default_rng(3).uniform(1, 2, z.shape)
    grad_x = CNN.max_pool2d_backward(grad, x, size, stride)
    assert grad_x.sum() == pytest.approx(grad.sum())
    assert np.all(np.isin(x[grad_x > 0], z))


@properties
@given(IMAGES)
def test_global_average_is_one_large_pool(x: Array) -> None:
    """Averaging all is averaging a window as large as the (square part of the) image."""
    side = min(x.shape[1:3])
    square = x[:, :side, :side]
    pooled = CNN.average_pool2d(square, side)[:, 0, 0]
    np.testing.assert_allclose(CNN.global_average_pool(square), pooled, atol=1e-12)


@properties
@given(hnp.arrays(np.float64, (3, 4), elements=st.floats(-1000, 1000)), st.floats(-1000, 1000))
def test_softmax_is_unmoved_by_a_constant(logits: Array, constant: float) -> None:
    """A constant added to a row changes nothing, rows sum to 1, and the order is kept."""
    probabilities = CNN.softmax(logits)
    np.testing.assert_allclose(CNN.softmax(logits + constant), probabilities, atol=1e-9)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    order = np.argsort(logits, axis=1)
    assert np.all(np.diff(np.take_along_axis(probabilities, order, axis=1), axis=1) >= 0)


@properties
@given(st.integers(1, 8), st.integers(2, 12))
def test_guessing_costs_the_logarithm_of_the_classes(count: int, classes: int) -> None:
    """Equal probabilities have the loss log(K), whatever the labels are; certain and right ones have none."""
    labels = np.eye(classes)[np.arange(count) % classes]
    assert CNN.cross_entropy(np.full((count, classes), 1 / classes), labels) == pytest.approx(np.log(classes))
    assert CNN.cross_entropy(labels, labels) == pytest.approx(0, abs=1e-6)


@properties
@given(_floats(6, 4, 5, 2), st.floats(0.1, 10), st.floats(-10, 10))
def test_standardizing_forgets_units(train: Array, scale: float, offset: float) -> None:
    """Scaling and moving all images changes nothing, and a second time changes nothing either."""
    assume(np.all(train.std(axis=(0, 1, 2)) > 1e-3))
    once, _ = CNN.standardize(train, train)
    np.testing.assert_allclose(once.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(once.std(axis=(0, 1, 2)), 1, atol=1e-6)
    np.testing.assert_allclose(CNN.standardize(scale * train + offset, train)[0], once, atol=1e-6)
    np.testing.assert_allclose(CNN.standardize(once, once)[1], once, atol=1e-6)


@properties
@given(st.floats(-10, 10, width=32))
def test_a_constant_channel_becomes_zeros(value: float) -> None:
    """Exactly, for any constant, and what differs from it stays finite."""
    train, test = np.full((3, 4, 5, 1), value), np.full((1, 4, 5, 1), value + 1)
    standard, other = CNN.standardize(train, test)
    np.testing.assert_array_equal(standard, 0)
    assert np.isfinite(other).all()


@properties
@given(IMAGES)
def test_relu_is_half_of_the_absolute_value(x: Array) -> None:
    """``relu(x) + relu(-x) = |x|`` and ``relu(x) - relu(-x) = x``."""
    np.testing.assert_array_equal(CNN.relu(x) + CNN.relu(-x), np.abs(x))
    np.testing.assert_array_equal(CNN.relu(x) - CNN.relu(-x), x)


@properties
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))))
def test_a_tensor_can_be_turned_back(images: Array) -> None:
    """Scaling loses nothing: times 255, rounded, the pixels are back; color images keep their channels."""
    tensor = CNN.to_tensor(images)
    assert tensor.dtype == np.float32 and tensor.shape == (*images.shape, 1)
    np.testing.assert_array_equal(np.round(tensor[..., 0] * 255), images)
    np.testing.assert_array_equal(CNN.to_tensor(np.stack([images] * 3, axis=-1)), tensor.repeat(3, axis=-1))


@properties
@given(_floats(3, 4), _floats(4, 2), _floats(2))
def test_dense_is_a_convolution_of_one_pixel(x: Array, weights: Array, bias: Array) -> None:
    """A dense layer is a 1x1 convolution of an image of one pixel."""
    convolved = CNN.conv2d(x[:, None, None], weights[None, None], bias)[:, 0, 0]
    np.testing.assert_allclose(CNN.dense(x, weights, bias), convolved, atol=1e-9)


@properties
@given(_floats(3, 2), _floats(3, 2), st.floats(0.0, 2.0))
def test_two_half_steps_are_one(value: Array, gradient: Array, rate: float) -> None:
    """Along one gradient, two steps of half the length end where one step does."""
    half = CNN.sgd_step({"w": value}, {"w": gradient}, rate / 2)
    whole = CNN.sgd_step({"w": value}, {"w": gradient}, rate)
    np.testing.assert_allclose(CNN.sgd_step(half, {"w": gradient}, rate / 2)["w"], whole["w"], atol=1e-9)
