"""A result stands exactly as long as what decided it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.authoring.build import build
from autograder.course import Assignment
from autograder.deciding import task_digests
from autograder.definitions import Definitions

PROGRAM = """
import numpy as np
from math import pi as half_a_turn
SCALE = 2
TABLE = {}
TABLE["x"] = 1
def area(r): return half_a_turn * _square(r)
def _square(x): return x * x
class Circle:
    def area(self): return area(self.r)
def other(): return np.zeros(SCALE)
"""


def test_what_a_name_reaches_is_followed_to_the_end() -> None:
    """A function, its helper and its import are reached; what binds nothing always is, with what it changes."""
    reached = [one.text for one in Definitions.of(PROGRAM).reached({"area"})]
    assert reached == [
        "from math import pi as half_a_turn",
        "TABLE = {}",
        'TABLE["x"] = 1',
        "def area(r): return half_a_turn * _square(r)",
        "def _square(x): return x * x",
    ]


def _changed(assignment: Assignment, path: Path, old: str, new: str) -> set[str]:
    """Change a file; return the tasks whose digests follow."""
    before, text = task_digests(assignment), path.read_text(encoding="utf8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf8")
    after = task_digests(Assignment(assignment.course, assignment.slug))
    return {name for name in after if after[name] != before.get(name)}


def test_a_check_decides_its_task_and_what_builds_on_it(tiny: Assignment) -> None:
    """``fit`` builds on ``shift``: its points may depend on whether that one failed."""
    assert _changed(tiny, tiny.hidden_tests, "size=(3, 4)", "size=(3, 5)") == {"shift", "fit"}
    assert _changed(tiny, tiny.hidden_tests, "student.fit([1.0, 2.0]), 1.5", "student.fit([1.0, 4.0]), 2.5") == {"fit"}


def test_the_reference_decides_what_it_is_compared_with(tiny: Assignment) -> None:
    """A helper of one function is not one of the other's."""
    assert _changed(tiny, tiny.solution, "ravel()", "flatten()") == {"fit"}
    assert _changed(tiny, tiny.solution, "_OFFSET = 0.0", "_OFFSET = 0") == {"shift", "fit"}


def test_the_rubric_decides(tiny: Assignment) -> None:
    """A task's own table is its own; what is forbidden is so everywhere."""
    more = '["fit", "forecast", "plot"]'
    assert _changed(tiny, tiny.rubric_path, '["fit", "forecast"]', more) == {"fit"}
    assert _changed(tiny, tiny.rubric_path, "order = 1", "order = 1\nforbidden = ['scipy']") == {"shift", "fit"}


@pytest.mark.parametrize("extra", ["pytestmark = pytest.mark.slow", "@pytest.fixture(autouse=True)\ndef always(): ..."])
def test_what_pytest_takes_unasked_decides_everything(tiny: Assignment, extra: str) -> None:
    """A mark of the whole file, and a fixture that nobody names."""
    assert _changed(tiny, tiny.hidden_tests, "# canary", f"{extra}\n# canary") == {"shift", "fit"}


def test_released_code_decides_and_prose_does_not(tiny: Assignment) -> None:
    """A mended sentence costs no night of grading."""
    build(tiny.course)
    notebook = tiny.release_notebook
    assert _changed(tiny, notebook, "moves $x$ by a constant", "moves $x$ by a number") == set()
    assert _changed(tiny, notebook, "np.arange(3)", "np.arange(4)") == {"shift", "fit"}
    assert json.loads(notebook.read_text(encoding="utf8"))["cells"]


def test_what_is_beside_decides_nothing(tiny: Assignment) -> None:
    """An alternate and a comment between two checks change no grade; the salt changes all."""
    alternates = tiny.solution.parent / "alternates"
    alternates.mkdir()
    before = task_digests(tiny)
    (alternates / "other.py").write_text("x = 1\n", encoding="utf8")
    assert task_digests(tiny) == before
    assert _changed(tiny, tiny.hidden_tests, "# canary", "# another canary") == set()
    assert _changed(tiny, tiny.course.salt, "0b6d7a51", "0b6d7a52") == {"shift", "fit"}
