"""Make the sample classes: each student's notebook from the released one and ``<slug>/students/<name>.py``.

    python demo/make_class.py            write every class's submitted/; with SLUG ..., only of these
    python demo/make_class.py --check    change nothing; exit 1 if something would change

A student's file tells only what is the student's own. Cells begin with ``# %%`` and say where they belong:

    # base: grace                          tasks that are not here are solved as grace does, with her helpers
    # %% task="conv2d"                     goes into the cell of the task, below the stub's signature and docstring
    # %% before="conv2d"                   a cell of the student's own; also ``after="conv2d"``, ``after="setup"``
    # %% [markdown] after="conv2d"         text of the student's own
    # %% drop="relu"                       the student deleted this task's check cell
    # %% file                              the rest is the submitted file, and no notebook at all

Lines that begin with ``#> `` (printed) or ``#! `` (standard error) at the end of a cell are the output that the
student saw and saved. ``# saved by: colab`` saves as Google Colab does. Nothing of the students' is run here.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

_CELL = re.compile(r"^# %% ?(.*)\n", re.MULTILINE)
_OPTION = re.compile(r"^# (base|saved by): (\w+)$", re.MULTILINE)
_PLACE = re.compile(r'(task|before|after|drop)="(\w+)"')
_STUB = re.compile(r'^(def \w+\(.*?\):)\n    """.*?"""\n', re.MULTILINE | re.DOTALL)
_STREAMS = {"#>": "stdout", "#!": "stderr"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One cell of a student's file; ``role`` is task, before, after or drop, and ``anchor`` the task it belongs to."""

    kind: str
    role: str
    anchor: str
    source: str
    outputs: tuple[Json, ...]


@dataclass(frozen=True)
class Student:
    """What a student's file says; ``raw`` is the whole submission of one who handed in something else."""

    name: str
    cells: tuple[Cell, ...]
    saved_by: str
    raw: str | None

    def of(self, role: str, anchor: str) -> list[Cell]:
        """Return the cells of one role at one place, in the order of the file."""
        return [cell for cell in self.cells if (cell.role, cell.anchor) == (role, anchor)]


@cache
def read(slug: str, name: str) -> Student:
    """Read a student's file, and what it takes over from its base."""
    text = (HERE / slug / "students" / f"{name}.py").read_text(encoding="utf8")
    head, *parts = _CELL.split(text)
    options = dict(_OPTION.findall(head))
    pairs = list(zip(parts[::2], parts[1::2], strict=True))
    if pairs and pairs[0][0] == "file":
        return Student(name, (), "", pairs[0][1])
    own = [_cell(header, body) for header, body in pairs]
    solved = {cell.anchor for cell in own if cell.role == "task"}
    base = read(slug, options["base"]).cells if "base" in options else ()
    taken = [cell for cell in base if cell.role == "before" or (cell.role == "task" and cell.anchor not in solved)]
    return Student(name, (*taken, *own), options.get("saved by", "jupyter"), None)


def _cell(header: str, body: str) -> Cell:
    place = _PLACE.search(header)
    if place is None:
        raise ValueError(f'"# %% {header}" says no place: expected task, before, after or drop="..."')
    lines = body.strip("\n").split("\n")
    code = [line for line in lines if line[:2] not in _STREAMS]
    outputs = tuple(_stream(kind, lines) for kind in _STREAMS if any(line.startswith(kind) for line in lines))
    if "[markdown]" in header:
        return Cell("markdown", place[1], place[2], "\n".join(re.sub("^# ?", "", line) for line in code).strip(), ())
    return Cell("code", place[1], place[2], "\n".join(code).strip("\n"), outputs)


def _stream(kind: str, lines: Sequence[str]) -> Json:
    text = [f"{line[3:]}\n" for line in lines if line.startswith(kind)]
    return {"output_type": "stream", "name": _STREAMS[kind], "text": text}


