"""Template and solution become the instructor's notebook, and their contradictions become errors."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.authoring import agreement, solution, template
from autograder.authoring.compose import compose
from autograder.course import Assignment
from autograder.errors import CourseError


def composed(tiny: Assignment) -> str:
    """Compose the tiny assignment as a build does."""
    shown = template.read(tiny.template)
    solved = solution.read(tiny.solution, [name for task in tiny.rubric.tasks for name in task.functions])
    agreement.check(tiny, shown, solved)
    return compose(shown, solved, tiny.rubric)


def cells(tiny: Assignment) -> dict[str, Any]:
    """Return the composed cells by their ids."""
    return {cell["id"]: cell for cell in json.loads(composed(tiny))["cells"]}


def source(cell: dict[str, Any]) -> str:
    """Return a cell's text."""
    return "".join(cell["source"])


def replace(path: Path, old: str, new: str) -> None:
    """Replace the first place where ``old`` stands in a file."""
    text = path.read_text(encoding="utf8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf8")


def test_the_notebook_is_valid_and_the_same_each_time(tiny: Assignment) -> None:
    """It is valid to nbformat as version 4.5, and two compositions are one text."""
    text = composed(tiny)
    nbformat.validate(json.loads(text))
    assert text == composed(tiny)


def test_ids_say_what_a_cell_is(tiny: Assignment) -> None:
    """The setup cell, each task and its check have names; the author's other cells have positions."""
    assert list(cells(tiny)) == ["cell-01", "setup", "shift", "shift-check", "cell-04", "fit", "fit-check"]


def test_marks_are_nbgraders(tiny: Assignment) -> None:
    """Setup and check cells are locked, task cells hold the solution, check cells the points."""
    marks = {name: cell["metadata"].get("nbgrader") for name, cell in cells(tiny).items()}
    common = {"schema_version": 3, "task": False}
    assert marks["setup"] == {**common, "grade_id": "setup", "grade": False, "locked": True, "solution": False}
    assert marks["fit"] == {**common, "grade_id": "fit", "grade": False, "locked": False, "solution": True}
    check = {**common, "grade_id": "fit-check", "grade": True, "locked": True, "solution": False, "points": 40}
    assert marks["fit-check"] == check
    assert marks["cell-01"] is None
    assert marks["cell-04"] is None


def test_a_body_keeps_its_comments_and_its_spacing(tiny: Assignment) -> None:
    """The instructor reads what the author wrote, with what it needs behind it."""
    assert source(cells(tiny)["shift"]) == (
        "def shift(x, by=1.0):\n"
        '    """Return ``x + by``.\n\n'
        "    A worked example: ``shift(2.0)`` is ``3.0``.\n"
        '    """\n'
        "    ### BEGIN SOLUTION\n"
        "    # the comment stays\n"
        "    moved = _as_float(x) + by   # and so does   the spacing\n"
        "    return moved + _OFFSET\n\n\n"
        "# canary: tiny-solution-4f1c\n"
        "_OFFSET = 0.0  # moves nothing\n\n\n"
        "# Keeps the float64 of the input.\n"
        "def _as_float(values):\n"
        "    return np.asarray(values, dtype=np.float64)\n"
        "### END SOLUTION"
    )


def test_a_helper_stands_once_where_it_is_first_needed(tiny: Assignment) -> None:
    """What an earlier cell defines, or the setup cell imports, or nothing uses, is not repeated."""
    text = source(cells(tiny)["fit"])
    assert "from math import fsum" in text
    assert "_as_float(values)" not in text
    assert not any("_UNUSED" in source(cell) or "__future__" in source(cell) for cell in cells(tiny).values())


def test_a_one_line_function_becomes_a_body(tiny: Assignment) -> None:
    """``def f(x): return x`` has its body on the line of the def."""
    assert "    ### BEGIN SOLUTION\n    return shift(x, parameters)\n    ### END" in source(cells(tiny)["fit"])


def test_the_notebook_computes_what_the_solution_computes(tiny: Assignment) -> None:
    """Run from top to bottom, the composed cells define working functions."""
    space: dict[str, Any] = {}
    for cell in json.loads(composed(tiny))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile(ast.parse(source(cell)), "cell", "exec"), space)
    assert space["forecast"](space["fit"]([1.0, 3.0]), 5.0) == 7.0


