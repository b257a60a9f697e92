"""The records of the project: everything that is passed between stages, frozen.

``Report`` is the record of a grade and the only source of every view. Its JSON is versioned by ``SCHEMA``.
"""

from __future__ import annotations

import functools
import json
import types
import typing
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

from autograder.errors import GraderError

SCHEMA = 1
"""Version of the report's JSON; it rises when a reader of the old one would be misled."""

_SHOWN = 200
"""Characters of a wrong value that a message repeats."""


class Outcome(str, Enum):
    """What became of a check or a task. ``BROKEN`` is our fault and never costs points silently."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    BROKEN = "broken"


class ReportOutcome(str, Enum):
    """What became of a submission."""

    GRADED = "graded"
    UNGRADABLE = "ungradable"


@dataclass(frozen=True)
class Evidence:
    """What a check measured, passed or not: the sentence that a student reads, and the numbers in it.

    ``low`` and ``high`` are the interval that the verdict gave the observed value the benefit of, ``threshold`` is what
    was asked for, ``items`` how many values the observed one was computed from, and ``claimed`` what the student's own
    code says that it is. A number that plays no part is None.
    """

    measure: str
    text: str
    observed: float
    low: float | None = None
    high: float | None = None
    threshold: float | None = None
    items: int | None = None
    claimed: float | None = None


@dataclass(frozen=True)
class CheckResult:
    """One check of one task; ``title`` is the docstring the student reads, ``message`` is empty when it passed.

    Where a known ``misconception`` explains it, its feedback is the first line of ``message``.
    ``evidence`` is what the verdict rests on, where that is a measurement. ``close`` tells the instructor, not the
    student, where the verdict was a close one: another machine, in its last digits, might have given the other.
    """

    name: str
    title: str
    outcome: Outcome
    score: float
    max_score: float
    message: str = ""
    misconception: str | None = None
    evidence: Evidence | None = None
    close: str = ""

    @property
    def diagnosis(self) -> str:
        """What the student most likely did, in words; empty where nobody knows."""
        return self.message.partition("\n")[0] if self.misconception else ""

    @property
    def finding(self) -> str:
        """The message without the diagnosis: what was expected, and what came."""
        return self.message.partition("\n")[2] if self.misconception else self.message


@dataclass(frozen=True)
class TaskResult:
    """One task with its checks; the score is the sum of theirs.

    ``sha256`` is the digest of what decided it: the result stands until that changes.
    """

    name: str
    outcome: Outcome
    score: float
    max_score: float
    carried_forward: bool
    checks: tuple[CheckResult, ...]
    sha256: str = ""


@dataclass(frozen=True)
class NotebookRun:
    """What happened when the notebook ran from top to bottom; ``notes`` tell what was repaired first."""

    cells_run: int
    cells_failed: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seconds:
    """Wall seconds spent on one submission."""

    total: float
    notebook: float
    checks: float


@dataclass(frozen=True)
class Provenance:
    """What the grade was made from, so that it can be made again."""

    submission_sha256: str
    assignment_sha256: str
    autograder: str
    tensorflow: str
    sandbox: str


@dataclass(frozen=True)
class Report:
    """The record of one grade."""

    schema: int
    assignment: str
    student: str
    outcome: ReportOutcome
    score: float
    max_score: float
    reason: str | None
    tasks: tuple[TaskResult, ...]
    notebook: NotebookRun
    seconds: Seconds
    provenance: Provenance

    @property
    def needs_review(self) -> bool:
        """True when a person has to look: an ungradable submission, or a check that broke or was skipped."""
        undecided = any(task.outcome in {Outcome.BROKEN, Outcome.SKIPPED} for task in self.tasks)
        return undecided or self.outcome is ReportOutcome.UNGRADABLE

    def to_json(self) -> str:
        """Render as JSON, one stable text for one record."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read a report back.

        Raises:
            GraderError: the text is no report, or one of a newer version.
        """
        try:
            data = json.loads(text)
            if not isinstance(data, dict):
                raise TypeError("not an object")
            if data.get("schema") != SCHEMA:
                raise GraderError(
                    f"expected a report of schema {SCHEMA}, received {repr(data.get('schema'))[:_SHOWN]}: "
                    "upgrade autograder, or grade again with --fresh"
                )
            return typing.cast("Report", _record(cls, data))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise GraderError(
                f"expected a report, received something else ({str(error)[:_SHOWN]}): grade again with --fresh"
            ) from None


def tasks_to_json(tasks: tuple[TaskResult, ...]) -> str:
    """Render results as JSON."""
    return json.dumps([asdict(task) for task in tasks])


def tasks_from_json(text: str) -> tuple[TaskResult, ...]:
    """Read back what ``tasks_to_json`` rendered."""
    return typing.cast("tuple[TaskResult, ...]", _record(tuple[TaskResult, ...], json.loads(text)))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)  # takes longer than all the rest of reading a report


def _record(kind: Any, value: Any) -> Any:
    """Build ``kind`` from what ``asdict`` and JSON made of it; raises TypeError on any other structure."""
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        return None if value is None else _record(next(a for a in typing.get_args(kind) if a is not type(None)), value)
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError(f"expected a list, received {type(value).__name__}")
        return tuple(_record(typing.get_args(kind)[0], item) for item in value)
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        needed = {field.name for field in fields(kind) if field.default is MISSING}  # others came later, or may not
        if not isinstance(value, dict) or not needed <= set(value) <= set(hints):
            raise TypeError(f"expected the keys {sorted(hints)}")
        return typing.cast(Any, kind)(**{name: _record(hints[name], value[name]) for name in value})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"expected {kind.__name__}, received {type(value).__name__}")
    return value


def points(score: float) -> str:
    """Write a score with at most two decimals and no trailing zeros."""
    return f"{round(score, 2):.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Job:
    """One submission to grade: bytes in. ``notebook`` is None when there is no file to read; ``reason`` says why.

    Of tasks that are ``kept`` the earlier results stand, and the checks are not run again.
    """

    assignment: str
    student: str
    notebook: bytes | None
    reason: str | None = None
    kept: tuple[TaskResult, ...] = ()


@dataclass(frozen=True)
class Graded:
    """One submission graded: the record, and the executed notebook with its feedback (None when ungradable)."""

    report: Report
    notebook: bytes | None
