"""Something dies, fills up, is locked or lies about the time: no report is lost, none doubled, nothing left behind.

What each test compares with is the record of a run that nobody disturbed. The kills by the dozen, in a class of 40, are
``bench/kills.py``.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import autograder
from autograder.errors import GraderError
from autograder.examine.grader import LocalGrader
from autograder.model import Job, Report, Seconds
from autograder.subject.sandbox import processes
from tests.hostile.classroom import Classroom, make_class
from tests.hostile.kills import Kill, Undisturbed, disturb, undisturbed
from tests.hostile.leftovers import command_of, watched
from tests.integration.conftest import RIGHT, notebook

STUDENTS = 7
KILLS = 4
LOCKED_S = 10.0
_SOON_S = 60.0
"""Seconds that something which has to happen may take on a busy machine."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """A small class."""
    return make_class(tmp_path_factory.mktemp("reliability"), STUDENTS)


@pytest.fixture(scope="module")
def peace(room: Classroom) -> Undisturbed:
    """What grading it comes to."""
    return undisturbed(room)


@pytest.fixture
def classroom(room: Classroom) -> Classroom:
    """The class without a grade."""
    room.clear()
    return room


@pytest.fixture
def graded(room: Classroom, peace: Undisturbed) -> Classroom:
    """The class with all its grades."""
    if not room.assignment.course.gradebook.exists():
        room.grade()
    return room


@pytest.fixture(autouse=True)
def _nothing_left_behind(room: Classroom, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(room.temporary))
    with watched(room.temporary):
        yield


def test_a_class_whose_grader_is_killed_again_and_again(peace: Undisturbed, classroom: Classroom) -> None:
    """SIGKILL at random moments takes servers and subjects along, and the next run goes on where it stopped."""
    seed = int.from_bytes(os.urandom(2))
    seen: list[Kill] = []
    try:
        assert disturb(classroom, peace, KILLS, seed, seen.append) >= 1
    except AssertionError as error:
        pytest.fail(f"{error}\nagain: python bench/kills.py --students {STUDENTS} --kills {KILLS} --seed {seed}")
    assert [kill.number for kill in seen] == list(range(1, KILLS + 1))


def test_a_grader_that_is_killed_while_it_starts(classroom: Classroom) -> None:
    """Its first server has hardly been started, and the second one has not: no folder is left to nobody."""
    with classroom.start() as running:
        _until(lambda: _serves_subjects(running.pid))
        running.kill()


def _serves_subjects(grader: int) -> bool:
    return any("autograder.subject.server" in command_of(one) for one in processes.descendants(grader))


SLOW = """\
import os, time
def shout(text):
    if os.fork() == 0:
        time.sleep(0.8)
        os._exit(0)
    os.wait()
    return text.upper()
"""
"""The answer to the last check; while it is computed there is one more process."""


def test_whoever_dies_during_the_last_check_costs_no_point(classroom: Classroom) -> None:
    """The fork server, a keeper, the examiners' server, an examiner: the submission is examined once more."""
    body = notebook(classroom.assignment.release_notebook, "", "", {**RIGHT, "shout": SLOW})
    victims: dict[str, Callable[[LocalGrader, int], int]] = {
        "fork server": lambda grader, idle: _chain(grader)[idle - 1],
        "keeper": lambda grader, idle: _chain(grader)[idle],
        "examiners' server": lambda grader, _: _examiners(grader)[0],
        "examiner": lambda grader, _: _examiners(grader)[1],
    }
    with LocalGrader(classroom.assignment) as grader:
        idle = len(_chain(grader))
        right = _timeless(grader.grade(Job("probe", "ada", body)).report)
        assert right.score == 100
        for name, victim in victims.items():
            _until(partial(_has_processes, grader, idle))  # those of the last examination are gone
            with _Examination(grader, body) as examination:
                _until(partial(_has_processes, grader, idle + 4))  # keeper, warden, subject, and its child
                os.kill(victim(grader, idle), signal.SIGKILL)
            assert examination.reports == [right], name


def _has_processes(grader: LocalGrader, count: int) -> bool:
    return len(_chain(grader)) == count


class _Examination:
    """A submission under way in a thread; what comes of it is in ``reports`` or ``errors`` afterwards."""

    def __init__(self, grader: LocalGrader, body: bytes) -> None:
        self.reports: list[Report] = []
        self.errors: list[GraderError] = []
        self._thread = threading.Thread(target=self._grade, args=(grader, body))

    def _grade(self, grader: LocalGrader, body: bytes) -> None:
        try:
            self.reports.append(_timeless(grader.grade(Job("probe", "ada", body)).report))
        except GraderError as error:
            self.errors.append(error)

    def __enter__(self) -> _Examination:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(_SOON_S)
        assert not self._thread.is_alive()


def _chain(grader: LocalGrader) -> list[int]:
    """The processes of the subjects' side, each the only child of the one before."""
    assert grader._subjects is not None
    server = grader._subjects._process.pid
    return [server, *filter(processes._is_alive, processes.descendants(server))]


