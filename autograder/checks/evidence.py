"""What a check measured, on its way from an assertion of the vocabulary to the record of the grade.

    with measuring() as found:         the plugin does this around each check
        assert_accuracy(...)           ends in note(Evidence(...))
    found[-1]                          what decided

An assertion returns to a test that an author wrote, who need not hand anything on. So what it measured goes past the
test, by a context variable. Nobody listens outside of a check, in a calibration for instance: then nothing is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from autograder.model import Evidence

_NUMBERS = ("observed", "low", "high", "threshold", "claimed")

NEAR = 0.02
"""A measured number this close to its threshold, as a share of it, may fall on the other side on another machine."""

_FOUND: ContextVar[list[Evidence] | None] = ContextVar("found", default=None)
_CLOSE: ContextVar[list[str] | None] = ContextVar("close", default=None)


@contextmanager
def measuring() -> Iterator[list[Evidence]]:
    """Collect what is measured meanwhile, in order: of several attempts the last one decided."""
    found: list[Evidence] = []
    token = _FOUND.set(found)
    try:
        yield found
    finally:
        _FOUND.reset(token)


def note(evidence: Evidence) -> None:
    """Hand on what was measured, in Python's own numbers. What is not finite is no measurement, and no JSON either."""
    found = _FOUND.get()
    given = {name: getattr(evidence, name) for name in _NUMBERS}
    numbers: dict[str, Any] = {name: float(number) for name, number in given.items() if number is not None}
    if found is not None and all(map(math.isfinite, numbers.values())):
        items = None if evidence.items is None else int(evidence.items)
        found.append(replace(evidence, items=items, **numbers))
        if is_near(found[-1]):
            note_close_call(evidence.text)


def is_near(evidence: Evidence) -> bool:
    """Say whether a little more or less would have decided otherwise: one item of an accuracy, 2 % of anything else."""
    if evidence.threshold is None:
        return False
    if evidence.high is not None and evidence.items:
        return abs(evidence.high - evidence.threshold) <= 1 / evidence.items
    return abs(evidence.observed - evidence.threshold) <= NEAR * abs(evidence.threshold)


@contextmanager
def close_calls() -> Iterator[list[str]]:
    """Collect the decisions meanwhile that were close ones, each as a sentence for the instructor."""
    found: list[str] = []
    token = _CLOSE.set(found)
    try:
        yield found
    finally:
        _CLOSE.reset(token)


def note_close_call(text: str) -> None:
    """Hand on that a decision was a close one."""
    found = _CLOSE.get()
    if found is not None:
        found.append(text)
