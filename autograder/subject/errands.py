"""What the examiner computes because a student's code asked for it: bounded, because the arguments are the student's.

The reference of an earlier task answers for the student's own while a later one is tried again. It was written for what
the tests ask; asked for a million epochs or for a padding of a million, it would keep the examiner busy, or fill the
memory of the machine, long after every clock of the student's had run out.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

MEMORY_MIB = 512
"""What one answer may need beyond what is there; a message holds at most 64 MiB."""

_SHORTEST_S, _AGAIN_S = 0.001, 0.005

_FINALIZERS = frozenset({"__del__", "_remove"})
"""Functions that run when an object goes; the second is that of the standard library's weak sets."""


class OutOfTime(Exception):
    """The time of the check is up, and the answer is not there."""


@contextlib.contextmanager
def errand(deadline: float) -> Iterator[None]:
    """Run what follows until ``deadline`` (seconds of ``time.monotonic``) and within ``MEMORY_MIB``.

    What it takes is measured in processor time, as the examiner keeps the other clock for itself.

    Raises:
        OutOfTime: raised in the middle of the computation.
        MemoryError: likewise, by whoever allocates.
    """
    if sys.platform == "win32":  # no examiner runs there
        yield
        return
    with _memory(), _time(max(deadline - time.monotonic(), _SHORTEST_S)):
        yield


@contextlib.contextmanager
def _time(seconds: float) -> Iterator[None]:
    before = signal.signal(signal.SIGPROF, _raise)
    signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _raise(_: int, frame: FrameType | None) -> None:
    """End the computation, unless Python would swallow that: in a finalizer; the timer fires again right after it."""
    while frame is not None:
        if frame.f_code.co_name in _FINALIZERS:
            return
        frame = frame.f_back
    raise OutOfTime("there is no time left to compute that")


@contextlib.contextmanager
def _memory() -> Iterator[None]:
    import resource  # Windows, where the package is imported too, has none

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else None
    if pages is None:
        yield
        return
    room = pages * resource.getpagesize() + (MEMORY_MIB << 20)
    bounds = [bound for bound in (room, soft, hard) if bound != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
