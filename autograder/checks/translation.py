"""From one operation of Keras to one stage of a network: the same stage however the operation is spelled."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.checks.description import Layer, Operation, Shape

Pads = tuple[tuple[int, int], ...]
"""Zeros before and after, along each axis."""

MONOTONE = frozenset({"relu", "relu6", "leaky_relu", "sigmoid", "tanh", "elu", "selu", "softplus", "hard_sigmoid"})
"""Element-wise functions that never fall."""

ELEMENTWISE = MONOTONE | {"gelu", "silu", "softsign", "mish", "exponential", "hard_silu", "hard_swish", "swish"}
"""Functions of one element at a time."""

_RECURRENT = {"SimpleRNN": "simple_rnn", "LSTM": "lstm", "GRU": "gru"}

RECURRENT = frozenset(_RECURRENT.values())
"""Kinds of stages that read step by step."""


@dataclass(frozen=True)
class Stage:
    """One step of a network.

    ``output`` has no batch axis. ``channels`` are filters or units. ``padding`` holds every word that fits: a 1x1
    convolution is padded "valid" and "same". ``activation`` is None for a linear stage. ``details`` are what else a
    kind has: ``sequences``, ``backwards`` and ``function`` of a recurrent layer.
    """

    kind: str
    output: Shape
    channels: int | None = None
    kernel: tuple[int, ...] | None = None
    strides: tuple[int, ...] | None = None
    padding: tuple[str, ...] | None = None
    activation: str | None = None
    bias: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)
    layer: Layer | None = None


@dataclass(frozen=True)
class Step:
    """An operation, and the shapes that go into it, without the batch."""

    operation: Operation
    inputs: tuple[Shape, ...]

    @property
    def kind(self) -> str:
        """The class of the operation."""
        return self.operation.kind

    @property
    def config(self) -> Mapping[str, Any]:
        """What it was made with."""
        return self.operation.config

    @property
    def source(self) -> Shape:
        """The first shape that goes in."""
        return self.inputs[0] if self.inputs else ()

    @property
    def output(self) -> Shape:
        """The shape that comes out, without the batch."""
        return self.operation.shapes[0][1:]


def activation_of(step: Step) -> str | None:
    """Name the function that an operation applies to every element; None when it does something else."""
    config = step.config
    if step.kind == "Activation":
        return str(config.get("activation"))
    name = _snake_case(step.kind)
    if name == "re_lu":
        plain = not config.get("negative_slope") and not config.get("threshold")
        limit = config.get("max_value")
        return "relu" if plain and limit is None else "relu6" if plain and limit == 6 else "bounded_relu"
    name = {"leaky_re_lu": "leaky_relu", "p_re_lu": "prelu"}.get(name, name)
    if name in ("softmax", "log_softmax") and config.get("axis") not in (-1, len(step.operation.shapes[0]) - 1, None):
        return f"{name} over axis {config.get('axis')}"
    return name if name in ELEMENTWISE or name in ("softmax", "log_softmax", "prelu") else None


def takes_last_step(step: Step) -> bool:
    """Tell whether an operation takes the last step of sequences ``(N, T, H)``, and of it everything: ``x[:, -1]``."""
    args = step.operation.call.get("args")
    if step.kind != "GetItem" or len(step.source) != 2 or not isinstance(args, list) or len(args) != 2:
        return False
    last = [-1] if step.source[0] is None else [-1, step.source[0] - 1]
    return any(args[1] in ([":", index], [":", index, ":"]) for index in last)


def translate(step: Step) -> Stage:
    """Return the stage that an operation is, without its activation function."""
    known = _TRANSLATIONS.get(re.sub(r"(?<=[a-z])[123]D(?=Transpose|$)", "", step.kind))
    if known is None:
        return Stage(_snake_case(step.kind), step.output, layer=step.operation.layer)
    return replace(known(step), layer=step.operation.layer)


def _convolution(step: Step) -> Stage:
    config = step.config
    kind = "conv" if re.match(r"Conv[123]D$", step.kind) else _snake_case(re.sub(r"[123]D", "", step.kind))
    for name, word in (("dilation_rate", "dilated"), ("groups", "grouped")):
        if config.get(name) not in (None, 1, [1], [1, 1], [1, 1, 1]):
            kind = f"{word}_{kind}"
    return Stage(
        kind,
        step.output,
        channels=_integer(config.get("filters")),
        kernel=_integers(config.get("kernel_size")),
        strides=_integers(config.get("strides")),
        padding=(str(config.get("padding")),),
        bias=config.get("use_bias") is not False,
    )


def _pool(kind: str) -> Callable[[Step], Stage]:
    def translated(step: Step) -> Stage:
        axes = max(len(step.output) - 1, 1)
        size = _integers(step.config.get("pool_size"), axes)
        strides = _integers(step.config.get("strides"), axes) or size
        stage = Stage(kind, step.output, kernel=size, strides=strides)
        return replace(stage, padding=paddings(step, stage, step.source))

    return translated


def _global(kind: str) -> Callable[[Step], Stage]:
    return lambda step: Stage(kind, step.output)


def _reduction(kind: str) -> Callable[[Step], Stage]:
    """Translate a mean or a maximum: a global pooling, if it is taken over all axes but the first and the last."""

    def translated(step: Step) -> Stage:
        axes = step.config.get("axis")
        rank = len(step.source) + 1
        taken = sorted(axis % rank for axis in _integers(axes, 1) or ()) if rank else []
        if rank > 2 and taken == list(range(1, rank - 1)):
            return Stage(f"global_{kind}_pool", step.output)
        return Stage("mean" if kind == "average" else "max", step.output, details={"axis": axes})

    return translated


def _dense(step: Step) -> Stage:
    bias = step.config.get("use_bias") is not False
    return Stage("dense", step.output, channels=_integer(step.config.get("units")), bias=bias)


def _distributed(step: Step) -> Stage:
    name, config = _wrapped(step.config.get("layer"))
    if name == "Dense" and config.get("activation") in ("linear", None):
        return Stage("dense", step.output, channels=_integer(config.get("units")), bias=True)
    return Stage("time_distributed", step.output, details={"layer": name})


def _recurrent(step: Step) -> Stage:
    name, config = step.kind, step.config
    details: dict[str, object] = {
        "sequences": config.get("return_sequences") is True,
        "backwards": config.get("go_backwards") is True,
    }
    if name == "RNN":
        name, config = _wrapped(config.get("cell"))
        name = name.removesuffix("Cell")
    details["function"] = config.get("activation")
    units, bias = _integer(config.get("units")), config.get("use_bias") is not False
    kind = _RECURRENT.get(name, _snake_case(name))
    return Stage(kind, step.output, channels=units, bias=bias, details=details)


def stacked_cells(step: Step) -> tuple[Stage, ...]:
    """Return the recurrent layers that ``RNN([cell, cell])`` is, from the input up; nothing for any other operation."""
    name, config = _wrapped(step.config.get("cell"))
    cells = config.get("cells")
    known = step.kind == "RNN" and name == "StackedRNNCells" and len(step.source) == 2
    if not known or not isinstance(cells, list) or not cells:
        return ()
    inner = {
        "return_sequences": True,
        "go_backwards": step.config.get("go_backwards"),
    }  # who reads first may turn round
    stages: list[Stage] = []
    for cell in cells:
        stage = _recurrent(replace(step, operation=replace(step.operation, config={**inner, "cell": cell})))
        stages.append(replace(stage, output=(step.source[0], stage.channels), layer=step.operation.layer))
        inner["go_backwards"] = False
    sequences = step.config.get("return_sequences") is True
    return *stages[:-1], replace(stages[-1], output=step.output, details={**stages[-1].details, "sequences": sequences})


def _bidirectional(step: Step) -> Stage:
    forward, back = (_wrapped(step.config.get(each)) for each in ("layer", "backward_layer"))
    inner = _recurrent(replace(step, operation=replace(step.operation, kind=forward[0], config=forward[1])))
    cell = inner.kind if back[0] in (forward[0], "other") else f"{inner.kind} and {_snake_case(back[0])}"
    details = {**inner.details, "cell": cell, "merge": step.config.get("merge_mode")}
    return replace(inner, kind="bidirectional", details=details)


def _zero_padding(step: Step) -> Stage:
    received = step.config.get("padding")
    one_axis = _integers(received)
    sides = [one_axis] if one_axis else [_integers(pair) for pair in received] if isinstance(received, list) else []
    pairs = tuple((pair[0], pair[1]) for pair in sides if pair is not None and len(pair) == 2)
    return Stage("zero_padding", step.output, details={"pads": pairs})


def _joined(step: Step) -> Stage:
    axis = step.config.get("axis")
    rank = len(step.output) + 1
    return Stage("concatenate" if axis in (-1, rank - 1) else f"concatenate over axis {axis}", step.output)


_TRANSLATIONS: Mapping[str, Callable[[Step], Stage]] = {
    "InputLayer": _global("input"),
    "Conv": _convolution,
    "DepthwiseConv": _convolution,
    "SeparableConv": _convolution,
    "ConvTranspose": _convolution,
    "MaxPooling": _pool("max_pool"),
    "MaxPool": _pool("max_pool"),
    "AveragePooling": _pool("average_pool"),
    "AveragePool": _pool("average_pool"),
    "GlobalAveragePooling": _global("global_average_pool"),
    "GlobalMaxPooling": _global("global_max_pool"),
    "Mean": _reduction("average"),
    "Max": _reduction("max"),
    "BatchNormalization": _global("batch_norm"),
    "LayerNormalization": _global("layer_norm"),
    "Dense": _dense,
    "TimeDistributed": _distributed,
    "SimpleRNN": _recurrent,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
    "Bidirectional": _bidirectional,
    "ZeroPadding": _zero_padding,
    "Concatenate": _joined,
}


def paddings(step: Step, stage: Stage, source: Shape, added: Pads = ()) -> tuple[str, ...]:
    """Return the words that fit the zeros around the input: "valid" for none, "same" for enough to keep its size.

    ``added`` are zeros from a layer before, whose input has the shape ``source``.
    """
    word = str(step.config.get("padding"))
    own = f"{word} after zeros {added}" if added else word
    lengths = (source[:-1], stage.output[:-1], stage.kernel or (), stage.strides or ())
    if word not in ("valid", "same") or "dilated" in stage.kind or len({len(each) for each in lengths}) != 1:
        return (own,)
    fits = {"valid", "same"}
    for axis, (before, after, size, stride) in enumerate(zip(*lengths, strict=True)):
        if before is None or after is None or size < 1 or stride < 1:
            return (own,)
        zeros = sum(added[axis]) if axis < len(added) else 0
        if word == "same":
            zeros += _same(before + zeros, size, stride)
        fits &= _words(before, after, size, stride, zeros)
    return tuple(sorted(fits, reverse=True)) or (own,)


def _words(before: int, after: int, size: int, stride: int, zeros: int) -> set[str]:
    """Return the words for so many zeros along one axis; a frame of zeros may be one wider than "same" needs."""
    least = _same(before, size, stride)
    keeps = after == -(-before // stride) and least <= zeros <= max(least, size - 1)
    return ({"valid"} if zeros == 0 else set()) | ({"same"} if keeps else set())


def _same(length: int, size: int, stride: int) -> int:
    """Count the zeros that TensorFlow's "same" puts around an axis."""
    return max((-(-length // stride) - 1) * stride + size - length, 0)


def _wrapped(received: object) -> tuple[str, Mapping[str, Any]]:
    """Read a layer inside another's config: its class and its own config."""
    if not isinstance(received, dict):
        return "other", {}
    name, config = received.get("class_name"), received.get("config")
    return (name if isinstance(name, str) else "other"), (config if isinstance(config, dict) else {})


def _integer(received: object) -> int | None:
    return received if type(received) is int else None


def _integers(received: object, repeat: int = 1) -> tuple[int, ...] | None:
    if type(received) is int:
        return (received,) * repeat
    if not isinstance(received, list) or not all(type(item) is int for item in received):
        return None
    return tuple(received)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
