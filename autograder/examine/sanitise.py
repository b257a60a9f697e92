"""Make a notebook that can be run and graded out of whatever was submitted.

The result is built from known parts alone: the text of the student's cells in their order, and the locked cells and all
metadata of the release. What had to be repaired is told in notes, one friendly sentence each.

A figure of the release is not run again: it names nothing that another cell could use. It keeps the pictures that were
submitted with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.errors import SubmissionError
from autograder.examine.received import Cell, Received, read
from autograder.figures import is_figure
from autograder.rubric import Limits, Task

CELLS = 2_000
"""Cells of the student's own."""

CHARACTERS = 2 * 2**20
"""Text in them."""

_SETUP = "setup"


@dataclass(frozen=True)
class Sanitised:
    """A notebook of known parts; ``notes`` tell the student what was repaired, ``figures`` are cells not to be run."""

    notebook: NotebookNode
    notes: tuple[str, ...]
    figures: frozenset[int]


def sanitise(submitted: bytes, release: NotebookNode, tasks: tuple[Task, ...], limits: Limits) -> Sanitised:
    """Read a submission and restore what is locked in it.

    A cell is known by its grade id; where that was lost, a locked cell by its text, and a task's cell by the function
    that it defines. The same bytes give the same result, and the result submitted again comes back unchanged.

    Raises:
        SubmissionError: ``submitted`` is no notebook that can be run; the message is the reason that the student reads.
    """
    received = read(submitted, limits)
    plan = _plan(received.cells, release, tasks)
    cells = list(_assemble(plan, limits.output_kib * 1024))
    known = {key: release.metadata[key] for key in ("kernelspec", "language_info") if key in release.metadata}
    notebook = {"cells": cells, "metadata": known, "nbformat": 4, "nbformat_minor": 5}
    notes = (*_kernel_notes(received, release), *_locked_notes(plan), *_task_notes(plan))
    figures = frozenset(index for index, cell in enumerate(cells) if cell["source"].strip() in plan.figures)
    return Sanitised(nbformat.from_dict(notebook), notes, figures)  # from_dict copies the parts of the release


@dataclass(frozen=True)
class _Solution:
    """Where a task is solved, if anywhere, and how many cells are marked as its solution."""

    place: int | None
    marked: int


@dataclass(frozen=True)
class _Plan:
    """Which cell plays which part; places are positions among the submitted cells.

    ``locked`` maps every locked cell of ``originals`` to the places that it was found at, ``solutions`` every task.
    ``figures`` are the sources of those of the release.
    """

    cells: tuple[Cell, ...]
    originals: Mapping[str, NotebookNode]
    locked: Mapping[str, Sequence[int]]
    solutions: Mapping[str, _Solution]
    figures: frozenset[str]


def _check_of(task: str) -> str:
    return f"{task}-check"


def _plan(cells: tuple[Cell, ...], release: NotebookNode, tasks: tuple[Task, ...]) -> _Plan:
    marked = ((cell.metadata.get("nbgrader", {}).get("grade_id"), cell) for cell in release.cells)
    originals = {grade_id: cell for grade_id, cell in marked if grade_id}
    names = [name for name in (_SETUP, *(_check_of(task.name) for task in tasks)) if name in originals]
    locked = {name: _places(cells, name, originals) for name in names}
    _check_size(cells, {found[0] for found in locked.values() if found})
    taken = {place for found in locked.values() for place in found}
    free = [place for place, cell in enumerate(cells) if cell.kind == "code" and place not in taken]
    figures = frozenset(cell.source.strip() for cell in release.cells if is_figure(cell.source))
    return _Plan(cells, originals, locked, _solutions(cells, free, tasks), figures)


def _places(cells: tuple[Cell, ...], name: str, originals: Mapping[str, NotebookNode]) -> list[int]:
    """Find a locked cell by its grade id, or else the first unmarked cell of the same text."""
    marked = [place for place, cell in enumerate(cells) if cell.grade_id == name]
    if marked:
        return marked
    text = originals[name].source.strip()
    unmarked = ((place, cell) for place, cell in enumerate(cells) if cell.grade_id not in originals)
    return [place for place, cell in unmarked if cell.kind == "code" and cell.source.strip() == text][:1]


def _check_size(cells: tuple[Cell, ...], restored: set[int]) -> None:
    own = [cell for place, cell in enumerate(cells) if place not in restored]
    if len(own) > CELLS:
        raise SubmissionError(
            f"Your notebook has {len(own)} cells of your own and at most {CELLS} are run. "
            "Delete the cells that you do not need, and submit again."
        )
    characters = sum(len(cell.source) for cell in own)
    if characters > CHARACTERS:
        raise SubmissionError(
            f"The cells of your notebook hold {characters:,} characters and at most {CHARACTERS:,} are read. "
            "Delete data or text that you pasted into cells, and submit again."
        )


def _solutions(cells: tuple[Cell, ...], free: Sequence[int], tasks: tuple[Task, ...]) -> dict[str, _Solution]:
    solutions: dict[str, _Solution] = {}
    for task in tasks:
        own = [place for place in free if cells[place].grade_id == task.name]
        defining = [place for place in own or free if _defines(cells[place].source, task.functions[0])]
        usable = defining or own
        solutions[task.name] = _Solution(usable[-1] if usable else None, len(own))
    return solutions


