"""What a student's network is, judged by its canonical graph, its sizes, and what it does.

    assert_stages(model, [conv(32, 3), max_pool(2), flatten(), dense(10, "softmax")])
    assert_output_shape(model, (10,))
    assert_parameters(outline(student, "vgg16"), 138_357_544)
    assert_receptive_field(block, (9, 9, 2), size=5)
    with_zeros(model, "Conv2D")                                      all convolutions zero: what is left is the shortcut
    before = model.weights(); ...; assert_unmoved(model, before)     bit for bit
    assert_statistics_still(model, images)                           batch normalization stays in inference mode

The words for stages are in :mod:`autograder.checks.stages`. Where a ``Model`` or a ``Description`` will do, both do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.canonical import canonical
from autograder.checks.description import Description, Shape, Weight
from autograder.checks.models import Model, moved
from autograder.checks.stages import Expected, Received, difference, matches, received_stages
from autograder.checks.translation import Stage
from autograder.checks.wording import plural, printable
from autograder.errors import CheckFailure

Array = npt.NDArray[Any]

_STATISTICS = ("moving_mean", "moving_variance")
_NAMES_SHOWN = 4


def assert_stages(
    model: Model | Description, expected: Sequence[Expected], *, hint: str | None = None, name: str = "your model"
) -> tuple[Stage, ...]:
    """Check a network stage by stage, and return its stages in a row, those inside branches left out.

    Raises:
        CheckFailure: with both networks beside each other, and marks where they differ.
    """
    description = _description(model)
    received = received_stages(canonical(description))
    if not matches(expected, received):
        table = difference(expected, received)
        raise CheckFailure(
            f"The stages of {name} are not the expected ones.\n{table}", hint=_opaque(description) or hint
        )
    return tuple(each.stage for each in received)


def stages_of(model: Model | Description) -> tuple[Received, ...]:
    """Return the stages of a network in a row, with their branches, for questions of a check's own."""
    return received_stages(canonical(_description(model)))


def activations(model: Model | Description) -> tuple[str, ...]:
    """Return the activation functions of all stages, in the order of the flow."""
    return tuple(stage.activation for stage in canonical(_description(model)).stages if stage.activation is not None)


def assert_output_shape(
    model: Model | Description, shape: Shape, *, hint: str | None = None, name: str = "your model"
) -> None:
    """Check the shape of the output without the batch."""
    received = _description(model).output_shape[1:]
    if received != tuple(shape):
        raise CheckFailure(
            f"The shape of the output of {name} is wrong.",
            expected=_shape(tuple(shape)),
            received=_shape(received),
            hint=hint,
        )


def assert_parameters(
    model: Model | Description, count: int, *, hint: str | None = None, name: str = "your model"
) -> None:
    """Check the number of parameters, statistics of batch normalization included.

    Biases of convolutions and dense layers that feed batch normalization do nothing, so they are a student's choice:
    ``count`` is the number without them.
    """
    description = _description(model)
    received = description.parameters - _idle_biases(description)
    if received != count:
        spared = "" if received == description.parameters else ", biases before batch normalization not counted"
        raise CheckFailure(
            f"The number of parameters of {name} is wrong.",
            expected=f"{count:,}",
            received=f"{received:,}{spared}",
            hint=hint,
        )


def assert_at_most_parameters(
    model: Model | Description, most: int, *, hint: str | None = None, name: str = "your model"
) -> None:
    """Check that a network is no larger than allowed, all its parameters counted."""
    received = _description(model).parameters
    if received > most:
        raise CheckFailure(
            f"{name[:1].upper()}{name[1:]} has too many parameters.",
            expected=f"at most {most:,}",
            received=f"{received:,}",
            hint=hint,
        )


