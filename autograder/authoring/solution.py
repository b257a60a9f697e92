"""The hidden implementation, read into records as text: comments and formatting stay as the author wrote them."""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.module import Module, did_you_mean, imports, parse, signature
from autograder.definitions import bound, names
from autograder.errors import CourseError

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Implementation:
    """A task's function: the lines of its body, and the names that it uses."""

    name: str
    signature: str
    line: int
    body: tuple[str, ...]
    body_line: int
    uses: frozenset[str]


@dataclass(frozen=True)
class Helper:
    """A private function, a class, a constant or an import at module level, with the comment above it."""

    names: frozenset[str]
    uses: frozenset[str]
    lines: tuple[str, ...]
    imports: frozenset[str]
    is_block: bool


@dataclass(frozen=True)
class Solution:
    """The implementation of a whole assignment; helpers in the order of the file."""

    path: Path
    functions: Mapping[str, Implementation]
    helpers: tuple[Helper, ...]


def read(path: Path, functions: Iterable[str]) -> Solution:
    """Read a solution of these functions; one that is missing is the caller's to find.

    Raises:
        CourseError: it cannot be read, or holds something that has no place in a notebook's solution.
    """
    module = parse(path)
    wanted = tuple(functions)
    found: dict[str, Implementation] = {}
    helpers: list[Helper] = []
    for node in module.tree.body:
        if isinstance(node, _Function) and node.name in wanted:
            if node.name in found:
                message = f"{node.name} is defined twice, first in line {found[node.name].line}: keep one"
                raise CourseError(message, path=path, line=node.lineno)
            found[node.name] = _implementation(module, node)
        elif isinstance(node, _Function) and not node.name.startswith("_"):
            advice = f"{did_you_mean(node.name, wanted)} (the name of a helper begins with an underscore)"
            raise CourseError(f"{node.name} is no function of a task: {advice}", path=path, line=node.lineno)
        elif not _is_dropped(node):
            helpers.append(_helper(module, node))
    return Solution(path, found, tuple(helpers))


def _is_dropped(node: ast.stmt) -> bool:
    """True for what a cell cannot or need not hold: a docstring, and ``from __future__``."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _implementation(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Implementation:
    if ast.get_docstring(node) is not None:
        message = f"{node.name} has a docstring: it is written once, in the template"
        raise CourseError(message, path=module.path, line=node.lineno)
    uses = frozenset[str]().union(*(names(statement, ast.Load) for statement in node.body))
    row, column = _colon(module, node)
    inline = module.lines[row - 1][column:].strip()
    if inline and not inline.startswith("#"):
        return Implementation(node.name, signature(node), node.lineno, (f"    {inline}",), row, uses)
    body = module.lines[row : _end(module, node)]
    return Implementation(node.name, signature(node), node.lineno, body, row + 1, uses)


def _colon(module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """Return the line and the column just after the colon that ends the ``def`` line."""
    depth = 0
    tokens = (token for token in module.tokens if token.type == tokenize.OP and token.start[0] >= node.lineno)
    for token in tokens:
        depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == ":" and depth == 0:
            return token.end
    raise AssertionError("a def that parses has a colon")


def _end(module: Module, node: ast.stmt) -> int:
    """Return the last line of a block, with the indented comments that follow its last statement."""
    end = last = node.end_lineno or node.lineno
    for number, text in enumerate(module.lines[end:], end + 1):
        if text.strip() and not (text[0].isspace() and text.lstrip().startswith("#")):
            break
        if text.strip():
            last = number
    return last


def _helper(module: Module, node: ast.stmt) -> Helper:
    imported = imports(node)
    is_block = isinstance(node, (*_Function, ast.ClassDef))
    if not (imported or is_block or isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))):
        message = "expected functions, classes, imports and assignments at module level, nothing else"
        raise CourseError(message, path=module.path, line=node.lineno)
    start = min((node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))))
    while start > 1 and module.lines[start - 2].startswith("#"):
        start -= 1
    end = _end(module, node) if is_block else node.end_lineno or node.lineno
    return Helper(bound(node), names(node, ast.Load), module.lines[start - 1 : end], imported, is_block)
