"""Many jobs through one grader: so many at once, each read when its turn comes, each result handed on at once.

The threads only wait for the grader's processes. The calling thread starts the jobs and alone tells ``on_event`` what
happened, so whatever listens (the journal, the progress display) needs no lock. SIGINT and SIGTERM let the jobs that
are running finish and start no other; a second signal gives up at once.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from types import FrameType
from typing import Protocol

from autograder import __version__
from autograder.course import Assignment
from autograder.errors import GraderError
from autograder.model import (
    SCHEMA,
    Graded,
    Job,
    NotebookRun,
    Outcome,
    Provenance,
    Report,
    ReportOutcome,
    Seconds,
    TaskResult,
)

_log = logging.getLogger(__name__)


class Grader(Protocol):
    """Whoever grades one job; called from several threads at once."""

    def grade(self, job: Job) -> Graded:
        """Grade one submission.

        Raises:
            GraderError: the grader or its machine could not; the submission is not to blame.
        """


@dataclass(frozen=True)
class Planned:
    """The run is about to start: how many submissions it will grade, and how many were graded before."""

    pending: int
    current: int


@dataclass(frozen=True)
class Started:
    """A submission is being graded."""

    student: str


@dataclass(frozen=True)
class Finished:
    """A submission was graded, or could not be."""

    graded: Graded


@dataclass(frozen=True)
class Stopping:
    """A signal came; the submissions that are running will still finish."""

    signal: int
    running: int


@dataclass(frozen=True)
class Run:
    """How a run ended: by itself, or by a signal that left jobs ungraded."""

    finished: int
    stopped_by: int | None


Event = Planned | Started | Finished | Stopping
Listener = Callable[[Event], None]
_News = SimpleQueue[Future[Graded] | int]


def grade_all(assignment: Assignment, grader: Grader, jobs: Iterable[Job], workers: int, on_event: Listener) -> Run:
    """Grade every job, ``workers`` at once.

    A job that the grader raises for becomes a report that says so and is flagged for review; the others go on. What
    ``on_event`` raises ends the run.
    """
    executor = ThreadPoolExecutor(workers, thread_name_prefix="grade")
    try:
        run = _Coordinator(assignment, grader, executor, on_event).through(jobs, workers)
    except BaseException:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    executor.shutdown()
    return run


class _Coordinator:
    """One pass over the jobs; everything but ``_grade`` happens in the calling thread."""

    def __init__(
        self, assignment: Assignment, grader: Grader, executor: ThreadPoolExecutor, on_event: Listener
    ) -> None:
        self._assignment = assignment
        self._grader = grader
        self._executor = executor
        self._on_event = on_event
        self._news: _News = SimpleQueue()
        self._running = 0
        self._finished = 0

    def through(self, jobs: Iterable[Job], workers: int) -> Run:
        waiting = iter(jobs)
        stopped_by: int | None = None
        with _signals_into(self._news):
            while self._running < workers and self._start_next(waiting):
                pass
            while self._running:
                news = self._news.get()
                if isinstance(news, int):
                    stopped_by = news
                    self._on_event(Stopping(news, self._running))
                    continue
                self._running -= 1
                self._on_event(Finished(news.result()))
                self._finished += 1
                if stopped_by is None:
                    self._start_next(waiting)
        return Run(self._finished, stopped_by)

    def _start_next(self, waiting: Iterator[Job]) -> bool:
        job = next(waiting, None)
        if job is None:
            return False
        self._on_event(Started(job.student))
        self._executor.submit(self._grade, job).add_done_callback(self._news.put)
        self._running += 1
        return True

    def _grade(self, job: Job) -> Graded:
        try:
            return self._grader.grade(job)
        except GraderError as error:
            return Graded(not_graded(self._assignment, job, str(error)), None)
        except Exception as error:  # noqa: BLE001 - a fault that one notebook brings out must not cost the others
            _log.exception("%s could not be graded", job.student)
            return Graded(not_graded(self._assignment, job, f"{type(error).__name__}: {error}"), None)


@contextmanager
def _signals_into(news: _News) -> Iterator[None]:
    """Put the first SIGINT or SIGTERM into ``news``; a second one raises KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals; elsewhere they are the caller's
        return
    came: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if len(came) > 1:
            raise KeyboardInterrupt
        news.put(number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def not_graded(assignment: Assignment, job: Job, why: str) -> Report:
    """Return the report of a submission that the grader failed on: no points yet, and flagged for review.

    It names no submission digest, so the next run grades the submission again.
    """
    tasks = tuple(
        TaskResult(task.name, Outcome.BROKEN, 0.0, task.points, carried_forward=False, checks=())
        for task in assignment.rubric.tasks
    )
    return Report(
        schema=SCHEMA,
        assignment=assignment.slug,
        student=job.student,
        outcome=ReportOutcome.UNGRADABLE,
        score=0.0,
        max_score=sum(task.max_score for task in tasks),
        reason=f"could not be graded: {why}",
        tasks=tasks,
        notebook=NotebookRun(cells_run=0, cells_failed=0),
        seconds=Seconds(total=0.0, notebook=0.0, checks=0.0),
        provenance=Provenance("", "", __version__, "", ""),
    )


def is_our_fault(report: Report) -> bool:
    """True for a report of ``not_graded``."""
    return report.outcome is ReportOutcome.UNGRADABLE and not report.provenance.submission_sha256
