"""One order is carried out: found, skipped where current, graded, recorded."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autograder.course import Assignment
from autograder.errors import CourseError, GraderError
from autograder.grading.engine import Event, Grader, Planned
from autograder.grading.journal import load_all
from autograder.grading.session import Order, Result, grade_class
from autograder.model import Graded, Job

if TYPE_CHECKING:
    from tests.conftest import ReportOf


class _Agency:
    """Hires a grader that gives full points, and remembers whom it graded."""

    def __init__(self, report_of: ReportOf) -> None:
        self._report_of = report_of
        self.hired = 0
        self.graded: list[str] = []

    @contextmanager
    def hire(self) -> Iterator[Grader]:
        self.hired += 1
        yield self

    def grade(self, job: Job) -> Graded:
        self.graded.append(job.student)
        report = self._report_of(job.student, reason=job.reason)
        digest = hashlib.sha256(job.notebook or b"").hexdigest()
        report = replace(report, provenance=replace(report.provenance, submission_sha256=digest))
        return Graded(report, job.notebook)


@pytest.fixture
def agency(report_of: ReportOf) -> _Agency:
    """A fake that implements the grader's protocol."""
    return _Agency(report_of)


def _submit(tiny: Assignment, *students: str) -> None:
    for student in students:
        path = tiny.submission(student)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'"{student}"')


def _carry_out(order: Order, agency: _Agency) -> tuple[Result, list[Event]]:
    events: list[Event] = []
    return grade_class(order, agency.hire, events.append), events


def test_the_courses_submissions_become_its_reports(tiny: Assignment, agency: _Agency) -> None:
    """Without paths and folder, submitted/ goes to reports/<slug>/ and to the gradebook."""
    _submit(tiny, "grace", "ada")
    result, events = _carry_out(Order(tiny, workers=2), agency)
    assert [report.student for report in result.reports] == ["ada", "grace"]
    assert list(result.reports) == load_all(tiny.reports)
    assert result.of_the_course
    assert events[0] == Planned(pending=2, current=0)


def test_a_second_run_grades_only_what_changed(tiny: Assignment, agency: _Agency) -> None:
    """The new and the changed are graded; the class is shown whole."""
    _submit(tiny, "ada", "grace")
    _carry_out(Order(tiny), agency)
    _submit(tiny, "alan")
    tiny.submission("ada").write_text("changed")
    agency.graded.clear()
    result, events = _carry_out(Order(tiny), agency)
    assert sorted(agency.graded) == ["ada", "alan"]
    assert len(result.reports) == 3
    assert events[0] == Planned(pending=2, current=1)


def test_nobody_is_hired_for_nothing(tiny: Assignment, agency: _Agency) -> None:
    """A run with nothing to do starts no fork server; --fresh does it all again."""
    _submit(tiny, "ada")
    _carry_out(Order(tiny), agency)
    _carry_out(Order(tiny), agency)
    assert agency.hired == 1
    _carry_out(Order(tiny, fresh=True), agency)
    assert agency.graded == ["ada", "ada"]


def test_a_changed_assignment_is_graded_again(tiny: Assignment, agency: _Agency, report_of: ReportOf) -> None:
    """A report belongs to the hidden tests that made it; what decides nothing changes nothing."""
    _submit(tiny, "ada")
    _carry_out(Order(tiny), agency)
    tiny.hidden_tests.write_text(tiny.hidden_tests.read_text() + "\n# a note\n")
    _carry_out(Order(tiny), agency)
    assert agency.graded == ["ada"]
    tiny.hidden_tests.write_text(tiny.hidden_tests.read_text().replace("weight=2", "weight=3"))
    _carry_out(Order(tiny), agency)
    assert agency.graded == ["ada", "ada"]


def test_what_was_tolerated_is_noted_in_the_report(tiny: Assignment, agency: _Agency) -> None:
    """The note of the discovery reaches the student."""
    _submit(tiny, "ada")
    tiny.submission("ada").rename(tiny.submission("ada").with_name("other.ipynb"))
    result, _ = _carry_out(Order(tiny), agency)
    assert result.reports[0].notebook.notes == ("The notebook was called other.ipynb and was graded as tiny.ipynb.",)


def test_reports_never_replace_the_submissions(tiny: Assignment, agency: _Agency, tmp_path: Path) -> None:
    """The executed notebook has the submission's name, so it may not go to its folder."""
    _submit(tiny, "ada")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    shutil.copy(tiny.submission("ada"), inbox / "ada.ipynb")
    with pytest.raises(CourseError, match="holds the submissions themselves"):
        _carry_out(Order(tiny, (inbox,), inbox), agency)
    assert (inbox / "ada.ipynb").read_text() == '"ada"'


def test_strangers_notebooks_stay_out_of_the_gradebook(tiny: Assignment, agency: _Agency, tmp_path: Path) -> None:
    """Only the course's own submissions and reports are the course's grades."""
    _submit(tiny, "ada")
    (tmp_path / "bob.ipynb").write_text("{}")
    assert not _carry_out(Order(tiny, (tmp_path / "bob.ipynb",)), agency)[0].of_the_course
    assert not _carry_out(Order(tiny, out=tmp_path / "out"), agency)[0].of_the_course


def test_a_grader_that_cannot_start_leaves_the_folder_free(tiny: Assignment, agency: _Agency) -> None:
    """The error comes out as it is, and the next run works."""
    _submit(tiny, "ada")

    def refuse() -> AbstractContextManager[Grader]:
        raise GraderError("no sandbox on this machine")

    with pytest.raises(GraderError, match="no sandbox"):
        grade_class(Order(tiny), refuse, lambda _: None)
    assert len(_carry_out(Order(tiny), agency)[0].reports) == 1
