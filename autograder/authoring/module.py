"""A Python file of the author, parsed: the text beside its syntax tree, so that errors can name file and line."""

from __future__ import annotations

import ast
import copy
import difflib
import io
import tokenize
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.errors import CourseError

RESERVED = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS", "MARK SCHEME", "AUTOTEST")
"""nbgrader's own markers: the build writes them, and one in an author's file would cut the notebook elsewhere."""


@dataclass(frozen=True)
class Module:
    """A file that parses; ``lines[n - 1]`` is line ``n``."""

    path: Path
    text: str
    lines: tuple[str, ...]
    tree: ast.Module

    @cached_property
    def tokens(self) -> tuple[tokenize.TokenInfo, ...]:
        """The file's tokens, comments included."""
        return tuple(tokenize.generate_tokens(io.StringIO(self.text).readline))


def parse(path: Path) -> Module:
    """Read a Python file.

    Raises:
        CourseError: it is missing, is not UTF-8, does not parse without a warning, or holds a marker of nbgrader's.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "\\s" in LaTeX: a warning that students would see in their notebook
            tree = ast.parse(text)
    except OSError as error:
        raise CourseError(f"cannot be read ({error.strerror}): every assignment needs it", path=path) from None
    except UnicodeDecodeError:
        raise CourseError("expected UTF-8 text: save the file as UTF-8", path=path) from None
    except SyntaxError as error:
        raise CourseError(f"syntax error: {error.msg}", path=path, line=error.lineno) from None
    except ValueError as error:  # a null byte, before Python 3.12
        raise CourseError(f"is not Python: {error}", path=path) from None
    lines = tuple(text.split("\n"))
    for number, line in enumerate(lines, 1):
        for marker in RESERVED:
            if marker in line:
                raise CourseError(f'"{marker}" is a marker of nbgrader: write it differently', path=path, line=number)
    return Module(path, text, lines, tree)


def signature(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Render name, arguments and defaults, without annotations, with whatever else changes how it is called."""
    arguments = copy.deepcopy(function.args)
    for node in ast.walk(arguments):
        if isinstance(node, ast.arg):
            node.annotation = None
    decorators = "".join(f"@{ast.unparse(decorator)} " for decorator in function.decorator_list)
    kind = "async " if isinstance(function, ast.AsyncFunctionDef) else ""
    return f"{decorators}{kind}{function.name}({ast.unparse(arguments)})"


def imports(node: ast.stmt) -> frozenset[str]:
    """Render what a statement imports, one text for each name that it binds; empty when it imports nothing."""
    if isinstance(node, ast.Import):
        return frozenset(f"import {ast.unparse(alias)}" for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        origin = "." * node.level + (node.module or "")
        return frozenset(f"from {origin} import {ast.unparse(alias)}" for alias in node.names)
    return frozenset()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the closest known name as a question, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, 1)
    return f'did you mean "{close[0]}"?' if close else "expected one of " + ", ".join(names)
