"""A report on disk means complete, whatever happened while it was written."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from autograder.course import Assignment
from autograder.deciding import task_digests
from autograder.errors import GraderError
from autograder.grading.journal import hold, load, load_all, report_path, write_page
from autograder.grading.submissions import Submission, read
from autograder.model import Graded, Report
from autograder.rubric import Limits

if TYPE_CHECKING:
    from tests.conftest import ReportOf

NOTEBOOK = b'{"cells": []}'


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    """Ada's file."""
    path = tmp_path / "inbox" / "ada.ipynb"
    path.parent.mkdir()
    path.write_bytes(NOTEBOOK)
    return Submission("tiny", "ada", path.parent, path)


def _made_from(report: Report, notebook: bytes) -> Report:
    digest = hashlib.sha256(notebook).hexdigest()
    return replace(report, provenance=replace(report.provenance, submission_sha256=digest))


def test_a_recorded_report_reads_back(tmp_path: Path, report_of: ReportOf) -> None:
    """The record and the executed notebook lie side by side, and nothing else."""
    report = report_of("ada", fit=10.0)
    with hold(tmp_path / "out") as journal:
        journal.record(Graded(report, b"executed"))
    assert load_all(tmp_path / "out") == [report]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".lock", "ada.ipynb", "ada.json"]


def test_an_ungradable_report_leaves_no_older_notebook(tmp_path: Path, report_of: ReportOf) -> None:
    """An executed notebook always belongs to the report beside it."""
    with hold(tmp_path) as journal:
        journal.record(Graded(report_of("ada"), b"executed"))
        journal.record(Graded(report_of("ada", reason="not a notebook"), None))
    assert not (tmp_path / "ada.ipynb").exists()


def test_what_did_not_change_is_not_pending(
    tmp_path: Path, tiny: Assignment, report_of: ReportOf, submission: Submission
) -> None:
    """Same bytes, same assignment: the report is current; any other bytes or assignment: it is not."""
    digests = task_digests(tiny)
    with hold(tmp_path / "out") as journal:
        assert journal.pending([submission], digests, Limits()) == [(submission, ())]
        journal.record(Graded(_made_from(report_of("ada"), NOTEBOOK), NOTEBOOK))
        assert journal.pending([submission], digests, Limits()) == []
        assert journal.pending([submission], dict.fromkeys(digests, "another"), Limits()) == [(submission, ())]
        submission.path.write_bytes(b"{}")
        assert journal.pending([submission], digests, Limits()) == [(submission, ())]


def test_a_task_that_something_else_decides_now_is_pending_alone(
    tmp_path: Path, tiny: Assignment, report_of: ReportOf, submission: Submission
) -> None:
    """The results of the other tasks stand, and go along."""
    report = _made_from(report_of("ada"), NOTEBOOK)
    first, *others = report.tasks
    with hold(tmp_path / "out") as journal:
        journal.record(Graded(report, NOTEBOOK))
        changed = {**task_digests(tiny), first.name: "another"}
        assert journal.pending([submission], changed, Limits()) == [(submission, tuple(others))]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}', "\udcff"])
def test_a_damaged_report_is_pending(tmp_path: Path, submission: Submission, text: str) -> None:
    """What cannot be read is graded again."""
    with hold(tmp_path / "out") as journal:
        (tmp_path / "out" / "ada.json").write_bytes(text.encode("utf8", "surrogateescape"))
        assert journal.pending([submission], {"double": "any"}, Limits()) == [(submission, ())]


def test_a_submission_without_bytes_is_pending_when_its_reason_changed(
    tmp_path: Path, tiny: Assignment, report_of: ReportOf, submission: Submission
) -> None:
    """One that is still missing needs no grader; one that is now too large does."""
    submission.path.unlink()
    reason = read(submission, Limits()).reason
    with hold(tmp_path / "out") as journal:
        journal.record(Graded(_made_from(report_of("ada", reason=reason), b""), None))
        assert journal.pending([submission], task_digests(tiny), Limits()) == []
        submission.path.mkdir()
        assert journal.pending([submission], task_digests(tiny), Limits()) == [(submission, ())]