def test_a_helper_brings_what_it_needs(tiny: Assignment) -> None:
    """Helpers of helpers, decorated helpers and classes travel together, in the order of the solution."""
    replace(
        tiny.solution,
        "def shift(",
        "class _Box:\n    size = _SIZE\n\n\n@np.vectorize\ndef _grow(v):\n    return v + _Box.size\n\n\ndef shift(",
    )
    replace(tiny.solution, "_OFFSET = ", "_SIZE = 3\n_OFFSET = ")
    replace(tiny.solution, "return moved + _OFFSET", "return _grow(moved)")
    text = source(cells(tiny)["shift"])
    order = [text.index(part) for part in ("_SIZE = 3", "def _as_float", "class _Box", "@np.vectorize\ndef _grow")]
    assert order == sorted(order)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("def shift(x: np.ndarray, by", "def shift(x: np.ndarray, amount", "expected the template's shift(x, by=1.0)"),
        ("by: float = 1.0", "by: float = 2.0", "received shift(x, by=2.0)"),
        ("by: float = 1.0", "*, by: float = 1.0", "received shift(x, *, by=1.0)"),
        ("def shift(", "@_as_float\ndef shift(", "received @_as_float shift(x, by=1.0)"),
        ("def shift(", "def sift(", 'sift is no function of a task: did you mean "shift"?'),
        ("def shift(", "def fit(x):\n    return x\n\n\ndef shift(", "fit is defined twice"),
        ("    # the comment stays", '    """Doc."""', "shift has a docstring"),
        ("_UNUSED =", "print()\n_UNUSED =", "expected functions, classes, imports and assignments"),
        ("\n    return fsum(_as_float(x).ravel().tolist()) / len(x)", "\n  return 1.0", "the body of fit is indented"),
        ("def fit(", "def fit((", "syntax error"),
        ("# the comment stays", "# END SOLUTION", "is a marker of nbgrader"),
    ],
)
def test_a_wrong_solution_is_one_error_with_its_line(tiny: Assignment, old: str, new: str, message: str) -> None:
    """The message shows both sides, and points into solution.py."""
    replace(tiny.solution, old, new)
    with pytest.raises(CourseError) as caught:
        composed(tiny)
    assert message in caught.value.message
    assert caught.value.path == tiny.solution
    assert caught.value.line is not None


def test_a_missing_function_points_at_its_stub(tiny: Assignment) -> None:
    """The stub is what the solution has to answer."""
    replace(tiny.solution, "def shift(", "def _shift(")
    with pytest.raises(CourseError, match=r"notebook.py:\d+: shift has no solution: define shift\(x, by=1.0\) in sol"):
        composed(tiny)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('task="fit"', 'task="fits"', 'task "fits" is not in rubric.toml: did you mean "fit"?'),
        ("def fit(", "def fitt(", 'fitt is no function of task "fit": did you mean "fit"?'),
        ("def forecast(parameters, x)", "def fit(x)", "a second stub of fit"),
    ],
)
def test_a_template_off_the_rubric_is_one_error_with_its_line(
    tiny: Assignment, old: str, new: str, message: str
) -> None:
    """The template is compared with the rubric's tasks and functions."""
    replace(tiny.template, old, new)
    with pytest.raises(CourseError) as caught:
        composed(tiny)
    assert message in caught.value.message
    assert caught.value.path == tiny.template
    assert caught.value.line is not None


def test_a_task_without_its_cell_points_at_the_rubric(tiny: Assignment) -> None:
    """A task that no student can solve is found, with the line of its name."""
    text = tiny.template.read_text(encoding="utf8")
    tiny.template.write_text(text[: text.index('# %% task="fit"')], encoding="utf8")
    with pytest.raises(CourseError, match=r'rubric.toml:9: task "fit" has no cell'):
        composed(tiny)


def test_a_task_without_a_stub_points_at_its_cell(tiny: Assignment) -> None:
    """Every function that the rubric lists has a stub."""
    text = tiny.template.read_text(encoding="utf8")
    tiny.template.write_text(text[: text.index("def forecast")], encoding="utf8")
    with pytest.raises(CourseError, match=r'notebook.py:\d+: the cell of task "fit" has no stub of forecast'):
        composed(tiny)


def test_tests_are_there_and_name_known_tasks(tiny: Assignment) -> None:
    """A missing file, a misspelt task and a task without a hidden test are found before students find them."""
    replace(tiny.hidden_tests, '@task("fit", weight=2)', "@pytest.mark.slow")
    with pytest.raises(CourseError, match='task "fit" has no hidden test'):
        composed(tiny)
    replace(tiny.hidden_tests, "@pytest.mark.slow", '@task("fitt")')
    with pytest.raises(CourseError, match=r'test_hidden.py:18: there is no task "fitt": did you mean "fit"'):
        composed(tiny)
    tiny.public_tests.unlink()
    with pytest.raises(CourseError, match=r"test_public.py: cannot be read"):
        composed(tiny)
