"""A student's model as records, read from the plain data that its process sent and checked before it is believed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from autograder.errors import CheckFailure

Shape = tuple[int | None, ...]
"""Lengths of axes, the batch first; None is any length."""

Edge = tuple[int, int]
"""The number of an operation, and which of its outputs."""

_Plain = TypeVar("_Plain", bool, str, list[Any], dict[Any, Any])

_MOST = 2000
_LARGEST = 2**40
_DIMENSIONS = 16


@dataclass(frozen=True)
class Weight:
    """One array of a model; ``number`` is its place in ``Model.weights``, ``name`` Keras's: kernel, moving_mean."""

    number: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    trainable: bool

    @property
    def size(self) -> int:
        """Count the numbers in it."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layer:
    """One layer that is no composition of others; ``kind`` is its class: Conv2D."""

    kind: str
    trainable: bool
    weights: tuple[Weight, ...]


@dataclass(frozen=True)
class Operation:
    """One call in the flow from the input to the output.

    ``kind`` is the class of the layer or operation, ``config`` what it was made with, ``call`` what it was called with
    beside tensors. ``opaque`` says why it could not be looked into, for a student's own ``call``.
    """

    kind: str
    layer: Layer | None
    config: Mapping[str, Any]
    call: Mapping[str, Any]
    inputs: tuple[Edge, ...]
    shapes: tuple[Shape, ...]
    opaque: str | None


@dataclass(frozen=True)
class Compiled:
    """How a model was compiled: the optimizer's class, the loss as Keras names its function, the metrics by name."""

    optimizer: str
    learning_rate: float
    loss: str
    from_logits: bool
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """A model: operations in the order of the flow, the edges that are its outputs, its layers and weights."""

    operations: tuple[Operation, ...]
    outputs: tuple[Edge, ...]
    layers: tuple[Layer, ...]
    weights: tuple[Weight, ...]
    compiled: Compiled | None

    @property
    def output_shape(self) -> Shape:
        """The shape of the first output."""
        number, output = self.outputs[0]
        return self.operations[number].shapes[output]

    @property
    def parameters(self) -> int:
        """Count the parameters, those that are not trained included."""
        return sum(weight.size for weight in self.weights)

    @property
    def trainable_parameters(self) -> int:
        """Count the parameters that training moves."""
        return sum(weight.size for weight in self.weights if weight.trainable)


def read_description(received: object) -> Description:
    """Read what :mod:`autograder.subject.description` writes.

    Raises:
        CheckFailure: ``received`` is anything else.
    """
    try:
        return _description(_exact(received, dict))
    except (KeyError, ValueError) as error:
        raise CheckFailure(f"The description of your model makes no sense ({error}).") from None


def _description(data: dict[Any, Any]) -> Description:
    weights = tuple(_weight(number, item) for number, item in enumerate(_records(data["weights"])))
    layers = tuple(_layer(item, weights) for item in _records(data["layers"]))
    operations: list[Operation] = []
    for item in _records(data["operations"]):
        operations.append(_operation(item, layers, operations))
    outputs = tuple(_edge(edge, operations) for edge in _items(data["outputs"]))
    if not outputs:
        raise ValueError("no output")
    compiled = None if data["compiled"] is None else _compiled(_exact(data["compiled"], dict))
    return Description(tuple(operations), outputs, layers, weights, compiled)


def _weight(number: int, item: dict[Any, Any]) -> Weight:
    shape = tuple(_length(length) for length in _items(item["shape"], _DIMENSIONS))
    if math.prod(shape) > _LARGEST:
        raise ValueError("a weight too large")
    return Weight(number, _text(item["name"]), shape, _text(item["dtype"]), _exact(item["trainable"], bool))


def _layer(item: dict[Any, Any], weights: tuple[Weight, ...]) -> Layer:
    own = tuple(weights[_number(number, len(weights))] for number in _items(item["weights"]))
    return Layer(_text(item["kind"]), _exact(item["trainable"], bool), own)


def _operation(item: dict[Any, Any], layers: tuple[Layer, ...], before: list[Operation]) -> Operation:
    shapes = tuple(_shape(shape) for shape in _items(item["shapes"]))
    if not shapes:
        raise ValueError("an operation without an output")
    return Operation(
        kind=_text(item["kind"]),
        layer=None if item["layer"] is None else layers[_number(item["layer"], len(layers))],
        config=_exact(item["config"], dict),
        call=_exact(item["call"], dict),
        inputs=tuple(_edge(edge, before) for edge in _items(item["inputs"])),
        shapes=shapes,
        opaque=None if item["opaque"] is None else _text(item["opaque"]),
    )


def _compiled(item: dict[Any, Any]) -> Compiled:
    rate = item["learning_rate"]
    if type(rate) is not float or not math.isfinite(rate):
        raise ValueError("a learning rate that is no number")
    metrics = tuple(_text(metric) for metric in _items(item["metrics"], 100))
    return Compiled(_text(item["optimizer"]), rate, _text(item["loss"]), _exact(item["from_logits"], bool), metrics)


def _edge(received: object, operations: list[Operation]) -> Edge:
    number, output = _items(received, 2)
    source = _number(number, len(operations))
    return source, _number(output, len(operations[source].shapes))


def _shape(received: object) -> Shape:
    return tuple(None if length is None else _length(length) for length in _items(received, _DIMENSIONS))


def _records(received: object) -> Iterator[dict[Any, Any]]:
    return (_exact(item, dict) for item in _items(received))


def _items(received: object, most: int = _MOST) -> list[Any]:
    items = _exact(received, list)
    if len(items) > most:
        raise ValueError(f"{len(items)} items where {most} are the most")
    return items


def _length(received: object) -> int:
    return _number(received, _LARGEST)


def _number(received: object, below: int) -> int:
    if type(received) is not int or not 0 <= received < below:
        raise ValueError("a number that is out of place")
    return received


def _text(received: object) -> str:
    return _exact(received, str)[:200]


def _exact(received: object, kind: type[_Plain]) -> _Plain:
    if type(received) is not kind:
        raise ValueError(f"no {kind.__name__} where one belongs")
    return received
