"""What an author expects of a network, stage by stage, and where a student's differs.

    conv(32, 3), max_pool(2), conv(64, 3, padding="same", activation=ANY), flatten(), dense(10, "softmax")

Paths that part and meet again are one stage, which ends in what joins them:

    concatenate([conv(64, 1)], [conv(96, 1), conv(128, 3, padding="same")])         the branches, in that order
    add([conv(64, 3, padding="same"), batch_norm()], [], activation="relu")         in any order; [] is the identity

What is ``ANY`` is not compared. The input is no stage, and neither are dropout, noise and the identity. An activation
belongs to the stage that it follows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from autograder.checks.canonical import Graph
from autograder.checks.description import Shape
from autograder.checks.translation import Stage
from autograder.errors import CheckFailure


class _Any:
    """What is not compared."""

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = _Any()

_MOST_STAGES = 1000
_DEEPEST = 40
"""More than in any network of a course; what is entangled more than this has no stages that could be read."""

_ALL_LINES = 12
"""A difference of that many lines is shown whole; of a longer one, what differs and its neighbors."""

_LONGEST_LINE = 100

_AGREES = 1_000_000
"""What a pair of lines that agree is worth in an alignment, beside 1 for a pair of one kind: more than all of these."""


@dataclass(frozen=True)
class Expected:
    """One expected stage: its kind, and the values of those fields of ``Stage`` and of its details that matter."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    branches: tuple[tuple[Expected, ...], ...] = ()


@dataclass(frozen=True)
class Received:
    """One stage of a student's network, with the paths that it joins."""

    stage: Stage
    branches: tuple[tuple[Received, ...], ...] = ()


Element: TypeAlias = "Expected | Received"


@dataclass(frozen=True)
class _Row:
    """One line: how deep in branches it stands, and a stage or some words."""

    indent: str
    what: Element | str

    def __str__(self) -> str:
        return self.indent + (self.what if isinstance(self.what, str) else _words(self.what))


def conv(
    filters: int | _Any,
    kernel: int | tuple[int, ...],
    *,
    strides: int | tuple[int, ...] = 1,
    padding: str | _Any = "valid",
    activation: str | _Any | None = "relu",
    output: Shape | _Any = ANY,
) -> Expected:
    """Expect a convolution; a single number for ``kernel`` or ``strides`` stands for all axes."""
    values = {"kernel": kernel, "strides": strides, "padding": padding, "activation": activation, "output": output}
    return Expected("conv", {"channels": filters, **values})


def dense(units: int | _Any, activation: str | _Any | None = None, *, output: Shape | _Any = ANY) -> Expected:
    """Expect a fully connected layer."""
    return Expected("dense", {"channels": units, "activation": activation, "output": output})


def max_pool(
    size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    *,
    padding: str | _Any = "valid",
    output: Shape | _Any = ANY,
) -> Expected:
    """Expect a max pooling; ``strides`` defaults to ``size``."""
    return _pool("max_pool", size, strides, padding, output)


def average_pool(
    size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    *,
    padding: str | _Any = "valid",
    output: Shape | _Any = ANY,
) -> Expected:
    """Expect an average pooling; ``strides`` defaults to ``size``."""
    return _pool("average_pool", size, strides, padding, output)


def global_average_pool(activation: str | _Any | None = None) -> Expected:
    """Expect the mean over each channel."""
    return Expected("global_average_pool", {"activation": activation})


def flatten() -> Expected:
    """Expect all axes to become one."""
    return Expected("flatten")


def batch_norm(activation: str | _Any | None = None) -> Expected:
    """Expect a batch normalization."""
    return Expected("batch_norm", {"activation": activation})


def recurrent(cell: str, units: int | _Any, *, sequences: bool | _Any = False, function: str | _Any = ANY) -> Expected:
    """Expect a recurrent layer that reads forward; ``cell`` is ``"simple_rnn"``, ``"gru"`` or ``"lstm"``.

    ``function`` is its own activation inside the recurrence.
    """
    values = {"channels": units, "sequences": sequences, "backwards": False, "function": function}
    return Expected(cell, values)


def bidirectional(cell: str, units: int | _Any, *, sequences: bool | _Any = False, merge: str = "concat") -> Expected:
    """Expect a bidirectional layer, ``units`` in each direction."""
    return Expected("bidirectional", {"cell": cell, "channels": units, "sequences": sequences, "merge": merge})


def concatenate(*branches: Sequence[Expected], output: Shape | _Any = ANY) -> Expected:
    """Expect paths that part and are concatenated along the channels, in this order."""
    return Expected("concatenate", {"output": output}, tuple(map(tuple, branches)))


