"""A threshold of a hidden test is a calibrated one: in the file, in the fixture, and for the build."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from autograder.authoring import agreement, solution, template
from autograder.checks import plugin
from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.thresholds import SCHEMA, Thresholds

ASKS = '''

@task("fit")
def test_is_near(student, threshold):
    """is near enough"""
    assert student.fit([1.0, 2.0]) < {asked}
'''

JUDGES = '''

LEAST = 0.7

@task("fit")
def test_is_accurate(student, threshold):
    """is accurate"""
    assert_accuracy(student.fit([1.0]), [1], {asked})
'''


def calibrated(assignment: Assignment, **thresholds: float) -> None:
    """Write a calibration of these thresholds."""
    measurements = {name: {"threshold": value} for name, value in thresholds.items()}
    record = {"schema": SCHEMA, "measurements": measurements}
    assignment.calibration.write_text(json.dumps(record), encoding="utf8")


def ask(assignment: Assignment, tests: str, asked: str) -> int:
    """Add a hidden test; return the line that asks."""
    text = assignment.hidden_tests.read_text(encoding="utf8") + tests.format(asked=asked)
    assignment.hidden_tests.write_text(text, encoding="utf8")
    return text.rstrip("\n").count("\n") + 1


def agree(tiny: Assignment) -> None:
    """Compare the author's files as a build does."""
    functions = [name for task in tiny.rubric.tasks for name in task.functions]
    agreement.check(tiny, template.read(tiny.template), solution.read(tiny.solution, functions))


def passes(test_file: Path) -> bool:
    """Run a file of hidden tests against the solution."""
    sys.modules.pop(test_file.stem, None)  # pytest would take another course's tests of the same name for these
    options = [f"-c{os.devnull}", f"--rootdir={test_file.parent}", "--import-mode=importlib", "-pno:cacheprovider"]
    return pytest.main([str(test_file), *options], plugins=[plugin]) == pytest.ExitCode.OK


@pytest.mark.parametrize("value, right", [(1.6, True), (1.4, False)])
def test_a_hidden_test_reads_its_threshold(tiny: Assignment, value: float, right: bool) -> None:
    """The number of the file decides, and the build agrees."""
    calibrated(tiny, nearness=value)
    ask(tiny, ASKS, 'threshold("nearness")')
    agree(tiny)
    assert passes(tiny.hidden_tests) is right


@pytest.mark.parametrize(
    "tests, asked, message",
    [
        (ASKS, 'threshold("nearnes")', 'did you mean "nearness"?'),
        (ASKS, 'threshold("distance")', "list it in calibrate.py and run `autograder calibrate tiny`"),
        (ASKS, "threshold(name)", "expected a name in quotes"),
        (ASKS, "threshold()", "expected a name in quotes"),
        (JUDGES, "0.7", "compares with a number that nothing calibrated"),
        (JUDGES, "LEAST", "compares with a number that nothing calibrated"),
        (JUDGES, "threshold=0.7", "compares with a number that nothing calibrated"),
    ],
)
def test_any_other_threshold_fails_the_build(tiny: Assignment, tests: str, asked: str, message: str) -> None:
    """It is an error with file and line."""
    calibrated(tiny, nearness=1.6)
    line = ask(tiny, tests, asked)
    with pytest.raises(CourseError) as caught:
        agree(tiny)
    assert str(caught.value).startswith(f"{tiny.hidden_tests}:{line}: ")
    assert message in str(caught.value)


def test_a_calibrated_threshold_may_have_a_name(tiny: Assignment) -> None:
    """What matters is where the number comes from."""
    calibrated(tiny, nearness=1.6)
    ask(tiny, JUDGES, 'threshold("nearness")')
    agree(tiny)


def test_a_public_test_has_no_thresholds(tiny: Assignment) -> None:
    """Students do not have the file."""
    ask_publicly = tiny.public_tests.read_text(encoding="utf8") + ASKS.format(asked='threshold("nearness")')
    tiny.public_tests.write_text(ask_publicly, encoding="utf8")
    calibrated(tiny, nearness=1.6)
    assert not passes(tiny.public_tests)


def test_nothing_is_calibrated_without_the_file(tiny: Assignment) -> None:
    """Then every name is missing."""
    with pytest.raises(CourseError, match='no threshold "nearness" was calibrated'):
        Thresholds.read(tiny.calibration)("nearness")


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "is no calibration"),
        ("[]", "is no calibration"),
        ('{"schema": 1}', "is no calibration"),
        ('{"schema": 1, "measurements": {"a": {"threshold": "high"}}}', "is no calibration"),
        ('{"schema": 1, "measurements": {"a": {"threshold": NaN}}}', "is no calibration"),
        ('{"schema": 2, "measurements": {}}', "has the layout 2, expected 1"),
    ],
)
def test_a_damaged_file_says_how_to_get_another(tiny: Assignment, text: str, message: str) -> None:
    """One line, with the command."""
    tiny.calibration.write_text(text, encoding="utf8")
    with pytest.raises(CourseError, match=message) as caught:
        Thresholds.read(tiny.calibration)
    assert "`autograder calibrate tiny` writes it anew" in str(caught.value)
