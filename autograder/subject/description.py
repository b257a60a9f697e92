"""A Keras model as plain data: the operations that its output depends on, its layers, its weights, its compilation.

Sequential, functional and subclassed models, and models within models, come out as one flat list of operations. What
is no operation of Keras's own (a nested model, a student's layer, a Lambda) is replaced by what its ``call`` does, as
far as that can be traced: by layers, ``keras.ops`` and operators. A ``call`` that hands tensors to functions of
TensorFlow itself cannot be traced; it stays one operation, with the reason in ``opaque``.

    {"operations": [{"kind": "Conv2D", "layer": 0, "config": {...}, "call": {...}, "inputs": [[number, output], ...],
                     "shapes": [[None, 6, 6, 4]], "opaque": None}, ...],
     "outputs": [[number, output], ...],
     "layers": [{"kind": "Conv2D", "trainable": True, "weights": [0, 1]}, ...],
     "weights": [{"name": "kernel", "shape": [3, 3, 1, 4], "dtype": "float32", "trainable": True}, ...],
     "compiled": {"optimizer": "Adam", "learning_rate": 0.001, "loss": "categorical_crossentropy", "from_logits": False,
                  "metrics": ["accuracy"]}}

Operations stand in the order of the flow. Numbers of layers and weights are positions in their lists. A model
that is not compiled has None there.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import keras

_DEPTH = 6
_LONGEST_TEXT = 200
_OF_NO_INTEREST = re.compile(r"_initializer$|_constraint$|^d?type$|^dtype|^name$|^batch_shape$|^seed$|^build_config$")


def describe(model: Any, input_shape: Sequence[int] | None = None) -> dict[str, object]:
    """Describe a model; ``input_shape``, without the batch, is needed where the model does not know it itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a lambda cannot be saved, says Keras; nobody wants to save it
        outputs = _outputs(model, input_shape)
        layers = list(_leaves(model))
        graph = _Graph({id(layer): number for number, layer in enumerate(layers)})
        edges = [graph.edge(tensor) for tensor in outputs]
        numbers = {id(weight): number for number, weight in enumerate(model.weights)}
        return {
            "operations": graph.operations,
            "outputs": edges,
            "layers": [_layer(layer, numbers) for layer in layers],
            "weights": _weights(model),
            "compiled": _compiled(model),
        }


def plain(value: object, depth: int = 0) -> object:
    """Return numbers, texts and truth values, in lists and dicts, as they are, slices as texts; leave all else out."""
    if value is None or type(value) in (bool, int, float):
        return value
    if type(value) is slice:
        return ":".join("" if part is None else str(part)[:_LONGEST_TEXT] for part in _bounds(value))
    if type(value) is str:
        return value[:_LONGEST_TEXT]
    if depth < _DEPTH and isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    if depth < _DEPTH and isinstance(value, dict):
        return _plain_items(value, depth + 1)
    return None


def _bounds(value: slice) -> list[Any]:
    bounds = [value.start, value.stop, value.step]
    return bounds if value.step is not None else bounds[:2]


def _plain_items(items: dict[Any, Any], depth: int = 1) -> dict[str, object]:
    return {
        name: plain(value, depth)
        for name, value in items.items()
        if isinstance(name, str) and not name.startswith("_") and not _OF_NO_INTEREST.search(name)
    }


