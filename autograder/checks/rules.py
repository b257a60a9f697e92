"""What a solution may not use, told from the notebook's syntax trees.

A task uses a package when one of its functions does: by an import inside it, through a name that the notebook bound to
the package (``import scipy.signal as s``, ``tf = __import__("tensorflow")``, ``conv = s.convolve``), or through another
function or class of the notebook that it calls. What lies in scratch cells and is used by no task is nobody's business.
The rule explains; that a forbidden package cannot be imported in the subject enforces.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

_LONGEST_PROGRAM = 2_000_000
"""Characters; syntax trees take a hundred times the memory, and the text is a stranger's."""

_IPYTHON_LINE = re.compile(r"^(\s*)(?:[%!?]|[\w\s,.\[\]]+=\s*[%!]|[^\s#].*\?\s*$).*", re.MULTILINE)
_PYTHON_CELL = re.compile(r"\s*%%(?:time|timeit|capture|prun)\b.*")
_IMPORTERS = frozenset({"__import__", "import_module"})

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def forbidden_use(
    source: str | Sequence[str], functions: Sequence[str], forbidden: Sequence[str], others: Sequence[str] = ()
) -> str | None:
    """Return one sentence about the first forbidden package that one of ``functions`` uses, or None.

    Args:
        source: the program, or its cells in order. A cell that is not Python, apart from IPython's lines, is skipped.
        functions: the names of the task's functions.
        forbidden: top-level packages.
        others: the functions of other tasks, which answer for themselves: a call of one is not followed.
    """
    one = isinstance(source, str)
    program = _program((source,) if isinstance(source, str) else tuple(source))
    for function in functions:
        with contextlib.suppress(RecursionError):
            for use in program.uses(_Read(function, 0), {(name, None) for name in others}):
                if use.name in forbidden:
                    return _sentence(function, use, one)
    return None


@functools.lru_cache(maxsize=1)
def _program(cells: tuple[str, ...]) -> _Program:
    """Read a program once for all of its tasks."""
    return _Program(cells)


@dataclass(frozen=True)
class _Read:
    """A module-level name that is read: at once when its statement runs, or ``late``, in a call."""

    name: str
    line: int
    late: bool = True


@dataclass(frozen=True)
class _Package:
    """A package that is imported; ``inside`` is the module's function or class in which ``line`` lies."""

    name: str
    line: int
    inside: str | None = None


@dataclass(frozen=True)
class _Binding:
    """What one statement gives a name; not ``whole`` when the name keeps its former value and something is added."""

    position: int
    value: ast.AST | _Package
    whole: bool = True


class _Program:
    """The module-level statements of all cells, as what each name is bound to."""

    def __init__(self, cells: Sequence[str]) -> None:
        self.bindings: dict[str, list[_Binding]] = {}
        room = _LONGEST_PROGRAM
        position = 0
        for cell in cells:
            room -= len(cell)
            for statement in _statements(cell) if room > 0 else ():
                position += 1
                with contextlib.suppress(RecursionError):  # nested deeper than anything that a person writes
                    for name, value, whole in _bound(statement):
                        self.bindings.setdefault(name, []).append(_Binding(position, value, whole))

    def uses(
        self, read: _Read, seen: set[tuple[str, int | None]], before: int | None = None, inside: str | None = None
    ) -> Iterator[_Package]:
        """Yield the packages that a read leads to.

        ``seen`` are the reads that were followed already; ``before`` is the statement that reads, None when a call
        does; ``inside`` is the last function on the way, whose line is told.
        """
        if (read.name, before) in seen:
            return
        seen.add((read.name, before))
        for binding in self._meanings(read.name, before):
            if isinstance(binding.value, _Package):
                yield replace(binding.value, line=read.line or binding.value.line, inside=inside)
                continue
            defines = isinstance(binding.value, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            within = read.name if defines else inside
            for found in _Reader.read(binding.value):
                line = found.line if defines or not read.line else read.line
                if isinstance(found, _Package):
                    yield replace(found, line=line, inside=within)
                else:
                    yield from self.uses(
                        replace(found, line=line), seen, None if found.late else binding.position, within
                    )

    def _meanings(self, name: str, before: int | None) -> list[_Binding]:
        """Return the last bindings of a name, all branches of one statement among them."""
        bindings = [one for one in self.bindings.get(name, ()) if before is None or one.position < before]
        if not bindings:
            return [] if hasattr(builtins, name) else self.bindings.get("*", [])
        last = max((one.position for one in bindings if one.whole), default=0)
        return [one for one in bindings if one.position >= last]


class _Reader(ast.NodeVisitor):
    """Collects the module-level names that a piece of code reads and the packages that it imports."""

    def __init__(self) -> None:
        self.found: list[_Read | _Package] = []
        self.local: list[set[str]] = []
        self.late = False

    @classmethod
    def read(cls, node: ast.AST) -> list[_Read | _Package]:
        reader = cls()
        reader.visit(node)
        return reader.found

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load) and not any(node.id in names for names in self.local):
            self.found.append(_Read(node.id, node.lineno, self.late))

    def visit_Import(self, node: ast.Import) -> None:
        self.found += [package for _, package in _imported(node)]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.found += [package for _, package in _imported(node)]

    def visit_Call(self, node: ast.Call) -> None:
        called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if called in _IMPORTERS and isinstance(name, str):
            self.found.append(_Package(name.partition(".")[0], node.lineno))
        self.generic_visit(node)

    def visit_FunctionDef(self, node: Function) -> None:
        for early in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(early)
        self._later(node.body, _parameters(node.args) | _locals(node.body))

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - the name that ast calls

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for early in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            self.visit(early)
        self._later([node.body], _parameters(node.args))

    def _comprehension(self, node: Comprehension) -> None:
        self.local.append({name for each in node.generators for name in _stored(each.target)})
        self.generic_visit(node)
        self.local.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    def _later(self, body: Sequence[ast.AST], names: set[str]) -> None:
        was_late, self.late = self.late, True
        self.local.append(names)
        for node in body:
            self.visit(node)
        self.local.pop()
        self.late = was_late


