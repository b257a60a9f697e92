"""Models of real Keras asked through the proxies, in this process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from autograder.checks.architecture import (
    assert_moved,
    assert_parameters,
    assert_receptive_field,
    assert_stages,
    assert_statistics_still,
    assert_unmoved,
    stages_of,
    with_zeros,
)
from autograder.checks.fitting import fit_and_probe
from autograder.checks.models import Model, build, build_block, claimed, make_model, named, outline
from autograder.checks.stages import add, batch_norm, conv, dense, flatten, max_pool
from autograder.errors import CheckFailure, StudentRaised
from autograder.subject.proxy import ModuleSubject

Array = np.ndarray[Any, Any]

PROGRAM = """
import keras
import numpy as np
import tensorflow as tf
from keras import layers

def sequential():
    return keras.Sequential([
        keras.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Dropout(0.5),
        layers.Flatten(), layers.Dense(3, activation="softmax")])

def unbuilt():
    return keras.Sequential(sequential().layers)

def functional():
    inputs = keras.Input((8, 8, 1), name="anything")
    x = keras.ops.relu(layers.MaxPool2D(name="p")(layers.Conv2D(4, 3)(inputs)))
    return keras.Model(inputs, layers.Softmax()(layers.Dense(3)(layers.Reshape((36,))(x))))

class Net(keras.Model):
    def __init__(self, relu):
        super().__init__()
        self.relu = relu
        self.features = keras.Sequential([layers.Conv2D(4, 3)])
        self.head = Head()

    def call(self, x):
        return self.head(self.relu(self.features(x)))

class Head(layers.Layer):
    def __init__(self):
        super().__init__()
        self.parts = [layers.MaxPool2D(), layers.Flatten(), layers.Dense(3, activation="softmax")]

    def call(self, x):
        for part in self.parts:
            x = part(x)
        return x

def subclassed(relu=keras.ops.relu):
    model = Net(relu)
    model(np.zeros((1, 8, 8, 1), "float32"))
    return model

def untraceable():
    return subclassed(tf.nn.relu)

class Small(layers.Conv2D):
    def __init__(self, filters):
        super().__init__(filters, 3)

def nested():
    base = keras.Sequential([keras.Input((8, 8, 1)), Small(4), layers.Lambda(lambda x: keras.ops.relu(x))])
    return keras.Sequential([base, keras.Sequential([layers.MaxPool2D(), layers.Identity()]), layers.Flatten(),
                             layers.Dense(3), layers.Activation("softmax")])

def residual(x, filters):
    y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same")(x)))
    y = layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(y))
    return layers.ReLU()(layers.add([x, y]))

def vgg16():
    return keras.applications.VGG16(weights=None)

def curious():
    model = sequential()
    assert np.isfinite(model.layers[0].get_weights()[0]).all()
    return model

def nothing():
    sequential()

def nothing_block(x):
    layers.ReLU()(x)

def frozen():
    base = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.BatchNormalization()])
    base.trainable = False
    inputs = keras.Input((8, 8, 1))
    x = layers.GlobalAveragePooling2D()(base(inputs, training=False))
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))

def thawed():
    model = frozen()
    model.layers[1].trainable = True
    return model

def train(model, x, y):
    model.compile("adam", "categorical_crossentropy")
    return model.fit(x, y, epochs=2, verbose=0)

def broken():
    model = sequential()
    model.layers[-1].bias.assign([float("nan")] * 3)
    return model

def fail():
    raise RuntimeError("no model today")
"""

STAGES = [conv(4, 3), max_pool(2), flatten(), dense(3, "softmax")]
ADAM = {"optimizer": "adam", "loss": "categorical_crossentropy"}


@pytest.fixture(scope="module")
def namespace() -> dict[str, Any]:
    """The program's names, loaded once."""
    names: dict[str, Any] = {}
    exec(PROGRAM, names)
    return names


