"""What an audit found: who got what they should not, which checks decide, and which wrong answers nobody noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from autograder.audit.candidates import Candidate, Kind
from autograder.audit.equivalent import Equivalent
from autograder.course import Assignment
from autograder.model import Outcome, Report, ReportOutcome, TaskResult


class Flaw(str, Enum):
    """What can be wrong with a grader, or with the answers that it is tried on."""

    FALSE_FAIL = "false fail"
    FALSE_PASS = "false pass"  # noqa: S105 - no password
    SPILL = "spill"
    MISTAKEN = "mistaken identity"
    BROKEN = "broken"
    UNGRADABLE = "ungradable"
    NOT_EQUIVALENT = "not equivalent"
    UNKNOWN_MUTANT = "unknown mutant"


@dataclass(frozen=True)
class Finding:
    """One thing to mend: whose report shows it, in which task, and what it says."""

    flaw: Flaw
    candidate: str
    task: str
    text: str


@dataclass(frozen=True)
class Survivor:
    """A mutant that lost nothing; ``reason`` is the author's, where it was argued away."""

    name: str
    definition: str
    line: int
    before: str
    after: str
    reason: str


@dataclass(frozen=True)
class CheckRecord:
    """One check, and the wrong answers of its task that it failed; ``alone`` counts those that no other check did."""

    task: str
    name: str
    title: str
    killed: tuple[str, ...]
    alone: int


@dataclass(frozen=True)
class Audit:
    """The whole of it. ``wrong`` are the wrong answers that were tried in each task, in order, for the kill matrix."""

    assignment: str
    counts: Mapping[str, int]
    findings: tuple[Finding, ...]
    survivors: tuple[Survivor, ...]
    checks: tuple[CheckRecord, ...]
    wrong: Mapping[str, tuple[str, ...]]
    diagnosed: int
    unknown: tuple[str, ...]

    @property
    def idle(self) -> tuple[CheckRecord, ...]:
        """The checks that nobody wrong has failed."""
        return tuple(check for check in self.checks if not check.killed)

    @property
    def is_flawed(self) -> bool:
        """Say whether there is something to mend."""
        return bool(self.findings) or len(self.survivors) > self.equivalent

    @property
    def equivalent(self) -> int:
        """How many mutants were argued away."""
        return sum(bool(one.reason) for one in self.survivors)

    @property
    def mutation_score(self) -> float | None:
        """The share of the other mutants that lost points; None without mutants."""
        tried = self.counts.get(Kind.MUTANT.value, 0) - self.equivalent
        return 1 - (len(self.survivors) - self.equivalent) / tried if tried else None


def find(
    assignment: Assignment,
    candidates: Sequence[Candidate],
    reports: Mapping[str, Report],
    equivalents: Sequence[Equivalent],
) -> Audit:
    """Compare what everybody got with what they should have got; candidates without a report are left out."""
    tried = [one for one in candidates if one.name in reports]
    survivors = tuple(
        _survivor(one, equivalents) for one in tried if one.kind is Kind.MUTANT and not _lost(one, reports[one.name])
    )
    diagnosed, unknown = _diagnoses(tried, reports)
    return Audit(
        assignment=assignment.slug,
        counts=dict(Counter(one.kind.value for one in tried)),
        findings=tuple(
            [finding for one in tried for finding in _findings(one, reports[one.name])]
            + list(_about_equivalents(candidates, reports, equivalents))
        ),
        survivors=survivors,
        checks=tuple(_checks(tried, reports)),
        wrong={task.name: _wrong(task.name, tried) for task in assignment.rubric.tasks},
        diagnosed=diagnosed,
        unknown=unknown,
    )


def _findings(one: Candidate, report: Report) -> Iterable[Finding]:
    if report.outcome is ReportOutcome.UNGRADABLE:
        yield Finding(Flaw.UNGRADABLE, one.name, "", report.reason or "")
        return
    for task in report.tasks:
        for check in task.checks:
            if check.outcome is Outcome.BROKEN:
                yield Finding(Flaw.BROKEN, one.name, task.name, f"{check.name}: {check.message}")
    yield from _wrongly_failed(one, report) if one.is_right else _wrongly_passed(one, report)


def _wrongly_failed(one: Candidate, report: Report) -> Iterable[Finding]:
    for task in report.tasks:
        for check in task.checks:
            if check.outcome is Outcome.FAILED:
                yield Finding(Flaw.FALSE_FAIL, one.name, task.name, f"{check.name}: {check.message}")


