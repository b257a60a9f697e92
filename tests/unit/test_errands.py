"""What is computed for a student's code ends in time, stays small, and leaves no limit behind."""

from __future__ import annotations

import resource
import signal
import time

import pytest

from autograder.subject.errands import MEMORY_MIB, OutOfTime, errand


def _forever() -> None:
    while True:
        pass


def test_what_takes_too_long_is_ended() -> None:
    """A loop without end is left in the middle."""
    with pytest.raises(OutOfTime), errand(time.monotonic() + 0.05):
        _forever()


def test_a_deadline_that_has_passed_leaves_hardly_any_time() -> None:
    """It is no reason to go on for ever."""
    with pytest.raises(OutOfTime), errand(time.monotonic() - 10):
        _forever()


def test_what_needs_too_much_memory_is_refused() -> None:
    """More than an errand may have is a MemoryError, and the same is there again afterwards."""
    size = (MEMORY_MIB + 64) << 20
    with pytest.raises(MemoryError), errand(time.monotonic() + 60):
        bytearray(size)
    assert len(bytearray(size)) == size


def test_an_errand_that_is_done_leaves_everything_as_it_was() -> None:
    """Limits, handler and timer, also of one inside of which something was raised."""
    before = resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGPROF)
    with pytest.raises(ZeroDivisionError), errand(time.monotonic() + 60):
        _ = 1 / 0
    assert (resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGPROF)) == before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
