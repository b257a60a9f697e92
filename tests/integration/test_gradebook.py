"""nbgrader's own tools read our scores, and its gradebook is as it would have written it itself."""

from __future__ import annotations

import csv
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveCells

from autograder.authoring.build import build
from autograder.course import Assignment, Course
from autograder.errors import CourseError, GraderError
from autograder.grading.gradebook import sync
from autograder.model import Report

if TYPE_CHECKING:
    from tests.conftest import ReportOf


@pytest.fixture
def built(tiny: Assignment) -> Assignment:
    """The tiny assignment with its release, made by nbgrader's generator."""
    build(tiny.course)
    return tiny


def _sync(assignment: Assignment, *reports: Report) -> None:
    sync(assignment.course, assignment, reports, wait_s=0.2)


def _rows(course: Course, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(course.gradebook)) as connection:
        return connection.execute(query).fetchall()


def _dump(course: Course) -> list[str]:
    with closing(sqlite3.connect(course.gradebook)) as connection:
        return list(connection.iterdump())


GRADES = """
select student_id, base_cell.name, auto_score, manual_score, needs_manual_grade from grade
join submitted_notebook on grade.notebook_id = submitted_notebook.id
join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id
join base_cell on grade.cell_id = base_cell.id order by student_id, base_cell.name
"""


