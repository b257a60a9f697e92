"""The checks of an assignment, run in process against any functions.

``examine`` uses the examiner's own plugin, so what is shown here about a check holds for it in the sandbox.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from _pytest.runner import runtestprotocol

from autograder.checks.plugin import EXAMINATION, Examination, check_outcome, collect_tasks, load_reference, task_of
from autograder.course import Assignment
from autograder.examine.checks import Checks
from autograder.misconceptions import Misconception
from autograder.model import CheckResult, Outcome, TaskResult
from autograder.subject.proxy import ModuleSubject, Subject

Results = dict[str, dict[str, TaskResult]]
"""By subject, then by task."""

_OPTIONS = (
    "--import-mode=importlib",
    "--capture=no",
    "--noconftest",
    "--disable-plugin-autoload",
    f"-c{os.devnull}",
    "-pautograder.checks.plugin",
    "-pno:cacheprovider",
    "-pno:terminal",
)


def examine(
    assignment: Assignment, tests: Path, subjects: Mapping[str, Subject], only: Mapping[str, str] | None = None
) -> Results:
    """Run a test file against subjects, all of it or ``only`` the task given for a subject.

    Tasks that were not run are left out of the results.
    """
    bench = _Bench(assignment, subjects, only or {})
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        # A module is named by its path below rootdir: each assignment has a test_hidden.py of its own.
        code = pytest.main([str(tests), f"--rootdir={assignment.course.root}", *_OPTIONS], plugins=[bench])
    assert code == pytest.ExitCode.OK, f"{tests} could not be collected: {bench.problems}"
    return bench.results


def examine_one(
    assignment: Assignment, tests: Path, subject: Subject, task: str | None = None
) -> dict[str, TaskResult]:
    """Run a test file against one subject, all of it or the checks of one task."""
    return examine(assignment, tests, {"it": subject}, {"it": task} if task else None)["it"]


def diagnosed(assignment: Assignment, misconceptions: Sequence[Misconception]) -> dict[str, dict[str, str | None]]:
    """Put each misconception in the place of a student; return what each failed check of its task takes it for."""
    bench = _Clinic(assignment, misconceptions)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        options = (f"--rootdir={assignment.course.root}", *_OPTIONS)
        assert pytest.main([str(assignment.hidden_tests), *options], plugins=[bench]) == pytest.ExitCode.OK
    return bench.found


def checks(tasks: Mapping[str, TaskResult], *outcomes: Outcome) -> dict[str, CheckResult]:
    """Return the checks with one of the outcomes, by default with any but passed, by their names."""
    wanted = outcomes or (Outcome.FAILED, Outcome.SKIPPED, Outcome.BROKEN)
    return {check.name: check for task in tasks.values() for check in task.checks if check.outcome in wanted}


class _Bench:
    """A pytest plugin whose run loop examines one subject after another."""

    def __init__(self, assignment: Assignment, subjects: Mapping[str, Subject], only: Mapping[str, str]) -> None:
        self.assignment = assignment
        self.subjects = subjects
        self.only = only
        self.reference = load_reference(assignment.solution)
        self.results: Results = {}
        self.problems: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.problems.append(str(report.longrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for name, subject in self.subjects.items():
            chosen = [item for item in session.items if self.only.get(name, task_of(item)) == task_of(item)]
            self.results[name] = self._examined(session.config, subject, chosen)
        return True

    def _examined(self, config: pytest.Config, subject: Subject, items: Sequence[pytest.Item]) -> dict[str, TaskResult]:
        rubric = self.assignment.rubric
        config.stash[EXAMINATION] = Examination(subject, self.reference, "salt", "student", rubric)
        outcomes = {item.nodeid: check_outcome(item, runtestprotocol(item, log=False)) for item in items}
        return {task.name: task for task in collect_tasks(rubric, items, outcomes) if task.checks}


class _Clinic:
    """A pytest plugin whose run loop examines every misconception as the examiner would."""

    def __init__(self, assignment: Assignment, misconceptions: Sequence[Misconception]) -> None:
        self.assignment = assignment
        self.misconceptions = misconceptions
        self.found: dict[str, dict[str, str | None]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        every = Checks(session, self.assignment)
        for one in self.misconceptions:
            every.items = [item for item in session.items if task_of(item) == one.task]
            tasks = every.run(ModuleSubject({**vars(every.reference), **one.functions}), _NoClock(), "student")
            failed = checks({task.name: task for task in tasks}, Outcome.FAILED)
            self.found[one.name] = {name: check.misconception for name, check in failed.items()}
        return True


class _NoClock:
    """Nothing here has a limit."""

    def begin_check(self, task: str) -> None:
        """Take no notice."""

    def end_check(self) -> None:
        """Take no notice."""

    def renew(self, task: str) -> None:
        """Take no notice."""
