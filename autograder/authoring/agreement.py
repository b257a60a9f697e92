"""Template, solution, rubric and tests of an assignment tell the same story, or a contradiction is one clear error."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from autograder.authoring.module import did_you_mean, parse
from autograder.authoring.solution import Solution
from autograder.authoring.template import Cell, Stub, Template
from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.rubric import Task
from autograder.thresholds import Thresholds


def check(assignment: Assignment, template: Template, solution: Solution) -> None:
    """Compare the author's files with each other.

    Raises:
        CourseError: the first contradiction, with file and line.
    """
    _check_cells(assignment, template)
    for cell in template.tasks:
        task = assignment.rubric.task(cell.task)
        _check_stubs(template.path, task, cell)
        for stub in cell.stubs:
            _check_solved(assignment, template.path, stub, solution)
    _check_tests(assignment)
    _check_thresholds(assignment)


def _check_cells(assignment: Assignment, template: Template) -> None:
    """Every task has its cell, every task cell its task."""
    names = [task.name for task in assignment.rubric.tasks]
    cells = [cell.task for cell in template.tasks]
    for cell in template.tasks:
        if cell.task not in names:
            message = f'task "{cell.task}" is not in rubric.toml: {did_you_mean(cell.task, names)}'
            raise CourseError(message, path=template.path, line=cell.line)
    for name in names:
        if name not in cells:
            message = f'task "{name}" has no cell in the template: add one with `# %% task="{name}"`'
            raise CourseError(message, path=assignment.rubric_path, line=_rubric_line(assignment.rubric_path, name))


def _rubric_line(path: Path, task: str) -> int | None:
    entry = re.compile(rf"""\s*name\s*=\s*["']{re.escape(task)}["']""")
    lines = path.read_text(encoding="utf8").split("\n")
    return next((number for number, line in enumerate(lines, 1) if entry.match(line)), None)


def _check_stubs(path: Path, task: Task, cell: Cell) -> None:
    """The cell holds one stub for each function of the task."""
    seen: dict[str, int] = {}
    for stub in cell.stubs:
        if stub.name not in task.functions:
            message = f'{stub.name} is no function of task "{task.name}": {did_you_mean(stub.name, task.functions)}'
            raise CourseError(message, path=path, line=stub.line)
        if stub.name in seen:
            message = f"a second stub of {stub.name}, the first is in line {seen[stub.name]}: keep one"
            raise CourseError(message, path=path, line=stub.line)
        seen[stub.name] = stub.line
    for name in task.functions:
        if name not in seen:
            message = f'the cell of task "{task.name}" has no stub of {name}, which rubric.toml lists'
            raise CourseError(message, path=path, line=cell.line)


def _check_solved(assignment: Assignment, path: Path, stub: Stub, solution: Solution) -> None:
    """The solution has the stub's function, with the same signature."""
    implementation = solution.functions.get(stub.name)
    if implementation is None:
        message = f"{stub.name} has no solution: define {stub.signature} in {_shown(assignment, solution.path)}"
        raise CourseError(message, path=path, line=stub.line)
    if implementation.signature != stub.signature:
        where = f"{_shown(assignment, path)}:{stub.line}"
        message = f"expected the template's {stub.signature} ({where}), received {implementation.signature}"
        raise CourseError(message, path=solution.path, line=implementation.line)


def _check_tests(assignment: Assignment) -> None:
    """Tests name known tasks only, and every task has a hidden one."""
    names = [task.name for task in assignment.rubric.tasks]
    hidden = assignment.hidden_tests
    tested: set[str] = set()
    for path in (assignment.public_tests, hidden):
        for name, line in _tested_tasks(path):
            if name not in names:
                raise CourseError(f'there is no task "{name}": {did_you_mean(name, names)}', path=path, line=line)
            if path != assignment.public_tests:
                tested.add(name)
    for name in names:
        if name not in tested:
            message = f'task "{name}" has no hidden test: add a function `test_...` with `@task("{name}")`'
            raise CourseError(message, path=hidden)


def _tested_tasks(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the task of each ``@task("name")`` on a test function, with its line."""
    nodes = [node for node in ast.walk(parse(path).tree) if isinstance(node, ast.FunctionDef)]
    for mark in (mark for node in nodes if node.name.startswith("test_") for mark in node.decorator_list):
        if isinstance(mark, ast.Call) and ast.unparse(mark.func).split(".")[-1] == "task" and mark.args:
            name = mark.args[0]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield name.value, mark.lineno


_JUDGES = {"assert_accuracy": (2, "threshold"), "assert_error_against_baseline": (3, "at_most")}
"""Checks that compare with a threshold: its position, and its name."""


def _check_thresholds(assignment: Assignment) -> None:
    """Every threshold of a hidden test is a calibrated one."""
    path, calibrated = assignment.hidden_tests, Thresholds.read(assignment.calibration)
    tree = parse(path).tree
    numbers = set(_numbers(tree))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        function = ast.unparse(call.func).split(".")[-1]
        if function == "threshold":
            _check_calibrated(call, calibrated, path)
        elif function in _JUDGES and _is_number(_threshold_of(call, *_JUDGES[function]), numbers):
            command = f"`autograder calibrate {assignment.slug}`"
            message = (
                f"{function} compares with a number that nothing calibrated: list it in calibrate.py, run {command}"
            )
            raise CourseError(f'{message}, and ask for it by `threshold("...")`', path=path, line=call.lineno)


def _check_calibrated(call: ast.Call, calibrated: Thresholds, path: Path) -> None:
    name = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    if not isinstance(name, str):
        raise CourseError('expected a name in quotes, `threshold("...")`', path=path, line=call.lineno)
    if name not in calibrated.values:
        raise CourseError(calibrated.missing(name), path=path, line=call.lineno)


def _threshold_of(call: ast.Call, position: int, name: str) -> ast.expr | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return next(iter([*named, *call.args[position : position + 1]]), None)


def _is_number(value: ast.expr | None, names: Collection[str]) -> bool:
    return isinstance(value, ast.Constant) or (isinstance(value, ast.Name) and value.id in names)


def _numbers(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module gives to numbers."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _shown(assignment: Assignment, path: Path) -> str:
    return path.relative_to(assignment.course.root).as_posix()
