"""Everything that reads what a stranger wrote, and what has to hold whatever it reads.

A target is a reader with the cases that are thrown at it: noise, and valid input that was damaged. Whatever comes, it
gives a value that survives being written and read again, or one of the errors that it states; it takes memory within a
stated bound, and an end. ``test_fuzz.py`` tries some hundred cases of each, ``bench/fuzz.py`` a hundred thousand.
"""

from __future__ import annotations

import signal
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from autograder.errors import CourseError, GraderError, SubmissionError
from autograder.subject.channel import ChannelClosed
from autograder.subject.codec import CodecError
from tests.hostile import fuzzed_files as f
from tests.hostile import fuzzed_messages as m

HANG_S = 20.0
"""CPU seconds after which a case hangs; the slowest that are known take a tenth of one."""

LONGEST = 2000
"""Characters of an error that a person may have to read."""

MIB = 2**20


class Hangs(AssertionError):
    """A case did not come to an end."""


@dataclass(frozen=True)
class Seen:
    """What became of a case: ``accepted``, or the name of the error; and the most memory that reading it took."""

    outcome: str
    peak: int


@dataclass(frozen=True)
class Target:
    """A reader. ``confirm`` looks at what it accepted; ``factor`` is the memory per byte of a case, beside a MiB.

    ``sample`` is a case that has to be accepted.
    """

    name: str
    sample: Any
    cases: st.SearchStrategy[Any]
    read: Callable[[Any], Any]
    confirm: Callable[[Any], None]
    errors: tuple[type[Exception], ...]
    factor: int = 40

    def warm_up(self) -> None:
        """Read the sample; what is imported and kept on the first time is no case's memory."""
        self.confirm(self.read(self.sample))

    def attempt(self, case: Any) -> Seen:
        """Read one case.

        Raises:
            AssertionError: it took too much memory or time, or what was accepted does not hold.
            Exception: whatever else the reader raised: a finding as well.
        """
        bound = MIB + self.factor * (len(case) if isinstance(case, bytes) else 0)
        seen = self._look(case)
        if seen.peak > bound:  # a table of the interpreter's may just have grown; what is the case's comes again
            seen = self._look(case)
        assert seen.peak <= bound, f"{seen.peak} bytes of memory, at most {bound} are allowed"
        return seen

    def _look(self, case: Any) -> Seen:
        value, outcome, said = None, "accepted", ""
        with _clock():
            tracemalloc.start()
            try:
                value = self.read(case)
            except self.errors as error:
                outcome, said = type(error).__name__, str(error)
            finally:
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            if outcome == "accepted":
                self.confirm(value)
        assert len(said) < LONGEST, f"an error of {len(said)} characters"
        return Seen(outcome, peak)


@contextmanager
def _clock() -> Iterator[None]:
    """Count CPU seconds, so that a busy machine makes no finding."""

    def handle(*_: object) -> None:
        raise Hangs(f"no end after {HANG_S:g} s of computing")

    before = signal.signal(signal.SIGPROF, handle)
    signal.setitimer(signal.ITIMER_PROF, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


TARGETS = (
    Target("codec, reading", m.SAMPLE, m.encoded, m.read, m.confirm_read, (CodecError,)),
    Target("codec, writing", [1, {"a": 2.0}], m.values, m.write, m.confirm_written, (CodecError,)),
    Target("channel", m.STREAM, m.streams, m.receive_all, m.confirm_received, (ChannelClosed,)),
    Target("kernel's messages", m.CLAIMS, m.claims, m.show, m.confirm_shown, ()),
    Target("notebook", f.NOTEBOOK, f.notebooks, f.read_notebook, f.confirm_notebook, (SubmissionError,), 60),
    Target("rubric.toml", f.RUBRIC, f.rubrics, f.read_rubric, f.confirm_rubric, (CourseError,), 400),
    Target("report", f.REPORT, f.reports, f.read_report, f.confirm_report, (GraderError,), 400),
)