@pytest.fixture
def student(namespace: dict[str, Any]) -> ModuleSubject:
    """A subject at the start of a check."""
    subject = ModuleSubject(namespace)
    subject.begin(7)
    return subject


@pytest.fixture
def images() -> Array:
    """Some images."""
    return np.random.default_rng(0).random((60, 8, 8, 1), np.float32)


@pytest.fixture
def labels(images: Array) -> Array:
    """One-hot labels that can be learned: how bright the upper half is."""
    brightness = images[:, :4].mean(axis=(1, 2, 3))
    one_hot: Array = np.eye(3)[np.digitize(brightness, np.quantile(brightness, [1 / 3, 2 / 3]))]
    return one_hot


@pytest.mark.parametrize("style", ["sequential", "functional", "subclassed", "nested", "curious"])
def test_every_style_is_one_form(student: ModuleSubject, style: str) -> None:
    """Stages and parameters are the same, whether the model is described as it is or as an outline."""
    for model in (build(student, style), outline(student, style)):
        assert_stages(model, STAGES)
        assert_parameters(model, 9 * 4 + 4 + 36 * 3 + 3)


def test_a_model_without_an_input_is_described_by_the_shape_of_one(student: ModuleSubject) -> None:
    """Without it the failure says what is missing."""
    model = build(student, "unbuilt")
    assert_stages(model.describe((8, 8, 1)), STAGES)
    with pytest.raises(StudentRaised, match=r"give it a keras\.Input"):
        outline(student, "unbuilt")


def test_functions_of_tensorflow_in_a_call_are_named(student: ModuleSubject) -> None:
    """The model is one stage that cannot be looked into; its weights and what it predicts are known."""
    model = build(student, "untraceable")
    with pytest.raises(CheckFailure, match=r"Net cannot be looked into"):
        assert_stages(model, STAGES)
    assert_parameters(model, 9 * 4 + 4 + 36 * 3 + 3)
    assert model.predict(np.zeros((2, 8, 8, 1), np.float32), (3,)).shape == (2, 3)


def test_a_description_leaves_the_model_as_it_was(student: ModuleSubject, images: Array) -> None:
    """Describing twice gives the same, and predictions do not change."""
    for style in ("subclassed", "nested"):
        model = build(student, style)
        before = model.predict(images)
        assert model.describe() == model.describe()
        assert np.array_equal(model.predict(images), before)


def test_predictions_are_keras_own(student: ModuleSubject, namespace: dict[str, Any], images: Array) -> None:
    """In batches of any size, inference by ``predict``, training mode by a call."""
    model = build(student, "frozen")
    own: Any = student._agent._kept[model.handle.number]
    oracle = own.predict(images, verbose=0)
    for batch in (None, 7, 60):
        np.testing.assert_allclose(model.predict(images, (3,), batch=batch), oracle, rtol=1e-5)
    with pytest.raises(CheckFailure, match=r"Expected: \(60, 4\)"):
        model.predict(images, (4,))
    with pytest.raises(CheckFailure, match="180 NaN"):
        build(student, "broken").predict(images)


def test_weights_come_and_go(student: ModuleSubject, images: Array) -> None:
    """All or some, in the order of the description."""
    model = build(student, "functional")
    weights = model.weights()
    assert [weight.shape for weight in weights] == [weight.shape for weight in model.describe().weights]
    kernels = named(model.describe().weights, "kernel")
    assert [array.shape for array in model.weights(kernels)] == [(3, 3, 1, 4), (36, 3)]
    model.set_weights({kernels[1]: np.zeros((36, 3))})
    np.testing.assert_allclose(model.predict(images), 1 / 3, rtol=1e-6)
    model.set_weights(weights)
    assert_unmoved(model, weights)
    with pytest.raises(StudentRaised):
        model.set_weights({0: np.zeros((2, 2))})


