"""The command line: what it imports, what it prints, and how it exits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autograder import cli
from autograder.course import Assignment
from autograder.errors import GraderError
from autograder.grading.engine import Grader
from autograder.grading.session import Order
from autograder.model import Graded, Job

if TYPE_CHECKING:
    from tests.conftest import ReportOf

HEAVY = {"tensorflow", "keras", "nbgrader", "nbformat", "numpy", "sqlalchemy", "jinja2", "matplotlib", "scipy"}
IMPORTED = """
import sys
sys.argv = ["autograder", *sys.argv[1:]]
from autograder.cli import main
try:
    main()
finally:
    print("|".join(sys.modules), file=sys.stderr)
"""


class _Fake:
    """A grader that gives what it was told to, by student."""

    def __init__(self, report_of: ReportOf, **fit: float | None) -> None:
        self._report_of = report_of
        self._fit = fit

    def grade(self, job: Job) -> Graded:
        if job.student == "crash":
            raise GraderError("a worker died")
        report = self._report_of(job.student, reason=job.reason, fit=self._fit.get(job.student, 40.0))
        return Graded(report, job.notebook)


@pytest.fixture
def inbox(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of notebooks."""

    def make(*students: str) -> Path:
        folder = tmp_path / "inbox"
        folder.mkdir()
        for student in students:
            (folder / f"{student}.ipynb").write_text("{}")
        return folder

    return make


def _grade(
    tiny: Assignment, grader: Grader, folder: Path, fail_under: float | None = None, *, fresh: bool = False
) -> int:
    def hire() -> AbstractContextManager[Grader]:
        return nullcontext(grader)

    order = Order(tiny, (folder,), folder.parent / "out", workers=2, fresh=fresh)
    return cli.carry_out(order, hire, fail_under)


def _run(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "autograder", *arguments]
    environment = os.environ | {"TERM": "dumb", "COLUMNS": "200"}
    return subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [["--help"], ["grade", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    """It answers at once, even where nbgrader is not installed."""
    command = [sys.executable, "-c", IMPORTED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert not HEAVY & set(done.stderr.strip().splitlines()[-1].split("|"))


def test_a_class_without_trouble_exits_with_0(
    tiny: Assignment, report_of: ReportOf, inbox: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Plain progress lines where there is no terminal, the table, and where everything lies."""
    folder = inbox("ada", "grace")
    assert _grade(tiny, _Fake(report_of, ada=4.0), folder) == 0
    out = capsys.readouterr().out
    assert "/2] ada: 64/100, 1.5 s" in out
    assert "Tiny" in out
    assert "to look at" not in out
    assert f"open {folder.parent / 'out' / 'index.html'}" in out.replace("\n", " ")
    assert (folder.parent / "out" / "students" / "ada.html").is_file()
    assert not tiny.course.gradebook.exists()


def test_a_single_submission_is_shown_in_full(
    tiny: Assignment, report_of: ReportOf, inbox: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A table of one row would hide what a single student, or a CI job, wants to know."""
    _grade(tiny, _Fake(report_of, ada=4.0), inbox("ada"))
    out = capsys.readouterr().out
    assert "64 of 100 points" in out
    assert "fit is failed" in out
    assert "tasks from left to right" not in out


@pytest.mark.parametrize(
    ("students", "fit", "fail_under", "code"),
    [
        (("ada",), {"ada": 4.0}, 64.0, 0),
        (("ada", "grace"), {"ada": 4.0}, 64.5, 1),
        (("ada", "grace"), {"ada": None}, None, 3),
        (("ada", "crash"), {"ada": 4.0}, 100.0, 3),
    ],
)
def test_the_exit_code_tells_the_worst(
    tiny: Assignment,
    report_of: ReportOf,
    inbox: Callable[..., Path],
    students: tuple[str, ...],
    fit: dict[str, float | None],
    fail_under: float | None,
    code: int,
) -> None:
    """A low score is 1; something broken or ungraded is 3, whatever the scores."""
    assert _grade(tiny, _Fake(report_of, **fit), inbox(*students), fail_under) == code


def test_what_needs_a_person_is_listed_with_what_to_do(
    tiny: Assignment, report_of: ReportOf, inbox: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """After the table, one entry each."""
    _grade(tiny, _Fake(report_of), inbox("ada", "crash"))
    out = " ".join(capsys.readouterr().out.split())
    assert "1 to look at" in out
    assert "crash: could not be graded: a worker died" in out
    assert "run the same command again" in out


def test_the_class_page_holds_every_report_of_the_folder(
    tiny: Assignment, report_of: ReportOf, inbox: Callable[..., Path]
) -> None:
    """Grading one more student does not take the others off the page."""
    folder = inbox("ada", "grace")
    _grade(tiny, _Fake(report_of), folder)
    (folder / "grace.ipynb").unlink()
    _grade(tiny, _Fake(report_of), folder, fresh=True)
    page = (folder.parent / "out" / "index.html").read_text()
    assert "students/grace.html" in page


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("grade",), 2, "Missing argument"),
        (("grade", "nowhere"), 2, 'error: {root}/assignments: there is no assignment "nowhere": expected one of tiny'),
        (("grade", "tiny", "gone.ipynb"), 2, "error: {root}/gone.ipynb: does not exist"),
        (("grade", "tiny", "--workers", "0"), 2, "Invalid value for"),
        (("report", "tiny"), 3, "error: {root}/reports/tiny: holds no reports: grade some submissions first"),
    ],
)
def test_a_known_error_is_one_line(tiny: Assignment, arguments: tuple[str, ...], code: int, says: str) -> None:
    """What is wrong, where, and what was expected; usage and the author's mistakes are 2, ours 3."""
    done = _run(tiny.course.root, *arguments)
    assert done.returncode == code
    assert says.format(root=tiny.course.root) in done.stderr
    assert "Traceback" not in done.stderr
    if done.stderr.startswith("error"):
        assert done.stderr.count("\n") == 1


def test_outside_a_course_the_error_says_where_to_go(tmp_path: Path) -> None:
    """No folder above holds assignments/."""
    done = _run(tmp_path, "report", "tiny")
    assert done.returncode == 2
    assert "change to a folder that holds assignments/" in done.stderr


def test_report_makes_the_page_from_the_reports(
    tiny: Assignment, report_of: ReportOf, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The records are enough; the reports of another assignment in the folder are left out."""
    tiny.reports.mkdir(parents=True)
    (tiny.reports / "ada.json").write_text(report_of("ada").to_json())
    other = json.loads(report_of("eve").to_json()) | {"assignment": "other"}
    (tiny.reports / "eve.json").write_text(json.dumps(other))
    monkeypatch.chdir(tiny.course.root)
    cli.report("tiny")
    page = (tiny.reports / "index.html").read_text()
    assert "students/ada.html" in page
    assert "eve" not in page
    assert "ada" in capsys.readouterr().out


def test_a_crash_of_ours_is_a_traceback_and_3(tmp_path: Path) -> None:
    """Python's own exit code 1 would say that a score is too low."""
    crash = "import autograder.cli as cli; cli.app = lambda: 1 / 0; cli.main()"
    done = subprocess.run([sys.executable, "-c", crash], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 3
    assert "ZeroDivisionError" in done.stderr
