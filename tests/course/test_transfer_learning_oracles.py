"""The solution of ``transfer_learning`` against oracles that share nothing with it.

They are TensorFlow's operations and gradients, a descent computed in NumPy, and a network of Keras's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.authoring import template
from autograder.checks.logistic import Adam, network
from autograder.checks.models import make_model
from autograder.checks.transfer import (
    BASE_KINDS,
    SHAPE,
    SHAPES_BASE,
    assert_top_moved,
    classifier,
    drawn,
    shapes_weights,
)
from autograder.data import draw_shapes
from autograder.errors import CheckFailure
from autograder.subject.proxy import ModuleSubject
from tests.course.answers import answers_of

pytestmark = pytest.mark.timeout(300)  # Keras is imported, and models are built

ANSWERS = answers_of("transfer_learning")
BASE_FILE = ANSWERS.assignment.data / "base.npz"
Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def solution(keras: Any) -> Any:
    """The hidden implementation."""
    return ANSWERS.solution


@pytest.fixture(scope="module")
def student(solution: Any) -> ModuleSubject:
    """The hidden implementation, called as a student's."""
    return ModuleSubject(solution)


def features_by_operations(images: Array, weights: list[Array]) -> Array:
    """Compute the maps of the shipped base with TensorFlow's operations and the formula of batch normalization."""
    import tensorflow as tf

    x = images / np.float32(255)
    for block in range(4):
        kernel, gamma, beta, mean, variance = weights[5 * block : 5 * block + 5]
        x = x if block == 0 else tf.nn.max_pool2d(x, 2, 2, "VALID")
        x = tf.nn.relu(gamma * (tf.nn.conv2d(x, kernel, 1, "SAME") - mean) / np.sqrt(variance + 1e-3) + beta)
    return np.asarray(x)


def test_the_shipped_base_knows_the_kinds_that_it_was_trained_on() -> None:
    """By TensorFlow's operations alone it names nearly all of 100 fresh pictures; the file is small and plain."""
    images, labels = draw_shapes(np.random.default_rng(5), 100, BASE_KINDS)
    with np.load(BASE_FILE, allow_pickle=False) as stored:
        kernel, bias, kinds = stored["head_kernel"], stored["head_bias"], stored["kinds"]
    averages = features_by_operations(images, shapes_weights(BASE_FILE)).mean(axis=(1, 2))
    assert np.mean((averages @ kernel + bias).argmax(axis=1) == labels) > 0.95
    assert tuple(kinds) == BASE_KINDS
    assert BASE_FILE.stat().st_size < 2_000_000


def test_notebook_and_examiner_have_the_same_base(student: ModuleSubject, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the setup cell loads computes what the operations do, and so does what the tests put together."""
    monkeypatch.chdir(ANSWERS.assignment.template.parent)
    monkeypatch.setenv("MPLBACKEND", "agg")
    lines = template.read(ANSWERS.assignment.template).setup.source.split("\n")
    names: dict[str, Any] = {}
    exec("\n".join(line for line in lines if not line.startswith("%")), names)
    images, _ = draw_shapes(np.random.default_rng(6), 4)
    expected = features_by_operations(images, shapes_weights(BASE_FILE))
    base = make_model(student, network((64, 64, 3), *SHAPES_BASE), shapes_weights(BASE_FILE))
    np.testing.assert_allclose(base.predict(images), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(names["load_base"]().predict(images, verbose=0), expected, rtol=1e-4, atol=1e-4)


def test_a_head_is_a_softmax_regression_on_features(student: ModuleSubject) -> None:
    """Three steps on one batch lead where Adam leads in NumPy, from features that do not change."""
    model, base, x, y = classifier(student, np.random.default_rng(0), count=6)
    features = base.predict(x).mean(axis=(1, 2)).astype(float)
    inputs = np.concatenate([features, np.ones((6, 1))], axis=1)
    kernel, bias = model.weights()[-2:]
    weights = np.concatenate([kernel, bias[None]]).astype(float)
    step = Adam(0.03)
    for _ in range(3):
        powers = np.exp(inputs @ weights)
        slope = inputs.T @ (powers / powers.sum(axis=1, keepdims=True) - np.eye(3)[y]) / 6
        weights += step(slope)
    student.handle.train_head(model.handle, x, y, epochs=3)
    powers = np.exp(inputs @ weights)
    np.testing.assert_allclose(model.predict(x), powers / powers.sum(axis=1, keepdims=True), rtol=1e-3)


def test_the_first_step_of_fine_tuning_goes_down_the_gradient(solution: Any, keras: Any) -> None:
    """Each weight of the top moves by the learning rate against the sign of TensorFlow's gradient, and no other."""
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    base = keras.Sequential([keras.Input((6, 6, 2)), keras.layers.Conv2D(3, 3), keras.layers.BatchNormalization()])
    base.add(keras.layers.Conv2D(4, 3, activation="tanh"))
    model = solution.add_head(solution.freeze(base), 3)
    x, y = np.random.default_rng(2).normal(size=(6, 6, 6, 2)).astype(np.float32), np.arange(6) % 3
    top = base.layers[-1].kernel
    with tf.GradientTape() as tape:
        tape.watch(top.value)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, model(x, training=False)))
    slope, before = np.asarray(tape.gradient(loss, top.value)), base.get_weights()
    solution.fine_tune(model, base, x, y, layers=1, learning_rate=1e-3, epochs=1)
    after = base.get_weights()
    np.testing.assert_allclose(after[-2] - before[-2], -1e-3 * np.sign(slope), rtol=0.02, atol=1e-5)
    assert all(np.array_equal(old, new) for old, new in zip(before[:-2], after[:-2], strict=True))


