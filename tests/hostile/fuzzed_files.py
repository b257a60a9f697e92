"""Targets that read files: a student's notebook, an author's rubric.toml, a report."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import nbformat
from hypothesis import strategies as st
from nbformat import v4

from autograder import rubric
from autograder.examine.sanitise import CELLS, Sanitised, sanitise
from autograder.model import SCHEMA, Report
from autograder.rubric import Limits, Rubric, Task
from tests.hostile.damage import damaged, replaced

TASKS = (Task("conv2d", 60.0, ("conv2d",), (), ()), Task("train", 40.0, ("train", "predict"), ("conv2d",), ()))
LIMITS = Limits(notebook_mib=1)
_FIGURE = "%%figure\nrows = 3"


def _marked(source: str, grade_id: str, **marks: object) -> Any:
    flags = {"schema_version": 3, "locked": False, "solution": False, "grade": False, "task": False}
    return v4.new_code_cell(source, id=grade_id, metadata={"nbgrader": {**flags, "grade_id": grade_id, **marks}})


def _cells() -> list[Any]:
    cells = [v4.new_markdown_cell("# Title", id="title"), _marked("import numpy", "setup", locked=True)]
    for task in TASKS:
        cells.append(_marked(f"def {task.name}(x):\n    return x", task.name, solution=True))
        cells.append(_marked(f'check("{task.name}")', f"{task.name}-check", locked=True, grade=True, points=50))
    picture = v4.new_output("display_data", {"image/png": "iVBORw0KGgo="})
    return [*cells, v4.new_code_cell(_FIGURE, id="figure", outputs=[picture])]


RELEASE = v4.new_notebook(
    cells=_cells(), metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
)
NOTEBOOK = nbformat.writes(RELEASE).encode()
_JSON_PIECES = (
    b'"cells": [], ',
    b'"nbformat": 3, ',
    b'"source": {"a": 1}, ',
    b'"cell_type": "raw", ',
    b'"\\ud800"',
    b"\\u0000",
    b"[" * 5000,
    b'{"a":' * 300,
    b"9" * 5000,
    b"1e999999",
    b"NaN",
    b"-Infinity",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xc0\x80",
    b'\\"',
    b"\\",
    b'"',
    b"{}" * 3,
    b",,",
)


def _with_cells(count: int) -> bytes:
    cell: dict[str, Any] = {"cell_type": "code", "metadata": {}, "source": "", "outputs": [], "execution_count": None}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell] * count}).encode()


_notebook_texts = replaced(json.loads(NOTEBOOK)).map(lambda value: json.dumps(value).encode())
notebooks = st.one_of(
    st.binary(max_size=100),
    _notebook_texts,
    damaged(st.just(NOTEBOOK) | _notebook_texts, _JSON_PIECES),
    st.builds(lambda piece, count: piece * count, st.sampled_from(_JSON_PIECES), st.integers(1, 10)),
    st.sampled_from([CELLS, CELLS + 1]).map(_with_cells),
)


def read_notebook(submitted: bytes) -> Sanitised:
    """Sanitise what was submitted."""
    return sanitise(submitted, RELEASE, TASKS, LIMITS)


def confirm_notebook(found: Sanitised) -> None:
    """The result is a valid notebook with every locked cell once, and comes back unchanged when submitted again."""
    nbformat.validate(found.notebook)
    marks = [cell.metadata.nbgrader.grade_id for cell in found.notebook.cells if "nbgrader" in cell.metadata]
    assert len(marks) == len(set(marks)) and {"setup", "conv2d-check", "train-check"} <= set(marks)
    again = sanitise(nbformat.writes(found.notebook).encode(), RELEASE, TASKS, LIMITS)
    assert again.notebook == found.notebook
    assert all(note.isprintable() for note in found.notes)


RUBRIC = b"""\
title = "Demo"
order = 2
forbidden = ["scipy"]

[limits]
check_s = 5
memory_mib = 900

[[tasks]]
name = "relu"
points = 40

