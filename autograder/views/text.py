"""Reports in a terminal, as Rich renderables; nothing here prints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.grading.comparison import Change, CheckChange
from autograder.model import Report, ReportOutcome, points
from autograder.subject.sandbox.doctor import Finding
from autograder.views import parts, printable
from autograder.views.summary import Attention, CheckGroup, Mark, groups, mark

_STYLES = {
    Mark.FULL: "green",
    Mark.PART: "yellow",
    Mark.NONE: "red",
    Mark.SKIPPED: "dim",
    Mark.BROKEN: "bold magenta",
}


def class_table(title: str, reports: Sequence[Report]) -> RenderableType:
    """Draw one row per student: outcome, score, a mark per task in the rubric's order, seconds."""
    table = Table(title=printable(title), title_justify="left", header_style="bold", pad_edge=False, box=None)
    table.add_column("student", overflow="fold")
    table.add_column("outcome")
    table.add_column("score", justify="right")
    table.add_column("tasks", no_wrap=True)
    table.add_column("seconds", justify="right")
    for report in reports:
        table.add_row(
            Text(printable(report.student)),
            _outcome(report),
            Text(points(report.score), style="bold"),
            _marks(report),
            f"{report.seconds.total:.1f}",
        )
    return Group(table, Text(), _legend(reports))


def student(report: Report) -> RenderableType:
    """Draw everything that one report says; to be printed with ``crop=False``."""
    head = Text.assemble(
        (printable(report.student), "bold"),
        f"  {printable(report.assignment)}  ",
        (f"{points(report.score)} of {points(report.max_score)} points", "bold"),
    )
    drawn: list[RenderableType] = [head]
    if report.reason is not None:
        drawn.append(Text(printable(report.reason), style="bold magenta"))
    drawn += [Text(f"note: {printable(note)}", style="dim") for note in report.notebook.notes]
    for task in report.tasks:
        sign = mark(task)
        line = Text.assemble((f"{sign.sign} ", _STYLES[sign]), f"{printable(task.name)}  ")
        line.append(f"{points(task.score)} of {points(task.max_score)}", style="dim")
        if task.carried_forward:
            line.append("  judged with a correct earlier task", style="dim")
        drawn.append(line)
        drawn += [_check(group) for group in groups(task) if group.mark is not Mark.FULL or group.measured]
    return Group(*drawn)


def attention_list(title: str, entries: Sequence[Attention]) -> RenderableType:
    """List what needs a person, each with what to do; ``title`` follows how many they are."""
    lines: list[RenderableType] = [Text(f"{len(entries)} {title}", style="bold magenta")]
    for entry in entries:
        lines.append(Text.assemble((printable(entry.student), "bold"), f": {_one_line(entry.why)}"))
        lines.append(Padding(Text(entry.advice, style="dim"), (0, 0, 0, 2)))
    return Group(*lines)


def finished_line(report: Report) -> str:
    """Tell in one plain line what became of a submission."""
    if report.outcome is ReportOutcome.UNGRADABLE:
        return f"{printable(report.student)}: {report.outcome.value}: {_one_line(report.reason or '')}"
    flag = " (needs review)" if report.needs_review else ""
    score = f"{points(report.score)}/{points(report.max_score)}"
    return f"{printable(report.student)}: {score}{flag}, {report.seconds.total:.1f} s"


def _outcome(report: Report) -> Text:
    if report.outcome is ReportOutcome.UNGRADABLE:
        return Text(report.outcome.value, style=_STYLES[Mark.BROKEN])
    return Text("review", style=_STYLES[Mark.BROKEN]) if report.needs_review else Text(report.outcome.value)


def _marks(report: Report) -> Text:
    return Text.assemble(*((mark(task).sign, _STYLES[mark(task)]) for task in report.tasks))


def _legend(reports: Sequence[Report]) -> Text:
    names = dict.fromkeys(printable(task.name) for report in reports for task in report.tasks)
    signs = "  ".join(f"{sign.sign} {sign.meaning}" for sign in Mark)
    return Text(f"{signs}\ntasks from left to right: {', '.join(names)}", style="dim")


def _check(group: CheckGroup) -> RenderableType:
    sign = group.mark
    count = f" ({group.passed} of {group.total})" if group.total > 1 else ""
    count += ", as above" if group.is_as_above else ""
    title = Text.assemble((f"{sign.sign} ", _STYLES[sign]), printable(group.title) + count)
    texts = [line for message in (*group.diagnoses, *group.messages, *group.measured) for line in _message(message)]
    return Group(Padding(title, (0, 0, 0, 2)), *texts)


def _message(message: str) -> Iterator[RenderableType]:
    """Draw a message; a line of a table runs past the edge, for a terminal to scroll or to break, or for a file."""
    for is_table, lines in parts(printable(message)):
        if is_table:
            yield Text("\n".join(f"    {line}" for line in lines), style="dim", no_wrap=True, overflow="ignore")
        else:
            yield Padding(Text("\n".join(lines), style="dim"), (0, 0, 0, 4))


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


def changes(compared: Sequence[Change]) -> RenderableType:
    """Draw what grading again would change, student by student."""
    table = Table(header_style="bold", pad_edge=False, box=None)
    table.add_column("student", overflow="fold")
    for column in ("score", "would be", "change"):
        table.add_column(column, justify="right")
    table.add_column("by", overflow="fold")
    for one in compared:
        style = "green" if one.difference > 0 else "red" if one.difference < 0 else "dim"
        table.add_row(
            Text(printable(one.student)),
            "-" if one.before is None else points(one.before),
            points(one.after),
            Text(f"{'+' if one.difference >= 0 else ''}{points(one.difference)}", style=style),
            Text(_one_line("; ".join(map(_check_change, one.checks)))),
        )
    return table


def _check_change(one: CheckChange) -> str:
    before, after = ("-" if outcome is None else outcome.value for outcome in (one.before, one.after))
    return f"{one.task}: {one.title}: {before} -> {after}"


def findings(found: Sequence[Finding]) -> RenderableType:
    """Draw what ``autograder doctor`` tried, tier by tier."""
    drawn: list[RenderableType] = []
    for tier in dict.fromkeys(finding.tier for finding in found):
        of_tier = [finding for finding in found if finding.tier is tier]
        held = sum(finding.ok for finding in of_tier)
        table = Table(header_style="bold", pad_edge=False, box=None, title_justify="left")
        table.title = Text(f"{tier.value}: {held} of {len(of_tier)} as they should be", style="bold")
        for column in ("", "tried", "expected", "got"):
            table.add_column(column, overflow="fold")
        for finding in of_tier:
            sign, style = ("✓", "green") if finding.ok else ("✗", "bold red")
            table.add_row(Text(sign, style=style), finding.name, Text(finding.expected), Text(printable(finding.got)))
        drawn += [table, Text()]
    return Group(*drawn)
