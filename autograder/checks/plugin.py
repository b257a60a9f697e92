"""The pytest plugin: ``@task``, and the fixtures ``student``, ``reference``, ``rng`` and ``threshold``.

    pytest -p autograder.checks.plugin solutions/cnn_pipeline/test_hidden.py
    pytest -p autograder.checks.plugin assignments/cnn_pipeline/test_public.py --subject-module mine.py

The examiner runs the same files: it puts an ``Examination`` into the config's stash, runs the items, and asks
``check_outcome`` and ``collect_tasks`` what became of them. Tests without ``@task`` are left alone.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from autograder.checks.collection import CHECK, prepare
from autograder.checks.evidence import close_calls, measuring
from autograder.checks.examination import EXAMINATION, Examination, assignment_of, examination_of, load_reference
from autograder.checks.results import Verdict, task_results, verdict, worst
from autograder.checks.rules import forbidden_use
from autograder.errors import CheckFailure, CourseError
from autograder.model import Evidence, TaskResult
from autograder.rubric import Rubric
from autograder.subject.proxy import Subject
from autograder.thresholds import Thresholds

__all__ = ["EXAMINATION", "Examination", "check_outcome", "collect_tasks", "load_reference", "task_of", "title_of"]

_LOCAL = pytest.StashKey[dict[Path, Examination]]()
_BROKEN_RULES = pytest.StashKey[dict[tuple[Examination, str], str | None]]()
_VERDICTS = pytest.StashKey[dict[str, Verdict]]()
_MEASURED = pytest.StashKey[list[Evidence]]()
_CLOSE_CALLS = pytest.StashKey[list[str]]()


def task_of(item: pytest.Item) -> str:
    """Return the name of the task that an item is a check of."""
    return item.stash[CHECK].task


def title_of(item: pytest.Item) -> str:
    """Return the line that the student reads."""
    return item.stash[CHECK].title


def check_outcome(item: pytest.Item, reports: Sequence[pytest.TestReport]) -> Verdict:
    """Return the verdict on a check that was run by ``runtestprotocol``: outcome, message, and what it measured."""
    found = item.stash.get(_VERDICTS, {})
    decided = worst([found[report.when] for report in reports if report.when in found])
    measured, close = item.stash.get(_MEASURED, []), item.stash.get(_CLOSE_CALLS, [])
    return replace(decided, evidence=measured[-1] if measured else None, close=close[-1] if close else "")


def collect_tasks(
    rubric: Rubric, items: Sequence[pytest.Item], outcomes: Mapping[str, Verdict]
) -> tuple[TaskResult, ...]:
    """Put the outcomes of all items, by node id, into the tasks of the rubric."""
    return task_results(rubric, [(item.stash[CHECK], outcomes[item.nodeid]) for item in items])


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--subject-module``."""
    what = "the module that the tests are run against (default: the assignment's solution)"
    parser.getgroup("autograder").addoption("--subject-module", type=Path, default=None, metavar="FILE", help=what)


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", "task(name, weight=1): the test is a check of this task")
    config.stash[_LOCAL] = {}
    config.stash[_BROKEN_RULES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Prepare the checks of a file; an author's mistake is told as a file that cannot be collected."""
    report = yield
    if not isinstance(collector, (pytest.Module, pytest.Class)) or not report.passed:
        return report
    try:
        prepare(collector, report.result)
    except CourseError as error:
        return pytest.CollectReport(report.nodeid, "failed", str(error), [])
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Fail a check whose task uses what its rubric forbids; keep what any other one measures."""
    if CHECK in item.stash:
        message = _broken_rule(item.config, _examination(item), task_of(item))
        if message:
            raise CheckFailure(message)
    with measuring() as item.stash[_MEASURED], close_calls() as item.stash[_CLOSE_CALLS]:
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport | None:
    """Keep what a check's exception means. Under an examiner the report is short: nobody reads a traceback there."""
    if CHECK not in item.stash:
        return None
    if call.when == "setup":
        item.stash[_VERDICTS], item.stash[_MEASURED], item.stash[_CLOSE_CALLS] = {}, [], []
    if call.excinfo is not None:
        item.stash[_VERDICTS][call.when] = verdict(call.excinfo.value, item.stash[CHECK].title, item.path)
    if EXAMINATION not in item.config.stash or call.when == "collect":
        return None
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="passed" if call.excinfo is None else "failed",
        longrepr=None if call.excinfo is None else call.excinfo.typename,
        when=call.when,
        duration=call.duration,
    )


@pytest.fixture
def student(request: pytest.FixtureRequest) -> Subject:
    """The functions of whoever is examined."""
    examination = _examination(request.node)
    examination.subject.begin(examination.entropy(_check_name(request.node)) % 2**32)
    return examination.subject


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> ModuleType:
    """The solution, called directly; hidden tests only."""
    found = _examination(request.node).reference
    if found is None:
        raise CourseError("there is no reference here: compare with values that you give", path=request.path)
    return found


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator seeded by the salt, the student and the check: fresh for everyone, the same at each regrade."""
    entropy = _examination(request.node).entropy(_check_name(request.node))
    return np.random.default_rng(np.random.SeedSequence(entropy))


@pytest.fixture
def threshold(request: pytest.FixtureRequest) -> Thresholds:
    """The calibrated numbers of the assignment by name, ``threshold("digits_accuracy")``; hidden tests only."""
    assignment = assignment_of(request.path)
    if assignment is None or request.path.resolve() != assignment.hidden_tests.resolve():
        raise CourseError("there is no calibration here: thresholds are for hidden tests", path=request.path)
    return Thresholds.read(assignment.calibration)


def _check_name(item: pytest.Item) -> str:
    """Return the node id without the path, which depends on the working directory."""
    return item.nodeid.partition("::")[2]


def _examination(item: pytest.Item) -> Examination:
    """Return the examiner's examination, or that of a module on disk, which is loaded once for each test file."""
    examination = item.config.stash.get(EXAMINATION, None)
    if examination is None:
        local = item.config.stash[_LOCAL]
        if item.path not in local:
            local[item.path] = examination_of(item.path, item.config.getoption("--subject-module"))
        examination = local[item.path]
    return examination


def read_rules(config: pytest.Config) -> None:
    """Look for what is forbidden before any clock runs: to read a long program takes the examiner's time."""
    examination = config.stash[EXAMINATION]
    for task in examination.rubric.tasks if examination.rubric else ():
        _broken_rule(config, examination, task.name)


def _broken_rule(config: pytest.Config, examination: Examination, name: str) -> str | None:
    known = config.stash[_BROKEN_RULES]
    if (examination, name) not in known:
        rubric = examination.rubric
        known[examination, name] = _rule_of(rubric, name, examination.subject.source) if rubric else None
    return known[examination, name]


def _rule_of(rubric: Rubric, name: str, source: tuple[str, ...]) -> str | None:
    task = rubric.task(name)
    others = [function for other in rubric.tasks if other is not task for function in other.functions]
    return forbidden_use(source, task.functions, task.forbidden, others)
