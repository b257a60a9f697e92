"""The template of an assignment, a Jupytext percent file, read into records that remember their lines.

    # %% setup=true          the first code cell: imports, locked
    # %% task="conv2d"       stubs: `def`, docstring, `raise NotImplementedError`, and nothing else
    # %% figure=true         code that draws: what it names, other figures see and the student's functions do not
    # %%                     any other code of the author's, which after a task names nothing, and `# %% [markdown]`

Jupytext decides what a cell is. Only the line numbers are found here, from the comments that Python itself sees.
"""

from __future__ import annotations

import ast
import re
import tokenize
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import jupytext
from nbformat import ValidationError

from autograder.authoring.module import Module, did_you_mean, imports, parse, signature
from autograder.definitions import bound
from autograder.errors import CourseError

STUB = "raise NotImplementedError"
"""The whole body of a stub, as students get it."""

_KEYS = ("setup", "task", "figure", "tags")
_KINDS_OF_CODE = _KEYS[:3]
_JUPYTEXT_KEYS = frozenset({"lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker"})
_MARKER = re.compile(r"#\s*%%%*(\s|$)")


@dataclass(frozen=True)
class Stub:
    """A function that students write. ``raise_at`` is the index of its ``raise`` among the lines of the cell."""

    name: str
    signature: str
    line: int
    raise_at: int
    indent: str


@dataclass(frozen=True)
class Cell:
    """One cell; ``line`` is where it begins in the file. ``task`` is empty where there is none."""

    kind: str
    source: str
    line: int
    setup: bool = False
    figure: bool = False
    task: str = ""
    tags: tuple[str, ...] = ()
    stubs: tuple[Stub, ...] = ()
    imports: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Template:
    """A template that keeps the rules of the module's docstring."""

    path: Path
    cells: tuple[Cell, ...]

    @property
    def setup(self) -> Cell:
        """The one setup cell."""
        return next(cell for cell in self.cells if cell.setup)

    @property
    def tasks(self) -> tuple[Cell, ...]:
        """The task cells in the order of the notebook."""
        return tuple(cell for cell in self.cells if cell.task)


def read(path: Path) -> Template:
    """Read a template.

    Raises:
        CourseError: it cannot be read, or breaks a rule of the module's docstring.
    """
    module = parse(path)
    try:
        notebook = jupytext.reads(module.text, fmt={"extension": ".py", "format_name": "percent"})
    except (AttributeError, TypeError, ValueError, ValidationError) as error:
        reason = str(error).split("\n")[0]
        raise CourseError(f"Jupytext cannot read it: {reason}", path=path) from None
    starts = [token.start[0] for token in module.tokens if _begins_cell(token)]
    if len(starts) != len(notebook.cells):
        raise CourseError(
            f"expected every cell to begin with a `# %%` line after the YAML header: found {len(starts)} such lines "
            f"and {len(notebook.cells)} cells",
            path=path,
            line=1,
        )
    cells = tuple(_Reader(module, line).cell(node) for node, line in zip(notebook.cells, starts, strict=True))
    _check_marks(path, cells)
    return Template(path, cells)


