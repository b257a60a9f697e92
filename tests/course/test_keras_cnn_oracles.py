"""The solution of ``keras_cnn`` against oracles that share nothing with it.

They are Keras's own counts, TensorFlow's operations, the layers' definitions, and a descent computed in NumPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.checks.logistic import LOGISTIC, Adam, Descent, Logistic, network, row
from autograder.checks.models import build, make_model, model_of
from autograder.subject.proxy import ModuleSubject
from tests.course.answers import answers_of

pytestmark = pytest.mark.timeout(300)  # Keras is imported, and models are built

SIZES = st.integers(1, 400)


@pytest.fixture(scope="module")
def cnn(keras: Any) -> Any:
    """The hidden implementation."""
    return answers_of("keras_cnn").solution


@pytest.fixture(scope="module")
def student(cnn: Any) -> ModuleSubject:
    """The hidden implementation, called as a student's."""
    return ModuleSubject(cnn)


@pytest.mark.parametrize("f, c_in, c_out", [(1, 1, 1), (3, 3, 32), (5, 7, 2), (3, 32, 64)])
def test_convolutions_are_counted_as_keras_counts(keras: Any, cnn: Any, f: int, c_in: int, c_out: int) -> None:
    """A layer that is built has as many."""
    layer = keras.layers.Conv2D(c_out, f)
    layer.build((None, 9, 9, c_in))
    assert cnn.conv_parameters(f, c_in, c_out) == layer.count_params()


@given(SIZES, SIZES, SIZES)
@settings(max_examples=50, deadline=None)
def test_counts_obey_their_laws(cnn: Any, f: int, c_in: int, c_out: int) -> None:
    """A 1x1 convolution is a dense layer; filters add up; one more input channel adds f * f weights per filter."""
    assert cnn.conv_parameters(1, c_in, c_out) == cnn.dense_parameters(c_in, c_out)
    assert cnn.conv_parameters(f, c_in, 2 * c_out) == 2 * cnn.conv_parameters(f, c_in, c_out)
    assert cnn.conv_parameters(f, c_in + 1, c_out) - cnn.conv_parameters(f, c_in, c_out) == f * f * c_out


def test_all_bytes_are_scaled_exactly_as_in_double_precision(cnn: Any) -> None:
    """Every one of the 256 values is the float32 nearest to its 255th part."""
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    received = cnn.prepare_images(images)
    np.testing.assert_array_equal(received, (images / 255).astype(np.float32))
    assert received.dtype == np.float32


@pytest.mark.parametrize("shape", [(64, 64, 3), (20, 31, 1)])
def test_the_network_has_the_published_number_of_parameters(cnn: Any, shape: tuple[int, int, int]) -> None:
    """The sum of the table in the notebook, from the sizes 64, 62, 31, 29, 14."""
    rows, columns = (((side - 2) // 2 - 2) // 2 for side in shape[:2])
    flat = rows * columns * 64
    expected = 9 * shape[2] * 32 + 32 + 9 * 32 * 64 + 64 + flat * 128 + 128 + 128 + 1
    assert cnn.build_cnn(shape).count_params() == expected
    assert shape != (64, 64, 3) or expected == 1_625_281


def test_the_network_computes_what_tensorflows_operations_do(cnn: Any) -> None:
    """The table of layers, written in operations, with random weights."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    model = cnn.build_cnn((14, 18, 3))
    weights = [rng.normal(0, 0.2, weight.shape).astype(np.float32) for weight in model.get_weights()]
    x = rng.uniform(0, 1, (4, 14, 18, 3)).astype(np.float32)
    maps = x
    for kernel, bias in (weights[:2], weights[2:4]):
        maps = tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(maps, kernel, 1, "VALID") + bias), 2, 2, "VALID")
    row_of_maps = tf.reshape(maps, (4, -1))
    expected = tf.sigmoid(tf.nn.relu(row_of_maps @ weights[4] + weights[5]) @ weights[6] + weights[7])
    model.set_weights(weights)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4)


@pytest.mark.parametrize("rule, update", [("SGD", Descent(0.3)), ("Adam", Adam(0.3))], ids=["SGD", "Adam"])
def test_keras_descends_as_numpy_says(student: ModuleSubject, rule: str, update: Any) -> None:
    """The oracle of the training checks agrees with Keras's optimizers, step by step."""
    rng = np.random.default_rng(1)
    images, labels = rng.uniform(0, 1, (10, 4, 3, 2)).astype(np.float32), rng.permutation(np.arange(10) % 2)
    known = Logistic.draw(rng, images, labels)
    model = make_model(student, network((4, 3, 2), *LOGISTIC, optimizer=(rule, 0.3)), known.start)
    training = model.fit(images, labels, images[:1], epochs=6, batch_size=10, seed=0)
    weights, losses, accuracies = known.after(6, update)
    np.testing.assert_allclose(row(model.weights()), weights[-1], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(training.claims["loss"], losses, rtol=1e-3)
    np.testing.assert_allclose(training.claims["accuracy"], accuracies, rtol=1e-5)


def test_labels_do_not_depend_on_the_other_images(student: ModuleSubject) -> None:
    """One by one, in another order, or all at once: the same labels."""
    rng = np.random.default_rng(2)
    images = rng.integers(0, 256, (40, 4, 3, 2), dtype=np.uint8)
    model = make_model(student, network((4, 3, 2), *LOGISTIC), [rng.normal(0, 1, (24, 1)), np.zeros(1)])
    together = student.predict_labels(model.handle, images)
    order = rng.permutation(40)
    assert 0 < together.sum() < 40
    np.testing.assert_array_equal(student.predict_labels(model.handle, images[order]), together[order])
    alone = [int(student.predict_labels(model.handle, images[place : place + 1])[0]) for place in range(5)]
    assert alone == together[:5].tolist()


def test_compiling_keeps_the_model_and_its_weights(student: ModuleSubject) -> None:
    """It adds the optimizer, the loss and the metric, and nothing else changes."""
    weights = [np.arange(4.0).reshape(4, 1), np.ones(1)]
    given = make_model(student, network((2, 2, 1), *LOGISTIC), weights)
    model = model_of(student, student.handle.compile_cnn(given.handle), "compile_cnn")
    np.testing.assert_array_equal(row(model.weights()), row(weights))
    compiled = model.describe().compiled
    assert compiled is not None
    assert (compiled.optimizer, compiled.loss, compiled.from_logits) == ("Adam", "binary_crossentropy", False)


def test_the_small_design_forgets_the_place(student: ModuleSubject) -> None:
    """A spot moved by eight pixels, which is what three poolings by two make one, gives the same probability."""
    model = build(student, "build_gap_cnn")
    images = np.zeros((2, 64, 64, 3), np.float32)
    images[0, 24:29, 24:29], images[1, 32:37, 24:29] = 1, 1
    here, there = model.predict(images, (1,))[:, 0]
    assert here == pytest.approx(there, rel=1e-5)