def add(*branches: Sequence[Expected], activation: str | _Any | None = ANY, output: Shape | _Any = ANY) -> Expected:
    """Expect paths that part and are added, in any order; an empty path is a shortcut."""
    return Expected("add", {"activation": activation, "output": output}, tuple(map(tuple, branches)))


def other(kind: str, **values: object) -> Expected:
    """Expect a stage of any other kind, by the name of its class in snake case: masking, rescaling, multiply."""
    return Expected(kind, values)


def received_stages(graph: Graph) -> tuple[Received, ...]:
    """Read a graph as stages in a row, from its input to its first output.

    Raises:
        CheckFailure: it is too entangled for that.
    """
    dominators = _dominators(graph)
    left = itertools.count(_MOST_STAGES, -1)

    def path(end: int, start: int, depth: int) -> tuple[Received, ...]:
        found: list[Received] = []
        while end not in (start, -1):
            if next(left) < 0 or depth > _DEEPEST:
                raise CheckFailure("The paths of your model are too entangled to be read.")
            before, sources = dominators[end], graph.inputs[end]
            branches = tuple(path(each, before, depth + 1) for each in sources) if len(sources) > 1 else ()
            found.append(Received(graph.stages[end], branches))
            end = before
        return tuple(reversed(found))

    stages = path(graph.outputs[0], -1, 0)
    return stages[1:] if stages and stages[0].stage.kind == "input" else stages


def matches(expected: Sequence[Expected], received: Sequence[Received]) -> bool:
    """Tell whether two rows of stages, with all their branches, agree."""
    return len(expected) == len(received) and all(
        _fits(want, have) and _branches_match(want, have) for want, have in zip(expected, received, strict=True)
    )


def difference(expected: Sequence[Expected], received: Sequence[Received]) -> str:
    """Set expected and received stages beside each other, ``>`` before the lines that differ."""
    pairs = list(_aligned(list(_rows(expected)), list(_rows(received))))
    left = {number: str(pairs[number][0] or "") for number in _shown([same for _, _, same in pairs])}
    width = max(map(len, [*left.values(), "expected"]))
    lines = [f"  {'expected'.ljust(width)}   your model"]
    for last, number in itertools.pairwise([-1, *left]):
        _, have, same = pairs[number]
        lines += ["  ..."] if number != last + 1 else []
        lines.append(f"{'  ' if same else '> '}{left[number].ljust(width)}   {have or ''}".rstrip())
    return "\n".join(lines if len(pairs) - 1 in left else [*lines, "  ..."])


def _shown(agree: Sequence[bool]) -> list[int]:
    """Return which lines are shown: all of a few; of many those that differ, and two before and after each."""
    if len(agree) <= _ALL_LINES:
        return list(range(len(agree)))
    return [number for number in range(len(agree)) if not all(agree[max(0, number - 2) : number + 3])]


def _pool(
    kind: str, size: int | tuple[int, ...], strides: int | tuple[int, ...] | None, padding: object, output: object
) -> Expected:
    values = {"kernel": size, "strides": size if strides is None else strides, "padding": padding, "output": output}
    return Expected(kind, {**values, "activation": None})


def _dominators(graph: Graph) -> list[int]:
    """Return for each stage the last one before it that every path to it passes, or -1."""
    found: list[int] = []
    for sources in graph.inputs:
        meeting = set(sources)
        while len(meeting) > 1:
            last = max(meeting)
            meeting = meeting - {last} | {found[last]}
        found.append(meeting.pop() if meeting else -1)
    return found


def _fits(want: Expected, have: Received) -> bool:
    stage = have.stage
    return want.kind == stage.kind and all(
        value is ANY or _agrees(name, value, _value(stage, name))
        for name, value in {"activation": None, **want.values}.items()
    )


def _value(stage: Stage, name: str) -> Any:
    return getattr(stage, name) if name in Stage.__dataclass_fields__ else stage.details.get(name)


def _agrees(name: str, want: Any, have: Any) -> bool:
    if name == "padding":
        return isinstance(have, tuple) and want in have
    if name in ("kernel", "strides") and isinstance(want, int):
        return isinstance(have, tuple) and all(length == want for length in have)
    return bool(want == have)


def _branches_match(want: Expected, have: Received) -> bool:
    if len(want.branches) != len(have.branches):
        return False
    orders = itertools.permutations(have.branches) if want.kind == "add" else [have.branches]
    return any(
        all(matches(each, branch) for each, branch in zip(want.branches, order, strict=True))
        for order in itertools.islice(orders, 24)
    )


def _rows(elements: Sequence[Element], indent: str = "") -> Iterator[_Row]:
    """Yield the stages line by line, those of the branches before what joins them."""
    for element in elements:
        branches: Sequence[Sequence[Element]] = element.branches
        unordered = _kind(element) == "add"
        for branch in sorted(branches, key=len, reverse=True) if unordered else branches:
            yield _Row(indent, "path:" if branch else "path straight on")
            yield from _rows(branch, f"{indent}| ")
        yield _Row(indent, element)


