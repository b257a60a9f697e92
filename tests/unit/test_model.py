"""Reports: their JSON is the record, so it must come back as it went."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import GraderError
from autograder.model import (
    SCHEMA,
    CheckResult,
    Evidence,
    NotebookRun,
    Outcome,
    Provenance,
    Report,
    ReportOutcome,
    Seconds,
    TaskResult,
)

if TYPE_CHECKING:
    from tests.conftest import ReportOf

scores = st.floats(0, 100)
perhaps = st.none() | scores
evidence = st.builds(
    Evidence,
    measure=st.text(max_size=9),
    text=st.text(max_size=20),
    observed=scores,
    low=perhaps,
    high=perhaps,
    threshold=perhaps,
    items=st.none() | st.integers(0, 999),
    claimed=perhaps,
)
checks = st.builds(
    CheckResult,
    name=st.text(max_size=20),
    title=st.text(max_size=20),
    outcome=st.sampled_from(Outcome),
    score=scores,
    max_score=scores,
    message=st.text(max_size=50),
    misconception=st.none() | st.text(max_size=10),
    evidence=st.none() | evidence,
)
tasks = st.builds(
    TaskResult,
    name=st.text(max_size=20),
    outcome=st.sampled_from(Outcome),
    score=scores,
    max_score=scores,
    carried_forward=st.booleans(),
    checks=st.lists(checks, max_size=3).map(tuple),
)
reports = st.builds(
    Report,
    schema=st.just(SCHEMA),
    assignment=st.text(max_size=10),
    student=st.text(max_size=10),
    outcome=st.sampled_from(ReportOutcome),
    score=scores,
    max_score=scores,
    reason=st.none() | st.text(max_size=20),
    tasks=st.lists(tasks, max_size=3).map(tuple),
    notebook=st.builds(NotebookRun, st.integers(0, 99), st.integers(0, 99), st.lists(st.text(max_size=9)).map(tuple)),
    seconds=st.builds(Seconds, scores, scores, scores),
    provenance=st.builds(Provenance, *[st.text(max_size=9)] * 5),
)


@given(reports)
def test_a_report_survives_its_json(report: Report) -> None:
    """Written and read again, a report is equal to itself, and its text is stable."""
    text = report.to_json()
    assert Report.from_json(text) == report
    assert Report.from_json(text).to_json() == text


@given(reports)
def test_a_report_of_before_there_was_evidence_is_read(report: Report) -> None:
    """What has a default may be missing: it came later, and nobody has to grade again for it."""
    data = json.loads(report.to_json())
    for check in (check for task in data["tasks"] for check in task["checks"]):
        del check["evidence"]
    read = Report.from_json(json.dumps(data))
    assert [check.evidence for task in read.tasks for check in task.checks] == [
        None for task in report.tasks for _ in task.checks
    ]


@given(reports, st.data())
def test_a_damaged_report_is_a_grader_error(report: Report, data: st.DataObject) -> None:
    """A key that is missing, unknown or of another type never becomes a report."""
    damaged: dict[str, Any] = json.loads(report.to_json())
    key = data.draw(st.sampled_from(sorted(damaged)))
    damaged[key] = data.draw(st.sampled_from([[], {"no": 1}, b"".hex, 1.5, True]).filter(lambda new: not callable(new)))
    if isinstance(damaged[key], float) and key in {"score", "max_score"}:
        damaged["unknown"] = 1
    if damaged[key] == [] and key == "tasks":
        del damaged["tasks"]
    with pytest.raises(GraderError):
        Report.from_json(json.dumps(damaged))


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "\x00", '{"schema": 1}'])
def test_something_else_is_no_report(text: str) -> None:
    """Other JSON, and no JSON, say what was expected."""
    with pytest.raises(GraderError, match="expected a report"):
        Report.from_json(text)


def test_a_report_of_a_newer_version_says_so() -> None:
    """The next step is an upgrade, not a traceback."""
    with pytest.raises(GraderError, match="schema 1, received 2: upgrade"):
        Report.from_json('{"schema": 2}')


def test_a_report_of_brackets_is_a_known_error() -> None:
    """JSON can be nested deeper than Python reads."""
    with pytest.raises(GraderError, match="expected a report"):
        Report.from_json("[" * 200_000)


@pytest.mark.parametrize("part", ['"schema": 1', '"outcome": "graded"'])
def test_a_damaged_report_is_a_short_error(report_of: ReportOf, part: str) -> None:
    """A message repeats the beginning of what is wrong, not all of it."""
    key = part.partition(":")[0]
    with pytest.raises(GraderError) as caught:
        Report.from_json(report_of("ada").to_json().replace(part, f'{key}: "{"a" * 100_000}"', 1))
    assert len(str(caught.value)) < 500
