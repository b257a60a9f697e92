"""A class in the small course, graded by the real command, and what the grading has to come to.

``record`` is everything that a run leaves on disk and that a grade could be lost from or doubled in: the reports, but
for their seconds, and every row of the gradebook. The random ids of its rows are replaced by what they stand for, so
two runs that did the same have the same record.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.authoring.build import build
from autograder.course import Assignment, Course
from tests.integration.conftest import FILES, RIGHT, notebook

KINDS: tuple[dict[str, str] | None, ...] = (
    RIGHT,
    {**RIGHT, "double": "def double(x):\n    return 3 * x"},
    {},
    {**RIGHT, "shout": "def shout(text):\n    return text"},
    None,
)
"""What the students hand in, by turns; None is a file that is no notebook."""

POINTS = (100.0, 60.0, 0.0, 80.0, 0.0)

_RUN_S = 300.0
_RANDOM = re.compile("[0-9a-f]{32}")
"""The ids that nbgrader makes up."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Classroom:
    """A course with submissions, and the environment that its grader is started in."""

    assignment: Assignment
    temporary: Path
    students: tuple[str, ...]

    @property
    def root(self) -> Path:
        """The course's folder."""
        return self.assignment.course.root

    def start(self, *arguments: str, python: str = sys.executable) -> subprocess.Popen[bytes]:
        """Start grading, silently."""
        return subprocess.Popen(
            [python, "-m", "autograder", "grade", self.assignment.slug, *arguments],
            cwd=self.root,
            env={**os.environ, "TMPDIR": str(self.temporary), "COLUMNS": "120"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    def grade(self, *arguments: str, python: str = sys.executable) -> tuple[int, str]:
        """Grade to the end; returns the exit code and what was said to stderr."""
        with self.start(*arguments, python=python) as running:
            _, errors = running.communicate(timeout=_RUN_S)
        return running.returncode, errors.decode(errors="replace")

    def clear(self) -> None:
        """Forget every grade."""
        shutil.rmtree(self.assignment.reports, ignore_errors=True)
        self.assignment.course.gradebook.unlink(missing_ok=True)

    def reports(self) -> dict[str, Any]:
        """The reports that are there, by file name, without their seconds; one that is damaged raises."""
        found = {path.name: json.loads(path.read_bytes()) for path in self.assignment.reports.glob("*.json")}
        return {name: {**report, "seconds": None} for name, report in found.items()}

    def record(self) -> Record:
        """What the grading has come to."""
        files = sorted(path.name for path in self.assignment.reports.iterdir())
        return {
            "files": files,
            "reports": self.reports(),
            "gradebook": gradebook_rows(self.assignment.course.gradebook),
        }


def make_class(root: Path, students: int) -> Classroom:
    """Build the small course below ``root`` and let a class hand in."""
    course, temporary = root / "course", root / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        path = course / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    build(Course(course))
    assignment = Course(course).assignment("probe")
    names = tuple(f"student{number:02}" for number in range(students))
    for number, name in enumerate(names):
        hand_in(assignment, name, KINDS[number % len(KINDS)])
    return Classroom(assignment, temporary, names)


def hand_in(assignment: Assignment, student: str, tasks: dict[str, str] | None) -> None:
    """Put one submission where nbgrader expects it."""
    path = assignment.submission(student)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no notebook" if tasks is None else notebook(assignment.release_notebook, "", "", tasks))


def gradebook_rows(path: Path) -> dict[str, list[str]]:
    """Every row of every table, rendered without the ids that are random: a row stands for what it holds and refers to.

    Rows that refer to each other are told apart by as many rounds as a chain of references is long.
    """
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        tables = {name: [dict(row) for row in connection.execute(f"select * from {name}")] for name in names}
    rows = [(name, row) for name in names for row in tables[name]]
    meaning = {value: "" for _, row in rows for key, value in row.items() if _is_random(key, value)}
    for _ in range(len(names)):
        told = [(row.get("id"), _told(name, row, meaning)) for name, row in rows]
        meaning = {number: _digest(number, told) for number in meaning}
    return {name: sorted(_told(name, row, meaning) for row in tables[name]) for name in sorted(names)}


def _is_random(column: str, value: object) -> bool:
    return column.endswith("id") and isinstance(value, str) and _RANDOM.fullmatch(value) is not None


def _told(table: str, row: dict[str, Any], meaning: dict[str, str]) -> str:
    plain = {key: meaning[value] if _is_random(key, value) else value for key, value in row.items() if key != "id"}
    return json.dumps([table, None if _is_random("id", row.get("id")) else row.get("id"), plain], sort_keys=True)


def _digest(number: str, told: list[tuple[Any, str]]) -> str:
    """A name for an id: made of all rows that have it, whichever tables they are in."""
    return hashlib.sha256("\n".join(sorted(text for one, text in told if one == number)).encode()).hexdigest()[:12]