def _examiners(grader: LocalGrader) -> list[int]:
    """The examiners' server, and the one that it has forked."""
    assert grader._examiner is not None
    return [grader._examiner.pid, *processes.descendants(grader._examiner.pid)]


def _timeless(report: Report) -> Report:
    return replace(report, seconds=Seconds(0, 0, 0))


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _SOON_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.001)


def test_a_grader_that_is_closed_stays_closed(classroom: Classroom) -> None:
    """Nobody takes the servers' end for a death and starts others, not even after an examiner has really died."""
    body = notebook(classroom.assignment.release_notebook, "import time\ntime.sleep(2.5)", "", RIGHT)
    with LocalGrader(classroom.assignment) as grader:
        examination = _Examination(grader, body).__enter__()
        _until(lambda: len(_examiners(grader)) > 1)
        os.kill(_examiners(grader)[1], signal.SIGKILL)
    examination.__exit__()
    assert examination.reports == []
    assert len(examination.errors) == 1


def test_a_full_disk_costs_no_report(peace: Undisturbed, classroom: Classroom) -> None:
    """The run ends with one line; what was written stays, and once there is room the next run does the rest."""
    command = [sys.executable, "-m", "tests.hostile.full_disk", str(classroom.root), "40k"]
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # with more nobody makes a user namespace
    environment = {**os.environ, **one_thread, "TMPDIR": str(classroom.temporary)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    code, said = seen["first"]
    assert (code, said.count("\n")) == (3, 1)
    assert "No space left on device" in said
    assert 0 < len(seen["kept"]) < STUDENTS
    assert seen["halves"] == seen["changed"] == []
    assert seen["record"] == peace.record


def test_a_gradebook_that_is_locked_for_ten_seconds_is_waited_for(peace: Undisturbed, graded: Classroom) -> None:
    """Somebody else is writing to it just when the scores are to go in."""
    gradebook = graded.assignment.course.gradebook
    with closing(sqlite3.connect(gradebook, isolation_level=None)) as other:
        other.execute("begin exclusive")
        other.execute("delete from grade")
        with graded.start() as running:
            _until(lambda: _has_open(running.pid, gradebook))
            time.sleep(LOCKED_S)
            assert running.poll() is None
            other.execute("rollback")
            _, said = running.communicate(timeout=_SOON_S)
    assert running.returncode == 3, said  # a file of the class is no notebook
    assert graded.record() == peace.record


def _has_open(process: int, path: Path) -> bool:
    folder = Path(f"/proc/{process}/fd")
    try:
        return any(Path(os.readlink(one)) == path for one in folder.iterdir())
    except OSError:
        return False


JUMPING = """\
#!{python}
import itertools, os, runpy, sys, time
real, hours = time.time, itertools.cycle([0, 5, -7, 900, -1000, 3])
time.time = lambda: real() + 3600 * next(hours)
time.time_ns = lambda: int(time.time() * 1e9)
sys.executable, sys.path[0] = __file__, os.getcwd()
while sys.argv[1] != "-m":
    del sys.argv[1]
del sys.argv[:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def test_a_clock_that_jumps_changes_nothing(peace: Undisturbed, classroom: Classroom, tmp_path: Path) -> None:
    """Every look at the clock is hours away from the last one, in the grader and all that it starts."""
    python = tmp_path / "python"
    python.write_text(JUMPING.format(python=sys.executable))
    python.chmod(0o755)
    code, said = classroom.grade(python=str(python))
    assert code == 3, said
    assert classroom.record() == peace.record


def test_dates_decide_nothing(peace: Undisturbed, graded: Classroom) -> None:
    """Whether a report is current is told by what it was made from: files of next year and of 1970 are the same."""
    reports = sorted(graded.assignment.reports.glob("*.json"))
    before = [path.read_bytes() for path in reports]
    for number, path in enumerate([*reports, *map(graded.assignment.submission, graded.students)]):
        os.utime(path, (2**31 * (number % 2), 2**31 * (number % 2)))
    graded.grade()
    assert [path.read_bytes() for path in reports] == before
    assert graded.record() == peace.record


def test_no_deadline_looks_at_the_clock_on_the_wall() -> None:
    """One place does, to tell how old an abandoned folder is; everything else asks ``time.monotonic``."""
    package = Path(autograder.__file__).parent
    found = {path.relative_to(package).as_posix() for path in package.rglob("*.py") if _looks_at_the_wall(path)}
    assert found == {"subject/sandbox/box.py"}


def _looks_at_the_wall(path: Path) -> bool:
    names = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime"}
    tree = ast.parse(path.read_text(encoding="utf8"))
    imported = [
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
    ]
    used = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    from_time = any(isinstance(node, ast.ImportFrom) and node.module == "time" for node in ast.walk(tree))
    return bool(names & used) or "datetime" in imported or from_time