def _sentence(function: str, use: _Package, whole_program: bool) -> str:
    through = f" through {use.inside}" if use.inside not in (None, function) else ""
    cell = "" if whole_program else f" of the cell that defines {use.inside or function}"
    return f"{function} uses {use.name}{through} (line {use.line}{cell}): solve this task without {use.name}."


def _statements(cell: str) -> list[ast.stmt]:
    """Parse a cell; no statements when it is no Python even without IPython's lines."""
    magic = _PYTHON_CELL.match(cell)
    if cell.lstrip().startswith("%%") and not magic:
        return []
    for text in (cell, _IPYTHON_LINE.sub(r"\1pass", cell)):
        with contextlib.suppress(SyntaxError, ValueError, MemoryError, RecursionError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the compiler thinks of a student's escapes
            return ast.parse(text).body
    return []


def _bound(statement: ast.AST) -> Iterator[tuple[str, ast.AST | _Package, bool]]:
    """Yield what a statement binds in its own scope: name, value, and whether the former value goes."""
    for node in _own(statement):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, node, True
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((name, package, True) for name, package in _imported(node))
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value:
            yield from _assigned(node.target, node.value)
        elif isinstance(node, ast.AugAssign):
            yield from ((name, value, False) for name, value, _ in _assigned(node.target, node.value))
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            yield from _assigned(node.target, node.iter)
        elif isinstance(node, ast.withitem) and node.optional_vars:
            yield from _assigned(node.optional_vars, node.context_expr)


def _assigned(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.AST | _Package, bool]]:
    if isinstance(target, (ast.Tuple, ast.List)):
        same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
        parts = value.elts if same and isinstance(value, (ast.Tuple, ast.List)) else [value] * len(target.elts)
        for one, part in zip(target.elts, parts, strict=True):
            yield from _assigned(one, part)
        return
    whole = isinstance(target, (ast.Name, ast.Starred))
    while isinstance(target, (ast.Attribute, ast.Subscript, ast.Starred)):
        target = target.value
    if isinstance(target, ast.Name):
        yield target.id, value, whole


def _imported(node: ast.Import | ast.ImportFrom) -> list[tuple[str, _Package]]:
    """Return the names that an import binds, ``*`` among them, with their top-level packages."""
    if isinstance(node, ast.ImportFrom):
        package = _Package((node.module or "").partition(".")[0] if not node.level else "", node.lineno)
        return [(alias.asname or alias.name, package) for alias in node.names]
    roots = [(alias, alias.name.partition(".")[0]) for alias in node.names]
    return [(alias.asname or root, _Package(root, node.lineno)) for alias, root in roots]


def _own(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a statement without entering the scopes that it opens."""
    yield node
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _own(child)


def _locals(body: Sequence[ast.AST]) -> set[str]:
    """Return the names that a function's body makes its own."""
    nodes = [node for statement in body for node in _own(statement)]
    foreign = {name for node in nodes if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
    return {name for statement in body for name, _, whole in _bound(statement) if whole} - foreign


def _parameters(arguments: ast.arguments) -> set[str]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every if argument}


def _stored(target: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
