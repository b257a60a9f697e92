"""An audit as people read it: tables for a terminal, a self-contained page with the kill matrix, and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.audit.findings import Audit, CheckRecord, Finding, Survivor
from autograder.audit.stability import Stability
from autograder.views import printable
from autograder.views.html import template

PAGE, RECORD = "audit.html", "audit.json"

_SHOWN = 40
"""Entries of one list that the terminal shows; the page and the record have all of them."""


def record(audit: Audit) -> str:
    """Write an audit as JSON; the same audit gives the same text."""
    score = audit.mutation_score
    derived = {"mutation_score": None if score is None else round(score, 4), "idle": [one.name for one in audit.idle]}
    return json.dumps({**asdict(audit), **derived}, indent=1, ensure_ascii=False) + "\n"


def page(title: str, audit: Audit) -> str:
    """Make the page: the verdict in numbers, what to mend, survivors, and for each task who fell to which check."""
    matrices = [_matrix(audit, task) for task in audit.wrong]
    return template("audit.html.j2").render(title=title, audit=audit, matrices=matrices, verdict=list(verdict(audit)))


@dataclass(frozen=True)
class _Matrix:
    """The kill matrix of one task: its wrong answers from left to right, those that most checks fail first."""

    task: str
    columns: tuple[str, ...]
    rows: tuple[tuple[CheckRecord, tuple[int, ...]], ...]


def _matrix(audit: Audit, task: str) -> _Matrix:
    checks = [one for one in audit.checks if one.task == task]
    falls = Counter(name for one in checks for name in one.killed)
    columns = sorted(audit.wrong[task], key=lambda name: (-falls[name], name))
    place = {name: number for number, name in enumerate(columns)}
    return _Matrix(
        task, tuple(columns), tuple((one, tuple(sorted(place[name] for name in one.killed))) for one in checks)
    )


def verdict(audit: Audit) -> Iterator[tuple[str, str]]:
    """Yield the audit in numbers: what was counted, and how it came out."""
    counts = audit.counts
    right = counts.get("solution", 0) + counts.get("alternate", 0)
    fails = {one.candidate for one in audit.findings if one.flaw.value == "false fail"}
    yield "right answers with all their points", f"{right - len(fails)} of {right}"
    wrong = counts.get("misconception", 0)
    passed = {one.candidate for one in audit.findings if one.flaw.value == "false pass"} - {"untouched"}
    yield "misconceptions that lose points", f"{wrong - len(passed)} of {wrong}"
    yield "misconceptions known as themselves", f"{audit.diagnosed} of {wrong}"
    if audit.mutation_score is not None:
        survived = sum(not one.reason for one in audit.survivors)
        tried = counts["mutant"] - audit.equivalent
        text = f"{tried - survived} of {tried} ({audit.mutation_score:.1%}), {audit.equivalent} equivalent"
        yield "mutants that lose points", text
    yield "checks that decided", f"{len(audit.checks) - len(audit.idle)} of {len(audit.checks)}"


def summary(audit: Audit) -> RenderableType:
    """Draw what the terminal shows at the end."""
    table = Table(title=audit.assignment, title_justify="left", pad_edge=False, box=None, show_header=False)
    table.add_column("what")
    table.add_column("how", style="bold")
    for what, how in verdict(audit):
        table.add_row(what, how)
    survivors = [one for one in audit.survivors if not one.reason]
    return Group(
        table,
        *_listed("to mend", [_finding(one) for one in audit.findings]),
        *_listed("mutants that nobody noticed", [_survivor(one) for one in survivors]),
        *_listed("checks that never decided", [_check(one) for one in audit.idle]),
    )


def stability(found: Stability) -> RenderableType:
    """Draw what became of the same submissions, graded several times."""
    head = f"{found.candidates} submissions graded {found.rounds} times: "
    same = "every report the same" if not found.differences else f"{len(found.differences)} reports differ"
    lines = [
        Text.assemble((one.candidate, "bold"), f", round {one.round}: {printable(one.what)}")
        for one in found.differences
    ]
    close = Text(f"{found.close} verdicts were decided by little.", style="dim")
    return Group(Text(head + same, style="bold"), close, *_listed("reports that differ", lines))


def _listed(title: str, lines: Sequence[Text]) -> Iterator[RenderableType]:
    if lines:
        yield Text(f"\n{len(lines)} {title}", style="bold magenta")
        yield from lines[:_SHOWN]
        if len(lines) > _SHOWN:
            yield Text(f"... and {len(lines) - _SHOWN} more, in {PAGE}", style="dim")


def _finding(one: Finding) -> Text:
    where = f" in {one.task}" if one.task else ""
    text = " ".join(printable(one.text).split())
    return Text.assemble((f"{one.flaw.value}: ", "red"), (one.candidate, "bold"), f"{where}: {text[:300]}")


def _survivor(one: Survivor) -> Text:
    change = f"{one.before}  ->  {one.after}"
    return Text.assemble((f"{one.definition}, line {one.line}: ", "bold"), printable(change))


def _check(one: CheckRecord) -> Text:
    return Text.assemble((f"{one.task}: ", "bold"), f"{one.name}: {printable(one.title)}")