@pytest.mark.parametrize("student", ["", "../ada", "a/b", ".lock", "a\0b"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, student: str) -> None:
    """The journal does not rely on who made the name."""
    with pytest.raises(GraderError, match="cannot name a report"):
        report_path(tmp_path, student)


def test_another_students_report_is_refused(tmp_path: Path, report_of: ReportOf) -> None:
    """A report that was copied under another name is nobody's."""
    (tmp_path / "grace.json").write_text(report_of("ada").to_json())
    with pytest.raises(GraderError, match="another's"):
        load(tmp_path / "grace.json")


def test_a_folder_without_reports_says_so(tmp_path: Path) -> None:
    """Showing a class before grading it is told in one line."""
    with pytest.raises(GraderError, match="holds no reports"):
        load_all(tmp_path)


def test_leftovers_of_a_killed_run_are_cleared(tmp_path: Path) -> None:
    """Half-written files are never mistaken for anything."""
    (tmp_path / ".ada.json.123.tmp").write_text("{")
    with hold(tmp_path):
        assert not list(tmp_path.glob(".*.tmp"))


@pytest.mark.parametrize("folder", ["/proc/autograder", "/dev/null/out"])
def test_a_folder_that_cannot_be_written_is_named(folder: str) -> None:
    """One line, with the folder and what to do."""
    with pytest.raises(GraderError, match="cannot be written to") as caught, hold(Path(folder)):
        pass
    assert str(caught.value).startswith(folder)


def test_a_page_appears_whole_in_a_new_folder(tmp_path: Path) -> None:
    """Pages are written like reports."""
    write_page(tmp_path / "students" / "ada.html", "page")
    assert [path.name for path in (tmp_path / "students").iterdir()] == ["ada.html"]


HOLDER = """
import sys, time
from pathlib import Path
from autograder.grading.journal import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_graders_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second is told who the first is; after a kill -9 the folder is free."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(GraderError, match=f"process {holder.pid} is grading into this folder"), hold(tmp_path):
            pass
        holder.kill()
    with hold(tmp_path):
        pass


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from autograder.errors import GraderError
from autograder.grading.journal import hold
from autograder.model import Graded, Report
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder, report = Path(sys.argv[1]), Report.from_json(sys.stdin.read())
with hold(folder) as journal:
    journal.record(Graded(report, b"small"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    try:
        journal.record(Graded(report, bytes(200_000)))
    except GraderError as error:
        print(error)
"""


def test_when_the_disk_is_full_the_reports_stay(tmp_path: Path, report_of: ReportOf) -> None:
    """A write that the system refuses is one line; what was there is untouched and nothing is left half written."""
    report = report_of("ada")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path], input=report.to_json(), capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{tmp_path}: cannot be written to (File too large)")
    assert load_all(tmp_path) == [report]
    assert (tmp_path / "ada.ipynb").read_bytes() == b"small"
    assert not list(tmp_path.glob(".*.tmp"))


ENDLESS = """
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
from autograder.grading.journal import hold
from autograder.model import Graded, Report
report = Report.from_json(sys.stdin.read())
with hold(Path(sys.argv[1])) as journal:
    print("held", flush=True)
    for number in count():
        journal.record(Graded(replace(report, student=f"s{number % 50}"), bytes(100_000)))
"""


def test_a_run_killed_at_any_moment_leaves_only_whole_reports(tmp_path: Path, report_of: ReportOf) -> None:
    """After kill -9 every report parses and has its executed notebook, whole."""
    for pause_s in (0.02, 0.07, 0.15):
        command = [sys.executable, "-c", ENDLESS, str(tmp_path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdin is not None
            assert run.stdout is not None
            run.stdin.write(report_of("any").to_json())
            run.stdin.close()
            assert run.stdout.readline() == "held\n"
            time.sleep(pause_s)
            run.send_signal(signal.SIGKILL)
        with hold(tmp_path):
            for path in tmp_path.glob("*.json"):
                assert load(path).score == 100.0
                assert path.with_suffix(".ipynb").stat().st_size == 100_000
    assert list(tmp_path.glob("*.json"))
