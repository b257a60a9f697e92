"""What a terminal shows of reports; nothing a student wrote acts on it."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console, RenderableType

from autograder.model import Evidence, points
from autograder.views import printable, text
from autograder.views.summary import attention, close_calls

if TYPE_CHECKING:
    from tests.conftest import ReportOf


def _shown(renderable: RenderableType) -> str:
    console = Console(file=StringIO(), width=100, color_system=None)
    console.print(renderable)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[2J\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07here", "here"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("abc\u202edef", "abcdef"),
        ("two\nlines\tkept", "two\nlines\tkept"),
        ("lone \ud800 surrogate", "lone  surrogate"),
        ("na\u0131ve 李雷 ✓", "na\u0131ve 李雷 ✓"),
        ("\r\noverwritten\r\x08", "\noverwritten"),
    ],
)
def test_printable_takes_out_what_acts(raw: str, shown: str) -> None:
    """Escape sequences, control, direction and lone surrogates go; text of every script stays."""
    assert printable(raw) == shown


@given(st.text(st.characters(), max_size=200))
def test_printable_text_has_no_control_character_left(raw: str) -> None:
    """Whatever the input, what is left is encodable, one-directional text, and stays so."""
    shown = printable(raw)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in shown)
    assert printable(shown) == shown
    shown.encode()


@pytest.mark.parametrize(
    ("score", "shown"), [(0.0, "0"), (10.0, "10"), (7.25, "7.25"), (2 / 3, "0.67"), (100.0, "100")]
)
def test_points_have_no_trailing_zeros(score: float, shown: str) -> None:
    """As people write them."""
    assert points(score) == shown


def test_the_table_has_a_row_per_student(report_of: ReportOf) -> None:
    """Outcome, score, one sign per task, seconds."""
    reports = [report_of("ada", fit=4.0), report_of("alan", shift=None), report_of("grace", shift=0.0)]
    lines = _shown(text.class_table("Tiny", reports)).splitlines()
    assert lines[2].split() == ["ada", "graded", "64", "✓◐", "1.5"]
    assert lines[3].split() == ["alan", "review", "40", "!✓", "1.5"]
    assert lines[4].split() == ["grace", "graded", "40", "✗✓", "1.5"]


def test_an_ungradable_row_says_so(report_of: ReportOf) -> None:
    """It is no score of 0 among others."""
    assert "ungradable" in _shown(text.class_table("Tiny", [report_of("ada", reason="empty")]))


def test_names_and_messages_are_no_markup(report_of: ReportOf) -> None:
    """Rich's markup and escape sequences in a student's words are shown or dropped, not obeyed."""
    report = replace(report_of("[red]eve[/red]"), reason="\x1b[2J[bold]gone[/bold]")
    shown = _shown(text.class_table("[x]", [report])) + _shown(text.student(report))
    assert "[red]eve[/red]" in shown
    assert "[bold]gone[/bold]" in shown
    assert "\x1b" not in shown


def test_one_student_sees_what_failed_and_why(report_of: ReportOf) -> None:
    """The title and the message of each failed check; passed ones are one line per task."""
    shown = _shown(text.student(report_of("ada", fit=4.0)))
    assert "64 of 100 points" in shown
    assert "does fit" in shown
    assert "fit is failed" in shown
    assert "does shift" not in shown


def test_a_message_is_told_once_per_task(report_of: ReportOf) -> None:
    """Six checks that fail for one reason do not say it six times."""
    report = report_of("ada", fit=4.0)
    check = report.tasks[1].checks[0]
    checks = (check, replace(check, title="does fit twice"), replace(check, title="and more", message="another"))
    shown = _shown(text.student(replace(report, tasks=(replace(report.tasks[1], checks=checks),))))
    assert shown.count("fit is failed") == 1
    assert "does fit twice, as above" in shown
    assert "another" in shown


def test_what_was_measured_is_told(report_of: ReportOf) -> None:
    """A passed check is told when there are numbers to show."""
    report = report_of("ada")
    measured = Evidence("loss", "The loss falls by 63%, from 0.69 to 0.26", 0.63)
    task = replace(report.tasks[0], checks=(replace(report.tasks[0].checks[0], evidence=measured),))
    shown = _shown(text.student(replace(report, tasks=(task, report.tasks[1]))))
    assert "The loss falls by 63%, from 0.69 to 0.26" in shown
    assert "does shift" in shown
    assert "does fit" not in shown


def test_a_table_keeps_its_columns(report_of: ReportOf) -> None:
    """Sentences are wrapped, the lines of a table are not, however narrow the terminal is."""
    table = ["  expected     your model", f"> conv 32      conv 64, {'very ' * 40}wide", "  dense 1      dense 1"]
    report = report_of("ada", fit=4.0)
    check = replace(report.tasks[1].checks[0], message="\n".join(["A sentence. " * 20, *table, "A hint. " * 20]))
    tasks = (replace(report.tasks[1], checks=(check,)),)
    console = Console(file=StringIO(), width=60, color_system=None)
    console.print(text.student(replace(report, tasks=tasks)), crop=False)
    assert isinstance(console.file, StringIO)
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert [f"    {line}" for line in table] == [line for line in lines if line.startswith(("      ", "    >"))]
    assert all(len(line) <= 60 for line in lines if "A " in line)


def test_what_a_broken_check_said_is_for_the_instructor(report_of: ReportOf) -> None:
    """It is about the hidden test: the student's view leaves it out, the instructor's list tells it."""
    report = report_of("ada", fit=None)
    assert "fit is broken" not in _shown(text.student(report))
    assert "ada: fit: fit is broken" in _shown(text.attention_list("to look at", attention([report])))


def test_the_list_for_a_person_says_what_to_do(report_of: ReportOf) -> None:
    """An ungradable file is asked for again; what is fine is not listed."""
    entries = attention([report_of("ada"), report_of("alan", reason="The file is empty.")])
    assert [entry.student for entry in entries] == ["alan"]
    shown = _shown(text.attention_list("to look at", entries))
    assert "alan: The file is empty." in shown
    assert "Ask for a new file" in shown


def test_what_was_decided_by_little_is_told_to_the_instructor_alone(report_of: ReportOf) -> None:
    """Whoever passed or failed by a hair is listed, and what to do; the student's view does not mention it."""
    report = report_of("ada", fit=0.0)
    *others, fit = report.tasks
    close = replace(fit, checks=(replace(fit.checks[0], close="The largest error is 1.1e-06."),))
    report = replace(report, tasks=(*others, close))
    shown = _shown(text.attention_list("decided by little", close_calls([report, report_of("alan")])))
    assert "1 decided by little" in shown
    assert "ada: fit, does fit: failed by little. The largest error is 1.1e-06." in shown
    assert "by little" not in _shown(text.student(report))


@pytest.mark.parametrize(
    ("reason", "fit", "line"),
    [
        (None, 4.0, "ada: 64/100, 1.5 s"),
        (None, None, "ada: 60/100 (needs review), 1.5 s"),
        ("not\na notebook", 40.0, "ada: ungradable: not a notebook"),
    ],
)
def test_a_finished_submission_is_one_line(
    report_of: ReportOf, reason: str | None, fit: float | None, line: str
) -> None:
    """For logs and for CI."""
    assert text.finished_line(report_of("ada", reason=reason, fit=fit)) == line
