"""The hidden checks of an assignment, run against one subject the way that counts.

Every check is run; one that failed after something that its task builds on had failed is run again with the
reference's functions in the place of the failed ones; and what failed in the end is put to the known misconceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest
from _pytest.runner import runtestprotocol

from autograder.checks.plugin import (
    EXAMINATION,
    Examination,
    check_outcome,
    collect_tasks,
    load_reference,
    read_rules,
    task_of,
)
from autograder.checks.results import Verdict
from autograder.errors import CheckFailure
from autograder.examine.diagnosis import Diagnosis
from autograder.misconceptions import load
from autograder.model import Outcome, TaskResult
from autograder.rubric import Task
from autograder.subject.proxy import Subject
from autograder.subject.witness import Answer, Witness

if TYPE_CHECKING:
    from autograder.course import Assignment


class Clock(Protocol):
    """Who keeps the time of the checks."""

    def begin_check(self, task: str) -> None:
        """Start the clock of one check of ``task``."""

    def end_check(self) -> None:
        """Stop it."""

    def renew(self, task: str) -> None:
        """Give a task its whole time again."""


class Checks:
    """The checks of an assignment as pytest collected them, with everything that they need and no subject yet."""

    def __init__(self, session: pytest.Session, assignment: Assignment) -> None:
        self.items = session.items
        self.config = session.config
        self.rubric = assignment.rubric
        self.reference = load_reference(assignment.solution)
        self.salt = assignment.course.salt.read_text(encoding="utf8").strip()
        known = load(assignment.misconceptions)
        self.diagnosis = Diagnosis(known, session.config, lambda item: runtestprotocol(item, log=False))

    def run(
        self, subject: Subject, clock: Clock, student: str, kept: Sequence[TaskResult] = ()
    ) -> tuple[TaskResult, ...]:
        """Run every check, carry errors forward, and say which known mistakes the failed ones show.

        The checks of a task whose result is ``kept`` from an earlier run are not run again.
        """
        standing = {task.name: task for task in kept}
        items = [item for item in self.items if task_of(item) not in standing]
        witness = Witness(subject)
        self.config.stash[EXAMINATION] = Examination(witness, self.reference, self.salt, student, self.rubric)
        read_rules(self.config)
        run = _Run(items, witness, clock)
        carried = self._carry_forward(run, {task.name for task in kept if task.outcome is not Outcome.PASSED})
        for check, mistake in self.diagnosis.of(items, run.asked).items():
            found = run.found[check]
            message = f"{mistake.feedback}\n{found.message}"
            run.found[check] = replace(found, message=message, misconception=mistake.name)
        results = collect_tasks(self.rubric, items, run.found)
        return tuple(standing.get(one.name) or replace(one, carried_forward=one.name in carried) for one in results)

    def _carry_forward(self, run: _Run, failed_before: set[str]) -> set[str]:
        """Repeat the checks that failed after something that their task builds on had failed; name who gained by it.

        In the repetition the reference answers for the failed functions, through the boundary; a check that then passes
        earns its points.
        """
        failed = {task_of(item) for item in run.items if run.found[item.nodeid].outcome is not Outcome.PASSED}
        failed |= failed_before
        given = {task.name: self._given(task, failed) for task in self.rubric.tasks if task.name in failed}
        return {name for name, functions in given.items() if functions and run.repeat(name, functions)}

    def _given(self, task: Task, failed: set[str]) -> dict[str, Callable[..., object]]:
        """The reference's functions for every failed task that ``task`` builds on, at whatever distance."""
        names = (name for one in self.rubric.below(task.name) if one.name in failed for name in one.functions)
        return {name: getattr(self.reference, name) for name in names}


class _Run:
    """The checks of one subject: what was ``found`` by each, and what the failed ones were answered (``asked``)."""

    def __init__(self, items: Sequence[pytest.Item], witness: Witness, clock: Clock) -> None:
        self.items = items
        self.witness = witness
        self.clock = clock
        self.asked: dict[str, Sequence[Answer]] = {}
        self.found = {item.nodeid: self._verdict(item) for item in items}

    def repeat(self, task: str, given: Mapping[str, Callable[..., object]]) -> bool:
        """Repeat the failed checks of a task with the given functions; say whether that earned anything."""
        earned = False
        self.clock.renew(task)
        for item in self.items:
            if task_of(item) == task and self.found[item.nodeid].outcome is Outcome.FAILED:
                verdict = self._verdict_given(item, given)
                if verdict.outcome is Outcome.PASSED:
                    self.found[item.nodeid] = replace(verdict, message=f"Passed with the given {', '.join(given)}.")
                    earned = True
        return earned

    def _verdict_given(self, item: pytest.Item, given: Mapping[str, Callable[..., object]]) -> Verdict:
        """Repeat one check; where there is no subject any more to give anything to, what was found stays."""
        self.clock.begin_check(task_of(item))  # the giving is in nobody else's time
        try:
            with self.witness.given(given):
                return self._verdict(item)
        except CheckFailure:
            return self.found[item.nodeid]

    def _verdict(self, item: pytest.Item) -> Verdict:
        self.clock.begin_check(task_of(item))
        verdict = check_outcome(item, runtestprotocol(item, log=False))
        self.clock.end_check()
        self.asked.pop(item.nodeid, None)
        if verdict.outcome is Outcome.FAILED:
            self.asked[item.nodeid] = self.witness.answers
        return verdict
