"""A class through the real command: reports as the journal, the gradebook, and every way to be interrupted."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from autograder.course import Assignment
from autograder.examine.grader import LocalGrader
from autograder.model import Job, Report
from tests.hostile.leftovers import watched
from tests.integration.conftest import RIGHT, notebook, scores, timeless

CLASS = {
    "ada": RIGHT,
    "bob": {**RIGHT, "double": "def double(x):\n    return 3 * x"},
    "cleo": {},
    "dan": {**RIGHT, "shout": "def shout(text):\n    return text"},
}
EXPECTED = {"ada": 100.0, "bob": 60.0, "cleo": 0.0, "dan": 80.0}


@pytest.fixture
def classroom(copied: Assignment) -> Assignment:
    """A course with four submissions in nbgrader's layout."""
    for student, tasks in CLASS.items():
        place(copied, student, tasks)
    return copied


def place(assignment: Assignment, student: str, tasks: Mapping[str, str]) -> None:
    """Hand in one notebook."""
    path = assignment.submission(student)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook(assignment.release_notebook, "", "", dict(tasks)))


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment with a temporary folder of its own, far down; nothing may be left behind."""
    temporary = tmp_path / "a temporary folder with a path that is longer than that of a socket may be"
    temporary.mkdir()
    with watched(temporary):
        yield {**os.environ, "TMPDIR": str(temporary), "COLUMNS": "120"}


def command(assignment: Assignment, *arguments: str) -> list[str]:
    """The command line of one grading."""
    return [sys.executable, "-m", "autograder", "grade", assignment.slug, *arguments]


def grade(assignment: Assignment, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        command(assignment, *arguments),
        cwd=assignment.course.root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def reports(folder: Path) -> dict[str, Report]:
    """All reports of a folder by student."""
    return {path.stem: Report.from_json(path.read_text(encoding="utf8")) for path in folder.glob("*.json")}


def points(folder: Path) -> dict[str, float]:
    """All scores of a folder by student."""
    return {student: report.score for student, report in reports(folder).items()}


def test_a_class_is_graded_into_reports_and_gradebook(classroom: Assignment, environment: dict[str, str]) -> None:
    """The reports, the table and nbgrader's own export agree."""
    done = grade(classroom, environment)
    assert done.returncode == 0, done.stderr
    assert points(classroom.reports) == EXPECTED
    export = [sys.executable, "-m", "nbgrader", "export", "--to", "grades.csv"]
    subprocess.run(export, cwd=classroom.course.root, env=environment, check=True, capture_output=True, timeout=60)
    with (classroom.course.root / "grades.csv").open(encoding="utf8") as file:
        exported = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert exported == EXPECTED


def test_a_second_run_grades_only_what_changed(classroom: Assignment, environment: dict[str, str]) -> None:
    """Reports are the journal: what is current stays, to the byte."""
    grade(classroom, environment)
    before = {path.name: path.read_bytes() for path in classroom.reports.glob("*.json")}
    place(classroom, "dan", RIGHT)
    done = grade(classroom, environment, "--fail-under", "50")
    assert done.returncode == 1
    after = {path.name: path.read_bytes() for path in classroom.reports.glob("*.json")}
    assert {name for name in after if after[name] != before[name]} == {"dan.json"}
    assert points(classroom.reports)["dan"] == 100


