"""A Python file of the author as what it defines at module level, and what of it can be reached from where.

    definitions = Definitions.read(path)
    definitions.reached({"conv2d"})        the statements that decide what conv2d does

A statement is reached when a name that it binds is used by one that is. One that binds nothing, ``TABLE["x"] = 1`` or
a call, may change whatever there is, so it is always reached. Names are compared, not scopes: too much may be reached,
never too little.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.errors import CourseError


@dataclass(frozen=True)
class Statement:
    """One statement at module level: its place and text, the names that it binds, and every name that it mentions."""

    node: ast.stmt
    text: str
    binds: frozenset[str]
    mentions: frozenset[str]


@dataclass(frozen=True)
class Definitions:
    """The statements of a file in their order."""

    statements: tuple[Statement, ...]

    @classmethod
    def read(cls, path: Path) -> Definitions:
        """Read a file.

        Raises:
            CourseError: it is missing or is not Python.
        """
        try:
            return cls.of(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise CourseError(f"cannot be read ({error.strerror}): the assignment needs it", path=path) from None
        except (SyntaxError, ValueError) as error:
            raise CourseError(f"is not Python: {error}", path=path) from None

    @classmethod
    def of(cls, text: str) -> Definitions:
        """Read a program; raises SyntaxError and ValueError as ``ast.parse`` does."""
        lines = text.splitlines()
        return cls(tuple(_statement(node, lines) for node in ast.parse(text).body))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every name that is bound at module level."""
        return frozenset[str]().union(*(one.binds for one in self.statements))

    def reached(self, names: Iterable[str]) -> tuple[Statement, ...]:
        """Return the statements that decide what these names stand for, in the order of the file."""
        wanted = set(names)
        found: list[Statement] = []
        left = list(self.statements)
        while more := [one for one in left if not one.binds or one.binds & wanted]:
            found += more
            left = [one for one in left if one not in more]
            wanted.update(*(one.mentions for one in more))
        return tuple(one for one in self.statements if one in found)


def bound(node: ast.stmt) -> frozenset[str]:
    """Return the names that a statement at module level binds."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return frozenset((alias.asname or alias.name).split(".")[0] for alias in node.names)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return frozenset({node.name})
    return names(node, ast.Store)


def names(node: ast.AST, context: type[ast.expr_context]) -> frozenset[str]:
    """Return the names below a node that are loaded, or stored."""
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, context))


def _statement(node: ast.stmt, lines: list[str]) -> Statement:
    first = min((node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))))
    text = "\n".join(lines[first - 1 : node.end_lineno])
    return Statement(node, text, bound(node), frozenset(_mentioned(node)))


def _mentioned(node: ast.AST) -> Iterable[str]:
    """Yield names, attributes, and the parameters by which pytest is asked for fixtures."""
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr
        elif isinstance(one, ast.arg):
            yield one.arg
