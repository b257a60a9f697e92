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

from autograder.model import Evidence

_FOUND: ContextVar[list[Evidence] | None] = ContextVar("found", default=None)


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
    """Hand on what was measured. What is not finite is no measurement, and no JSON either."""
    found = _FOUND.get()
    numbers = (evidence.observed, evidence.low, evidence.high, evidence.threshold, evidence.claimed)
    if found is not None and all(number is None or math.isfinite(number) for number in numbers):
        found.append(evidence)
