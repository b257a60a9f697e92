"""What a class's reports say together, and which of them a person has to look at."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from enum import Enum

from autograder.grading.engine import is_our_fault
from autograder.model import CheckResult, Outcome, Report, ReportOutcome, TaskResult

BINS = 10
UNSAFE_TIER = "none"
"""``provenance.sandbox`` of a report that was made with ``--unsafe-no-sandbox``."""


class Mark(Enum):
    """A task at a glance: a sign that needs no color, and what it stands for."""

    FULL = ("✓", "full points")
    PART = ("◐", "part of the points")
    NONE = ("✗", "no points")
    SKIPPED = ("-", "not checked")
    BROKEN = ("!", "broken, needs review")

    @property
    def sign(self) -> str:
        """One character."""
        return self.value[0]

    @property
    def meaning(self) -> str:
        """The sign in words."""
        return self.value[1]


@dataclass(frozen=True)
class Attention:
    """One report that needs a person: why, and what to do."""

    student: str
    why: str
    advice: str


@dataclass(frozen=True)
class CheckGroup:
    """The checks of a task that share a title: cases of one question, told once."""

    title: str
    mark: Mark
    passed: int
    total: int
    score: float
    max_score: float
    diagnoses: tuple[str, ...]
    """What the student most likely did."""
    messages: tuple[str, ...]
    """Why it failed. What a broken check says is about the hidden test, so it is for the instructor alone."""
    is_as_above: bool
    measured: tuple[str, ...]
    """What was measured where it passed; why one failed tells its numbers already."""


@dataclass(frozen=True)
class TaskRate:
    """How one task went in the class, over the graded submissions."""

    name: str
    max_score: float
    mean_score: float
    full: int
    graded: int


@dataclass(frozen=True)
class Measurement:
    """What one check measured in the class, from the lowest value to the highest, beside what was asked for."""

    task: str
    title: str
    threshold: float
    lowest: float
    median: float
    highest: float
    passed: int
    measured: int


@dataclass(frozen=True)
class ClassSummary:
    """The class in numbers; scores are those of the graded submissions, ``bins`` counts them from 0 to full points."""

    submissions: int
    graded: int
    mean: float
    median: float
    max_score: float
    bins: tuple[int, ...]
    tasks: tuple[TaskRate, ...]
    measurements: tuple[Measurement, ...]
    misconceptions: tuple[tuple[str, str, int], ...]
    attention: tuple[Attention, ...]
    close_calls: tuple[Attention, ...]
    is_unsafe: bool


def mark(task: TaskResult) -> Mark:
    """Return a task's sign."""
    if task.outcome in (Outcome.BROKEN, Outcome.SKIPPED):
        return Mark.BROKEN if task.outcome is Outcome.BROKEN else Mark.SKIPPED
    if task.score >= task.max_score:
        return Mark.FULL
    return Mark.PART if task.score > 0 else Mark.NONE


def groups(task: TaskResult) -> list[CheckGroup]:
    """Join a task's checks by title, in order; a message is told where it first comes up, and not again."""
    found: list[CheckGroup] = []
    told: set[str] = set()
    for title in dict.fromkeys(check.title for check in task.checks):
        group = _group(title, [check for check in task.checks if check.title == title], told)
        told.update((*group.diagnoses, *group.messages))
        found.append(group)
    return found


def _group(title: str, checks: Sequence[CheckResult], told: Set[str]) -> CheckGroup:
    failed = [check for check in checks if check.message and check.outcome in (Outcome.FAILED, Outcome.SKIPPED)]
    why = dict.fromkeys(check.finding for check in failed)
    diagnoses = dict.fromkeys(check.diagnosis for check in failed if check.diagnosis)
    return CheckGroup(
        title=title,
        mark=_group_mark({check.outcome for check in checks}),
        passed=sum(check.outcome is Outcome.PASSED for check in checks),
        total=len(checks),
        score=sum(check.score for check in checks),
        max_score=sum(check.max_score for check in checks),
        diagnoses=tuple(diagnosis for diagnosis in diagnoses if diagnosis not in told),
        messages=tuple(message for message in why if message not in told),
        is_as_above=any(message in told for message in why),
        measured=tuple(dict.fromkeys(c.evidence.text for c in checks if c.evidence and c.outcome is Outcome.PASSED)),
    )


def _group_mark(outcomes: set[Outcome]) -> Mark:
    if Outcome.BROKEN in outcomes:
        return Mark.BROKEN
    if Outcome.FAILED in outcomes:
        return Mark.PART if Outcome.PASSED in outcomes else Mark.NONE
    return Mark.SKIPPED if Outcome.SKIPPED in outcomes else Mark.FULL