def _nbgrader(course: Course, *arguments: str) -> None:
    home = {name: str(course.root / ".home") for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course.root, env=os.environ | home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nbgraders_export_gives_the_reports_scores(built: Assignment, report_of: ReportOf) -> None:
    """Every student's score in the CSV is the report's."""
    reports = [report_of("ada"), report_of("alan", shift=12.5, fit=10.0), report_of("grace", shift=0.0)]
    reports.append(report_of("niklaus", reason="The file is no notebook.", shift=0.0, fit=0.0))
    _sync(built, *reports)
    _nbgrader(built.course, "export", "--to", "scores.csv")
    with (built.course.root / "scores.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert {line["student_id"]: float(line["score"]) for line in lines} == {one.student: one.score for one in reports}
    assert {float(line["max_score"]) for line in lines} == {100.0}


def test_the_cells_are_those_that_nbgrader_records(
    built: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notebook, grade, solution and source cells equal what nbgrader's own preprocessor saves from the release."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # nbgrader starts `alembic`
    theirs = Course(tmp_path / "theirs")
    theirs.root.mkdir()
    with Gradebook(f"sqlite:///{theirs.gradebook}") as gradebook:
        gradebook.add_assignment("tiny")
    about = {"notebook": "tiny", "assignment": "tiny", "db_url": f"sqlite:///{theirs.gradebook}"}
    SaveCells().preprocess(nbformat.read(built.release_notebook, as_version=4), {"nbgrader": about})
    _sync(built)
    for query in (
        "select name, course_id, duedate from assignment",
        "select name, kernelspec from notebook",
        "select name, type from base_cell order by name, type",
        "select max_score, cell_type from grade_cells order by max_score",
        "select name, cell_type, locked, source, checksum from source_cell order by name",
        "select id from course",
        "select version_num from alembic_version",
    ):
        assert _rows(built.course, query) == _rows(theirs, query)


def test_nbgraders_own_views_read_the_gradebook(built: Assignment, report_of: ReportOf) -> None:
    """The queries behind formgrader's pages work on it, and each submission can be commented on."""
    _sync(built, report_of("ada", shift=10.0), report_of("alan", fit=None))
    with Gradebook(f"sqlite:///{built.course.gradebook}") as gradebook:
        submissions = {one["student"]: one for one in gradebook.submission_dicts("tiny")}
        assert (submissions["ada"]["score"], submissions["ada"]["max_score"]) == (50.0, 100.0)
        assert not submissions["ada"]["needs_manual_grade"]
        assert submissions["alan"]["needs_manual_grade"]
        assert len(gradebook.notebook_submission_dicts("tiny", "tiny")) == 2
        assert gradebook.find_comment("shift", "tiny", "tiny", "ada").comment is None


def test_what_is_open_waits_for_a_person(built: Assignment, report_of: ReportOf) -> None:
    """A broken task, and every task of an ungradable submission, has no automatic score and is flagged."""
    _sync(built, report_of("ada", fit=None), report_of("alan", reason="empty"))
    assert _rows(built.course, GRADES) == [
        ("ada", "fit-check", None, None, 1),
        ("ada", "shift-check", 60.0, None, 0),
        ("alan", "fit-check", None, None, 1),
        ("alan", "shift-check", None, None, 1),
    ]


def test_a_second_sync_changes_nothing(built: Assignment, report_of: ReportOf) -> None:
    """Idempotent to the byte of every row, ids included."""
    reports = [report_of("ada", shift=1.0), report_of("alan", fit=None)]
    _sync(built, *reports)
    before = _dump(built.course)
    _sync(built, *reports)
    assert _dump(built.course) == before


def _grade_by_hand(course: Course, student: str, cell: str, score: float) -> None:
    """Do what formgrader does."""
    with Gradebook(f"sqlite:///{course.gradebook}") as gradebook:
        grade = gradebook.find_grade(cell, "tiny", "tiny", student)
        grade.manual_score, grade.needs_manual_grade = score, False
        gradebook.find_comment("shift", "tiny", "tiny", student).manual_comment = "well tried"
        gradebook.db.commit()


def test_a_persons_grade_is_kept(built: Assignment, report_of: ReportOf) -> None:
    """The same automatic score leaves it settled; another one asks the person to look again, as nbgrader does."""
    _sync(built, report_of("ada", shift=10.0))
    _grade_by_hand(built.course, "ada", "shift-check", 30.0)
    _sync(built, report_of("ada", shift=10.0))
    assert _rows(built.course, GRADES)[1] == ("ada", "shift-check", 10.0, 30.0, 0)
    _sync(built, report_of("ada", shift=20.0))
    assert _rows(built.course, GRADES)[1] == ("ada", "shift-check", 20.0, 30.0, 1)
    assert ("well tried",) in _rows(built.course, "select manual_comment from comment")


def _without_fit(assignment: Assignment) -> None:
    """Take a task out of the release, as an author who changes the assignment does."""
    notebook = nbformat.read(assignment.release_notebook, as_version=4)
    notebook.cells = [
        cell for cell in notebook.cells if not cell.metadata.get("nbgrader", {}).get("grade_id", "").startswith("fit")
    ]
    nbformat.write(notebook, assignment.release_notebook)


def test_a_task_that_is_no_more_is_forgotten(built: Assignment, report_of: ReportOf) -> None:
    """A changed assignment can be graded into the same gradebook, where nbgrader alone refuses."""
    _sync(built, report_of("ada"))
    _without_fit(built)
    report = report_of("ada")
    _sync(built, replace(report, tasks=report.tasks[:1]))
    assert _rows(built.course, GRADES) == [("ada", "shift-check", 60.0, None, 0)]


def test_work_done_by_hand_is_never_thrown_away(built: Assignment, report_of: ReportOf) -> None:
    """A task with a person's grade cannot silently vanish, and nothing else is changed either."""
    _sync(built, report_of("ada"))
    _grade_by_hand(built.course, "ada", "fit-check", 5.0)
    before = _rows(built.course, GRADES)
    _without_fit(built)
    with pytest.raises(CourseError, match='work done by hand on "fit-check"'):
        _sync(built, report_of("ada", shift=1.0))
    assert _rows(built.course, GRADES) == before


def test_a_gradebook_in_use_is_waited_for(built: Assignment, report_of: ReportOf) -> None:
    """A short lock is sat out."""
    _sync(built, report_of("ada"))
    other = sqlite3.connect(built.course.gradebook, check_same_thread=False)
    other.execute("begin exclusive")
    threading.Timer(0.5, other.rollback).start()
    sync(built.course, built, [report_of("ada", fit=1.0)], wait_s=10)
    assert _rows(built.course, GRADES)[0] == ("ada", "fit-check", 1.0, None, 0)
    other.close()


@pytest.mark.parametrize("lock", ["begin exclusive", "begin immediate"])
def test_a_gradebook_that_stays_locked_is_one_clear_error(built: Assignment, report_of: ReportOf, lock: str) -> None:
    """It names the file, and says that nothing was lost."""
    _sync(built, report_of("ada"))
    other = sqlite3.connect(built.course.gradebook)
    other.execute(lock)
    with pytest.raises(GraderError, match=r"somebody else is writing to it.*the reports are complete") as caught:
        _sync(built, report_of("ada", fit=1.0))
    assert caught.value.path == built.course.gradebook
    other.close()


def test_a_file_that_is_no_gradebook_is_one_clear_error(built: Assignment, report_of: ReportOf) -> None:
    """Something else lies at its place."""
    built.course.gradebook.write_text("not a database, not even a small one " * 100)
    with pytest.raises(GraderError, match="not a database"):
        _sync(built, report_of("ada"))


def test_without_a_release_the_author_is_told_to_build(tiny: Assignment) -> None:
    """The cells come from the released notebook."""
    with pytest.raises(CourseError, match="autograder build"):
        _sync(tiny)


def _class(report_of: ReportOf, size: int) -> Sequence[Report]:
    return [report_of(f"student{number:03}", shift=number % 60) for number in range(size)]


def test_a_class_of_300_is_recorded_in_seconds(built: Assignment, report_of: ReportOf) -> None:
    """One transaction and bulk statements, not a query per cell."""
    reports = _class(report_of, 300)
    started = time.monotonic()
    _sync(built, *reports)
    assert time.monotonic() - started < 5
    assert len(_rows(built.course, GRADES)) == 600