def assert_compiled(
    model: Model | Description,
    *,
    optimizer: str | None = None,
    losses: Collection[str] = (),
    metrics: Collection[str] = (),
    name: str = "your model",
) -> None:
    """Check how a model was compiled.

    Args:
        model: the model.
        optimizer: the class, ``"Adam"``; None for any.
        losses: allowed losses, as Keras names their functions, ``"binary_crossentropy"``; none for any.
        metrics: allowed names of one metric that has to be among those given, ``("accuracy", "binary_accuracy")``.
        name: of the model, in the messages.
    """
    compiled = _description(model).compiled
    if compiled is None:
        raise CheckFailure(f"{name[:1].upper()}{name[1:]} is not compiled.", hint="Call `model.compile(...)`.")
    if optimizer is not None and compiled.optimizer != optimizer:
        _fail_compiled("optimizer", name, optimizer, compiled.optimizer)
    if losses and compiled.loss not in losses:
        _fail_compiled("loss", name, " or ".join(losses), compiled.loss)
    known = {"acc": "accuracy"}
    if metrics and not any(known.get(each, each) in metrics for each in compiled.metrics):
        _fail_compiled("metrics", name, " or ".join(metrics), ", ".join(compiled.metrics) or "none")


def assert_trainable(model: Model | Description, expected: Collection[int], *, hint: str | None = None) -> None:
    """Check that exactly the weights with these numbers are trainable."""
    wrong = [weight for weight in _description(model).weights if weight.trainable != (weight.number in expected)]
    if wrong:
        loose = [weight for weight in wrong if weight.trainable]
        what = "trainable that should be frozen" if loose else "frozen that should be trainable"
        shown = _names(loose or wrong, _description(model))
        raise CheckFailure(f"Of your model, {_are(len(loose or wrong))} {what}.", received=shown, hint=hint)


def assert_unmoved(
    model: Model, before: Sequence[Array], numbers: Collection[int] | None = None, *, hint: str | None = None
) -> None:
    """Check that weights are what they were, bit for bit: all, or those with these numbers."""
    description = model.describe()
    changes = _changes(model, before)
    changed = [
        weight
        for weight, is_other in zip(description.weights, changes, strict=True)
        if is_other and (numbers is None or weight.number in numbers)
    ]
    if changed:
        what = f"{plural(len(changed), 'weight')} that should stay as they were have changed."
        raise CheckFailure(what, received=_names(changed, description), hint=hint)


def assert_moved(
    model: Model, before: Sequence[Array], numbers: Collection[int] | None = None, *, hint: str | None = None
) -> None:
    """Check that each of these weights, or of all, has changed in some bit."""
    description = model.describe()
    changes = _changes(model, before)
    still = [
        weight
        for weight, is_other in zip(description.weights, changes, strict=True)
        if not is_other and (numbers is None or weight.number in numbers)
    ]
    if still:
        what = f"{plural(len(still), 'weight')} that should have been trained did not change."
        raise CheckFailure(what, received=_names(still, description), hint=hint)


def assert_statistics_still(model: Model, inputs: Array, *, hint: str | None = None) -> None:
    """Check that a call in training mode moves no statistics of batch normalization: it runs in inference mode."""
    numbers = [weight.number for weight in model.describe().weights if weight.name in _STATISTICS]
    before = model.weights(numbers)
    model.predict(inputs, training=True)
    if any(moved(before, model.weights(numbers))):
        raise CheckFailure(
            "The statistics of batch normalization move when the model runs in training mode.",
            expected="inference mode, whatever the mode of the whole model",
            hint=hint or "Call the frozen network as `base(x, training=False)`.",
        )


def with_zeros(model: Model, *kinds: str) -> Model:
    """Set all weights of the layers of these classes to zero; return the model."""
    layers = [layer for layer in model.describe().layers if layer.kind in kinds]
    model.set_weights({weight.number: np.zeros(weight.shape) for layer in layers for weight in layer.weights})
    return model