def attention(reports: Iterable[Report]) -> tuple[Attention, ...]:
    """List what a person has to look at, one entry per report."""
    return tuple(_attention(report) for report in reports if report.needs_review)


def close_calls(reports: Iterable[Report]) -> tuple[Attention, ...]:
    """List what was decided by little, one entry per report: on another machine it might have come out otherwise."""
    return tuple(_close_call(report, calls) for report in reports if (calls := list(_calls(report))))


def _calls(report: Report) -> Iterator[str]:
    for task in report.tasks:
        for check in task.checks:
            if check.close:
                yield f"{task.name}, {check.title}: {check.outcome.value} by little. {check.close}"


def _close_call(report: Report, calls: Sequence[str]) -> Attention:
    more = f" (and {len(calls) - 1} more)" if len(calls) > 1 else ""
    advice = "Look at the answer; if it deserves another score, set it by hand in formgrader."
    return Attention(report.student, f"{calls[0]}{more}", advice)


def _attention(report: Report) -> Attention:
    if is_our_fault(report):
        return Attention(report.student, report.reason or "", "Not the student's fault: run the same command again.")
    if report.outcome is ReportOutcome.UNGRADABLE:
        return Attention(report.student, report.reason or "", "Ask for a new file, then run the same command again.")
    broken = [task for task in report.tasks if task.outcome is Outcome.BROKEN]
    why = "; ".join(_why_broken(task) for task in broken)
    return Attention(report.student, why, "Not the student's fault: mend the hidden test, then grade with --fresh.")


def _why_broken(task: TaskResult) -> str:
    lines = (check.message.strip().splitlines() for check in task.checks if check.outcome is Outcome.BROKEN)
    first = next((found[0] for found in lines if found), "a check broke")
    return f"{task.name}: {first}"


def summarize(reports: Sequence[Report]) -> ClassSummary:
    """Count a class."""
    graded = [report for report in reports if report.outcome is ReportOutcome.GRADED]
    scores = [report.score for report in graded]
    return ClassSummary(
        submissions=len(reports),
        graded=len(graded),
        mean=statistics.fmean(scores) if scores else 0.0,
        median=statistics.median(scores) if scores else 0.0,
        max_score=max((report.max_score for report in reports), default=0.0),
        bins=_bins(graded),
        tasks=tuple(_rates(graded)),
        measurements=tuple(_measurements(graded)),
        misconceptions=_misconceptions(graded),
        attention=attention(reports),
        close_calls=close_calls(reports),
        is_unsafe=any(report.provenance.sandbox == UNSAFE_TIER for report in reports),
    )


def _bins(graded: Iterable[Report]) -> tuple[int, ...]:
    counts = Counter(
        min(int(BINS * report.score / report.max_score), BINS - 1) for report in graded if report.max_score
    )
    return tuple(counts[number] for number in range(BINS))


def _rates(graded: Sequence[Report]) -> Iterator[TaskRate]:
    """Rate the tasks in their order; a report of an older rubric counts in the tasks that it has."""
    for name in dict.fromkeys(task.name for report in graded for task in report.tasks):
        tasks = [task for report in graded for task in report.tasks if task.name == name]
        yield TaskRate(
            name=name,
            max_score=max(task.max_score for task in tasks),
            mean_score=statistics.fmean(task.score for task in tasks),
            full=sum(mark(task) is Mark.FULL for task in tasks),
            graded=len(tasks),
        )


def _measurements(graded: Sequence[Report]) -> Iterator[Measurement]:
    """Join what the checks measured, in the order of the tasks; what has no threshold decided nothing."""
    for name in dict.fromkeys(task.name for report in graded for task in report.tasks):
        checks = [check for report in graded for task in report.tasks if task.name == name for check in task.checks]
        for title in dict.fromkeys(check.title for check in checks):
            found = [(c.outcome, c.evidence) for c in checks if c.title == title and c.evidence]
            values = [evidence.observed for _, evidence in found]
            asked = [evidence.threshold for _, evidence in found if evidence.threshold is not None]
            if asked:
                passed = sum(outcome is Outcome.PASSED for outcome, _ in found)
                spread = min(values), statistics.median(values), max(values)
                yield Measurement(name, title, asked[0], *spread, passed, len(found))


def _misconceptions(graded: Iterable[Report]) -> tuple[tuple[str, str, int], ...]:
    """Return (task, misconception, students), the most frequent first."""
    seen = Counter(
        pair
        for report in graded
        for pair in {(t.name, c.misconception) for t in report.tasks for c in t.checks if c.misconception}
    )
    return tuple((task, name or "", count) for (task, name), count in seen.most_common())
