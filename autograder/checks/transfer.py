"""Trained bases and classifiers on them, of the examiner's own, written without Keras.

    model, base = shapes_classifier(student, path, classes=3)       the base that ships with the course, frozen
    model = make_model(student, on_base(network((10, 10, 2), *layers), (10, 10, 2), classes=3))
    drawn(rng, model)                             random weights and batch statistics
    base = model.inner()                          the base inside
    last_weights(base.describe(), 2)              numbers of the weights of its last two layers, no batch normalization

A classifier calls its base in inference mode, as the course teaches it; ``training=None`` lets the mode through.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.architecture import assert_moved, assert_trainable, assert_unmoved
from autograder.checks.description import Description, Layer
from autograder.checks.fitting import Curve, probe_loss
from autograder.checks.logistic import Layer as Written
from autograder.checks.logistic import network
from autograder.checks.models import Model, claimed, make_model, moved
from autograder.checks.stages import Expected, batch_norm, conv, dense, global_average_pool, max_pool, other
from autograder.data import draw_shapes
from autograder.errors import CheckFailure, StudentRaised
from autograder.subject.proxy import Subject

Array = npt.NDArray[Any]
Node = tuple[str, Mapping[str, Any], Sequence[str], Mapping[str, object]]
"""A name, a layer as JSON, the names of the nodes that it is called on, and the other arguments of the call."""

BASE_KINDS = ("circle", "square", "triangle", "bar", "crescent")
NEW_KINDS = ("cross", "ring", "star")
"""The kinds of shapes that the base was trained on, and those that it has never seen."""

_LOSS = "sparse_categorical_crossentropy"
_NORM: Written = ("BatchNormalization", {})
_RELU: Written = ("ReLU", {})
_POOL: Written = ("MaxPooling2D", {})


def _conv(filters: int, size: int, **options: object) -> Written:
    return "Conv2D", {"filters": filters, "kernel_size": [size, size], "padding": "same", **options}


def _block(filters: int) -> tuple[Written, ...]:
    return _conv(filters, 3, use_bias=False), ("BatchNormalization", {"momentum": 0.9}), _RELU


SHAPES_BASE: tuple[Written, ...] = (
    ("Rescaling", {"scale": 1 / 255, "offset": 0.0}),
    *_block(8),
    ("MaxPooling2D", {}),
    *_block(16),
    ("MaxPooling2D", {}),
    *_block(32),
    ("MaxPooling2D", {}),
    *_block(48),
)
"""The network that ships with the course: bytes ``(N, 64, 64, 3)`` to maps ``(N, 8, 8, 48)``."""

SHAPE = (10, 10, 2)
"""Of the inputs of the tiny bases."""

MAPS: tuple[Written, ...] = (
    ("Rescaling", {"scale": 0.5, "offset": 0.0}),
    *(_conv(4, 3, use_bias=False), _NORM, _RELU, _POOL),
    *(_conv(6, 3, use_bias=False), _NORM, _RELU),
    *(_conv(5, 1, activation="relu"), _POOL),
)
"""A tiny base that gives maps ``(N, 2, 2, 5)``; its last layer has no weights."""

VECTORS: tuple[Written, ...] = (
    *(_conv(4, 3, use_bias=False), _NORM, _RELU, ("GlobalAveragePooling2D", {})),
    *(("Dense", {"units": 7, "use_bias": False}), _NORM, _RELU),
    ("Dense", {"units": 6, "activation": "relu"}),
)
"""A tiny base that gives vectors ``(N, 6)``; its last layer has weights."""

STAGES: Mapping[str, list[Expected]] = {
    "maps": [
        other("rescaling"),
        *(conv(4, 3, padding="same", activation=None), batch_norm("relu"), max_pool(2)),
        *(conv(6, 3, padding="same", activation=None), batch_norm("relu"), conv(5, 1), max_pool(2)),
    ],
    "vectors": [
        *(conv(4, 3, padding="same", activation=None), batch_norm("relu"), global_average_pool()),
        *(dense(7), batch_norm("relu"), dense(6, "relu")),
    ],
}

QUIET: tuple[Written, ...] = (_conv(4, 1, use_bias=False), _NORM, _RELU)
QUIET_VALUES = {"kernel": 0.5, "gamma": 1.0, "beta": 0.0, "moving_mean": 1.4, "moving_variance": 1.0}
"""Of inputs about 1 this base makes nothing but zeros, as long as its statistics are the stored ones."""


def shapes_weights(path: Path) -> list[Array]:
    """Read the weights of the shipped base, in Keras's order."""
    with np.load(path, allow_pickle=False) as stored:
        return [stored[name] for name in sorted(stored.files) if name.startswith("weight_")]