class _Graph:
    """The operations that some tensors depend on, each once and after those that it depends on."""

    def __init__(self, layers: dict[int, int]) -> None:
        self.operations: list[dict[str, object]] = []
        self._layers = layers
        self._known: dict[int, int] = {}
        self._inside: dict[int, list[Any] | str] = {}
        self._alive: list[object] = []

    def edge(self, tensor: Any) -> list[int]:
        """Return the number of the operation that made a tensor, and which of its outputs it is."""
        waiting = [tensor]
        while waiting:
            needed = [other for other in self._needs(waiting[-1]) if self._find(other) is None]
            if needed:
                waiting += needed
            else:
                self._add(waiting.pop())
        found = self._find(tensor)
        assert found is not None
        return found

    def _needs(self, tensor: Any) -> list[Any]:
        inside = self._expanded(tensor)
        return [inside] if inside is not None else _sources(_node(tensor))

    def _find(self, tensor: Any) -> list[int] | None:
        while (inside := self._expanded(tensor)) is not None:
            tensor = inside
        number = self._known.get(id(_node(tensor)))
        return None if number is None else [number, _history(tensor).tensor_index]

    def _add(self, tensor: Any) -> None:
        node = _node(tensor)
        if id(node) in self._known or self._expanded(tensor) is not None:
            return
        inputs = [self._find(each) for each in _sources(node)]
        reason = self._inside.get(id(node))
        self._known[id(node)] = len(self.operations)
        self.operations.append(
            {
                "kind": _kind(node.operation),
                "layer": self._layers.get(id(node.operation)),
                "config": _config(node.operation),
                "call": _call(node),
                "inputs": inputs,
                "shapes": [list(output.shape) for output in node.outputs],
                "opaque": reason if isinstance(reason, str) else None,
            }
        )

    def _expanded(self, tensor: Any) -> Any:
        """Return the tensor inside a nested model or a student's layer that ``tensor`` is; None when there is none."""
        node = _node(tensor)
        if not _is_composed(node.operation):
            return None
        if id(node) not in self._inside:
            self._alive.append(node)  # an id is one object's own only while that lives
            self._inside[id(node)] = _inside(node)
        inside = self._inside[id(node)]
        return inside[_history(tensor).tensor_index] if isinstance(inside, list) else None


def _inside(node: Any) -> list[Any] | str:
    """Repeat a call on the level below: return its output tensors, or why that cannot be done."""
    arguments = node.arguments
    try:
        return _traced(node.operation, arguments.args, arguments.kwargs)
    except Exception as error:  # noqa: BLE001 - the student's code may do anything with a symbolic tensor
        return str(error)[:_LONGEST_TEXT] or type(error).__name__


def _traced(operation: Any, args: Sequence[object], kwargs: dict[str, object]) -> list[Any]:
    given = {name: value for name, value in kwargs.items() if value is not None}
    outputs: list[Any] = keras.tree.flatten(operation.call(*args, **given))
    before = {id(tensor) for tensor in keras.tree.flatten((args, kwargs))}
    for output in outputs:
        if not isinstance(output, keras.KerasTensor):
            raise TypeError(f"call returned {type(output).__name__}, no tensor")
        if id(output) not in before and not hasattr(output, "_keras_history"):
            raise TypeError("call returned a tensor that no operation of Keras made")
    return outputs


def _outputs(model: Any, input_shape: Sequence[int] | None) -> list[Any]:
    """Return symbolic output tensors of a model, with their history."""
    if getattr(model, "outputs", None):
        return list(model.outputs)
    shape = _input_shape(model) if input_shape is None else tuple(input_shape)
    inputs = keras.Input(shape)
    whole = keras.tree.flatten(model(inputs))  # builds it; the tensors of this call show the model as one operation
    return list(model.outputs) if getattr(model, "outputs", None) else whole


def _input_shape(model: Any) -> tuple[int | None, ...]:
    known = getattr(model, "_build_shapes_dict", None) or {}
    shapes = [shape for shape in known.values() if isinstance(shape, (tuple, list))]
    if len(shapes) != 1:
        raise ValueError("The model does not know the shape of its input: give it a keras.Input, or build it.")
    return tuple(shapes[0][1:])


def _is_composed(operation: Any) -> bool:
    """Tell whether an operation is made of others that can be looked at: nothing is that has a ``call`` of Keras's."""
    if isinstance(operation, (keras.Model, keras.layers.Lambda)):
        return True
    return not _is_keras_own(type(operation).call)


def _is_keras_own(what: Any) -> bool:
    return str(getattr(what, "__module__", "")).startswith("keras.")


def _kind(operation: Any) -> str:
    """Name the class, or that of Keras's which it only extends."""
    known = type(operation).__mro__ if not _is_composed(operation) else ()
    return next((kind.__name__ for kind in known if _is_keras_own(kind)), type(operation).__name__)