def assert_receptive_field(
    model: Model, inputs: Array, size: int, *, stride: int = 1, offset: int | None = None, hint: str | None = None
) -> None:
    """Check which outputs ``(N, H', W', C)`` a change of one pixel in the middle of ``inputs`` reaches.

    Output ``o`` of an axis sees the pixels from ``stride * o - offset`` on, ``size`` of them; ``offset`` defaults to
    the padding of ``size`` that keeps it centered, ``(size - 1) // 2``. None else may change, and all of these have to
    for some of the N inputs.
    """
    changed = changed_positions(model, inputs)
    first = (size - 1) // 2 if offset is None else offset
    expected = [
        np.array([0 <= middle - (stride * place - first) < size for place in range(length)])
        for middle, length in zip((inputs.shape[1] // 2, inputs.shape[2] // 2), changed.shape, strict=True)
    ]
    reached = np.outer(*expected)
    if not np.array_equal(changed, reached):
        raise CheckFailure(
            "A change of one pixel in the middle of the input does not reach the right outputs.",
            expected=_extent(reached),
            received=_extent(changed),
            hint=hint,
        )


def changed_positions(model: Model, inputs: Array) -> Array:
    """Return where ``(H', W')`` outputs change, for any of the inputs, when the pixel in their middle does."""
    other = inputs.copy()
    other[:, inputs.shape[1] // 2, inputs.shape[2] // 2] += 1 + np.abs(inputs).max()
    shape = (None, None, None)
    changed: Array = np.any(model.predict(inputs, shape) != model.predict(other, shape), axis=(0, 3))
    return changed


def _description(model: Model | Description) -> Description:
    return model if isinstance(model, Description) else model.describe()


def _changes(model: Model, before: Sequence[Array]) -> list[bool]:
    after = model.weights()
    if len(after) != len(before):
        raise CheckFailure(
            "The number of weights has changed.",
            expected=plural(len(before), "weight"),
            received=plural(len(after), "weight"),
        )
    return moved(before, after)


def _idle_biases(description: Description) -> int:
    """Count the biases of stages that nothing but batch normalization reads."""
    graph = canonical(description)
    readers: dict[int, set[str]] = {}
    for stage, sources in zip(graph.stages, graph.inputs, strict=True):
        for source in sources:
            readers.setdefault(source, set()).add(stage.kind)
    feeding = [graph.stages[place] for place, kinds in readers.items() if kinds == {"batch_norm"}]
    layers = {id(stage.layer): stage.layer for stage in feeding if stage.layer and stage.activation is None}
    return sum(weight.size for layer in layers.values() for weight in layer.weights if weight.name == "bias")


def _names(weights: Sequence[Weight], description: Description) -> str:
    """Tell weights by their layer's class and place, as layer names are a student's own."""
    layers = [layer for layer in description.layers if layer.weights]
    found = []
    for weight in weights[:_NAMES_SHOWN]:
        place = next((number for number, layer in enumerate(layers, 1) if weight in layer.weights), None)
        where = "" if place is None else f" of {printable(layers[place - 1].kind)} (layer {place} of {len(layers)})"
        found.append(f"{printable(weight.name)}{where}")
    return ", ".join(found) + (" ..." if len(weights) > _NAMES_SHOWN else "")


def _opaque(description: Description) -> str | None:
    hidden = [operation for operation in description.operations if operation.opaque is not None]
    if not hidden:
        return None
    kind = printable(hidden[0].kind)
    return (
        f"{kind} cannot be looked into: in its call, use layers, operators and keras.ops, no functions of TensorFlow."
    )


def _fail_compiled(what: str, name: str, expected: str, received: str) -> None:
    other = f"{name[:1].upper()}{name[1:]} is not compiled with the {what} that was asked for."
    raise CheckFailure(other, expected=expected, received=printable(received))


def _are(count: int) -> str:
    return "1 weight is" if count == 1 else f"{count} weights are"


def _extent(reached: Array) -> str:
    rows, columns = np.nonzero(reached)
    if not rows.size:
        return "no output"
    box = f"rows {rows.min()} to {rows.max()}, columns {columns.min()} to {columns.max()}"
    area = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    return box if rows.size == area else f"{rows.size} of the outputs in {box}"


def _shape(shape: Shape) -> str:
    inside = ", ".join("any" if length is None else str(length) for length in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"
