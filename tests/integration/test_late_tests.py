"""A hidden test is mended after the class was graded: who gains is known before anything is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import cli
from autograder.course import Assignment
from autograder.examine.grader import LocalGrader
from autograder.grading.journal import load, load_all
from autograder.grading.session import Order, compare_class, grade_class
from autograder.model import Report
from tests.integration.conftest import RIGHT, notebook

TOO_STRICT = '    assert student.shout("quiet") == "quiet!", "expected quiet!"'
MENDED = '    assert student.shout("quiet").strip() == "QUIET", "expected QUIET"'


@pytest.fixture
def graded(copied: Assignment) -> Assignment:
    """A class of two, graded with a hidden test that is wrong."""
    tests = copied.hidden_tests.read_text(encoding="utf8")
    copied.hidden_tests.write_text(tests.replace(MENDED, TOO_STRICT), encoding="utf8")
    wrong = {**RIGHT, "double": "def double(x):\n    return 3 * x", "shout": "def shout(text):\n    return text"}
    for student, tasks in {"ada": RIGHT, "bob": wrong}.items():
        path = copied.submission(student)
        path.parent.mkdir(parents=True)
        path.write_bytes(notebook(copied.release_notebook, "", "", tasks))
    _grade(copied)
    copied.hidden_tests.write_text(tests, encoding="utf8")
    return copied


def _grade(assignment: Assignment) -> dict[str, float]:
    result = grade_class(Order(assignment), lambda: LocalGrader(assignment), lambda _: None)
    return {report.student: report.score for report in result.reports}


def _marked(path: Path, task: str) -> Report:
    """Put a word into a check's message that no grader would write."""
    report = load(path)
    tasks = tuple(
        replace(one, checks=tuple(replace(check, message="as it was") for check in one.checks))
        if one.name == task
        else one
        for one in report.tasks
    )
    path.write_text(replace(report, tasks=tasks).to_json(), encoding="utf8")
    return load(path)


def test_who_gains_is_shown_before_anything_is_written(graded: Assignment) -> None:
    """Ada gets the points of the mended check; nobody's report changes."""
    before = {path: path.read_bytes() for path in graded.reports.iterdir() if path.suffix == ".json"}
    found = compare_class(Order(graded), lambda: LocalGrader(graded), lambda _: None)
    (ada,) = found.changes
    assert (ada.student, ada.before, ada.after) == ("ada", 80.0, 100.0)
    assert [(one.task, one.title) for one in ada.checks] == [("shout", "speaks up")]
    assert {path: path.read_bytes() for path in before} == before


def test_only_the_mended_task_is_graded_again(graded: Assignment) -> None:
    """The results of the other tasks stand as they are, error carried forward included."""
    bob = _marked(graded.reports / "bob.json", "double")
    assert _grade(graded) == {"ada": 100.0, "bob": 40.0}
    after = load(graded.reports / "bob.json")
    assert after.tasks[:2] == bob.tasks[:2]
    assert after.tasks[1].carried_forward
    assert "QUIET" in after.tasks[2].checks[0].message


def test_a_mended_task_below_is_graded_with_what_builds_on_it(graded: Assignment) -> None:
    """Whether an error is carried forward depends on whether there was one."""
    tests = graded.hidden_tests.read_text(encoding="utf8")
    graded.hidden_tests.write_text(tests.replace("reference.double(x)", "3 * x"), encoding="utf8")
    assert _grade(graded) == {"ada": 60.0, "bob": 40.0}
    ada, bob = load_all(graded.reports)
    assert ada.tasks[1].carried_forward is False
    assert (bob.tasks[0].score, bob.tasks[1].score) == (40.0, 0.0)


def test_the_command_compares(
    graded: Assignment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 says that a score would change."""
    monkeypatch.chdir(graded.course.root)
    with pytest.raises(SystemExit) as exited:
        cli.app(["grade", "probe", "--compare"])
    assert exited.value.code == 1
    shown = capsys.readouterr().out
    assert "shout: speaks up: failed -> passed" in " ".join(shown.split())
    assert "2 looked at, 1 would change; nothing was written" in shown
    assert json.loads((graded.reports / "ada.json").read_text(encoding="utf8"))["score"] == 80.0
