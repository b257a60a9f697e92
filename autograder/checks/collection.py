"""What pytest collected from a test file, as checks; an author's mistakes in it, with file and line."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from autograder.checks.examination import assignment_of
from autograder.checks.results import Check
from autograder.errors import CourseError

CHECK = pytest.StashKey[Check]()
"""Where an item keeps the check that it is."""


def prepare(collector: pytest.Module | pytest.Class, collected: Sequence[pytest.Item | pytest.Collector]) -> None:
    """Give each collected function that is marked with ``@task`` its check.

    Raises:
        CourseError: a check has no title; or, in the tests of an assignment, a function that asks for ``student`` has
            no ``@task``, a task is not in the rubric, or a task of the rubric has no hidden check.
    """
    functions = [item for item in collected if isinstance(item, pytest.Function)]
    for item in functions:
        mark = item.get_closest_marker("task")
        if mark is not None:
            item.stash[CHECK] = Check(_name(item), _title(item), mark.args[0], mark.kwargs.get("weight", 1))
    assignment = assignment_of(collector.path) if any(_is_check(item) for item in functions) else None
    if assignment is not None:
        tasks = [task.name for task in assignment.rubric.tasks]
        _agree(functions, tasks)
        everything = isinstance(collector, pytest.Module) and len(functions) == len(collected)
        if everything and collector.path.resolve() == assignment.hidden_tests.resolve():
            _complete(collector.path, functions, tasks)


def _is_check(item: pytest.Function) -> bool:
    return CHECK in item.stash


def _agree(functions: Iterable[pytest.Function], tasks: Sequence[str]) -> None:
    for item in functions:
        if not _is_check(item):
            if "student" in item.fixturenames:
                raise _mistake(item, f'{item.originalname} is a check of no task: add @task("...") above it')
        elif item.stash[CHECK].task not in tasks:
            name = item.stash[CHECK].task
            close = difflib.get_close_matches(name, tasks, 1)
            advice = f'did you mean "{close[0]}"?' if close else f"expected one of {', '.join(tasks)}"
            raise _mistake(item, f'there is no task "{name}": {advice}')


def _complete(test_file: Path, functions: Iterable[pytest.Function], tasks: Iterable[str]) -> None:
    checked = {item.stash[CHECK].task for item in functions if _is_check(item)}
    for name in tasks:
        if name not in checked:
            message = f'task "{name}" has no hidden check: add a function with @task("{name}")'
            raise CourseError(message, path=test_file, line=1)


def _name(item: pytest.Function) -> str:
    return item.nodeid.partition("::")[2]


def _title(item: pytest.Function) -> str:
    """Return the first line of the docstring, its braces filled in from the parameters."""
    text = inspect.cleandoc(item.function.__doc__ or "").partition("\n")[0]
    if not text:
        raise _mistake(item, f"{item.originalname} has no docstring: its first line is what the student reads")
    if "{" not in text:
        return text
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    try:
        return text.format(**parameters)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        known = ", ".join(parameters) or "none"
        problem = f"the docstring of {item.originalname} cannot be filled in ({type(error).__name__}: {error})"
        raise _mistake(item, f"{problem}: its parameters are {known}") from None


def _mistake(item: pytest.Function, message: str) -> CourseError:
    return CourseError(message, path=item.path, line=item.function.__code__.co_firstlineno)
