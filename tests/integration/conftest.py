"""A real grader over one small assignment with short limits, and notebooks made for it."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import nbformat
import pytest

from autograder.authoring.build import build
from autograder.course import Assignment, Course
from autograder.examine.grader import LocalGrader
from autograder.model import Graded, Job, Report, Seconds

FILES = {
    "assignments/probe/rubric.toml": """\
title = "Probe"
order = 1
forbidden = ["tensorflow", "keras", "scipy"]

[limits]
cell_s = 3
check_s = 2
task_s = 9
total_s = 90
memory_mib = 600
output_kib = 64

[[tasks]]
name = "double"
points = 40

[[tasks]]
name = "train"
points = 40
functions = ["train", "predict"]
builds_on = ["double"]

[[tasks]]
name = "shout"
points = 20
""",
    "assignments/probe/notebook.py": '''\
# %% [markdown]
# # Probe

# %% setup=true
import numpy as np
from autograder import check
# %load_ext autograder

# %% task="double"
def double(x):
    """Return twice ``x``."""
    raise NotImplementedError

# %% figure=true
factor = 10
print("twice", factor, "is", double(factor))

# %% task="train"
def train(x):
    """Return parameters."""
    raise NotImplementedError


def predict(parameters, x):
    """Return a prediction."""
    raise NotImplementedError

# %% task="shout"
def shout(text):
    """Return the text in capitals."""
    raise NotImplementedError
''',
    "assignments/probe/test_public.py": '''\
"""What students see."""
from autograder.checks import assert_close, task

@task("double")
def test_public_double(student):
    """doubles one"""
    assert_close(student.double(1.0), 2.0)
''',
    "assignments/probe/data/note.txt": "released data\n",
    "solutions/salt.txt": "5f1e7b20c9-salt-of-the-probe\n",
    "solutions/probe/solution.py": """\
# canary: probe-solution-88ad
def double(x):
    return 2 * x

def train(x):
    return {"w": double(x)}

def predict(parameters, x):
    return parameters["w"] * x

def shout(text):
    return text.upper()
""",
    "solutions/probe/misconceptions.py": """\
from autograder.misconceptions import collect, misconception

@misconception("double")
def squared(x):
    "You squared the numbers. To double a number multiply it by 2."
    return x**2

@misconception("double")
def first_one_left_out(x):
    "You left the first number out. Indices begin at 0."
    return 2 * x[1:] if x.ndim else 2 * x

@misconception("shout")
def whispered(text):
    "You made the letters small. For capitals there is `upper`."
    return text.lower()

@misconception("shout")
def unchanged(text):
    "You returned the text as it came. For capitals there is `upper`."
    return text

MISCONCEPTIONS = collect(vars())
""",
    "solutions/probe/test_hidden.py": '''\
"""What students do not see."""
# canary: probe-hidden-41fe
import pytest
from autograder.checks import assert_close, assert_shape, task

@task("double")
@pytest.mark.parametrize("n", [3, 4])
def test_double(student, reference, rng, n):
    """doubles {n} numbers"""
    x = rng.normal(size=n)
    assert_close(student.double(x), reference.double(x))

@task("train")
def test_train(student, rng):
    """trains and predicts"""
    x = rng.normal()
    parameters = student.handle.train(x)
    assert_close(student.predict(parameters, 3.0), 6 * x)

@task("shout")
def test_shout(student):
    """speaks up"""
    assert student.shout("quiet").strip() == "QUIET", "expected QUIET"
''',
}

RIGHT = {
    "double": "def double(x):\n    return x + x",
    "train": "def train(x):\n    return [double(x)]\n\ndef predict(parameters, x):\n    return parameters[0] * x",
    "shout": "def shout(text):\n    return text.upper()",
}


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """The small assignment, built."""
    root = tmp_path_factory.mktemp("probe")
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    build(Course(root))
    return Course(root).assignment("probe")


@pytest.fixture(scope="session")
def grader(probe: Assignment) -> Iterator[LocalGrader]:
    """One grader for all tests that leave it alive."""
    with LocalGrader(probe) as running:
        yield running


class Submit(Protocol):
    """Grades one notebook: task cells by name, more cells before or after them."""

    def __call__(self, *, student: str = "ada", first: str = "", last: str = "", **tasks: str) -> Graded:
        """Grade it; tasks that are not given are right."""


def notebook(release: Path, first: str, last: str, tasks: dict[str, str]) -> bytes:
    """Fill a release in."""
    filled = nbformat.read(release, as_version=4)
    for cell in filled.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in tasks:
            cell.source = tasks[name]
    start = next(i for i, cell in enumerate(filled.cells) if cell.metadata.get("nbgrader", {}).get("solution"))
    if first:
        filled.cells.insert(start, nbformat.v4.new_code_cell(first))
    if last:
        filled.cells.append(nbformat.v4.new_code_cell(last))
    text: str = nbformat.writes(filled)
    return text.encode()


@pytest.fixture
def submit(probe: Assignment, grader: LocalGrader) -> Submit:
    """Grade a notebook in the shared grader."""

    def grade(*, student: str = "ada", first: str = "", last: str = "", **tasks: str) -> Graded:
        body = notebook(probe.release_notebook, first, last, {**RIGHT, **tasks})
        return grader.grade(Job("probe", student, body))

    return grade


def scores(graded: Graded) -> dict[str, float]:
    """The points of each task."""
    return {task.name: task.score for task in graded.report.tasks}


def messages(graded: Graded) -> str:
    """Everything that the checks say."""
    return "\n".join(check.message for task in graded.report.tasks for check in task.checks)


def outputs(graded: Graded) -> str:
    """Everything that the executed notebook shows."""
    assert graded.notebook is not None
    return "\n".join(str(cell.get("outputs", "")) for cell in nbformat.reads(graded.notebook.decode(), 4).cells)


def timeless(report: Report) -> Report:
    """The report without its times."""
    return dataclasses.replace(report, seconds=Seconds(0, 0, 0))


@pytest.fixture
def copied(probe: Assignment, tmp_path: Path) -> Assignment:
    """A copy of the small assignment that a test may change."""
    shutil.copytree(probe.course.root, tmp_path / "course")
    return Course(tmp_path / "course").assignment("probe")