def _begins_cell(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.COMMENT and token.start[1] == 0 and bool(_MARKER.match(token.string))


def _check_marks(path: Path, cells: tuple[Cell, ...]) -> None:
    """Raise unless exactly the first code cell is the setup cell and no grade id stands twice."""
    codes = [cell for cell in cells if cell.kind == "code"]
    setups = [cell for cell in codes if cell.setup]
    if not setups:
        line = codes[0].line if codes else 1
        raise CourseError("no setup cell: mark the first code cell with `# %% setup=true`", path=path, line=line)
    if len(setups) > 1:
        message = f"a second setup cell, the first is in line {setups[0].line}: keep one"
        raise CourseError(message, path=path, line=setups[1].line)
    if setups[0] is not codes[0]:
        message = f"expected the setup cell to be the first code cell, which is in line {codes[0].line}"
        raise CourseError(message, path=path, line=setups[0].line)
    seen = {"setup": setups[0].line}
    for cell in codes:
        if len(seen) > 1 and cell.binds and not (cell.task or cell.figure):
            message = (
                f"a plain cell after a task binds {', '.join(sorted(cell.binds))}, and a student's function of that "
                "name would be lost: mark the cell with `# %% figure=true`, or put it before the first task"
            )
            raise CourseError(message, path=path, line=cell.line)
        if cell.task in seen:
            message = f'duplicate grade id "{cell.task}", the first is in line {seen[cell.task]}'
            raise CourseError(message, path=path, line=cell.line)
        if cell.task:
            seen[cell.task] = cell.line


class _Reader:
    """One cell being read; ``line`` is the line of its marker."""

    def __init__(self, module: Module, line: int) -> None:
        self.module = module
        self.line = line

    def fail(self, message: str, line: int | None = None) -> NoReturn:
        raise CourseError(message, path=self.module.path, line=line or self.line)

    def cell(self, node: Any) -> Cell:
        marks = {key: value for key, value in node.metadata.items() if key not in _JUPYTEXT_KEYS}
        self.check_marks(marks, node.cell_type)
        task = marks.get("task", "")
        nodes = self.nodes(node.source) if node.cell_type == "code" else []
        return Cell(
            kind=node.cell_type,
            source=node.source,
            line=self.line,
            setup="setup" in marks,
            figure="figure" in marks,
            task=task,
            tags=tuple(marks.get("tags", ())),
            stubs=self.stubs(task, node.source) if task else (),
            imports=frozenset[str]().union(*map(imports, nodes)),
            binds=frozenset[str]().union(*map(bound, nodes)),
        )

    def check_marks(self, marks: dict[str, Any], kind: str) -> None:
        for key, value in marks.items():
            if key == "incorrectly_encoded_metadata":
                self.fail(f'cannot read the cell metadata `{value}`: write it as in `task="conv2d"` or `setup=true`')
            if key not in _KEYS:
                self.fail(f'unknown cell metadata key "{key}": {did_you_mean(key, _KEYS)}')
        special = [key for key in _KINDS_OF_CODE if key in marks]
        if special and kind != "code":
            self.fail(f'"{special[0]}" stands on a {kind} cell: expected a code cell')
        if len(special) > 1:
            self.fail(f'a cell is of one kind: it has both "{special[0]}" and "{special[1]}"')
        for key in ("setup", "figure"):
            if marks.get(key, True) is not True:
                self.fail(f"{key} is {marks[key]!r}: expected `{key}=true`")
        task = marks.get("task", "task")
        if not isinstance(task, str) or not (task.isidentifier() and task.isascii()):
            self.fail(f'task is {task!r}: expected the name of a task, as in `task="conv2d"`')

    def nodes(self, source: str) -> list[ast.stmt]:
        """Return the statements of a code cell, which begins on the line after the marker."""
        end = self.line + source.count("\n") + 1
        return [node for node in self.module.tree.body if self.line < node.lineno <= end]

    def stubs(self, task: str, source: str) -> tuple[Stub, ...]:
        lines = source.split("\n")
        if tuple(lines) != self.module.lines[self.line : self.line + len(lines)]:
            self.fail(f'the cell of task "{task}" holds an IPython command: expected stubs only')
        nodes = self.nodes(source)
        if not nodes:
            self.fail(f'the cell of task "{task}" is empty: expected the stubs of its functions')
        return tuple(self.stub(task, node) for node in nodes)

    def stub(self, task: str, node: ast.stmt) -> Stub:
        if not isinstance(node, ast.FunctionDef):
            found = self.module.lines[node.lineno - 1].strip()
            self.fail(f'the cell of task "{task}" holds `{found}`: expected stubs only', node.lineno)
        if not (ast.get_docstring(node) or "").strip():
            self.fail(f"{node.name} has no docstring: tell the student what it takes and returns", node.lineno)
        last = node.body[-1]
        text = self.module.lines[last.lineno - 1]
        if len(node.body) != 2 or text.strip() != STUB:
            wrong = node.body[1] if len(node.body) > 2 else last
            self.fail(f"the body of {node.name} is no stub: expected its docstring and `{STUB}` alone", wrong.lineno)
        indent = text[: len(text) - len(text.lstrip())]
        return Stub(node.name, signature(node), node.lineno, last.lineno - 1 - self.line, indent)
