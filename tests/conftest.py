"""A course of one small assignment, for tests of what an author writes and a build makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from autograder.course import Assignment, Course
from autograder.deciding import task_digests
from autograder.model import (
    SCHEMA,
    CheckResult,
    NotebookRun,
    Outcome,
    Provenance,
    Report,
    ReportOutcome,
    Seconds,
    TaskResult,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--studies``."""
    what = "prove the assignments that train Keras networks, too: half an hour of computing"
    parser.addoption("--studies", action="store_true", help=what)


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark."""
    config.addinivalue_line("markers", "proves: examines right and wrong answers, which takes long where Keras trains")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out studies."""
    if not config.getoption("--studies"):
        studies = [item for item in items if _is_study(item)]
        config.hook.pytest_deselected(items=studies)
        items[:] = [item for item in items if item not in studies]


def _is_study(item: pytest.Item) -> bool:
    """Of an assignment that trains Keras networks only the solution is examined each time."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    answers = parameters.get("answers")
    if answers is None or not answers.trains_keras or item.get_closest_marker("proves") is None:
        return False
    return bool(parameters.get("path") != answers.assignment.solution)


RUBRIC = """\
title = "Tiny"
order = 1

[[tasks]]
name = "shift"
points = 60

[[tasks]]
name = "fit"
points = 40
functions = ["fit", "forecast"]
builds_on = ["shift"]
"""

TEMPLATE = '''\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Tiny
#
# A *shift* moves $x$ by a constant.

# %% setup=true
import numpy as np


def check(task):
    """Stand in for the package's own."""


# %% task="shift"
def shift(x, by=1.0):
    """Return ``x + by``.

    A worked example: ``shift(2.0)`` is ``3.0``.
    """
    raise NotImplementedError


# %% tags=["figure"]
np.arange(3)

# %% task="fit"
def fit(x):
    """Return the mean of ``x``."""
    raise NotImplementedError


def forecast(parameters, x):
    """Return ``x`` moved by the parameters."""
    # Your own function may help.
    raise NotImplementedError
'''

SOLUTION = '''\
"""The hidden implementation."""

from __future__ import annotations

from math import fsum

import numpy as np

# canary: tiny-solution-4f1c
_OFFSET = 0.0  # moves nothing


# Keeps the float64 of the input.
def _as_float(values):
    return np.asarray(values, dtype=np.float64)


_UNUSED = "stands in no cell"


def shift(x: np.ndarray, by: float = 1.0):
    # the comment stays
    moved = _as_float(x) + by   # and so does   the spacing
    return moved + _OFFSET


def fit(x):
    return fsum(_as_float(x).ravel().tolist()) / len(x)
    # so does the last one


def forecast(parameters, x): return shift(x, parameters)
'''

PUBLIC_TESTS = '''\
"""What students see."""

from autograder.checks import assert_close, task


@task("shift")
def test_moves(student):
    """moves a number"""
    assert_close(student.shift(2.0), 3.0)
'''

HIDDEN_TESTS = '''\
"""What students do not see."""

import pytest

from autograder.checks import assert_close, task

# canary: tiny-tests-09ab


@task("shift")
@pytest.mark.parametrize("by", [0.25, -7.5])
def test_moves_by(student, reference, rng, by):
    """moves an array"""
    x = rng.normal(size=(3, 4))
    assert_close(student.shift(x, by), reference.shift(x, by))


@task("fit", weight=2)
def test_fits(student):
    """finds the mean"""
    assert_close(student.fit([1.0, 2.0]), 1.5)
'''

MISCONCEPTIONS = '''\
"""Known wrong answers."""


def shift_multiplies(x, by=1.0):
    return x * by * 1.0 + 0.0 * by
'''


@pytest.fixture
def tiny_course(tmp_path: Path) -> Course:
    """A course whose one assignment ``tiny`` builds."""
    files = {
        "assignments/tiny/rubric.toml": RUBRIC,
        "assignments/tiny/notebook.py": TEMPLATE,
        "assignments/tiny/test_public.py": PUBLIC_TESTS,
        "assignments/tiny/data/numbers.csv": "x\n1\n2\n",
        "solutions/salt.txt": "0b6d7a51-never-shown\n",
        "solutions/tiny/solution.py": SOLUTION,
        "solutions/tiny/test_hidden.py": HIDDEN_TESTS,
        "solutions/tiny/misconceptions.py": MISCONCEPTIONS,
    }
    for name, text in files.items():
        path = tmp_path / "course" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    return Course(tmp_path / "course")


@pytest.fixture
def tiny(tiny_course: Course) -> Assignment:
    """The one assignment of the tiny course."""
    return tiny_course.assignment("tiny")


class ReportOf(Protocol):
    """Makes a report of the tiny assignment from points per task; a task whose points are None is broken."""

    def __call__(self, student: str, *, reason: str | None = None, **points: float | None) -> Report:
        """Make one report."""


@pytest.fixture
def report_of(tiny: Assignment) -> ReportOf:
    """Make reports as the examiner would, without examining anybody."""
    digests = task_digests(tiny)

    def task(name: str, full: float, points: float | None) -> TaskResult:
        outcome = Outcome.BROKEN if points is None else Outcome.PASSED if points == full else Outcome.FAILED
        message = "" if outcome is Outcome.PASSED else f"{name} is {outcome.value}"
        check = CheckResult(f"test_{name}", f"does {name}", outcome, points or 0.0, full, message)
        digest = digests.get(name, "")
        return TaskResult(name, outcome, points or 0.0, full, carried_forward=False, checks=(check,), sha256=digest)

    def make(student: str, *, reason: str | None = None, **points: float | None) -> Report:
        tasks = tuple(task(one.name, one.points, points.get(one.name, one.points)) for one in tiny.rubric.tasks)
        return Report(
            schema=SCHEMA,
            assignment=tiny.slug,
            student=student,
            outcome=ReportOutcome.UNGRADABLE if reason else ReportOutcome.GRADED,
            score=sum(one.score for one in tasks),
            max_score=100.0,
            reason=reason,
            tasks=tasks,
            notebook=NotebookRun(cells_run=3, cells_failed=0),
            seconds=Seconds(total=1.5, notebook=1.0, checks=0.5),
            provenance=Provenance("ab" * 32, tiny.digest(), "0.1.0", "2.21.0", "namespaces"),
        )

    return make