def _leaves(layer: Any) -> Iterator[Any]:
    """Yield the layers of a model that are no composition, and whatever holds weights of its own, each once."""
    seen: set[int] = set()
    waiting = [layer]
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        parts = list(current._flatten_layers(include_self=False, recursive=False)) if _is_composed(current) else []
        waiting += reversed(parts)
        inner = {id(weight) for part in parts for weight in part.weights}
        if not _is_composed(current) or any(id(weight) not in inner for weight in current.weights):
            yield current


def _layer(layer: Any, numbers: dict[int, int]) -> dict[str, object]:
    held = layer._flatten_layers(include_self=False, recursive=False) if _is_composed(layer) else ()
    inner = {id(weight) for part in held for weight in part.weights}
    own = [numbers[id(weight)] for weight in layer.weights if id(weight) in numbers and id(weight) not in inner]
    return {"kind": _kind(layer), "trainable": bool(layer.trainable), "weights": own}


def _weights(model: Any) -> list[dict[str, object]]:
    trainable = {id(weight) for weight in model.trainable_weights}
    return [
        {
            "name": weight.name,
            "shape": list(weight.shape),
            "dtype": str(weight.dtype),
            "trainable": id(weight) in trainable,
        }
        for weight in model.weights
    ]


def _config(operation: Any) -> dict[str, object]:
    if not isinstance(operation, keras.layers.Layer):
        return _plain_items(vars(operation))
    try:
        config = _plain_items(operation.get_config())
    except Exception:  # noqa: BLE001 - a student's layer need not have one
        config = {}
    for name in ("activation", "recurrent_activation"):
        if callable(getattr(operation, name, None)):
            config[name] = _function_name(getattr(operation, name))
    return config


def _call(node: Any) -> dict[str, object]:
    """Return the arguments of a call that are no tensors; the positional ones as ``args``, None where a tensor was."""
    arguments = node.arguments
    return {"args": plain(list(arguments.args)), **_plain_items(arguments.kwargs)}


def _function_name(function: Any) -> str:
    if isinstance(function, keras.layers.Layer):
        return _layer_name(function)
    name = getattr(function, "__name__", None)
    return name.removesuffix("_v2") if isinstance(name, str) else snake_case(type(function).__name__)


def _layer_name(layer: Any) -> str:
    """Name a layer that stands in the place of a function: ``activation=keras.layers.ReLU()`` is relu."""
    if isinstance(layer, keras.layers.Activation):
        return _function_name(layer.activation)
    if isinstance(layer, keras.layers.ReLU) and (layer.max_value, layer.negative_slope, layer.threshold) == (
        None,
        0,
        0,
    ):
        return "relu"
    name = snake_case(type(layer).__name__)
    return {"leaky_re_lu": "leaky_relu", "p_re_lu": "prelu"}.get(name, name)


def _compiled(model: Any) -> dict[str, object] | None:
    if not getattr(model, "compiled", False) or getattr(model, "optimizer", None) is None:
        return None
    losses = keras.tree.flatten(model.loss)
    loss = losses[0] if len(losses) == 1 else model.loss  # a model with one output may have a list of one loss
    loss = keras.losses.get(loss) if isinstance(loss, str) else loss
    metrics = getattr(getattr(model, "_compile_metrics", None), "_user_metrics", None)
    return {
        "optimizer": type(model.optimizer).__name__,
        "learning_rate": float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)),
        "loss": _function_name(getattr(loss, "fn", loss)),
        "from_logits": bool(getattr(loss, "_fn_kwargs", {}).get("from_logits", False)),
        "metrics": [each if isinstance(each, str) else _function_name(each) for each in keras.tree.flatten(metrics)],
    }


def snake_case(name: str) -> str:
    """Write a class's name as Keras writes the names of functions."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _sources(node: Any) -> list[Any]:
    """Return the tensors that an operation works on; how its mask was made is no part of the flow."""
    arguments = node.arguments
    given = {name: value for name, value in arguments.kwargs.items() if name != "mask"}
    return [each for each in keras.tree.flatten((arguments.args, given)) if isinstance(each, keras.KerasTensor)]


def _history(tensor: Any) -> Any:
    return tensor._keras_history


def _node(tensor: Any) -> Any:
    history = _history(tensor)
    return history.operation._inbound_nodes[history.node_index]
