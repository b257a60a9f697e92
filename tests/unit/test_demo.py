"""The demonstration: whose class it shows, and what it says of scores that are not the expected ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from autograder.course import Course
from autograder.demo import sample_course, surprises
from autograder.errors import CourseError

if TYPE_CHECKING:
    from tests.conftest import ReportOf

EXPECTED = """\
[ada]
score = 100.0

[alan]
score = 64.0
tasks = { fit = 4.0 }
carried_forward = ["shift"]

[zoe]
score = 0.0
outcome = "ungradable"
"""


@pytest.fixture
def sample(tiny_course: Course) -> Course:
    """The tiny course with a sample class of its own."""
    folder = tiny_course.root / "demo" / "tiny"
    (folder / "submitted" / "ada" / "tiny").mkdir(parents=True)
    (folder / "submitted" / "ada" / "tiny" / "tiny.ipynb").write_text("{}", encoding="utf8")
    (folder / "expected.toml").write_text(EXPECTED, encoding="utf8")
    return tiny_course


def test_the_demonstration_is_a_course_of_its_own(sample: Course) -> None:
    """It holds copies, and is made anew each time."""
    (sample.root / "build" / "demo" / "old").mkdir(parents=True)
    made = sample_course(sample, "tiny")
    assert made.course.root == sample.root / "build" / "demo"
    assert made.template.is_file()
    assert (made.course.submitted / "ada" / "tiny" / "tiny.ipynb").is_file()
    assert not (made.course.root / "old").exists()


def test_an_assignment_without_a_class_names_those_that_have_one(sample: Course) -> None:
    """Which classes there are is told where one is missing."""
    (sample.root / "demo" / "tiny" / "submitted").rename(sample.root / "demo" / "other")
    with pytest.raises(CourseError, match='no sample class for "tiny": expected one of none'):
        sample_course(sample, "tiny")


def test_what_is_expected_is_no_surprise(sample: Course, report_of: ReportOf) -> None:
    """Scores, tasks, points carried forward, and who is ungradable."""
    alan = report_of("alan", fit=4.0)
    alan = replace(alan, tasks=(replace(alan.tasks[0], carried_forward=True), alan.tasks[1]))
    zoe = replace(report_of("zoe", reason="not a notebook"), score=0.0)
    assert surprises(sample, "tiny", [report_of("ada"), alan, zoe]) == []


def test_every_surprise_is_a_line(sample: Course, report_of: ReportOf) -> None:
    """Another score, another task, nothing carried forward, no report, and a stranger."""
    reports = [report_of("ada", shift=10.0), report_of("alan", fit=4.0), report_of("eve")]
    assert surprises(sample, "tiny", reports) == [
        "zoe: no report",
        "eve: not in expected.toml",
        "ada: 50.0000 points, expected 100.0",
        "ada: 10.0 points for shift, expected 60.0",
        "alan: carried forward: nothing, expected shift",
    ]


def test_an_outcome_that_was_not_expected_is_told(sample: Course, report_of: ReportOf) -> None:
    """Instead of a list of all the points that are missing."""
    reports = [report_of("ada", reason="empty"), report_of("alan", fit=4.0), report_of("zoe")]
    found = surprises(sample, "tiny", reports)
    assert found[0] == "ada: ungradable, expected graded"
    assert found[-1] == "zoe: graded, expected ungradable"
