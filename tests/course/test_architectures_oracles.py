"""The solution of ``cnn_architectures`` against oracles that share nothing with it.

They are sums worked out by hand, the networks that Keras itself ships, and TensorFlow's own operations on the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from autograder.checks.architecture import assert_receptive_field
from autograder.checks.description import Description
from autograder.checks.designs import brightened
from autograder.checks.models import build, build_block, outline
from autograder.checks.plugin import load_reference
from autograder.course import Course
from autograder.subject.proxy import ModuleSubject

Array = npt.NDArray[Any]

STUDENT = ModuleSubject(load_reference(Course.find(Path(__file__).parent).assignment("cnn_architectures").solution))
"""The solution, called as a test calls a student."""

pytestmark = pytest.mark.timeout(300)  # TensorFlow is imported


@pytest.fixture
def rng() -> np.random.Generator:
    """One generator for the drawn cases."""
    return np.random.default_rng(31)


def conv(size: int, before: int, after: int) -> int:
    """Count (f f c_in + 1) c_out."""
    return (size * size * before + 1) * after


def chain(*units: int) -> int:
    """Count the dense layers between these numbers of units: (n_in + 1) n_out each."""
    return sum((before + 1) * after for before, after in pairwise(units))


def stack(size: int, *channels: int) -> int:
    """Count convolutions of one size in a row."""
    return sum(conv(size, before, after) for before, after in pairwise(channels))


def nin_sum() -> int:
    """Count the four blocks: a convolution and two 1x1 each."""
    blocks = [(11, 3, 96), (5, 96, 256), (3, 256, 384), (3, 384, 10)]
    return sum(conv(size, before, after) + 2 * conv(1, after, after) for size, before, after in blocks)


INCEPTION_TABLE = """
    64 96 128 16 32 32;    128 128 192 32 96 64
    192 96 208 16 48 64;   160 112 224 24 64 64;  128 128 256 24 64 64;  112 144 288 32 64 64;  256 160 320 32 128 128
    256 160 320 32 128 128;    384 192 384 48 128 128