def test_notebooks_and_folders_can_be_named(classroom: Assignment, environment: dict[str, str], tmp_path: Path) -> None:
    """A file's student is its stem, a folder is searched, and --out keeps the course as it was."""
    handed_in = tmp_path / "handed_in"
    handed_in.mkdir()
    (handed_in / "eve.ipynb").write_bytes(classroom.submission("ada").read_bytes())
    done = grade(classroom, environment, str(handed_in), "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert points(tmp_path / "out") == {"eve": 100.0}
    assert not classroom.reports.exists()
    assert not classroom.course.gradebook.exists()


@pytest.mark.parametrize("after_s", [0.3, 2.0, 3.0, 4.0])
def test_a_killed_run_is_continued(classroom: Assignment, environment: dict[str, str], after_s: float) -> None:
    """SIGKILL at any moment: no report is lost or damaged, and the next run ends as an undisturbed one does."""
    running = subprocess.Popen(
        command(classroom, "--workers", "1"),
        cwd=classroom.course.root,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(after_s)
    running.kill()
    running.wait()
    kept = reports(classroom.reports) if classroom.reports.exists() else {}
    assert all(report.score == EXPECTED[student] for student, report in kept.items())
    assert grade(classroom, environment).returncode == 0
    final = reports(classroom.reports)
    assert {student: report.score for student, report in final.items()} == EXPECTED
    assert all(final[student] == report for student, report in kept.items())


def test_two_graders_at_once_are_refused(classroom: Assignment, environment: dict[str, str]) -> None:
    """The second says who holds the folder, and touches nothing."""
    first = subprocess.Popen(command(classroom), cwd=classroom.course.root, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not classroom.reports.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    second = grade(classroom, environment)
    assert first.wait(60) == 0
    assert second.returncode == 3
    assert str(first.pid) in second.stderr
    assert points(classroom.reports) == EXPECTED


def test_files_that_are_no_notebooks_cost_nobody_else(classroom: Assignment, environment: dict[str, str]) -> None:
    """Each gets an ungradable report with its reason; the others get their points."""
    odd = {
        "empty": b"",
        "text": b"this is no notebook",
        "json": b"[1, 2, 3]",
        "deep": b"[" * 100_000,
        "future": b'{"nbformat": 9, "nbformat_minor": 0, "metadata": {}, "cells": []}',
        "large": b" " * (21 << 20),
    }
    for student, body in odd.items():
        path = classroom.submission(student)
        path.parent.mkdir(parents=True)
        path.write_bytes(body)
    outside = classroom.course.root / "solutions" / "probe" / "solution.py"
    classroom.submission("link").parent.mkdir(parents=True)
    classroom.submission("link").symlink_to(outside)
    done = grade(classroom, environment)
    assert done.returncode == 3
    found = reports(classroom.reports)
    assert {student: found[student].score for student in EXPECTED} == EXPECTED
    for student in (*odd, "link"):
        assert found[student].outcome == "ungradable"
        assert found[student].reason
        assert "canary" not in found[student].to_json()


def test_a_report_folder_that_cannot_be_written_is_one_line(
    classroom: Assignment, environment: dict[str, str], tmp_path: Path
) -> None:
    """A file where the folder should be: a clear error, and nothing is graded in vain."""
    (tmp_path / "out").write_text("in the way", encoding="utf8")
    done = grade(classroom, environment, "--out", str(tmp_path / "out"))
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert str(tmp_path / "out") in done.stderr


@pytest.mark.parametrize("victim", ["subject.server", "examine.server"])
def test_a_server_that_dies_is_replaced(classroom: Assignment, victim: str) -> None:
    """A killed fork server costs nobody a grade: the next submission finds fresh ones."""
    body = classroom.submission("ada").read_bytes()
    with LocalGrader(classroom) as grader:
        before = grader.grade(Job("probe", "ada", body))
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and _is_child(entry, f"autograder.{victim}"):
                os.kill(int(entry.name), signal.SIGKILL)
        after = grader.grade(Job("probe", "ada", body))
    assert scores(after) == scores(before)
    assert timeless(after.report) == timeless(before.report)


def _is_child(entry: Path, module: str) -> bool:
    """True for a process that this one started from a module."""
    try:
        parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        line = (entry / "cmdline").read_bytes().decode().split("\0")
    except (OSError, ValueError):
        return False
    return parent == os.getpid() and module in line


def test_what_the_student_is_called_reaches_no_shell_and_no_path(
    classroom: Assignment, environment: dict[str, str]
) -> None:
    """A hostile folder name is one student with a safe name."""
    place(classroom, "$(touch pwned);'\n..", RIGHT)
    assert grade(classroom, environment).returncode == 0
    assert not list(classroom.course.root.rglob("pwned"))
    assert len(list(classroom.reports.glob("*.json"))) == len(EXPECTED) + 1
