"""The reports on disk, which are also the journal of a run.

    <folder>/<student>.json     the report: written last, so that it means "complete"
    <folder>/<student>.ipynb    the executed notebook, written before its report
    <folder>/.lock              held while somebody grades into the folder

Every file appears at once and whole: written beside its place, synced, renamed. Nothing else records what was done, so
a run that was killed at any moment is continued by looking at which reports are there and what they were made from.
A student's name never starts with a dot, so no report can take the place of the lock or of a temporary file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from autograder.errors import GraderError
from autograder.grading.submissions import Submission, read
from autograder.model import Graded, Report, TaskResult
from autograder.rubric import Limits

_TEMPORARY = ".*.tmp"

Kept = tuple[TaskResult, ...]
"""Results that stand though the submission is graded again."""


class Journal:
    """A folder of reports that this process alone writes to; made by ``hold``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def pending(
        self, submissions: Iterable[Submission], digests: Mapping[str, str], limits: Limits
    ) -> list[tuple[Submission, Kept]]:
        """Return the submissions that are to be graded, each with the results that still stand.

        That is one whose report is missing, damaged, or was made from other bytes, or for another reason; and one with
        a task that something else decides now. ``digests`` are those of the tasks.
        """
        known = ((one, self._kept(one, digests, limits)) for one in submissions)
        return [(one, kept) for one, kept in known if {task.name for task in kept} != set(digests)]

    def record(self, graded: Graded) -> None:
        """Write the executed notebook and then the report.

        Raises:
            GraderError: the folder takes no more files; reports that are there stay.
        """
        report = report_path(self.folder, graded.report.student)
        notebook = report.with_name(f"{graded.report.student}.ipynb")
        with _told(self.folder):
            if graded.notebook is None:
                notebook.unlink(missing_ok=True)
            else:
                _replace_durably(notebook, graded.notebook)
            _replace_durably(report, graded.report.to_json().encode())

    def _kept(self, submission: Submission, digests: Mapping[str, str], limits: Limits) -> Kept:
        """Return the results of the last report that still stand."""
        try:
            report = load(report_path(self.folder, submission.student))
        except GraderError:
            return ()
        job = read(submission, limits)
        if job.notebook is None:
            is_same = report.reason == job.reason
        else:
            is_same = report.provenance.submission_sha256 == hashlib.sha256(job.notebook).hexdigest()
        return tuple(task for task in report.tasks if is_same and digests.get(task.name) == task.sha256)


@contextmanager
def hold(folder: Path) -> Iterator[Journal]:
    """Hold ``folder``, making it if needed and clearing what a killed run left half written.

    Raises:
        GraderError: somebody else is grading into it, or it cannot be written to.
    """
    with _told(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        with _told(folder):
            _take(lock, folder)
            for leftover in folder.glob(_TEMPORARY):
                leftover.unlink(missing_ok=True)
        yield Journal(folder)
    finally:
        os.close(lock)


def _take(lock: int, folder: Path) -> None:
    """Lock the file and leave our process id in it; the kernel gives the lock back even after ``kill -9``."""
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
        raise GraderError(
            f"process {holder} is grading into this folder: wait for it, or choose another folder with --out",
            path=folder,
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def report_path(folder: Path, student: str) -> Path:
    """Return where a student's report lies.

    Raises:
        GraderError: the name would lead out of ``folder``; ``submissions.student_name`` gives no such name.
    """
    if not student or "/" in student or "\0" in student or student.startswith("."):
        raise GraderError(f"{student!r} cannot name a report: expected a name made by student_name()", path=folder)
    return folder / f"{student}.json"


def load(path: Path) -> Report:
    """Read one report.

    Raises:
        GraderError: there is none, or it is damaged, or it is another student's.
    """
    try:
        report = Report.from_json(path.read_text(encoding="utf8"))
    except OSError as error:
        raise GraderError(f"cannot be read ({error.strerror}): grade the submission first", path=path) from None
    except UnicodeDecodeError:
        raise GraderError("expected a report, received something else: grade again with --fresh", path=path) from None
    except GraderError as error:
        raise GraderError(error.message, path=path) from None
    if report.student != path.stem:
        raise GraderError(f"is not {path.stem}'s report but another's: grade again with --fresh", path=path)
    return report


def load_all(folder: Path) -> list[Report]:
    """Read every report of a folder, by student.

    Raises:
        GraderError: there is none, or one is damaged.
    """
    reports = [load(path) for path in folder.glob("*.json") if not path.name.startswith(".")]
    if not reports:
        raise GraderError("holds no reports: grade some submissions first", path=folder)
    return sorted(reports, key=lambda report: report.student)


def write_page(path: Path, text: str) -> None:
    """Write a page for people, at once and whole; it can be made again, so it is not synced.

    Raises:
        GraderError: the folder takes no more files.
    """
    with _told(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _replacing(path) as file:
            file.write(text.encode())


def _replace_durably(path: Path, contents: bytes) -> None:
    """Put ``contents`` at ``path``; even after a power cut the old file is there or the new one, never half of one."""
    with _replacing(path) as file:
        file.write(contents)
        file.flush()
        os.fsync(file.fileno())
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` that takes its place when it was written without an error."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Turn what the file system says about ``folder`` into one line."""
    try:
        yield
    except OSError as error:
        raise GraderError(
            f"cannot be written to ({error.strerror}): make room or choose another folder with --out; "
            "reports that are there stay, and the next run continues",
            path=folder,
        ) from None
