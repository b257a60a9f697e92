"""Sample classes by the real command: everybody gets what they should, twice the same, and nothing stays behind.

The classes that train with Keras take minutes each: ``autograder demo --assignment SLUG`` grades them. Here it is only
seen to that their notebooks and their expectations are up to date.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
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

pytestmark = pytest.mark.timeout(900)  # the first test of a class waits until it has been graded twice

ROOT = Path(__file__).parents[2]
CLASSES = sorted(path.parent for path in (ROOT / "demo").glob("*/students"))
EXPECTED: dict[str, dict[str, dict[str, Any]]] = {
    path.name: tomllib.loads((path / "expected.toml").read_text(encoding="utf8")) for path in CLASSES
}
GRADED = ("cnn_pipeline", "rnn")
EVERYBODY = [(slug, student) for slug in GRADED for student in EXPECTED[slug]]

every_class = pytest.mark.parametrize("sample", GRADED, indirect=True)
everybody = pytest.mark.parametrize("sample, student", EVERYBODY, indirect=["sample"])

SOMETHING_UNGRADABLE = 3


@dataclasses.dataclass(frozen=True)
class Run:
    """One grading of the class: how the command ended, its reports, and the processes that outlived it."""

    code: int
    reports: dict[str, Report]
    survivors: list[str]


@dataclasses.dataclass(frozen=True)
class Sample:
    """A class, graded twice."""

    assignment: Assignment
    first: Run
    second: Run


def made(slug: str, root: Path) -> Assignment:
    """Make the demonstration's course for one assignment, from a copy of this one."""
    for folder in ("assignments", "solutions", "demo"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    assignment = sample_course(Course(root), slug)
    build(assignment.course)
    return assignment


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
    command = [sys.executable, "-m", "autograder", "grade", assignment.slug, "--fresh", "--out", str(out)]
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
def graded(adoption: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Sample]:
    """Grade a class twice, when it is first asked for."""

    @cache
    def grade_twice(slug: str) -> Sample:
        assignment = made(slug, tmp_path_factory.mktemp(slug))
        reports = assignment.reports
        return Sample(assignment, grade(assignment, reports), grade(assignment, reports.with_name("again")))

    return grade_twice


@pytest.fixture
def sample(request: pytest.FixtureRequest, graded: Callable[[str], Sample]) -> Sample:
    """The class of one assignment, graded."""
    return graded(request.param)


def test_the_notebooks_are_made_of_their_sources() -> None:
    """What is committed is what the students' files and the releases give, in every class."""
    command = [sys.executable, str(ROOT / "demo" / "make_class.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("folder", CLASSES, ids=lambda path: path.name)
def test_what_is_expected_of_a_class_adds_up(folder: Path) -> None:
    """There is an entry for each student, its tasks are the rubric's, and its score is what they leave."""
    points = {task.name: task.points for task in Course(ROOT).assignment(folder.name).rubric.tasks}
    assert sorted(EXPECTED[folder.name]) == sorted(path.stem for path in (folder / "students").glob("*.py"))
    for expected in EXPECTED[folder.name].values():
        if "outcome" not in expected:
            lost = sum(points[task] - score for task, score in expected.get("tasks", {}).items())
            assert expected["score"] == pytest.approx(100 - lost, abs=1e-3)
            assert set(expected.get("carried_forward", [])) <= set(points)


@every_class
def test_everybody_has_a_report(sample: Sample) -> None:
    """One report for each student, and the exit code tells of the one who has to submit again."""
    expected = EXPECTED[sample.assignment.slug]
    assert sorted(sample.first.reports) == sorted(expected)
    assert sample.first.code == (SOMETHING_UNGRADABLE if any("outcome" in one for one in expected.values()) else 0)


@everybody
def test_everybody_gets_exactly_their_points(sample: Sample, student: str) -> None:
    """The score, and that of each task that is not right."""
    report, expected = sample.first.reports[student], EXPECTED[sample.assignment.slug][student]
    assert report.outcome.value == expected.get("outcome", "graded")
    lost = {task.name: task.score for task in report.tasks if task.score != task.max_score}
    if report.reason is None:
        assert lost == expected.get("tasks", {})
    assert round(report.score, 4) == expected["score"]


@everybody
def test_errors_are_carried_forward(sample: Sample, student: str) -> None:
    """A task that cannot do without a failed one gets its points with the reference's."""
    carried = [task.name for task in sample.first.reports[student].tasks if task.carried_forward]
    assert carried == EXPECTED[sample.assignment.slug][student].get("carried_forward", carried)


@pytest.mark.parametrize("student", ["grace", "dennis"])
def test_what_was_measured_is_in_the_report(graded: Callable[[str], Sample], student: str) -> None:
    """Also where the points were carried forward: accuracy, interval, threshold and the number of items."""
    (train,) = (task for task in graded("cnn_pipeline").first.reports[student].tasks if task.name == "train_cnn")
    (check,) = (check for check in train.checks if check.name == "test_learns_digits")
    assert check.evidence is not None
    low, high, threshold = check.evidence.low, check.evidence.high, check.evidence.threshold
    assert (low, check.evidence.items) > (0.5, 100)
    assert (threshold or 1) <= (high or 0)
    assert bool(check.message) is train.carried_forward


@every_class
def test_no_check_is_broken(sample: Sample) -> None:
    """Whatever the students return, the hidden tests are not what breaks."""
    checks = [check for report in sample.first.reports.values() for task in report.tasks for check in task.checks]
    assert [check.message for check in checks if check.outcome is Outcome.BROKEN] == []


@every_class
def test_nothing_hidden_is_in_what_students_get(sample: Sample) -> None:
    """Neither the salt nor a canary got into a report, a notebook or a page, whatever was tried."""
    assignment = sample.assignment
    hidden = "".join(path.read_text(encoding="utf8") for path in assignment.solution.parent.rglob("*.py"))
    secrets = [*re.findall(r"canary: (\S+)", hidden), assignment.course.salt.read_text(encoding="utf8").strip()]
    texts = {path.name: path.read_text(encoding="utf8") for path in assignment.reports.rglob("*") if path.is_file()}
    assert len(texts) > 2 * len(EXPECTED[assignment.slug])
    assert [name for name, text in texts.items() if any(secret in text for secret in secrets)] == []


@every_class
def test_a_second_grading_says_the_same(sample: Sample) -> None:
    """The same reports, byte for byte, apart from the times."""
    for student, report in sample.first.reports.items():
        assert timeless(sample.second.reports[student]) == timeless(report)


def timeless(report: Report) -> str:
    """Render a report without its times."""
    return dataclasses.replace(report, seconds=Seconds(0.0, 0.0, 0.0)).to_json()


@every_class
def test_no_process_stays_behind(sample: Sample) -> None:
    """Killers, endless loops and memory hogs included."""
    assert (sample.first.survivors, sample.second.survivors) == ([], [])
