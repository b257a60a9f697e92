"""The instructor's notebook: the template's cells with the solution between nbgrader's markers, and the grade cells.

Only the ``raise`` of a stub is replaced, so that nbgrader, which puts one ``raise`` in the place of each marked region,
gives back the template's cell to the letter. What a function needs from the module level of solution.py follows its
body inside the same region: at column 0, hence global, and gone from the release with it.
"""

from __future__ import annotations

import json
from typing import Any

from autograder.authoring.solution import Helper, Implementation, Solution
from autograder.authoring.template import Cell, Stub, Template
from autograder.errors import CourseError
from autograder.figures import MAGIC
from autograder.rubric import Rubric, Task

_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def compose(template: Template, solution: Solution, rubric: Rubric) -> str:
    """Join template and solution, which agree, into the JSON of a notebook; the same input gives the same bytes.

    Raises:
        CourseError: a body of the solution is not indented as its stub.
    """
    filling = _Filling(template, solution)
    cells = []
    for position, cell in enumerate(template.cells, 1):
        metadata: dict[str, Any] = {"tags": list(cell.tags)} if cell.tags else {}
        if cell.task:
            metadata["nbgrader"] = _mark(cell.task, solution=True)
            cells += [_cell(cell.kind, cell.task, filling.fill(cell), metadata), _check_cell(rubric.task(cell.task))]
        elif cell.setup:
            cells.append(_cell(cell.kind, "setup", cell.source, {**metadata, "nbgrader": _mark("setup", locked=True)}))
        else:
            source = f"{MAGIC}\n{cell.source}" if cell.figure else cell.source
            cells.append(_cell(cell.kind, f"cell-{position:02d}", source, metadata))
    notebook = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _cell(kind: str, name: str, source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": name, "metadata": metadata, "source": source.splitlines(keepends=True)}
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def _check_cell(task: Task) -> dict[str, Any]:
    name = f"{task.name}-check"
    points = int(task.points) if task.points.is_integer() else task.points
    mark = {**_mark(name, locked=True, grade=True), "points": points}
    return _cell("code", name, f'check("{task.name}")', {"nbgrader": mark})


def _mark(name: str, *, grade: bool = False, locked: bool = False, solution: bool = False) -> dict[str, Any]:
    """Return nbgrader's metadata of a cell."""
    marks = {"grade": grade, "locked": locked, "solution": solution, "task": False}
    return {**marks, "grade_id": name, "schema_version": 3}


class _Filling:
    """Fills stubs one after the other, and remembers which helpers already stand in a cell."""

    def __init__(self, template: Template, solution: Solution) -> None:
        self.solution = solution
        self.waiting = [one for one in solution.helpers if not one.imports or one.imports - template.setup.imports]

    def fill(self, cell: Cell) -> str:
        """Return the cell's source with a marked solution in the place of each ``raise``."""
        raises = {stub.raise_at: stub for stub in cell.stubs}
        lines: list[str] = []
        for index, line in enumerate(cell.source.split("\n")):
            lines += self.region(raises[index]) if index in raises else [line]
        return "\n".join(lines)

    def region(self, stub: Stub) -> list[str]:
        implementation = self.solution.functions[stub.name]
        self.check_indent(stub, implementation)
        lines = [f"{stub.indent}### BEGIN SOLUTION", *implementation.body]
        after_block = True
        helpers = self.needed(implementation.uses)
        for helper in helpers:
            lines += [*["", ""][: 2 if after_block or helper.is_block else 0], *helper.lines]
            after_block = helper.is_block
        return [*lines, "### END SOLUTION" if helpers else f"{stub.indent}### END SOLUTION"]

    def needed(self, uses: frozenset[str]) -> list[Helper]:
        """Take the helpers that these names reach from those that wait, in the order of the file."""
        reached = set(uses)
        taken: list[Helper] = []
        while new := [one for one in self.waiting if one.names & reached and one not in taken]:
            taken += new
            reached.update(*(one.uses for one in new))
        taken = [one for one in self.waiting if one in taken]
        self.waiting = [one for one in self.waiting if one not in taken]
        return taken

    def check_indent(self, stub: Stub, implementation: Implementation) -> None:
        first = next(line for line in implementation.body if line.strip() and not line.lstrip().startswith("#"))
        indent = first[: len(first) - len(first.lstrip())]
        if indent != stub.indent:
            message = f"the body of {stub.name} is indented by {indent!r}: expected its stub's {stub.indent!r}"
            raise CourseError(message, path=self.solution.path, line=implementation.body_line)
