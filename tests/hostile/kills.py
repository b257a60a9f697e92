"""The grader killed with SIGKILL at random moments of a class, and started again each time.

A moment is drawn from the whole of what the run has still to do, so that kills meet its start, its submissions, and its
end, where the pages and the gradebook are written. After one kill in the end, or when a class is finished before its
kill came, it is compared with an undisturbed run, forgotten, and begun again, until all kills have happened.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.subject.sandbox import processes
from tests.hostile.classroom import Classroom, Record
from tests.hostile.leftovers import PATIENCE_S, Watch

_LOOK_S = 0.02


@dataclass(frozen=True)
class Undisturbed:
    """A run that nobody disturbed: what it came to, and how long it took to grade and, again, to find all current."""

    record: Record
    graded_s: float
    current_s: float

    def remaining_s(self, done: float) -> float:
        """Guess what is left of a run of which a fraction is done."""
        return self.current_s + (1 - done) * max(0.0, self.graded_s - self.current_s)


@dataclass(frozen=True)
class Kill:
    """One kill: when, how many reports were there, whom it found alive, and when the last of them was gone."""

    number: int
    after_s: float
    reports: int
    alive: int
    gone_s: float


def undisturbed(classroom: Classroom) -> Undisturbed:
    """Grade a class in peace, twice."""
    took = []
    for _ in range(2):
        started = time.monotonic()
        code, said = classroom.grade()
        assert code in (0, 3), said
        took.append(time.monotonic() - started)
    return Undisturbed(classroom.record(), *took)


def disturb(classroom: Classroom, peace: Undisturbed, kills: int, seed: int, tell: Callable[[Kill], None]) -> int:
    """Kill the grader ``kills`` times; returns how often the class was graded to the end meanwhile.

    Raises:
        AssertionError: a report was lost, changed or doubled, the final record differs, or something was left behind.
    """
    rng = random.Random(seed)
    watch = Watch(classroom.temporary)
    happened, finished = 0, 0
    while happened < kills:
        classroom.clear()
        kept: dict[str, bytes] = {}
        while happened < kills and len(kept) < len(classroom.students):
            done = len(kept) / len(classroom.students)
            killed = _kill(classroom, rng.uniform(0, 1.1 * peace.remaining_s(done)), happened + 1)
            if killed is None:
                break
            happened += 1
            tell(killed)
            watch.assert_nothing_left()
            kept = _kept(classroom, peace, kept)
        else:
            code, said = classroom.grade()
            assert code in (0, 3), said
        finished += 1
        _kept(classroom, peace, kept)
        assert classroom.record() == peace.record, "the record is not that of an undisturbed run"
    watch.assert_nothing_left()
    return finished


def _kill(classroom: Classroom, after_s: float, number: int) -> Kill | None:
    """Start the grader and kill it; None when it was done before."""
    with classroom.start() as running:
        try:
            running.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            below = processes.descendants(running.pid)
            running.kill()
        else:
            return None
    started = time.monotonic()
    while (alive := [pid for pid in below if processes._is_alive(pid)]) and time.monotonic() - started < PATIENCE_S:
        time.sleep(_LOOK_S)
    assert not alive, f"kill {number} left processes {alive} alive"
    reports = len(list(classroom.assignment.reports.glob("*.json")))
    return Kill(number, after_s, reports, len(below), time.monotonic() - started)


def _kept(classroom: Classroom, peace: Undisturbed, before: dict[str, bytes]) -> dict[str, bytes]:
    """Return the reports that are there now, which are right and whole; those of ``before`` are still the same."""
    folder: Path = classroom.assignment.reports
    now = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    for name, report in classroom.reports().items():
        assert report == peace.record["reports"][name], f"{name} is not as in an undisturbed run"
    lost = [name for name in before if name not in now]
    assert not lost, f"lost: {lost}"
    again = [name for name, contents in before.items() if now[name] != contents]
    assert not again, f"graded twice: {again}"
    return now