[[tasks]]
name = "train"
points = 60
functions = ["train", "predict"]
builds_on = ["relu"]
forbidden = ["keras"]
"""
_TOML_PIECES = (
    *(b"%s\n" % line for line in RUBRIC.splitlines() if line),
    b"9" * 5000,
    b"0x" + b"f" * 5000,
    b"1" + b"0" * 400,
    b"-1" + b"0" * 400,
    b"1e400",
    b"1e300",
    b"-inf",
    b"nan",
    b"true",
    b"1979-05-27T07:32:00Z",
    b"2021-02-30",
    b"07:32:00",
    b"[" * 3000,
    b"a." * 3000,
    b"{a = " * 500,
    b'""',
    b'"""\n\n"""',
    b'"\\u0000\\uFFFF"',
    b'"\\U00110000"',
    b'["relu", 3, []]',
    b"\xff",
    b"\xed\xa0\x80",
    b"\r",
    b"\x00",
    b"[[tasks.limits]]\n",
    b"[tasks]\n",
)
_TOML_VALUES = tuple(piece for piece in _TOML_PIECES if not piece.endswith(b"\n"))


@st.composite
def _revalued(draw: st.DrawFn) -> bytes:
    """A rubric in which one key has another value."""
    lines = RUBRIC.splitlines()
    at = draw(st.sampled_from([n for n, line in enumerate(lines) if b" = " in line]))
    key = draw(st.sampled_from([lines[at].split(b" = ")[0], *(field.name.encode() for field in fields(Limits))]))
    lines[at] = key + b" = " + draw(st.sampled_from(_TOML_VALUES) | st.integers().map(lambda n: b"%d" % n))
    return b"\n".join(lines)


_functions = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)
_limits = st.dictionaries(st.sampled_from([field.name for field in fields(Limits)]), st.integers(1, 10**6), max_size=4)


@st.composite
def _valid(draw: st.DrawFn) -> bytes:
    """A rubric that is right, unless a name is used twice."""
    names = draw(st.lists(_functions, min_size=1, max_size=5))
    tasks = []
    for n, name in enumerate(names):
        functions = (name, *draw(st.lists(_functions, max_size=2)))
        earlier = draw(st.lists(st.sampled_from(names[:n]), max_size=2)) if n else []
        tasks.append(
            Task(name, 100 / len(names), functions, tuple(earlier), tuple(draw(st.lists(_functions, max_size=1))))
        )
    found = Rubric(draw(st.text(_encodable, max_size=9)), draw(st.integers(-9, 99)), (), Limits(), tuple(tasks))
    return _toml(found, draw(_limits)).encode()


_encodable = st.characters(exclude_categories=["Cs"])
rubrics = st.one_of(
    _valid(),
    st.text(max_size=100).map(lambda text: text.encode(errors="replace")),
    st.lists(st.sampled_from(_TOML_PIECES), max_size=12).map(b"".join),
    _revalued(),
    damaged(st.just(RUBRIC) | _revalued() | _valid(), _TOML_PIECES),
)
_folder = tempfile.TemporaryDirectory(prefix="autograder-fuzz-")


def read_rubric(text: bytes) -> Rubric:
    """Read a rubric from a file."""
    path = Path(_folder.name, "rubric.toml")
    path.write_bytes(text)
    return rubric.load(path)


def confirm_rubric(found: Rubric) -> None:
    """What was accepted is written as TOML and read as the same again, and its numbers are of use."""
    assert read_rubric(_toml(found, asdict(found.limits)).encode()) == found
    assert abs(math.fsum(task.points for task in found.tasks) - 100.0) < 1e-6
    assert all(0 < value < 10**9 for value in asdict(found.limits).values())


def _toml(found: Rubric, limits: Mapping[str, float]) -> str:
    lines = [f"title = {_quoted(found.title)}", f"order = {found.order}", f"forbidden = {list(found.forbidden)!r}"]
    lines += ["[limits]", *(f"{name} = {value!r}" for name, value in limits.items())]
    for task in found.tasks:
        lines += ["[[tasks]]", f"name = {task.name!r}", f"points = {task.points!r}"]
        lines += [f"{key} = {list(getattr(task, key))!r}" for key in ("functions", "builds_on", "forbidden")]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(letter):08X}" for letter in text) + '"'


_CHECK = {
    "name": "test_a[1]", "title": "does it", "outcome": "failed", "score": 1.0, "max_score": 2.0, "message": "no",
    "misconception": None,
    "evidence": {"measure": "accuracy", "text": "half", "observed": 0.5, "low": 0.4, "high": 0.6, "threshold": 0.7,
                 "items": 10, "claimed": None},
}  # fmt: skip
_REPORT = {
    "schema": SCHEMA, "assignment": "demo", "student": "ada", "outcome": "graded", "score": 1.0, "max_score": 2.0,
    "reason": None,
    "tasks": [{"name": "a", "outcome": "failed", "score": 1.0, "max_score": 2.0, "carried_forward": False,
               "checks": [_CHECK, _CHECK]}],
    "notebook": {"cells_run": 3, "cells_failed": 0, "notes": ["one"]},
    "seconds": {"total": 1.0, "notebook": 0.5, "checks": 0.5},
    "provenance": {"submission_sha256": "ab", "assignment_sha256": "cd", "autograder": "0", "tensorflow": "0",
                   "sandbox": "namespaces"},
}  # fmt: skip
REPORT = json.dumps(_REPORT).encode()
_report_texts = replaced(_REPORT).map(lambda value: json.dumps(value).encode())
reports = st.one_of(
    st.binary(max_size=100),
    _report_texts,
    damaged(st.just(REPORT) | _report_texts, _JSON_PIECES),
)


def read_report(text: bytes) -> Report:
    """Read a report from a file, as the journal does."""
    from autograder.grading.journal import load

    path = Path(_folder.name, "ada.json")
    path.write_bytes(text)
    return load(path)


def confirm_report(found: Report) -> None:
    """What was accepted is written and read as the same again."""
    text = found.to_json()
    assert Report.from_json(text).to_json() == text