def _wrongly_passed(one: Candidate, report: Report) -> Iterable[Finding]:
    for task in report.tasks:
        if one.kind is Kind.UNTOUCHED and task.score > 0:
            yield Finding(Flaw.FALSE_PASS, one.name, task.name, "The stub gets points.")
        if task.name not in one.wrong_in and task.score < task.max_score:
            yield Finding(Flaw.SPILL, one.name, task.name, f"It loses points here: {_first_failure(task)}")
    if one.kind is Kind.MISCONCEPTION and not _lost(one, report):
        text = "It passes its own task: no check notices, or it is no mistake."
        yield Finding(Flaw.FALSE_PASS, one.name, min(one.wrong_in), text)
    for other in _taken_for(one, report) - {_own_name(one)}:
        if one.kind is Kind.MISCONCEPTION:
            yield Finding(Flaw.MISTAKEN, one.name, min(one.wrong_in), f"A check takes it for {other}.")


def _first_failure(task: TaskResult) -> str:
    return next((f"{c.name}: {c.message}" for c in task.checks if c.outcome is not Outcome.PASSED), "")


def _lost(one: Candidate, report: Report) -> bool:
    """Say whether it lost points where it had to."""
    return any(task.score < task.max_score for task in report.tasks if task.name in one.wrong_in)


def _own_name(one: Candidate) -> str:
    return one.name.removeprefix("misconception-")


def _taken_for(one: Candidate, report: Report) -> set[str]:
    own = (task for task in report.tasks if task.name in one.wrong_in)
    return {check.misconception for task in own for check in task.checks if check.misconception}


def _diagnoses(tried: Sequence[Candidate], reports: Mapping[str, Report]) -> tuple[int, tuple[str, ...]]:
    """Count the misconceptions that were known as themselves; name those that nobody knew."""
    wrong = [one for one in tried if one.kind is Kind.MISCONCEPTION and _lost(one, reports[one.name])]
    known = [one for one in wrong if _own_name(one) in _taken_for(one, reports[one.name])]
    return len(known), tuple(one.name for one in wrong if one not in known)


def _survivor(one: Candidate, equivalents: Sequence[Equivalent]) -> Survivor:
    assert one.mutant is not None
    mutant = one.mutant
    reason = next((entry.reason for entry in equivalents if entry.is_about(mutant)), "")
    return Survivor(one.name, mutant.definition, mutant.line, mutant.before, mutant.after, reason)


def _about_equivalents(
    everyone: Sequence[Candidate], reports: Mapping[str, Report], equivalents: Sequence[Equivalent]
) -> Iterable[Finding]:
    """Report entries of the list that name no mutant, or one that a check tells from the solution."""
    made = [(one, one.mutant) for one in everyone if one.mutant]
    for entry in equivalents if made else ():
        about = [one for one, mutant in made if entry.is_about(mutant)]
        if not about:
            text = f"There is no mutant `{entry.before}` -> `{entry.after}` any more: drop the entry."
            yield Finding(Flaw.UNKNOWN_MUTANT, entry.definition, "", text)
        for one in about:
            if one.name in reports and _lost(one, reports[one.name]):
                yield Finding(Flaw.NOT_EQUIVALENT, one.name, "", "A check tells it from the solution: drop the entry.")


def _wrong(task: str, tried: Sequence[Candidate]) -> tuple[str, ...]:
    return tuple(one.name for one in tried if task in one.wrong_in and one.kind is not Kind.UNTOUCHED)


def _checks(tried: Sequence[Candidate], reports: Mapping[str, Report]) -> Iterable[CheckRecord]:
    """Return every check with the wrong answers of its task that failed it."""
    solution = next((reports[one.name] for one in tried if one.kind is Kind.SOLUTION), None)
    for task in solution.tasks if solution else ():
        failed = {name: _failed(reports[name], task.name) for name in _wrong(task.name, tried)}
        for check in task.checks:
            killed = tuple(name for name, checks in failed.items() if check.name in checks)
            alone = sum(len(failed[name]) == 1 for name in killed)
            yield CheckRecord(task.name, check.name, check.title, killed, alone)


def _failed(report: Report, task: str) -> set[str]:
    """Return the checks of a task that were not passed."""
    checks = (check for one in report.tasks if one.name == task for check in one.checks)
    return {check.name for check in checks if check.outcome is not Outcome.PASSED}
