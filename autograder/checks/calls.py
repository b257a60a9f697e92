"""Calls of a student's function against the same calls of the reference."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_close, assert_dict, assert_tuple, assert_unmodified
from autograder.errors import CheckFailure
from autograder.subject.proxy import Subject

_ROUGHLY = 1e-3
"""Relative tolerance where values are not what is checked."""


def assert_agrees(
    student: Subject, reference: ModuleType, function: str, *args: object, rtol: float | None = None
) -> None:
    """Compare one call with the reference's, at float32 or any better precision; tuples and dicts by their items."""
    parts = _parts(getattr(student, function)(*args), getattr(reference, function)(*args))
    for name, (received, expected) in parts.items():
        assert_close(received, expected, rtol=rtol, like=np.float32, name=name)


def assert_leaves_alone(student: Subject, reference: ModuleType, function: str, args: Sequence[object]) -> None:
    """Check that a call leaves its arguments as they were; something of its result has to be right too."""
    known = getattr(reference, function)
    received, after = getattr(student.with_arguments, function)(*args)
    _assert_something_right(received, known(*args), np.float32)
    assert_unmodified(args, after, list(inspect.signature(known).parameters))


def assert_keeps_precision(student: Subject, reference: ModuleType, function: str, args: Sequence[object]) -> None:
    """Check that float64 gives float64, and float32 at least float32; something of each result has to be right too."""
    for dtype in (np.float32, np.float64):
        converted = [_converted(arg, dtype) for arg in args]
        expected = getattr(reference, function)(*converted)
        _assert_something_right(getattr(student, function)(*converted), expected, dtype)


def _assert_something_right(received: object, expected: Any, like: npt.DTypeLike) -> None:
    """Ask for the right types and shapes everywhere, and for right values in one array at least."""
    parts = _parts(received, expected)
    failures = []
    for name, (part, wanted) in parts.items():
        assert_close(part, wanted, atol=np.inf, like=like, name=name)
        try:
            assert_close(part, wanted, rtol=_ROUGHLY, like=like, name=name)
        except CheckFailure as failure:
            failures.append(failure)
    if len(failures) == len(parts):
        raise failures[0]


def _parts(received: object, expected: Any) -> dict[str, tuple[object, Any]]:
    """Pair the arrays of a result with those of the expected one, each under a name for the messages."""
    if isinstance(expected, dict):
        items = assert_dict(received, expected)
        return {f'"{name}" of your output': (items[name], expected[name]) for name in expected}
    if isinstance(expected, tuple):
        pairs = zip(assert_tuple(received, len(expected)), expected, strict=True)
        return {f"item {position} of your output": pair for position, pair in enumerate(pairs)}
    return {"your output": (received, expected)}


def _converted(value: object, dtype: npt.DTypeLike) -> object:
    if isinstance(value, dict):
        return {name: _converted(item, dtype) for name, item in value.items()}
    return value.astype(dtype) if isinstance(value, np.ndarray) else value
