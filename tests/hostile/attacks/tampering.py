"""Forging the score in the notebook's file: marks, points, locks, order, kernel, and what was saved with it."""

from __future__ import annotations

import copy
from collections.abc import Callable

from tests.hostile.attacks.attack import (
    RIGHT,
    Attack,
    Notebook,
    Verdict,
    cell_of,
    code,
    full,
    grade_id,
    loses,
    ungradable,
)

_ZERO = "def double(x, times=1):\n    return 0 * np.asarray(x)"


def _edit(name: str, tries: str, edit: Callable[[Notebook], object], expected: Verdict, double: str = "") -> Attack:
    return Attack(name, tries, expected, tasks={"double": double or RIGHT["double"]}, edit=edit)


def _swap_ids(notebook: Notebook) -> None:
    first, second = cell_of(notebook, "double"), cell_of(notebook, "train")
    first["metadata"], second["metadata"] = second["metadata"], first["metadata"]


def _raise_points(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"] |= {"points": 1000, "locked": False, "schema_version": 99, "grade": True}


def _rewrite_checks(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if grade_id(cell).endswith("-check") or grade_id(cell) == "setup":
            cell["source"] = "raise SystemExit('the checks are mine')"


def _delete_checks(notebook: Notebook) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if not grade_id(cell).endswith("-check")]


def _reverse(notebook: Notebook) -> None:
    notebook["cells"].reverse()


def _other_kernel(notebook: Notebook) -> None:
    notebook["metadata"] = {
        "kernelspec": {"name": "bash", "language": "bash", "argv": ["sh", "-c", "id"], "display_name": "x"},
        "language_info": {"name": "bash", "pygments_lexer": "../../x"},
        "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
        "nbgrader": {"score": 100},
    }


def _repeat_checks(notebook: Notebook) -> None:
    for cell in list(notebook["cells"]):
        if grade_id(cell).endswith("-check"):
            notebook["cells"] += [copy.deepcopy(cell) | {"source": "double = lambda x: 2 * x"}] * 3


def _grade_everything(notebook: Notebook) -> None:
    wrong = code("def double(x):\n    return 2 * x")
    wrong["metadata"] = {"nbgrader": {"grade": True, "grade_id": "double-check", "points": 100, "locked": True}}
    notebook["cells"].append(wrong)


def _save_results(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if grade_id(cell).endswith("-check"):
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "double: 30 of 30 points (saved)"}]
            cell["execution_count"] = 1


def _two_answers(notebook: Notebook) -> None:
    right = copy.deepcopy(cell_of(notebook, "double"))
    wrong = copy.deepcopy(right) | {"source": _ZERO}
    notebook["cells"] += [right, wrong]


def _without_marks(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


ATTACKS = (
    _edit("swapped-ids", "swaps the grade ids of two tasks", _swap_ids, full()),
    _edit(
        "raised-points",
        "raises its points, unlocks every cell, and marks all as graded",
        _raise_points,
        loses("double"),
        _ZERO,
    ),
    _edit("rewritten-checks", "rewrites the locked cells", _rewrite_checks, full("had been changed")),
    _edit("deleted-checks", "deletes the checks", _delete_checks, full("were missing were put back")),
    _edit("reversed-cells", "turns the order of the cells round", _reverse, full()),
    _edit(
        "other-kernel",
        "asks for another kernel, with a command line of its own",
        _other_kernel,
        full("it was run as Python"),
    ),
    _edit(
        "repeated-checks",
        "hands the checks in several times, with answers in them",
        _repeat_checks,
        loses("double"),
        _ZERO,
    ),
    _edit(
        "graded-answer",
        "hides the answer in a cell that claims to be the examiner's",
        _grade_everything,
        loses("double"),
        _ZERO,
    ),
    _edit(
        "saved-results",
        "hands in the feedback that it would like",
        _save_results,
        loses("double", says="double: 0 of 30 points", never="(saved)"),
        _ZERO,
    ),
    _edit("two-answers", "answers twice, the wrong one last", _two_answers, loses("double")),
    _edit("lost-marks", "takes every mark off the notebook", _without_marks, full("had lost their marks")),
    Attack(
        "no-notebook",
        "hands in a report instead of a notebook",
        ungradable("not a notebook"),
        body=lambda: b'{"score": 100}',
    ),
    Attack(
        "no-cells",
        "hands in a notebook whose cells are none",
        ungradable("cell 1"),
        body=lambda: b'{"nbformat": 4, "cells": [7]}',
    ),
)