"""


def googlenet_sum() -> int:
    """Count stem, nine blocks and the classifier."""
    total, before = conv(7, 3, 64) + conv(1, 64, 64) + conv(3, 64, 192), 192
    for row in INCEPTION_TABLE.replace("\n", ";").split(";"):
        if row.strip():
            f1, f3_reduce, f3, f5_reduce, f5, projected = map(int, row.split())
            total += conv(1, before, f1) + conv(1, before, f3_reduce) + conv(3, f3_reduce, f3)
            total += conv(1, before, f5_reduce) + conv(5, f5_reduce, f5) + conv(1, before, projected)
            before = f1 + f3 + f5 + projected
    return total + chain(before, 1000)


def resnet_sum() -> int:
    """Count trained parameters: weights without biases, and two numbers per normalized channel."""

    def normalized(size: int, before: int, after: int) -> int:
        return size * size * before * after + 2 * after

    total = normalized(7, 3, 64) + 4 * normalized(3, 64, 64)
    for before, after in [(64, 128), (128, 256), (256, 512)]:
        total += normalized(3, before, after) + 3 * normalized(3, after, after) + normalized(1, before, after)
    return total + chain(512, 1000)


SUMS: dict[str, tuple[Callable[[], int], int]] = {
    "lenet5": (lambda: conv(5, 1, 6) + conv(5, 6, 16) + chain(400, 120, 84, 10), 61_706),
    "alexnet": (
        lambda: conv(11, 3, 96) + conv(5, 96, 256) + stack(3, 256, 384, 384, 256) + chain(9216, 4096, 4096, 1000),
        62_378_344,
    ),
    "vgg16": (
        lambda: stack(3, 3, *[64] * 2, *[128] * 2, *[256] * 3, *[512] * 6) + chain(25088, 4096, 4096, 1000),
        138_357_544,
    ),
    "nin": (nin_sum, 2_015_398),
    "googlenet": (googlenet_sum, 6_998_552),
    "resnet18": (resnet_sum, 11_689_512),
}
"""For each network the sum, worked out here, and the count that is published."""


@pytest.mark.parametrize("name", SUMS)
def test_parameters_are_those_of_the_sum(name: str) -> None:
    """The solution has as many trained parameters as the formula gives, which is the published number."""
    worked_out, published = SUMS[name]
    assert outline(STUDENT, name).trainable_parameters == worked_out() == published


def test_vgg16_is_that_of_keras() -> None:
    """Every weight of VGG-16 has the shape that it has in ``keras.applications``."""

    def theirs(*_: object) -> Any:
        import keras

        return keras.applications.VGG16(weights=None)

    expected: Description = outline(ModuleSubject({"vgg16": theirs}), "vgg16")
    received = outline(STUDENT, "vgg16")
    assert [weight.shape for weight in received.weights] == [weight.shape for weight in expected.weights]
    assert received.output_shape == expected.output_shape == (None, 1000)


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "nin", "googlenet", "resnet18"])
def test_width_scales_all_channels_but_the_classes(name: str) -> None:
    """At half the width every weight has half the channels, except for the image's three and the classes."""
    whole, half = (outline(STUDENT, name, classes=7, width=width).weights for width in (1.0, 0.5))
    kept = {3, 7}
    for full, thin in zip(whole, half, strict=True):
        channels = full.shape[-2:] if full.name == "kernel" else full.shape
        assert thin.shape[-len(channels) :] == tuple(size if size in kept else size // 2 for size in channels)


def _convolved(
    tf: Any, x: Any, kernel: Array, bias: Array | float = 0.0, stride: int = 1, padding: str = "SAME"
) -> Any:
    return tf.nn.conv2d(x, kernel, stride, padding) + bias


def test_lenet_is_its_formula(tf: Any, rng: np.random.Generator) -> None:
    """LeNet computes what TensorFlow's operations compute with its weights."""
    model = build(STUDENT, "lenet5")
    k1, b1, k2, b2, *dense = model.weights()
    x = rng.normal(size=(3, 28, 28, 1)).astype(np.float32)
    y = tf.nn.avg_pool2d(tf.tanh(_convolved(tf, x, k1, b1)), 2, 2, "VALID")
    y = tf.nn.avg_pool2d(tf.tanh(_convolved(tf, y, k2, b2, padding="VALID")), 2, 2, "VALID")
    y = tf.reshape(y, (3, 400))
    for kernel, bias in zip(dense[:4:2], dense[1:4:2], strict=True):
        y = tf.tanh(y @ kernel + bias)
    expected = tf.nn.softmax(y @ dense[4] + dense[5]).numpy()
    np.testing.assert_allclose(model.predict(x, (10,)), expected, rtol=1e-4, atol=1e-6)


def test_inception_block_is_its_formula(tf: Any, rng: np.random.Generator) -> None:
    """Each slice of the channels is what one branch computes."""
    model = build_block(STUDENT, "inception_block", (9, 8, 3), 1, 2, 3, 4, 5, 6)
    by_shape = {weight.shape: value for weight, value in zip(model.describe().weights, model.weights(), strict=True)}
    x = rng.normal(size=(2, 9, 8, 3)).astype(np.float32)

    def branch(y: Any, *shapes: tuple[int, ...]) -> Any:
        for shape in shapes:
            y = tf.nn.relu(_convolved(tf, y, by_shape[shape]))
        return y

    pooled = tf.nn.max_pool2d(x, 3, 1, "SAME")
    expected = [
        branch(x, (1, 1, 3, 1)),
        branch(x, (1, 1, 3, 2), (3, 3, 2, 3)),
        branch(x, (1, 1, 3, 4), (5, 5, 4, 5)),
        branch(pooled, (1, 1, 3, 6)),
    ]
    np.testing.assert_allclose(model.predict(x), tf.concat(expected, -1).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("stride", [1, 2])
def test_residual_block_is_its_formula(tf: Any, rng: np.random.Generator, stride: int) -> None:
    """A projecting block is ReLU of the sum of both ways, each normalized as at the start."""
    model = build_block(STUDENT, "residual_block", (8, 10, 3), 5, stride=stride)
    kernels = [
        value
        for weight, value in zip(model.describe().weights, model.weights(), strict=True)
        if weight.name == "kernel"
    ]
    by_shape = {kernel.shape: kernel for kernel in kernels}
    x = rng.normal(size=(2, 8, 10, 3)).astype(np.float32)
    scale = 1 / np.sqrt(np.float32(1 + 1e-3))  # mean 0, variance 1 and Keras's epsilon
    y = tf.nn.relu(scale * _convolved(tf, x, by_shape[3, 3, 3, 5], stride=stride))
    y = scale * _convolved(tf, y, by_shape[3, 3, 5, 5])
    shortcut = scale * _convolved(tf, x, by_shape[1, 1, 3, 5], stride=stride)
    np.testing.assert_allclose(model.predict(x), tf.nn.relu(y + shortcut).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("convolutions", [1, 2, 3])
def test_receptive_field_grows_by_the_recursion(rng: np.random.Generator, convolutions: int) -> None:
    """A block of n convolutions 3x3 and a pooling sees 1 + 2 n + 1 pixels."""
    model = brightened(rng, build_block(STUDENT, "vgg_block", (24, 20, 1), convolutions, 3))
    black = np.zeros((1, 24, 20, 1), np.float32)  # in other images the maximum of a window could hide the change
    assert_receptive_field(model, black, 2 * convolutions + 2, stride=2, offset=convolutions)


@pytest.mark.parametrize("depth", [3, 11])
def test_shortcuts_change_nothing_but_the_sum(depth: int) -> None:
    """Plain and residual net have the same weights; only the additions differ in number: one for each pair."""
    plain, residual = (outline(STUDENT, "deep_net", depth, each) for each in (False, True))
    assert plain.weights == residual.weights
    kinds = [[operation.kind for operation in model.operations] for model in (plain, residual)]
    assert [each.count("Add") for each in kinds] == [0, (depth - 1) // 2]