@pytest.mark.parametrize("function, parameters", [("vgg16", 138_357_544)])
def test_a_full_size_design_takes_neither_time_nor_memory(
    student: ModuleSubject, function: str, parameters: int
) -> None:
    """VGG-16 of keras.applications is read in under 4 s, and its 528 MiB of weights never exist."""
    before, started = _memory_mib(), time.monotonic()
    description = outline(student, function)
    assert time.monotonic() - started < 4
    assert _memory_mib() - before < 100
    assert_parameters(description, parameters)
    assert len(stages_of(description)) == 13 + 5 + 1 + 3
    build(student, "sequential")  # nothing of it waits to be made
    assert _memory_mib() - before < 150


def test_a_block_is_a_model(student: ModuleSubject) -> None:
    """A function of a tensor has stages, a receptive field, and a shortcut that zeros show."""
    block = build_block(student, "residual", (9, 8, 4), 4)
    bare = conv(4, 3, padding="same", activation=None)
    assert_stages(block, [add([bare, batch_norm("relu"), bare, batch_norm()], [], activation="relu")])
    inputs = np.random.default_rng(1).normal(size=(16, 9, 8, 4)).astype(np.float32)
    assert_receptive_field(block, inputs, 5)
    with pytest.raises(CheckFailure, match="Received: rows 2 to 6, columns 2 to 6"):
        assert_receptive_field(block, inputs, 3)
    assert np.array_equal(with_zeros(block, "Conv2D").predict(inputs), np.maximum(inputs, 0))


@pytest.mark.parametrize("how", [build, outline])
def test_what_is_no_model_is_told(student: ModuleSubject, how: Any) -> None:
    """A missing return, and an exception, each in its own words."""
    with pytest.raises(CheckFailure, match=r"nothing returned no Keras model[^I]+Is there a `return`"):
        _described(how(student, "nothing"))
    with pytest.raises(StudentRaised, match="fail raised RuntimeError: no model today"):
        how(student, "fail")
    with pytest.raises(CheckFailure, match="nothing_block returned no Keras tensor"):
        build_block(student, "nothing_block", (8, 8, 1))


def test_training_repeats_itself(student: ModuleSubject, images: Array, labels: Array) -> None:
    """The same seeds give the same predictions to the last bit, with dropout and shuffling."""
    curves = []
    for _ in range(2):
        student.begin(3)
        model = build(student, "sequential")
        data = (images, labels)
        curves.append(
            fit_and_probe(model, data, data, loss=ADAM["loss"], seed=5, compiled=ADAM, epochs=3, batch_size=8)
        )
    assert curves[0].losses == curves[1].losses
    assert curves[0].claimed == curves[1].claimed
    assert np.array_equal(curves[0].predictions[-1], curves[1].predictions[-1])


def test_losses_are_computed_from_predictions(student: ModuleSubject, images: Array, labels: Array) -> None:
    """They are those of Keras's own loss, fall, and agree with the claims of an honest History."""
    model, data = build(student, "functional"), (images, labels)
    optimizer = {"class_name": "Adam", "config": {"learning_rate": 0.02}}
    compiled = {"optimizer": optimizer, "loss": "categorical_crossentropy"}
    curve = fit_and_probe(model, data, data, loss=ADAM["loss"], seed=5, compiled=compiled, epochs=8, batch_size=8)
    oracle = keras.losses.CategoricalCrossentropy()(labels, model.predict(images))
    assert curve.losses[-1] == pytest.approx(float(oracle), rel=1e-5)
    assert curve.losses[-1] < 0.9 * curve.start
    assert len(curve.losses) == len(curve.claimed) == 8
    assert curve.disagreement() is None


def test_a_training_that_fails_is_a_failed_check(student: ModuleSubject, images: Array, labels: Array) -> None:
    """Labels of another shape, and a model that was never compiled."""
    model = build(student, "sequential")
    with pytest.raises(StudentRaised, match="sequential raised ValueError"):
        model.fit(images, labels[:, :2], images, seed=0, compiled=ADAM)
    with pytest.raises(StudentRaised, match="compile"):
        build(student, "sequential").fit(images, labels, images, seed=0)


