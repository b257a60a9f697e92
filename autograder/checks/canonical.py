"""The canonical form of a model: a graph of stages that is the same for every way of writing the same network.

Layer names, nesting, Sequential or functional or subclassed, ``activation=`` or a layer or a function, and everything
that does nothing to a prediction (dropout, noise, identity) leave no trace. Equal networks that are written differently
become one form where the difference is a student's free choice:

- zero padding before a convolution is the convolution's own; what counts is how much there is, not what it is called;
- an element-wise function after a concatenation, a flattening, or a max pooling (if it never falls) stands before it;
- global average pooling is that, whether it is a layer, a mean over both axes, at once or one after the other, or one
  large pooling and a flattening;
- ReLU of ReLU is ReLU, and flattening what is flat is nothing;
- ``TimeDistributed(Dense)`` is Dense, ``RNN(LSTMCell)`` is LSTM, and ``RNN([LSTMCell, LSTMCell])`` is two of them;
- a recurrent layer that gives every step, of which the last one is taken, is one that gives the last state.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autograder.checks.description import Description, Operation, Shape
from autograder.checks.translation import (
    ELEMENTWISE,
    MONOTONE,
    RECURRENT,
    Pads,
    Stage,
    Step,
    activation_of,
    paddings,
    stacked_cells,
    takes_last_step,
    translate,
)
from autograder.errors import CheckFailure

_NOTHING = re.compile(
    r"^(Dropout|SpatialDropout[123]D|AlphaDropout|GaussianDropout|GaussianNoise|ActivityRegularization|Identity"
    r"|ConvertToTensor)$"
)
_WITH_ACTIVATION = ("conv", "conv_transpose", "dense")
"""How kinds end whose ``activation=`` is applied to their output; that of a recurrent layer is inside it."""


@dataclass(frozen=True)
class Graph:
    """Stages in the order of the flow; ``inputs[n]`` are the numbers of the stages that stage ``n`` reads."""

    stages: tuple[Stage, ...]
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[int, ...]


def canonical(description: Description) -> Graph:
    """Bring a model into canonical form."""
    builder = _Builder()
    places: list[int] = []
    try:
        for operation in description.operations:
            inputs = [builder.output(places[number], output) for number, output in operation.inputs]
            places.append(builder.add(operation, inputs))
    except RecursionError:
        raise CheckFailure("The stages of your model are too many to be read.") from None
    return builder.graph([builder.output(places[number], output) for number, output in description.outputs])


class _Builder:
    """Stages under construction. None is ever changed or removed; what nothing leads to is left out at the end."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.inputs: list[tuple[int, ...]] = []
        self._activated: dict[tuple[int, str], int] = {}

    def new(self, stage: Stage, inputs: Sequence[int]) -> int:
        self.stages.append(stage)
        self.inputs.append(tuple(inputs))
        return len(self.stages) - 1

    def output(self, place: int, number: int) -> int:
        """Return the stage of one output of several."""
        if number == 0:
            return place
        return self.new(Stage("output", (), details={"number": number}), [place])

    def add(self, operation: Operation, inputs: Sequence[int]) -> int:
        """Add what an operation does, in canonical form; return the number of its last stage."""
        if _NOTHING.match(operation.kind) and len(inputs) == 1:
            return inputs[0]
        step = Step(operation, tuple(self.stages[number].output for number in inputs))
        function = activation_of(step)
        if function is not None and len(inputs) == 1:
            return self.activated(inputs[0], function, step.output)
        if stack := stacked_cells(step):
            return functools.reduce(lambda place, stage: self.new(stage, [place]), stack, inputs[0])
        place = self._simplified(translate(step), step, inputs)
        own = step.config.get("activation")
        applied = self.stages[place].kind.endswith(_WITH_ACTIVATION) and isinstance(own, str)
        return self.activated(place, str(own), step.output) if applied else place

    def activated(self, place: int, function: str, output: Shape) -> int:
        """Add an activation function, as early as it can stand."""
        if (place, function) not in self._activated:
            self._activated[place, function] = self._activation(place, function, output)
        return self._activated[place, function]

    def _activation(self, place: int, function: str, output: Shape) -> int:
        stage = self.stages[place]
        if function == "linear" or (stage.kind == "activation" and stage.activation == function == "relu"):
            return place
        early = ("concatenate", "flatten", "reshape")
        if (stage.kind in early and function in ELEMENTWISE) or (stage.kind == "max_pool" and function in MONOTONE):
            before = [self.activated(each, function, self.stages[each].output) for each in self.inputs[place]]
            return self.new(stage, before)
        return self.new(Stage("activation", output, activation=function), [place])

    def _simplified(self, stage: Stage, step: Step, inputs: Sequence[int]) -> int:
        first = self.stages[inputs[0]] if inputs else None
        if first is not None and stage.kind in ("flatten", "reshape"):
            if first.output == stage.output:
                return inputs[0]
            if len(stage.output) == 1 and _is_global_pool(first, self._input_of(inputs[0])):
                pool = first.kind if first.kind.startswith("global") else f"global_{first.kind}"
                return self.new(Stage(pool, stage.output), self.inputs[inputs[0]])
            stage = replace(stage, kind="flatten" if len(stage.output) == 1 else stage.kind)
        if stage.kind == "conv":
            return self._convolution(stage, step, inputs)
        if first is not None and _is_begun_by(stage, first, self._input_of(inputs[0])):
            return self.new(stage, self.inputs[inputs[0]])
        if first is not None and first.kind in RECURRENT and takes_last_step(step):
            last = replace(first, output=stage.output, details={**first.details, "sequences": False})
            return self.new(last, self.inputs[inputs[0]])
        return self.new(stage, inputs)

    def _convolution(self, stage: Stage, step: Step, inputs: Sequence[int]) -> int:
        """Add a convolution together with the zero padding before it."""
        added: Pads = ()
        before = self.stages[inputs[0]]
        if before.kind == "zero_padding" and step.config.get("padding") in ("valid", "same"):
            added, inputs = before.details["pads"], self.inputs[inputs[0]]
        padding = paddings(step, stage, self.stages[inputs[0]].output, added)
        return self.new(replace(stage, padding=padding), inputs)

    def _input_of(self, place: int) -> Shape:
        return self.stages[self.inputs[place][0]].output if self.inputs[place] else ()

    def graph(self, outputs: Sequence[int]) -> Graph:
        """Keep what the outputs depend on, and draw activations into the stages that they follow."""
        needed = self._reachable(outputs)
        readers = [0] * len(self.stages)
        for each in (*outputs, *(source for place in needed for source in self.inputs[place])):
            readers[each] += 1
        stages: list[Stage] = []
        inputs: list[tuple[int, ...]] = []
        moved: dict[int, int] = {}
        for place in needed:
            stage, sources = self.stages[place], tuple(moved[source] for source in self.inputs[place])
            if stage.kind == "activation" and readers[self.inputs[place][0]] == 1 and _takes(stages[sources[0]]):
                stages[sources[0]] = replace(stages[sources[0]], activation=stage.activation)
                moved[place] = sources[0]
                continue
            moved[place] = len(stages)
            stages.append(stage)
            inputs.append(sources)
        return Graph(tuple(stages), tuple(inputs), tuple(moved[output] for output in outputs))

    def _reachable(self, outputs: Sequence[int]) -> list[int]:
        seen: set[int] = set()
        waiting = list(outputs)
        while waiting:
            place = waiting.pop()
            if place not in seen:
                seen.add(place)
                waiting += self.inputs[place]
        return sorted(seen)


def _takes(stage: Stage) -> bool:
    return stage.activation is None and stage.kind not in ("input", "activation", "flatten", "reshape")


def _is_global_pool(stage: Stage, source: Shape) -> bool:
    if stage.kind in ("global_average_pool", "global_max_pool"):
        return True
    return stage.kind in ("average_pool", "max_pool") and stage.activation is None and stage.kernel == source[:-1]


def _is_begun_by(stage: Stage, first: Stage, source: Shape) -> bool:
    """Tell whether a global pooling only goes on with what a mean over rows or columns began."""
    begins = {"global_average_pool": "mean", "global_max_pool": "max"}.get(stage.kind)
    if begins is None or first.kind != begins:
        return False
    given, rank = first.details["axis"], len(source) + 1
    axes = given if isinstance(given, list) else [given]
    return all(type(axis) is int and 0 < axis % rank < rank - 1 for axis in axes)