def _defines(source: str, function: str) -> bool:
    # A pattern, because cells with magics or a syntax error cannot be parsed, and because parsing can be made to fail.
    return re.search(rf"^(?:async[ \t]+)?def[ \t]+{function}[ \t]*\(", source, re.MULTILINE) is not None


def _assemble(plan: _Plan, output_bytes: int) -> Iterator[dict[str, Any]]:
    restored = {found[0]: name for name, found in plan.locked.items() if found}
    surplus = {place for found in plan.locked.values() for place in found[1:]}
    missing = [name for name, found in plan.locked.items() if not found]
    roles = _roles(plan.solutions)
    homes = {_check_of(task): solution.place for task, solution in plan.solutions.items()}
    own = 0
    if _SETUP in missing:
        yield _original(plan, _SETUP)
    for place, cell in enumerate(plan.cells):
        if place in restored:
            yield _original(plan, restored[place])
        elif place not in surplus:
            own += 1
            mine = _own(plan, cell, roles.get(place), own)
            yield {**mine, "outputs": _shown(cell, output_bytes)} if cell.source.strip() in plan.figures else mine
        yield from (_original(plan, name) for name in missing if homes.get(name) == place)
    yield from (_original(plan, name) for name in missing if name in homes and homes[name] is None)


def _roles(solutions: Mapping[str, _Solution]) -> dict[int, str]:
    """Give each cell that solves tasks the mark of one of them: its own, or the first."""
    roles: dict[int, str] = {}
    for task, solution in sorted(solutions.items(), key=lambda item: not item[1].marked):
        if solution.place is not None:
            roles.setdefault(solution.place, task)
    return roles


def _original(plan: _Plan, name: str) -> dict[str, Any]:
    cell = plan.originals[name]
    return _node(cell.cell_type, cell.get("id", name), cell.source, cell.metadata)


def _own(plan: _Plan, cell: Cell, role: str | None, number: int) -> dict[str, Any]:
    if role is None or role not in plan.originals:
        return _node(cell.kind, f"own-{number:04d}", cell.source, {})
    marked = plan.originals[role]
    return _node(cell.kind, marked.get("id", role), cell.source, marked.metadata)


def _shown(cell: Cell, room: int) -> list[NotebookNode]:
    """Return what a figure showed when it was saved, as far as there is room."""
    outputs = [nbformat.v4.new_output("stream", name="stdout", text=cell.prints[:room])] if cell.prints else []
    for picture in cell.pictures:
        room -= len(picture)
        if room >= 0:
            outputs.append(nbformat.v4.new_output("display_data", {"image/png": picture}))
    return outputs


def _node(kind: str, name: str, source: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    cell = {"cell_type": kind, "id": name, "metadata": metadata, "source": source}
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def _kernel_notes(received: Received, release: NotebookNode) -> Iterator[str]:
    ours = release.metadata.get("kernelspec", {}).get("name", "python3")
    if received.language and received.language.lower() not in ("python", "ipython"):
        yield f'Your notebook says that it is written in "{_printable(received.language)}"; it was run as Python.'
    elif received.kernel and received.kernel != ours:
        yield f'Your notebook asks for the kernel "{_printable(received.kernel)}"; it was run with ours, "{ours}".'


def _locked_notes(plan: _Plan) -> Iterator[str]:
    missing = [name for name, found in plan.locked.items() if not found]
    changed = [name for name, found in plan.locked.items() if found and _is_changed(plan, name, found[0])]
    repeated = [name for name, found in plan.locked.items() if len(found) > 1]
    if _SETUP in missing:
        yield "The setup cell was missing, so the original was put back at the top."
    if _SETUP in changed:
        yield "The setup cell had been changed, so the original was run: write your own imports in a cell of your own."
    yield from _note("Check cells that were missing were put back", (name for name in missing if name != _SETUP))
    yield from _note("Check cells that had been changed were put back", (name for name in changed if name != _SETUP))
    yield from _note("Locked cells that stood there more than once were kept once", repeated)


def _task_notes(plan: _Plan) -> Iterator[str]:
    found = plan.solutions.items()
    yield from _note(
        "Cells that had lost their marks were recognized by the function that they define",
        (task for task, solution in found if solution.place is not None and not solution.marked),
    )
    yield from _note(
        "More than one cell was marked as the solution; all were run in order, and the last definition counts",
        (task for task, solution in found if solution.marked > 1),
    )
    yield from _note(
        "No cell with a solution was found, so nothing was put in its place",
        (task for task, solution in found if solution.place is None),
    )


def _note(sentence: str, names: Iterable[str]) -> Iterator[str]:
    listed = ", ".join(names)
    if listed:
        yield f"{sentence}: {listed}."


def _is_changed(plan: _Plan, name: str, place: int) -> bool:
    cell, original = plan.cells[place], plan.originals[name]
    return (cell.kind, cell.source.strip()) != (original.cell_type, original.source.strip())


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:40])