def test_a_history_is_read_as_claims(student: ModuleSubject, images: Array, labels: Array) -> None:
    """A student's own training takes the handle of a model and gives that of a History."""
    model = build(student, "functional")
    before = model.weights()
    history = student.handle.train(model.handle, images, labels)
    assert [len(values) for values in claimed(student, history, "train").values()] == [2]
    assert_moved(model, before)
    with pytest.raises(CheckFailure, match="4 weights that should stay as they were have changed"):
        assert_unmoved(model, before)
    with pytest.raises(CheckFailure, match="sequential returned no History"):
        claimed(student, model.handle, "sequential")


def test_frozen_statistics_stay(student: ModuleSubject, images: Array, labels: Array) -> None:
    """A frozen base does not move by a bit in a training; one that is only called in training mode moves."""
    model = build(student, "frozen")
    before, weights = model.weights(), model.describe().weights
    head = [weight.number for weight in weights if weight.trainable]
    assert [weights[number].shape for number in head] == [(4, 3), (3,)]
    assert_statistics_still(model, images)
    model.fit(images, labels, images, seed=0, compiled=ADAM)
    assert_unmoved(model, before, set(range(len(before))) - set(head))
    assert_moved(model, before, head)
    with pytest.raises(CheckFailure, match="statistics of batch normalization move"):
        assert_statistics_still(build_block(student, "residual", (8, 8, 1), 1), images)


def test_a_model_of_the_examiners_goes_in(student: ModuleSubject, images: Array) -> None:
    """Its structure as JSON, its weights as arrays."""
    mine = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    model = make_model(student, mine.to_json(), mine.get_weights())
    np.testing.assert_allclose(model.predict(images), mine.predict(images, verbose=0), rtol=1e-5)


def test_a_forgotten_model_is_gone(student: ModuleSubject) -> None:
    """What is asked of it afterwards is an error, and other handles are as good as before."""
    first, second = build(student, "sequential"), build(student, "functional")
    first.forget()
    third = build(student, "nested")
    assert len({model.handle.number for model in (first, second, third)}) == 3
    with pytest.raises(StudentRaised, match="KeyError"):
        first.describe()
    assert_stages(second, STAGES)


def _described(model: object) -> None:
    if isinstance(model, Model):
        model.describe()


def _memory_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def test_a_model_inside_another_is_the_model_itself(student: ModuleSubject) -> None:
    """Its weights are those of the outer one, and what is done to it is done to that."""
    model = build(student, "frozen")
    base = model.inner()
    assert [each.shape for each in base.weights()] == [each.shape for each in model.weights()[: len(base.weights())]]
    base.set_trainable(True)
    assert any(weight.trainable for weight in base.describe().weights)
    base.set_weights([np.ones(weight.shape) for weight in base.describe().weights])
    assert all((each == 1).all() for each in model.weights()[: len(base.weights())])


def test_a_model_without_one_inside_says_so(student: ModuleSubject) -> None:
    """The student reads what was expected, not an exception of ours."""
    with pytest.raises(CheckFailure, match="sequential returned no Keras model"):
        build(student, "sequential").inner()


@pytest.mark.parametrize("trainable", [True, False])
def test_freezing_reaches_every_layer(student: ModuleSubject, trainable: bool) -> None:
    """Even where the model already says what it is told, and only its layers do not."""
    model = build(student, "thawed" if not trainable else "frozen")
    model.set_trainable(trainable)
    movable = {weight.trainable for weight in model.describe().weights if not weight.name.startswith("moving")}
    assert movable == {trainable}


def test_a_model_is_made_with_or_without_weights(student: ModuleSubject) -> None:
    """Given ones are assigned; without any it has those that Keras draws."""
    config = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).to_json()
    given = make_model(student, config, [np.ones((2, 3)), np.zeros(3)])
    assert (given.weights()[0] == 1).all()
    assert len(np.unique(make_model(student, config).weights()[0])) == 6