def _aligned(wanted: Sequence[_Row], had: Sequence[_Row]) -> Iterator[tuple[_Row | None, _Row | None, bool]]:
    """Pair as many lines that agree as possible, then those of one kind; the others stand between, side by side."""
    i = j = 0
    for next_i, next_j in [*_paired(wanted, had), (len(wanted), len(had))]:
        for want, have in itertools.zip_longest(wanted[i:next_i], had[j:next_j]):
            yield want, have, False
        if next_i < len(wanted):
            yield wanted[next_i], had[next_j], _same(wanted[next_i], had[next_j])
        i, j = next_i + 1, next_j + 1


def _paired(wanted: Sequence[_Row], had: Sequence[_Row]) -> Iterator[tuple[int, int]]:
    """Yield the places of the common subsequence that is worth most."""
    most = [[0] * (len(had) + 1) for _ in range(len(wanted) + 1)]
    for i, j in itertools.product(reversed(range(len(wanted))), reversed(range(len(had)))):
        most[i][j] = max(most[i + 1][j + 1] + _worth(wanted[i], had[j]), most[i + 1][j], most[i][j + 1])
    i = j = 0
    while i < len(wanted) and j < len(had):
        worth = _worth(wanted[i], had[j])
        if worth and most[i][j] == most[i + 1][j + 1] + worth:
            yield i, j
            i, j = i + 1, j + 1
        elif most[i + 1][j] >= most[i][j + 1]:
            i += 1
        else:
            j += 1


def _worth(want: _Row, have: _Row) -> int:
    """Say what it is worth that two lines stand beside each other."""
    if _same(want, have):
        return _AGREES
    if want.indent != have.indent or isinstance(want.what, str) or isinstance(have.what, str):
        return 0
    return int(_kind(want.what) == _kind(have.what))


def _same(want: _Row, have: _Row) -> bool:
    if want.indent != have.indent or isinstance(want.what, str) or isinstance(have.what, str):
        return want == have
    return isinstance(want.what, Expected) and isinstance(have.what, Received) and _fits(want.what, have.what)


def _kind(element: Element) -> str:
    return element.kind if isinstance(element, Expected) else element.stage.kind


def _words(element: Element) -> str:
    """Write a stage in one line: ``conv 64, 3x3, stride 2, same, relu -> (16, 16, 64)``."""
    values = element.values if isinstance(element, Expected) else _values_of(element.stage)
    kernel, strides = _axes(values.get("kernel")), _axes(values.get("strides"))
    channels = _text(values.get("channels"))
    usual = re.sub(r"\d+", "1", kernel) if channels else kernel  # a pooling moves on by its own size
    head = " ".join(filter(None, [_kind(element), _text(values.get("cell")), channels or kernel]))
    parts = [
        head,
        kernel if channels else "",
        f"stride {_once(strides)}" if strides and strides != usual else "",
        _padding(values.get("padding")),
        "every step" if values.get("sequences") is True else "",
        "backwards" if values.get("backwards") is True else "",
        _text(values.get("function")),
        _text(values.get("activation")),
    ]
    output = values.get("output", ANY)
    shape = "" if output is ANY else f" -> ({', '.join(map(str, output))}{',' if len(output) == 1 else ''})"
    return _line(", ".join(filter(None, parts)) + shape)


def _values_of(stage: Stage) -> dict[str, Any]:
    own = {name: getattr(stage, name) for name in ("channels", "kernel", "strides", "padding", "activation", "output")}
    return {**stage.details, **own}


def _axes(value: object) -> str:
    """Write lengths along axes: 3x3. One number of the author's is taken for both axes of an image."""
    if isinstance(value, int):
        return f"{value}x{value}"
    return "x".join(map(str, value)) if isinstance(value, tuple) else ""


def _once(axes: str) -> str:
    """Write a length that all axes share once: 2, not 2x2."""
    lengths = axes.split("x")
    return lengths[0] if len(set(lengths)) == 1 else axes


def _padding(value: object) -> str:
    """Write the padding unless it is none: "valid" is what nobody has to say."""
    words = value if isinstance(value, tuple) else (value,)
    return "" if "valid" in words or value in (None, ANY) else _text(words[0])


def _text(value: object) -> str:
    return "" if value is None or value is ANY else str(value)


def _line(text: str) -> str:
    """Cut a line to what fits beside another one, and drop what is not printable."""
    kept = "".join(letter for letter in text if letter.isprintable())
    return kept if len(kept) <= _LONGEST_LINE else kept[:_LONGEST_LINE] + "..."
