"""The trainings of a calibration: which designs there are, and many of them at once, in processes of one thread each.

Only the course's own code runs here. A worker has the environment of a student's subject, so that it computes the same
numbers, and ends when the command does, however that ended.
"""

from __future__ import annotations

import hashlib
import math
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from autograder import misconceptions
from autograder.audit.measurement import Measurement, load
from autograder.checks.examination import load_reference
from autograder.course import Assignment
from autograder.errors import CheckFailure, CourseError, GraderError
from autograder.subject.proxy import ModuleSubject
from autograder.subject.server import ENVIRONMENT


@dataclass(frozen=True)
class Design:
    """A way to solve an assignment: a module of right functions, or the solution with a misconception in it.

    ``digest`` changes with the files that decide what its training gives.
    """

    name: str
    module: Path
    is_right: bool
    digest: str


@dataclass(frozen=True)
class Trial:
    """One training of a design for a measurement."""

    measurement: str
    design: Design
    seed: int


def designs(assignment: Assignment, measurements: Sequence[Measurement]) -> list[Design]:
    """Return the solution, the alternates, and the misconceptions that a measurement has to tell from them.

    Raises:
        CourseError: a measurement names a misconception that there is not, or that is named like an alternate.
    """
    own = assignment.measurements
    right = [
        Design(path.stem, path, is_right=True, digest=_digest(own, path))
        for path in (assignment.solution, *assignment.alternates)
    ]
    names = dict.fromkeys(name for one in measurements for name in one.wrong)
    if not names:
        return right
    known = {one.name for one in misconceptions.load(assignment.misconceptions)} - {one.name for one in right}
    for name in names:
        if name not in known:
            raise CourseError(f'there is no misconception "{name}" in misconceptions.py', path=own)
    parts = sorted(assignment.misconceptions.parent.glob(f"{assignment.misconceptions.stem}*.py"))
    digest = _digest(own, assignment.solution, *parts)
    return right + [Design(name, assignment.solution, is_right=False, digest=digest) for name in names]


def measure_all(assignment: Assignment, trials: Sequence[Trial], workers: int) -> Iterator[tuple[Trial, float | None]]:
    """Train all of these, so many at once, and yield each with what it gave as soon as it is there.

    Raises:
        CourseError: the author's code raised, or a right design fails a check.
        GraderError: a worker died.
    """
    if not trials:
        return
    with _environment(), ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin) as pool:
        running = {pool.submit(_measure, assignment, trial): trial for trial in trials}
        try:
            for done in as_completed(running):
                yield running.pop(done), _result(done)
        finally:
            _abandon(pool)


def _result(done: Future[float | None]) -> float | None:
    try:
        return done.result()
    except BrokenProcessPool:
        message = "a worker died, perhaps for lack of memory: run again with fewer --workers, what is done stays"
        raise GraderError(message) from None


def _abandon(pool: ProcessPoolExecutor) -> None:
    """End the workers, in the middle of what they do, or of taking down what they built, which takes minutes."""
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in multiprocessing.active_children():
        worker.terminate()


@contextmanager
def _environment() -> Iterator[None]:
    """Let the processes that are started meanwhile have the environment of a subject."""
    before = dict(os.environ)
    os.environ.update({**ENVIRONMENT, "MPLBACKEND": "agg"})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _begin() -> None:
    """Prepare a worker: an interrupt is its parent's to handle, and it does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _measure(assignment: Assignment, trial: Trial) -> float | None:
    """Train and measure, in a worker; None when a wrong design gives no number."""
    measurement = _measurements(assignment.measurements)[trial.measurement]
    subject = ModuleSubject(_functions(assignment, trial.design))
    subject.begin(trial.seed)
    where = f'"{trial.measurement}": {trial.design.name} with seed {trial.seed}'
    try:
        value = float(measurement.run(subject, trial.seed))
    except CheckFailure as failure:
        if trial.design.is_right:
            raise CourseError(f"{where} fails: {failure}", path=assignment.measurements) from None
        return None
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        problem = f"{where} raised {type(error).__name__}: {error} ({Path(frame.filename).name} line {frame.lineno})"
        raise CourseError(problem, path=assignment.measurements) from error
    finally:
        _forget_models()
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _forget_models() -> None:
    """Free what Keras keeps of each model that it ever built: a hundred trainings would hold 15 GiB."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()


@cache
def _measurements(path: Path) -> Mapping[str, Measurement]:
    return {one.name: one for one in load(path)}


def _functions(assignment: Assignment, design: Design) -> dict[str, Any]:
    """Return a design's functions in a namespace of their own."""
    functions = vars(_module(design.module))
    if design.is_right:
        return dict(functions)
    return {**functions, **_mistakes(assignment.misconceptions)[design.name].functions}


@cache
def _module(path: Path) -> Any:
    return load_reference(path)


@cache
def _mistakes(path: Path) -> Mapping[str, misconceptions.Misconception]:
    return {one.name: one for one in misconceptions.load(path)}


def _digest(*paths: Path) -> str:
    """Hash the text of files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]
