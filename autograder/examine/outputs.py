"""Make an executed notebook safe to look at, and write the examiner's feedback into its check cells.

Outputs are the student's: HTML is cleaned by nbconvert's sanitiser, scripts and unknown types go, images must be
images.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
import time
from collections.abc import Set
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.examine.notebook import is_graded
from autograder.model import Outcome, TaskResult, points
from autograder.subject.errands import OutOfTime, errand

_MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "-", Outcome.BROKEN: "?"}
_CONTROL = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]"
    "|[\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What drives a terminal, but for colors (``ESC [ ... m``), and what turns the order of letters round."""

_TAG = re.compile(
    r"<(?=[a-z/!?])(?!/?(?:b|br|em|h[1-6]|hr|i|li|ol|p|strong|sub|sup|u|ul)\s*/?>)(?!https?://)", re.IGNORECASE
)
"""Where HTML begins in Markdown, but for tags that can do nothing."""

_LINK = re.compile(r"(\](?:\(|:)\s*<?\s*)(?!https?://|mailto:|attachment:|#)(?=[^)\s]*[:&\\])", re.IGNORECASE)
"""Where a link of Markdown begins that may be a program: it has a scheme, or signs that one can be written by."""

_CLEANING_S = 5.0
"""Processor seconds for the HTML of one notebook. The sanitizer takes long for what is made to be hard."""

_TOO_SLOW = "[autograder] This output was left out: its HTML took too long to be looked through."

_IMAGES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}

_HARMLESS = frozenset({"text/plain", *_IMAGES})
"""Types that are kept as they are, once images are known to be images."""

_RUNS = 10**6
"""The largest number of a run that is believed."""

_BROKEN = "This check broke; it is not your fault, and a person will look at it."
"""What a student reads of a broken check, whose own message is for the instructor."""


def finished(notebook: NotebookNode, tasks: tuple[TaskResult, ...], released: Set[str] = frozenset()) -> bytes:
    """Return the notebook's file: outputs cleaned, and in each check cell what the examiner found.

    In cells of text tags are shown and not heeded, as such a cell may be made into a page; what was ``released`` stays.
    """
    by_cell = {f"{task.name}-check": task for task in tasks}
    deadline = time.monotonic() + _CLEANING_S
    for cell in notebook.cells:
        if cell.cell_type != "code":
            cell.source = cell.source if cell.source.strip() in released else _markdown(cell.source)
        elif is_graded(cell) and cell.metadata.nbgrader.grade_id in by_cell:
            cell.outputs = [_feedback(by_cell[cell.metadata.nbgrader.grade_id])]
        else:
            cell.outputs = [_clean(output, deadline) for output in cell.outputs]
            cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count = _count(cell.execution_count)
    notebook.metadata.pop("widgets", None)
    text: str = nbformat.writes(notebook)
    return text.encode(errors="replace")  # half of a surrogate pair can be claimed, and not be written


def _count(claimed: object) -> int | None:
    """Return the number of a run, which the kernel tells and a page shows as it is."""
    return claimed if type(claimed) is int and 0 < claimed <= _RUNS else None


def _clean(output: NotebookNode, deadline: float) -> NotebookNode:
    """Make an output of known parts; a display that is updated later can have put its own into any of them."""
    kind = output.output_type
    if kind == "stream":
        name = "stderr" if output.name == "stderr" else "stdout"
        return NotebookNode(output_type=kind, name=name, text=_CONTROL.sub("", str(output.text)))
    if kind == "error":
        ename, evalue = (_CONTROL.sub("", str(output[key]))[:2000] for key in ("ename", "evalue"))
        lines = [_CONTROL.sub("", str(line)) for line in output.traceback]
        return NotebookNode(output_type=kind, ename=ename, evalue=evalue, traceback=lines)
    shown = NotebookNode(output_type=kind, data=output.data, metadata=NotebookNode())
    if kind == "execute_result":
        shown.execution_count = _count(output.execution_count)
    if not _HARMLESS.issuperset(shown.data):
        shown = _sanitized(shown, deadline)
    shown.data = NotebookNode({kind: _data(kind, value) for kind, value in shown.data.items()})
    return shown


def _sanitized(output: NotebookNode, deadline: float) -> NotebookNode:
    """Return an output with its HTML cleaned, or without it where that takes too long."""
    sanitizer = _sanitizer()
    try:
        with errand(deadline):
            (cleaned,) = sanitizer.sanitize_code_outputs([nbformat.from_dict(output)])
    except (OutOfTime, MemoryError, RecursionError):
        output.data = NotebookNode({"text/plain": _TOO_SLOW})
        return output
    return cleaned  # type: ignore[no-any-return]


@functools.cache
def _sanitizer() -> Any:
    """Make nbconvert's sanitizer, whose import takes a second that most notebooks need not spend."""
    from nbconvert.preprocessors.sanitize import SanitizeHTML

    return SanitizeHTML(
        safe_output_keys=set(_HARMLESS), sanitized_output_types={"text/html", "text/markdown", "text/latex"}
    )


def _markdown(text: str) -> str:
    """Let text be text: what is made of it for a page is cleaned by nobody."""
    return _LINK.sub(r"\1#", _TAG.sub("< ", text))


def _data(kind: str, value: object) -> str:
    if kind == "text/markdown":
        return _CONTROL.sub("", _markdown(str(value)))
    if kind not in _IMAGES:
        return _CONTROL.sub("", str(value))
    try:
        image = base64.b64decode("".join(str(value).split()), validate=True)
    except (binascii.Error, ValueError):
        image = b""
    return base64.b64encode(image).decode() if image.startswith(_IMAGES[kind]) else ""


def _feedback(task: TaskResult) -> NotebookNode:
    lines = [f"{task.name}: {points(task.score)} of {points(task.max_score)} points"]
    for check in task.checks:
        lines.append(f"  {_MARKS[check.outcome]} {check.title} ({points(check.score)}/{points(check.max_score)})")
        said = _BROKEN if check.outcome is Outcome.BROKEN else check.message
        measured = [check.evidence.text] if check.evidence and check.outcome is Outcome.PASSED else []
        lines += [f"      {line}" for line in (*said.splitlines(), *measured)]
    text = _CONTROL.sub("", "\n".join(lines)) + "\n"
    made: NotebookNode = nbformat.v4.new_output("stream", name="stdout", text=text)
    return made
