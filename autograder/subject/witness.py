"""``Witness``: a subject that remembers what it was asked and what it answered, to be compared with another's answers.

Two functions that answer everything in a check alike are, for that check, the same function. That is how a student's
wrong answer is known as one that the author wrote down.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.errors import CheckFailure
from autograder.subject.codec import Handle
from autograder.subject.proxy import Subject

Array = npt.NDArray[Any]

_SILENT = frozenset({"begin", "give", "forget"})
"""Requests whose answers say nothing about the student's functions."""

_MANY_BYTES = 256 * 1024
"""A training on so much takes ten seconds and more; the course's lessons on steps and batches have a tenth of it."""

_NUMBERS = (int, float, complex, np.generic, np.ndarray)
"""Kinds of data that are compared as arrays, those of text among them."""


@dataclass(frozen=True)
class Answer:
    """One request, by what it asked for and the bytes of its arrays, and the reply; None where there was none."""

    asked: tuple[object, ...]
    reply: Mapping[Any, Any] | None
    size: int = 0

    @property
    def was_no_answer(self) -> bool:
        """True when nothing came back, or the stub's own exception, or there is no such function."""
        return self.reply is None or "missing" in self.reply or "NotImplementedError" in self.reply.get("raised", ())

    @property
    def was_a_training(self) -> bool:
        """True when Keras trained a network."""
        value = self.reply.get("value") if self.reply is not None else None
        return "fit" in self.asked or (isinstance(value, Handle) and value.type_name.endswith("History"))

    @property
    def was_a_long_training(self) -> bool:
        """True when it did so on more data than can be gone through once more for each known mistake."""
        return self.was_a_training and self.size > _MANY_BYTES


class Witness(Subject):
    """Passes every request on to ``subject`` and remembers the answers since the check began."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.source = subject.source
        self.answers: list[Answer] = []

    @contextlib.contextmanager
    def given(self, functions: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
        """Answer the calls that the student's code makes of ``functions`` by these, for a while."""
        with self.subject.given(functions):
            yield

    def begin(self, seed: int) -> None:
        """Start a new check, and forget the last one."""
        self.answers = []
        self.subject.begin(seed)

    def _ask(self, request: dict[str, object], function: str) -> dict[Any, Any]:
        asked = tuple(request.get(key) for key in ("op", "function", "through", "keep", "after"))
        size = _bytes((request.get("args"), request.get("kwargs")))
        try:
            reply = self.subject._ask(request, function)
        except CheckFailure:
            self.answers.append(Answer(asked, None, size))
            raise
        if request["op"] not in _SILENT:
            self.answers.append(Answer(asked, reply, size))
        return reply


class Double(Witness):
    """A subject that is asked only for as long as it answers, up to rounding, as another one did."""

    def __init__(self, subject: Subject, original: Sequence[Answer]) -> None:
        super().__init__(subject)
        self.original = original
        self._differs = False

    @property
    def is_alike(self) -> bool:
        """Say whether it was asked everything that the other was, and gave the same answers."""
        return not self._differs and len(self.answers) == len(self.original)

    def _ask(self, request: dict[str, object], function: str) -> dict[Any, Any]:
        if self._differs:
            raise CheckFailure("This is answered differently.")
        known = len(self.answers)
        reply = super()._ask(request, function)
        for mine, theirs in zip(self.answers[known:], self.original[known:], strict=False):
            self._differs = mine.asked != theirs.asked or not _alike(mine.reply, theirs.reply)
        return reply


def _bytes(sent: object) -> int:
    """Return how much the arrays hold that are sent along."""
    if isinstance(sent, np.ndarray):
        return sent.nbytes
    if isinstance(sent, Mapping):
        return sum(map(_bytes, sent.values()))
    return sum(map(_bytes, sent)) if isinstance(sent, (list, tuple)) else 0


def _alike(ours: object, theirs: object) -> bool:
    """Compare data; a handle equals any other, as what it stands for is known by what it answers."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        keys = ours.keys() - {"id", "where"}
        return keys == theirs.keys() - {"id", "where"} and all(_alike(ours[key], theirs[key]) for key in keys)
    if isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(map(_alike, ours, theirs))
    if isinstance(ours, Handle) or isinstance(theirs, Handle):
        return isinstance(ours, Handle) and isinstance(theirs, Handle)
    if isinstance(ours, _NUMBERS) and isinstance(theirs, _NUMBERS):
        return _close(np.asarray(ours), np.asarray(theirs))
    return type(ours) is type(theirs) and ours == theirs


def _close(ours: Array, theirs: Array) -> bool:
    """Compare shape, kind of number, and values: within 1e-4 of the largest one, 1e-6 where both are float64."""
    if ours.shape != theirs.shape or (ours.dtype.kind in "fc") != (theirs.dtype.kind in "fc"):
        return False
    if ours.dtype.kind not in "fc":
        return bool(np.array_equal(ours, theirs))
    rtol = 1e-6 if min(ours.dtype.itemsize, theirs.dtype.itemsize) >= 8 else 1e-4
    finite = np.isfinite(theirs)
    if not np.array_equal(np.isfinite(ours), finite) or not np.array_equal(ours[~finite], theirs[~finite], True):
        return False
    scale = np.abs(theirs[finite]).max(initial=0.0) or 1.0
    return bool((np.abs(ours[finite] - theirs[finite]) <= rtol * scale).all())
