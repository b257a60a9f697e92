"""What decides the grade of one task, as a digest: a result stands for as long as its task's digest does.

So an author who mends one hidden test has those tasks graded again that it can change, and no others. A task is decided
by its rubric and the limits, by its checks and what they reach in the test file, by the reference that they compare
with, by the misconceptions that it may be diagnosed as, by thresholds, data, salt and the released code cells, and by
the tasks that it builds on. A comment in a check counts; another task's check, an alternate and prose do not.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.definitions import Definitions, Statement
from autograder.misconceptions import files

if TYPE_CHECKING:
    from autograder.course import Assignment
    from autograder.rubric import Task


def task_digests(assignment: Assignment) -> dict[str, str]:
    """Return the SHA-256 of everything that decides each task.

    Raises:
        CourseError: a file that every assignment needs is missing, or is not Python.
    """
    common = _common(assignment)
    tests = Definitions.read(assignment.hidden_tests)
    solution = Definitions.read(assignment.solution)
    known = [Definitions.read(path) for path in files(assignment.misconceptions)]
    found: dict[str, str] = {}
    for task in assignment.rubric.tasks:
        below = assignment.rubric.below(task.name)
        total = hashlib.sha256(common)
        checks = _checks(tests, task.name)
        functions = {name for one in (task, *below) for name in one.functions}
        parts: list[object] = [asdict(task), [found[one.name] for one in below], _texts(checks)]
        parts.append(_texts(solution.reached(functions | _reference(checks, solution))))
        parts.append([_texts(_known_mistakes(one, task)) for one in known])
        if any("threshold" in one.mentions for one in checks) and assignment.calibration.is_file():
            parts.append(assignment.calibration.read_text(encoding="utf8"))
        total.update(json.dumps(parts).encode())
        found[task.name] = total.hexdigest()
    return found


def _texts(statements: Iterable[Statement]) -> list[str]:
    return [one.text for one in statements]


def _checks(tests: Definitions, task: str) -> tuple[Statement, ...]:
    """Return the task's checks with what they reach; a test whose task cannot be read belongs to every task."""
    functions = [one.node for one in tests.statements if isinstance(one.node, ast.FunctionDef)]
    own = {node.name for node in functions if _is_test(node) and _task_of(node) in (task, None)}
    others = {node.name for node in functions if _is_test(node)} - own
    unasked = {"pytestmark", *(node.name for node in functions if "autouse" in ast.dump(node))}
    return tuple(one for one in tests.reached(own | unasked) if not one.binds & others)


def _is_test(node: ast.FunctionDef) -> bool:
    return node.name.startswith("test_")


def _task_of(node: ast.FunctionDef) -> str | None:
    for one in node.decorator_list:
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id == "task" and one.args:
            first = one.args[0]
            return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
    return None


def _reference(checks: Iterable[Statement], solution: Definitions) -> frozenset[str]:
    """Return what of the solution the checks may call: what they name; all of it where they look names up."""
    mentioned = frozenset[str]().union(*(one.mentions for one in checks))
    return solution.names if "getattr" in mentioned else solution.names & mentioned


def _known_mistakes(file: Definitions, task: Task) -> tuple[Statement, ...]:
    """Return the misconceptions of a task with what they reach."""
    names = {
        name
        for one in file.statements
        if any(isinstance(part, ast.Constant) and part.value == task.name for part in ast.walk(one.node))
        for name in one.binds
    }
    return file.reached(names)


def _common(assignment: Assignment) -> bytes:
    """Return a digest of what decides every task."""
    total = hashlib.sha256()
    rubric, cells = assignment.rubric, _code_cells(assignment.release_notebook)
    total.update(json.dumps([rubric.forbidden, asdict(rubric.limits), cells]).encode())
    for root in (assignment.course.salt, assignment.course.hidden_data, assignment.release):
        for path in _files(root):
            if path != assignment.release_notebook:
                total.update(f"{path.relative_to(assignment.course.root).as_posix()}\0".encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.digest()


def _code_cells(notebook: Path) -> list[object]:
    """Return what a released notebook runs and locks; its prose decides nothing."""
    if not notebook.is_file():
        return []
    cells = json.loads(notebook.read_text(encoding="utf8"))["cells"]
    return [[one["source"], one["metadata"].get("nbgrader")] for one in cells if one["cell_type"] == "code"]


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path