def written(layer: Written) -> dict[str, object]:
    """Write a layer of Keras's as JSON."""
    return {"module": "keras.layers", "class_name": layer[0], "config": dict(layer[1])}


def _tensor(name: str) -> dict[str, object]:
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": [None], "dtype": "float32", "keras_history": [name, 0, 0]},
    }


def graph(input_shape: Sequence[int], *nodes: Node) -> str:
    """Write a functional model as JSON: its input is named ``input``, its last node is its output."""
    source = written(("InputLayer", {"batch_shape": [None, *input_shape], "name": "input"}))
    layers = [{**source, "name": "input", "inbound_nodes": []}]
    for name, layer, inputs, options in nodes:
        tensors = [_tensor(each) for each in inputs]
        call = {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": dict(options)}
        layers.append({**layer, "config": {**layer["config"], "name": name}, "name": name, "inbound_nodes": [call]})
    ends = {"input_layers": ["input", 0, 0], "output_layers": [nodes[-1][0], 0, 0]}
    config = {"name": "given", "layers": layers, **ends}
    return json.dumps({"module": "keras", "class_name": "Model", "config": config})


def on_base(
    base: str, input_shape: Sequence[int], classes: int, *, pooled: bool = True, training: bool | None = False
) -> str:
    """Write a classifier as JSON: the base, global average pooling where it gives maps, and a dense softmax."""
    mode = {} if training is None else {"training": training}
    nodes: list[Node] = [("base", json.loads(base), ["input"], mode)]
    if pooled:
        nodes.append(("average", written(("GlobalAveragePooling2D", {})), ["base"], {}))
    head = written(("Dense", {"units": classes, "activation": "softmax"}))
    return graph(input_shape, *nodes, ("head", head, [nodes[-1][0]], {}))


SHORTCUT = graph(
    SHAPE,
    ("first", written(_conv(4, 3)), ["input"], {}),
    ("first_norm", written(_NORM), ["first"], {}),
    ("second", written(_conv(4, 3, use_bias=False)), ["first_norm"], {}),
    ("second_norm", written(_NORM), ["second"], {}),
    ("sum", written(("Add", {})), ["first_norm", "second_norm"], {}),
    ("third", written(_conv(3, 1, activation="relu")), ["sum"], {}),
)
"""A tiny base in which paths part and meet."""

BASES = {
    "layers in a row": network(SHAPE, *MAPS),
    "dense layers at its end": network(SHAPE, *VECTORS),
    "a shortcut": SHORTCUT,
}


def shapes_classifier(student: Subject, path: Path, classes: int) -> tuple[Model, Model]:
    """Put the shipped base under a fresh head into the student's process; return the classifier and the frozen base."""
    model = make_model(student, on_base(network((64, 64, 3), *SHAPES_BASE), (64, 64, 3), classes))
    base = model.inner()
    base.set_weights(shapes_weights(path))
    base.set_trainable(False)
    return model, base


def classifier(
    student: Subject, rng: np.random.Generator, *, count: int = 24, training: bool | None = False, epochs: int = 0
) -> tuple[Model, Model, Array, Array]:
    """Put a tiny classifier on a frozen base into the student's process; return it, the base, pictures and labels.

    With ``epochs`` its head has been trained, as that of a student's would be before fine-tuning.
    """
    model = drawn(rng, make_model(student, on_base(BASES["layers in a row"], SHAPE, 3, training=training)))
    base = model.inner()
    base.set_trainable(False)
    pictures = rng.uniform(0, 2, (count, *SHAPE)).astype(np.float32)
    labels = rng.permutation(np.arange(count) % 3)
    if epochs:
        compiled = {"optimizer": "adam", "loss": _LOSS}
        model.fit(pictures, labels, pictures[:1], epochs=epochs, batch_size=8, seed=0, compiled=compiled)
    return model, base, pictures, labels


def head_curve(student: Subject, path: Path, rng: np.random.Generator, epochs: int) -> Curve:
    """Let the student's ``train_head`` train a head on the shipped base, an epoch at a time; look at other pictures."""
    model, _ = shapes_classifier(student, path, len(NEW_KINDS))
    (x, y), (probe, truth) = (draw_shapes(rng, count, NEW_KINDS) for count in (180, 60))
    found, claims = [model.predict(probe, (len(NEW_KINDS),))], list[float]()
    for _ in range(epochs):
        history = student.handle.train_head(model.handle, x, y, epochs=1)
        claims += claimed(student, history, "train_head").get("loss", ())
        found.append(model.predict(probe, (len(NEW_KINDS),)))
    losses = [probe_loss(one, truth, _LOSS) for one in found]
    return Curve(losses[0], tuple(losses[1:]), tuple(claims), tuple(found))


def assert_top_moved(student: Subject, base: Model, before: Sequence[Array], layers: int) -> None:
    """Check that of the base of ``classifier`` the last layers have moved, or those of the student's ``unfreeze_top``.

    What that one does wrong has cost its points in its own task.
    """
    changed = {number for number, is_other in enumerate(moved(before, base.weights())) if is_other}
    description = base.describe()
    wanted = set(last_weights(description, layers))
    counted = set(last_weights(description, layers, norms_count=True))
    if not changed or changed not in (wanted, counted, _own_top(student, layers)):
        others = set(range(len(before))) - wanted
        assert_unmoved(base, before, others, hint="Call `unfreeze_top(base, layers)` before you compile.")
        assert_moved(base, before, wanted, hint="What is unfrozen is trained after the model is compiled anew.")


def _own_top(student: Subject, count: int) -> set[int] | None:
    """Return what training would move after the student's own unfreeze_top; None if that is nothing."""
    model = make_model(student, on_base(BASES["layers in a row"], SHAPE, 3))
    base = model.inner()
    base.set_trainable(False)
    try:
        student.handle.unfreeze_top(base.handle, count)
    except CheckFailure:
        return None
    last, layers = len(base.weights()), model.describe().layers
    trained = [layer for layer in layers if any(weight.trainable for weight in layer.weights)]
    return {weight.number for layer in trained for weight in layer.weights if weight.number < last} or None


def fine_tuned(student: Subject, model: Model, base: Model, images: Array, labels: Array, **options: object) -> object:
    """Let the student fine-tune; return what came back. A model that was not compiled anew is called that.

    Raises:
        CheckFailure: Keras refused to train what its optimizer does not know, or something else was raised.
    """
    try:
        return student.handle.fine_tune(model.handle, base.handle, images, labels, **options)
    except StudentRaised as error:
        if "Unknown variable" not in error.text:
            raise
    raise CheckFailure(
        "fine_tune goes on with the optimizer of an earlier training, which does not know what was unfrozen.",
        hint="Compile the model anew, with a new optimizer, after you have unfrozen the top and before you fit.",
    )


def tuned_predictions(student: Subject, path: Path, few: tuple[Array, Array], others: Array, seed: int) -> Array:
    """Train a head on the shipped base with a ``few`` pictures and labels, let the student fine-tune; predict others.

    The head is trained here, so that the student's ``fine_tune`` alone decides.
    """
    pictures, labels = few
    classes = int(labels.max()) + 1
    model, base = shapes_classifier(student, path, classes)
    adam = {"class_name": "Adam", "config": {"learning_rate": 0.03}}
    compiled = {"optimizer": adam, "loss": _LOSS}
    model.fit(pictures, labels, others[:1], epochs=5, batch_size=8, seed=seed, compiled=compiled)
    before = base.weights()
    fine_tuned(student, model, base, pictures, labels, layers=2, learning_rate=1e-3, epochs=10)
    if not any(moved(before, base.weights())):
        raise CheckFailure("No weight of the base has moved.")
    return model.predict(others, (classes,))


def drawn(rng: np.random.Generator, model: Model) -> Model:
    """Give a model random weights with which every layer passes something on; return it."""
    model.set_weights({each.number: _drawn(rng, each.name, each.shape) for each in model.describe().weights})
    return model


def assert_top(model: Model, layers: int, *, hint: str | None = None) -> None:
    """Check that the last ``layers`` layers with weights are trainable and nothing else, batch normalization never.

    Whether frozen batch normalization uses up one of the layers is a matter of reading: both counts are right.
    """
    description = model.describe()
    trainable = [weight.number for weight in description.weights if weight.trainable]
    if trainable != last_weights(description, layers, norms_count=True):
        assert_trainable(description, last_weights(description, layers), hint=hint)


def weighted(description: Description) -> list[Layer]:
    """Return the layers that have weights, in the order of the flow."""
    found: dict[int, Layer] = {}
    for operation in description.operations:
        layer = operation.layer
        if layer is not None and layer.weights:
            found.setdefault(layer.weights[0].number, layer)
    return list(found.values())


def last_weights(description: Description, layers: int, *, norms_count: bool = False) -> list[int]:
    """Return the numbers of the weights of the last ``layers`` of those layers, without batch normalization's."""
    known = [layer for layer in weighted(description) if norms_count or not _is_norm(layer)]
    last = known[max(0, len(known) - layers) :]
    return [weight.number for layer in last if not _is_norm(layer) for weight in layer.weights]


def _is_norm(layer: Layer) -> bool:
    return layer.kind == "BatchNormalization"


def _drawn(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    if name in ("gamma", "moving_variance"):
        return rng.uniform(0.7, 1.5, shape)
    if name == "kernel":
        return rng.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)
    return rng.uniform(0.05, 0.3, shape)
