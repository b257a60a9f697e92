"""The sample class by the real command: everybody gets what they should, twice the same, and nothing stays behind."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.authoring.build import build
from autograder.course import Assignment, Course
from autograder.demo import sample_course
from autograder.grading.journal import load_all
from autograder.model import Outcome, Report, Seconds
from autograder.subject.sandbox import linux
from autograder.subject.sandbox.processes import descendants

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.timeout(900)  # the first test waits for the whole class, the next one for its repetition

ROOT = Path(__file__).parents[2]
SLUG = "cnn_pipeline"
SAMPLE = ROOT / "demo" / SLUG
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((SAMPLE / "expected.toml").read_text(encoding="utf8"))

SOMETHING_UNGRADABLE = 3


@dataclasses.dataclass(frozen=True)
class Run:
    """One grading of the class: how the command ended, its reports, and the processes that outlived it."""

    code: int
    reports: dict[str, Report]
    survivors: list[str]


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """The demonstration's course, made from a copy of this one."""
    root = tmp_path_factory.mktemp("demo")
    for folder in ("assignments", "solutions", "demo"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    made = sample_course(Course(root), SLUG)
    build(made.course)
    return made


@pytest.fixture(scope="module")
def adoption() -> Iterator[None]:
    """Orphans become children of this process, so that none gets out of its sight."""
    set_child_subreaper = 36
    linux.prctl(set_child_subreaper, 1)
    yield
    linux.prctl(set_child_subreaper, 0)


def grade(assignment: Assignment, out: Path) -> Run:
    """Grade the class as an instructor does."""
    before = set(descendants(os.getpid()))
    command = [sys.executable, "-m", "autograder", "grade", SLUG, "--fresh", "--out", str(out)]
    done = subprocess.run(command, cwd=assignment.course.root, capture_output=True, check=False)
    new = set(descendants(os.getpid())) - before
    survivors = [named for named in map(living, new) if named]
    return Run(done.returncode, {one.student: one for one in load_all(out)}, survivors)


def living(process: int) -> str | None:
    """Return the command line of a process; None when it has ended."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf8").rpartition(")")[2].split()[0]
        command = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return None
    return None if state == "Z" else f"{process}: {command}"


@pytest.fixture(scope="module")
def first(assignment: Assignment, adoption: None) -> Run:
    """The class, graded."""
    return grade(assignment, assignment.reports)


@pytest.fixture(scope="module")
def second(assignment: Assignment, adoption: None, first: Run) -> Run:
    """The class, graded again."""
    return grade(assignment, assignment.reports.with_name("again"))


def test_the_notebooks_are_made_of_their_sources() -> None:
    """What is committed is what the students' files and the release give."""
    command = [sys.executable, str(SAMPLE / "make_class.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_everybody_has_a_report(first: Run) -> None:
    """One report for each student, and the exit code tells of the one who has to submit again."""
    assert sorted(first.reports) == sorted(EXPECTED)
    assert first.code == SOMETHING_UNGRADABLE


@pytest.mark.parametrize("student", EXPECTED)
def test_everybody_gets_exactly_their_points(first: Run, student: str) -> None:
    """The score, and that of each task that is not right."""
    report, expected = first.reports[student], EXPECTED[student]
    assert report.outcome.value == expected.get("outcome", "graded")
    lost = {task.name: task.score for task in report.tasks if task.score != task.max_score}
    if report.reason is None:
        assert lost == expected.get("tasks", {})
    assert round(report.score, 4) == expected["score"]


@pytest.mark.parametrize("student", [name for name in EXPECTED if "carried_forward" in EXPECTED[name]])
def test_errors_are_carried_forward(first: Run, student: str) -> None:
    """A task that cannot do without a failed one gets its points with the reference's."""
    carried = [task.name for task in first.reports[student].tasks if task.carried_forward]
    assert carried == EXPECTED[student]["carried_forward"]


@pytest.mark.parametrize("student", ["grace", "dennis"])
def test_what_was_measured_is_in_the_report(first: Run, student: str) -> None:
    """Also where the points were carried forward: accuracy, interval, threshold and the number of items."""
    (train,) = (task for task in first.reports[student].tasks if task.name == "train_cnn")
    (check,) = (check for check in train.checks if check.name == "test_learns_digits")
    assert check.evidence is not None
    low, high, threshold = check.evidence.low, check.evidence.high, check.evidence.threshold
    assert (low, check.evidence.items) > (0.5, 100)
    assert (threshold or 1) <= (high or 0)
    assert bool(check.message) is train.carried_forward


def test_no_check_is_broken(first: Run) -> None:
    """Whatever the students return, the hidden tests are not what breaks."""
    checks = [check for report in first.reports.values() for task in report.tasks for check in task.checks]
    assert [check.message for check in checks if check.outcome is Outcome.BROKEN] == []


def test_nothing_hidden_is_in_what_students_get(assignment: Assignment, first: Run) -> None:
    """Neither the salt nor a canary got into a report, a notebook or a page, whatever was tried."""
    hidden = "".join(path.read_text(encoding="utf8") for path in assignment.solution.parent.rglob("*.py"))
    secrets = [*re.findall(r"canary: (\S+)", hidden), assignment.course.salt.read_text(encoding="utf8").strip()]
    texts = {path.name: path.read_text(encoding="utf8") for path in assignment.reports.rglob("*") if path.is_file()}
    assert len(texts) > 2 * len(EXPECTED)
    assert [name for name, text in texts.items() if any(secret in text for secret in secrets)] == []


def test_a_second_grading_says_the_same(first: Run, second: Run) -> None:
    """The same reports, byte for byte, apart from the times."""
    for student, report in first.reports.items():
        assert timeless(second.reports[student]) == timeless(report)


def timeless(report: Report) -> str:
    """Render a report without its times."""
    return dataclasses.replace(report, seconds=Seconds(0.0, 0.0, 0.0)).to_json()


def test_no_process_stays_behind(first: Run, second: Run) -> None:
    """Killers, endless loops and memory hogs included."""
    assert (first.survivors, second.survivors) == ([], [])
