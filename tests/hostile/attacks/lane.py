"""A grader that is attacked: grades one hostile submission and then one honest one, again and again.

Run as a program (``python -m tests.hostile.attacks.lane ORDER``) by the user who is to grade. Each line of its input
names two folders of submissions and one for the reports; each line of its output tells what else came of it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.cli import write_pages
from autograder.course import Course
from autograder.examine.grader import LocalGrader
from autograder.grading.engine import Event, Finished, grade_all
from autograder.grading.journal import hold
from autograder.grading.submissions import discover, read
from autograder.subject.sandbox import Tier, linux, processes
from tests.hostile.attacks import leftovers

_LOOK_S = 0.02


@dataclass(frozen=True)
class Order:
    """Where the course is, what its walls are, and what attacks mark their leavings with."""

    root: str
    tier: str
    memory: str
    token: str
    key: int


class Peak:
    """The most memory that the examiner's processes had, in MiB."""

    def __init__(self, examiner: int) -> None:
        self.examiner = examiner
        self.mib = 0.0
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            each = (processes.resident_mib(one) for one in processes.descendants(self.examiner))
            self.mib = max(self.mib, *each, 0.0)
            time.sleep(_LOOK_S)


class Lane:
    """One grader, and what it looks like when nothing is under way."""

    def __init__(self, grader: LocalGrader, order: Order) -> None:
        self.grader = grader
        self.order = order
        assert grader._examiner is not None
        self.peak = Peak(grader._examiner.pid)
        self.folders = (Path(os.environ["TMPDIR"]), Path(order.root))
        self.before: leftovers.Things | None = None

    def rest(self) -> None:
        """Remember how things are."""
        self.before = leftovers.look(self.folders, self.order.token, self.order.key)

    def grade(self, folder: Path, out: Path) -> dict[str, Any]:
        """Grade a folder of submissions as the command does: found, read, graded, recorded, shown on pages."""
        started, self.peak.mib = time.monotonic(), 0.0
        assignment = self.grader.assignment
        jobs = [read(one, assignment.rubric.limits) for one in discover(assignment, (folder,))]
        with hold(out) as journal:

            def keep(event: Event) -> None:
                if isinstance(event, Finished):
                    journal.record(event.graded)

            grade_all(assignment, self.grader, jobs, 1, keep)
        write_pages(assignment, out)
        seconds = time.monotonic() - started
        return {"seconds": seconds, "left": self._left(), "examiner_mib": round(self.peak.mib)}

    def _left(self) -> list[str]:
        if self.before is None:
            return []
        found = leftovers.left(self.before, self.folders, self.order.token, self.order.key)
        if found:
            self.rest()  # the next one is not to blame
        return found


def main(text: str) -> int:
    """Serve until the input ends."""
    order = Order(**json.loads(text))
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    remembered = [order.memory]
    with LocalGrader(Course(Path(order.root)).assignment("probe"), sandbox=Tier(order.tier)) as grader:
        lane = Lane(grader, order)
        _say({"pid": os.getpid()})
        for line in sys.stdin:
            request = json.loads(line)
            if "rest" in request:
                lane.rest()
                _say({})
            else:
                _say(lane.grade(Path(request["folder"]), Path(request["out"])))
    temporary = Path(os.environ["TMPDIR"])
    _say({"processes": processes.descendants(os.getpid()), "files": [str(one) for one in temporary.iterdir()]})
    return len(remembered) - 1


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
