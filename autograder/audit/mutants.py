"""Mechanical mutants of a solution: each one small change that an author did not think of.

The operators are mutmut's: other numbers, operators and constants, arguments dropped or None, ``=`` for ``+=``. What
they are applied to is ours: every definition of the solution but its imports, its annotations, and the texts that it
raises, which the contract leaves free. A mutant that says the same program in other words is none.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

from autograder.definitions import Definitions
from autograder.errors import CourseError


@dataclass(frozen=True)
class Mutant:
    """A solution with one change: where, what the line was and what it is, and the whole program.

    ``definition`` is the function or constant that was changed.
    """

    definition: str
    line: int
    before: str
    after: str
    program: str

    @property
    def name(self) -> str:
        """The mutant's name, the same for as long as the change is: definition and a digest of the two lines."""
        digest = hashlib.sha256(f"{self.before}\0{self.after}".encode()).hexdigest()
        return f"mutant-{self.definition}-{self.line:03d}-{digest[:6]}"


def mutants(path: Path) -> list[Mutant]:
    """Return every mutant of a solution, in the order of the file.

    Raises:
        CourseError: the file is missing or is not Python.
    """
    statements = Definitions.read(path).statements
    try:
        wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8-sig")))
    except cst.ParserSyntaxError as error:
        raise CourseError(f"cannot be mutated: {error}", path=path) from None
    changes = _Changes()
    wrapper.visit(changes)
    found: list[Mutant] = []
    for index, one in enumerate(statements):
        if one.binds and not isinstance(one.node, (ast.Import, ast.ImportFrom)):
            last = one.node.end_lineno or one.node.lineno
            own = [change for change in changes.found if one.node.lineno <= change[0] <= last]
            found += _of_statement(wrapper.module, index, min(one.binds), own)
    return found


def _of_statement(
    module: cst.Module, index: int, definition: str, changes: Sequence[tuple[int, cst.CSTNode, cst.CSTNode]]
) -> Iterator[Mutant]:
    """Yield the mutants of one statement at module level, each meaning once."""
    statement = module.body[index]
    before = module.code_for_node(statement)
    known = {_meaning(before)}
    for line, old, new in changes:
        changed = statement.deep_replace(old, new)
        after = module.code_for_node(changed)
        meaning = _meaning(after)
        if meaning is not None and meaning not in known:
            known.add(meaning)
            program = module.with_changes(body=[*module.body[:index], changed, *module.body[index + 1 :]]).code
            yield Mutant(definition, line, *_changed_lines(before, after), program)


class _Changes(cst.CSTVisitor):
    """Collects what the operators would put where; ``found`` holds (line, old node, new node)."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, (cst.Annotation, cst.Import, cst.ImportFrom, cst.Raise)) or _is_docstring(node):
            return False
        line = self.get_metadata(PositionProvider, node).start.line
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self.found += [(line, node, changed) for changed in operator(node)]
        return True


def _is_docstring(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Expr) and isinstance(node.value, (cst.SimpleString, cst.ConcatenatedString))


def _meaning(program: str) -> str | None:
    """Return the program's syntax tree as text; None when it is not Python any more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.dump(ast.parse(program))
        except SyntaxError:
            return None


def _changed_lines(before: str, after: str) -> tuple[str, str]:
    """Return what the lines were that changed, and what they are, each on one line."""
    lines, others = before.splitlines(), after.splitlines()
    blocks = difflib.SequenceMatcher(None, lines, others, autojunk=False).get_opcodes()
    changed = [one for one in blocks if one[0] != "equal"]
    return (
        " ".join(line.strip() for _, start, end, _, _ in changed for line in lines[start:end]),
        " ".join(line.strip() for _, _, _, start, end in changed for line in others[start:end]),
    )