def test_the_top_of_a_network_of_keras_s_own(solution: Any, keras: Any) -> None:
    """Of MobileNet V2 the last five layers that count are known by name; all are frozen by ``freeze``."""
    base = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None)
    assert solution.freeze(base).trainable_weights == []
    opened = solution.unfreeze_top(base, 5)
    names = [layer.name for layer in opened.layers if layer.trainable_weights]
    parts = ("expand", "depthwise", "project")
    assert names == ["block_15_project", *(f"block_16_{part}" for part in parts), "Conv_1"]


def test_a_wrong_unfreezing_is_carried_forward(solution: Any) -> None:
    """A fine-tuning that relies on the student's own, wrong ``unfreeze_top`` is right; one that ignores it is not."""
    names = dict(vars(solution))

    def unfreeze_top(base: Any, layers: int) -> Any:
        for layer in base.layers:
            layer.trainable = layer is base.layers[1]
        base.trainable = True
        for layer in base.layers[2:]:
            layer.trainable = False
        return base

    def fine_tune(model: Any, base: Any, images: Array, labels: Array, layers: int = 2) -> Any:
        unfreeze_top(base, layers)
        return solution._fitted(model, images, labels, 0.01, 1)

    for top, is_right in ((unfreeze_top, True), (solution.unfreeze_top, False)):
        subject = ModuleSubject({**names, "unfreeze_top": top, "fine_tune": fine_tune})
        model, base, x, y = classifier(subject, np.random.default_rng(3), epochs=1)
        before = base.weights()
        subject.handle.fine_tune(model.handle, base.handle, x, y)
        if is_right:
            assert_top_moved(subject, base, before, 2)
        else:
            with pytest.raises(CheckFailure, match="should stay as they were"):
                assert_top_moved(subject, base, before, 2)


def test_frozen_is_in_inference_mode_whatever_keras_makes_of_the_call(solution: Any, student: ModuleSubject) -> None:
    """In training mode the solution's model says what it says in inference mode, for a batch and for single inputs."""
    base = drawn(np.random.default_rng(4), make_model(student, network(SHAPE, *SHAPES_BASE[:3])))
    base.set_trainable(False)
    model = student.handle.add_head(base.handle, 3)
    x = np.random.default_rng(5).uniform(0, 255, (6, *SHAPE)).astype(np.float32)
    still = student.model("predict", model, x, False, None, of="add_head")
    alone = student.model("predict", model, x, True, 1, of="add_head")
    np.testing.assert_allclose(student.model("predict", model, x, True, None, of="add_head"), still, rtol=1e-5)
    np.testing.assert_allclose(alone, still, rtol=1e-4)