def submission(student: Student, release: Json) -> str:
    """Compose the file that a student hands in; the same sources give the same bytes."""
    if student.raw is not None:
        return student.raw
    notebook = copy.deepcopy(release)
    notebook["cells"] = list(_cells(student, notebook["cells"]))
    if student.cells:
        _number(notebook["cells"])
    if student.saved_by == "colab":
        _as_colab(notebook)
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _cells(student: Student, released: Sequence[Json]) -> Iterator[Json]:
    """Yield the notebook's cells: those of the release, filled in, with the student's own around them."""
    count = 0
    for cell in released:
        task, _, check = cell["id"].partition("-")
        task = task if "nbgrader" in cell["metadata"] else ""
        before = student.of("before", task) if not check else []
        after = student.of("after", task) if check or task == "setup" else []
        for one in before:
            count += 1
            yield _own(one, f"{student.name}-{count:02d}")
        if not (check and student.of("drop", task)):
            answers = student.of("task", task) if not check else []
            yield _solved(cell, answers[-1]) if answers else cell
        for one in after:
            count += 1
            yield _own(one, f"{student.name}-{count:02d}")


def _solved(cell: Json, answer: Cell) -> Json:
    """Put the answer into a task's cell; where a signature is the stub's, its docstring stays."""
    source = answer.source
    for stub in _STUB.finditer("".join(cell["source"])):
        source = source.replace(f"{stub[1]}\n", stub[0])
    return {**cell, "source": source.splitlines(keepends=True), "outputs": list(answer.outputs)}


def _own(cell: Cell, name: str) -> Json:
    node: Json = {"cell_type": cell.kind, "id": name, "metadata": {}, "source": cell.source.splitlines(keepends=True)}
    return {**node, "execution_count": None, "outputs": list(cell.outputs)} if cell.kind == "code" else node


def _number(cells: Sequence[Json]) -> None:
    """Count the code cells, as after *Restart kernel and run all cells*."""
    code = (cell for cell in cells if cell["cell_type"] == "code")
    for count, cell in enumerate(code, 1):
        cell["execution_count"] = count


def _as_colab(notebook: Json) -> None:
    """Save as Google Colab did for years: no ids of the format's own, and nothing of nbgrader's."""
    notebook["nbformat_minor"] = 0
    notebook["metadata"] = {
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"display_name": "Python 3", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook["cells"]:
        cell["metadata"] = {"id": cell.pop("id")}


def submissions(slug: str) -> dict[Path, str]:
    """Return everybody's file of one class by its path."""
    release = json.loads((HERE.parent / "release" / slug / f"{slug}.ipynb").read_text(encoding="utf8"))
    names = sorted(path.stem for path in (HERE / slug / "students").glob("*.py"))
    folder = HERE / slug / "submitted"
    return {folder / one / slug / f"{slug}.ipynb": submission(read(slug, one), release) for one in names}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or compare every student's submission, class by class."""
    classes = sorted(path.parent.name for path in HERE.glob("*/students"))
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if something would change")
    parser.add_argument("slugs", metavar="SLUG", nargs="*", default=classes, help="of a class; by default all")
    options = parser.parse_args(arguments)
    if unknown := set(options.slugs) - set(classes):
        parser.error(f"there is no sample class {', '.join(sorted(unknown))}: expected some of {', '.join(classes)}")
    changes = [path for slug in options.slugs for path in update(slug, check=options.check)]
    for path in changes:
        print(f"{'would change' if options.check else 'changed'}: {path.relative_to(HERE)}")
    return 1 if options.check and changes else 0


def update(slug: str, *, check: bool) -> list[Path]:
    """Return which files of a class are not what they should be; write or remove them unless ``check``."""
    wanted = submissions(slug)
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf8") != text]
    found = (path for path in (HERE / slug / "submitted").rglob("*") if path.is_file())
    surplus = sorted(set(found) - set(wanted))
    for path in [] if check else stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], encoding="utf8")
    for path in [] if check else surplus:
        path.unlink()
    return [*stale, *surplus]


if __name__ == "__main__":
    sys.exit(main())
