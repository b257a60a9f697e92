"""A run is told line by line without a terminal, and on one live line in one."""

from __future__ import annotations

import signal
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from autograder.grading.engine import Finished, Planned, Started, Stopping
from autograder.model import Graded
from autograder.views.progress import Progress

if TYPE_CHECKING:
    from tests.conftest import ReportOf


def _told(report_of: ReportOf, *, terminal: bool) -> str:
    file = StringIO()
    with Progress(Console(file=file, force_terminal=terminal, width=100)) as progress:
        progress(Planned(pending=2, current=1))
        progress(Started("ada"))
        progress(Finished(Graded(report_of("ada", fit=4.0), None)))
        progress(Stopping(signal.SIGTERM, running=1))
        progress(Finished(Graded(report_of("alan", reason="empty"), None)))
    return file.getvalue()


def test_without_a_terminal_each_submission_is_one_plain_line(report_of: ReportOf) -> None:
    """A log holds what happened and no escape sequence."""
    assert _told(report_of, terminal=False).splitlines() == [
        "1 reports are current and stay as they are (--fresh grades them again)",
        "[1/2] ada: 64/100, 1.5 s",
        "stopping after what is being graded (1); the same signal again gives up at once",
        "[2/2] alan: ungradable: empty",
    ]


def test_in_a_terminal_a_live_line_counts_along(report_of: ReportOf) -> None:
    """Done, to review, rate and time left stand below the finished ones."""
    told = _told(report_of, terminal=True)
    assert "[1/2] ada: 64/100" in told
    assert "2/2" in told
    assert "1 to review" in told
    assert "/min" in told
