"""Many jobs go through one grader: bounded, lazily, each failure alone, and a signal ends the run in order."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from autograder.course import Assignment
from autograder.errors import GraderError
from autograder.grading.engine import Event, Finished, Run, Started, Stopping, grade_all, is_our_fault
from autograder.model import Graded, Job, Outcome, Report, ReportOutcome

if TYPE_CHECKING:
    from tests.conftest import ReportOf


class _Scripted:
    """A grader whose ``work`` happens before it answers with full points."""

    def __init__(self, report_of: ReportOf, work: Callable[[str], object] = str) -> None:
        self._report_of = report_of
        self._work = work

    def grade(self, job: Job) -> Graded:
        self._work(job.student)
        return Graded(self._report_of(job.student), b"executed")


class _Heard(list[Event]):
    """Listens by keeping every event."""

    __call__ = list.append

    @property
    def reports(self) -> dict[str, Report]:
        return {one.graded.report.student: one.graded.report for one in self if isinstance(one, Finished)}


def _jobs(count: int) -> Iterator[Job]:
    return (Job("tiny", f"s{number}", b"{}") for number in range(count))


def test_every_job_is_graded_once(tiny: Assignment, report_of: ReportOf) -> None:
    """Each one starts, finishes, and is told of."""
    heard = _Heard()
    assert grade_all(tiny, _Scripted(report_of), _jobs(20), 4, heard) == Run(finished=20, stopped_by=None)
    assert len(heard.reports) == 20
    assert sum(isinstance(event, Started) for event in heard) == 20


def test_no_jobs_is_no_work(tiny: Assignment, report_of: ReportOf) -> None:
    """An empty class ends at once."""
    assert grade_all(tiny, _Scripted(report_of), [], 4, _Heard()) == Run(0, None)


def test_as_many_run_at_once_as_there_are_workers(tiny: Assignment, report_of: ReportOf) -> None:
    """Three workers meet at a barrier of three, again and again, and never a fourth."""
    barrier, lock, now, most = threading.Barrier(3, timeout=5), threading.Lock(), [0], [0]

    def work(_: str) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        barrier.wait()
        with lock:
            now[0] -= 1

    grade_all(tiny, _Scripted(report_of, work), _jobs(9), 3, _Heard())
    assert most == [3]


def test_a_job_is_read_when_its_turn_comes(tiny: Assignment, report_of: ReportOf) -> None:
    """A class of 300 is never in memory: at most one job per worker is ahead of the results."""
    heard, read = _Heard(), [0]

    def reading() -> Iterator[Job]:
        for job in _jobs(50):
            read[0] += 1
            assert read[0] <= len(heard.reports) + 2
            yield job

    grade_all(tiny, _Scripted(report_of), reading(), 2, heard)
    assert read == [50]


def test_results_are_told_in_the_calling_thread(tiny: Assignment, report_of: ReportOf) -> None:
    """So whoever listens needs no lock."""
    threads: set[int] = set()
    grade_all(tiny, _Scripted(report_of), _jobs(8), 4, lambda _: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("error", [GraderError("a worker died"), ValueError("a worker died")])
def test_a_failure_of_ours_costs_only_its_own_submission(
    tiny: Assignment, report_of: ReportOf, error: Exception
) -> None:
    """The report says whose fault it is, asks for review, and is graded again by the next run."""

    def work(student: str) -> None:
        if student == "s1":
            raise error

    heard = _Heard()
    grade_all(tiny, _Scripted(report_of, work), _jobs(3), 2, heard)
    broken = heard.reports["s1"]
    assert broken.outcome is ReportOutcome.UNGRADABLE
    assert broken.reason is not None
    assert broken.reason.startswith("could not be graded: ")
    assert "a worker died" in broken.reason
    assert {task.outcome for task in broken.tasks} == {Outcome.BROKEN}
    assert broken.needs_review and is_our_fault(broken)
    assert Report.from_json(broken.to_json()) == broken
    assert heard.reports["s2"].score == 100.0


def test_what_the_listener_raises_ends_the_run(tiny: Assignment, report_of: ReportOf) -> None:
    """A full disk stops the grading instead of throwing results away."""

    def refuse(event: Event) -> None:
        if isinstance(event, Finished):
            raise GraderError("the disk is full")

    with pytest.raises(GraderError, match="disk is full"):
        grade_all(tiny, _Scripted(report_of), _jobs(100), 2, refuse)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_running_jobs_finish(tiny: Assignment, report_of: ReportOf, number: signal.Signals) -> None:
    """What is running is recorded, nothing else starts, and the handlers are put back."""
    before, heard, stopping = signal.getsignal(number), _Heard(), threading.Event()

    def work(student: str) -> None:
        if student == "s1":
            os.kill(os.getpid(), number)
        assert stopping.wait(5)

    def listen(event: Event) -> None:
        heard(event)
        if isinstance(event, Stopping):
            stopping.set()

    assert grade_all(tiny, _Scripted(report_of, work), _jobs(50), 2, listen) == Run(finished=2, stopped_by=number)
    assert set(heard.reports) == {"s0", "s1"}
    assert signal.getsignal(number) == before


def test_a_second_signal_gives_up_at_once(tiny: Assignment, report_of: ReportOf) -> None:
    """Nobody has to wait for a submission that takes its full time limit."""
    release = threading.Event()

    def work(student: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        release.wait(20)

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        grade_all(tiny, _Scripted(report_of, work), _jobs(2), 2, _Heard())
    assert time.monotonic() - started < 5
    release.set()
