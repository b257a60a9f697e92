"""What came of an attack, against what had to: every difference is a surprise, told in a few words."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from autograder.grading.journal import load_all
from autograder.model import Outcome, Report, ReportOutcome
from autograder.views import summary, text
from tests.hostile.attacks import show
from tests.hostile.attacks.attack import POINTS, Attack, Verdict
from tests.hostile.attacks.stage import Targets

EXAMINER_MIB = 768
"""What an examiner of a NumPy assignment may need, whatever it is sent: about 70 MiB, and an errand with its messages."""

FOUND = "FOUND"
"""What a cell prints when it reached something that it should not have."""


@dataclass(frozen=True)
class Result:
    """What is there after an attack and the honest work that followed: the folder of the reports, and what was seen.

    ``visits`` counts who came to a socket outside meanwhile.
    """

    folder: Path
    honest: Path
    seconds: float
    left: tuple[str, ...]
    examiner_mib: int
    visits: int


def got(result: Result) -> str:
    """Return the verdict in a cell of a table."""
    report = _report(result.folder)
    if report.outcome is ReportOutcome.UNGRADABLE:
        return "ungradable"
    flagged = [task.name for task in report.tasks if task.outcome is Outcome.BROKEN]
    return f"{report.score:g}{', review ' + ', '.join(flagged) if flagged else ''}"


def surprises(attack: Attack, result: Result, targets: Targets, tier: str) -> list[str]:
    """Name everything that is not as it has to be behind these walls."""
    report = _report(result.folder)
    written = _written(result.folder)
    return [
        *_verdict(attack.verdict(tier), report, result.folder),
        *(f"the canary {place} was reached" for place in targets.found_in(written)),
        *_found(result.folder, "it"),
        *_acting(result.folder),
        *_name(report.student),
        *_honest(result.honest, targets),
        *(f"left behind: {one}" for one in result.left),
        *_grew(result),
    ]


def _grew(result: Result) -> Iterator[str]:
    if result.examiner_mib > EXAMINER_MIB:
        yield f"the examiner had {result.examiner_mib} MiB"
    if result.visits:
        yield f"{result.visits} connections came to sockets outside"


def _report(folder: Path) -> Report:
    (found,) = load_all(folder)
    return found


def _written(folder: Path) -> str:
    """Everything that the grader wrote into a folder: report, executed notebook, pages."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(folder.rglob("*")) if path.is_file())


def _verdict(expected: Verdict, report: Report, folder: Path) -> Iterator[str]:
    if expected.reason is not None:
        if report.outcome is not ReportOutcome.UNGRADABLE or expected.reason not in (report.reason or ""):
            yield f"expected ungradable ({expected.reason}), got {report.score:g} ({report.reason})"
        return
    if report.outcome is ReportOutcome.UNGRADABLE:
        yield f"expected to be graded, got ungradable ({report.reason})"
        return
    for task in report.tasks:
        if task.score != expected.score(task.name) and task.name not in expected.at_risk:
            yield f"{task.name}: expected {expected.score(task.name):g} of {POINTS[task.name]:g}, got {task.score:g}"
        if (task.outcome is Outcome.BROKEN) != (task.name in expected.review):
            yield f"{task.name} is {task.outcome.value}"
    shown = "\n".join((*_messages(report), *_outputs(folder)))
    for wanted in expected.says:
        if not any(one in shown for one in wanted.split("|")):
            yield f"nothing says {wanted!r}"
    yield from (f"something says {unwanted!r}" for unwanted in expected.never if unwanted in shown)


def _messages(report: Report) -> Iterator[str]:
    yield from report.notebook.notes
    yield from (check.message for task in report.tasks for check in task.checks)


def _executed(folder: Path) -> Any:
    found = list(folder.glob("*.ipynb"))
    return json.loads(found[0].read_bytes()) if found else {"cells": []}


def _outputs(folder: Path) -> Iterator[str]:
    for cell in _executed(folder)["cells"]:
        for output in cell.get("outputs", []):
            yield from ("".join(one) if isinstance(one, list) else one for one in _texts_of(output))


def _texts_of(output: dict[str, Any]) -> Iterator[Any]:
    yield from (output[key] for key in ("text", "evalue", "traceback") if key in output)
    yield from output.get("data", {}).values()


def _found(folder: Path, who: str) -> Iterator[str]:
    for shown in _outputs(folder):
        yield from (f"{who} {line}" for line in shown.splitlines() if line.startswith(FOUND))


def _honest(folder: Path, targets: Targets) -> Iterator[str]:
    report = _report(folder)
    if report.score != sum(POINTS.values()) or report.needs_review:
        said = report.reason or "; ".join(message for message in _messages(report) if message)
        yield f"the honest submission after it got {report.score:g}: {said}"
    yield from _found(folder, "the next one")
    yield from (f"the next one has the canary {place}" for place in targets.found_in(_written(folder)))


def _name(student: str) -> Iterator[str]:
    """What a spreadsheet would compute, a shell run, or a terminal obey."""
    if student.startswith(("=", "+", "-", "@", "~", ".")):
        yield f"the name {student!r} is no plain text for a spreadsheet or a shell"
    if any(one in student for one in '"`$;&|<>\\/*?\n\r\t'):
        yield f"the name {student!r} has characters of a shell"
    yield from (f"the name holds {one}" for one in show.driving(student, output=False))


def _acting(folder: Path) -> Iterator[str]:
    """What would act in the browser or the terminal of whoever looks at the grade."""
    for page in sorted(folder.rglob("*.html")):
        content = page.read_text()
        yield from (f"{page.name} acts: {one}" for one in show.active(content))
        yield from (f"{page.name} holds {one}" for one in show.driving(content, output=False))
    for cell in _executed(folder)["cells"]:
        if cell["cell_type"] != "code":
            source = "".join(cell["source"])
            yield from (f"a cell of text acts: {one}" for one in show.active_output("text/markdown", source))
        for output in cell.get("outputs", []):
            yield from (f"an output acts: {one}" for one in _acts(output))
    yield from (f"the terminal is sent {one}" for one in show.driving(_terminal(folder), output=False))


def _acts(output: dict[str, Any]) -> Iterator[str]:
    for kind, value in output.get("data", {}).items():
        yield from show.active_output(kind, "".join(value))
    for shown in show.texts(output):
        yield from show.driving(shown, output=True)


def _terminal(folder: Path) -> str:
    """What the command prints about a report; rich adds no color where nobody looks."""
    console = Console(file=io.StringIO(), width=120)
    reports = load_all(folder)
    console.print(text.class_table("Probe", reports))
    console.print(text.student(reports[0]), crop=False)
    console.print(text.attention_list("to look at", summary.attention(reports)))
    console.print(text.finished_line(reports[0]), markup=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
