"""Known wrong answers: functions that a task's checks have to reject, each with the feedback that it deserves.

@misconception("relu")
def relu_in_place(x):
    '''You changed the array that you were given. ...'''

MISCONCEPTIONS = collect(vars())
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import CourseError

Function = Callable[..., Any]


@dataclass(frozen=True)
class Misconception:
    """One wrong answer to one task.

    ``functions`` are what it puts in the place of the solution's, by their names there; ``feedback`` says first what
    the student most likely did, then where to look.
    """

    task: str
    name: str
    feedback: str
    functions: Mapping[str, Function]


def misconception(
    task: str, *, function: str | None = None, **companions: Function
) -> Callable[[Function], Misconception]:
    """Make the decorated function a wrong answer to ``task``: its name is the mistake's, its docstring the feedback.

    It stands for ``function``, by default the one that the task is named after; ``companions`` are the task's other
    functions, when the wrong one does not work with those of the solution.

    Raises:
        CourseError: the function has no docstring.
    """

    def record(wrong: Function) -> Misconception:
        if not wrong.__doc__:
            raise CourseError(f'the misconception "{wrong.__name__}" has no feedback: write it as its docstring')
        return Misconception(
            task, wrong.__name__, " ".join(wrong.__doc__.split()), {**companions, function or task: wrong}
        )

    return record


def collect(namespace: Mapping[str, object]) -> tuple[Misconception, ...]:
    """Return a module's misconceptions in the order they were written."""
    return tuple(value for value in namespace.values() if isinstance(value, Misconception))


def files(path: Path) -> tuple[Path, ...]:
    """Return an author's ``misconceptions.py``, if there is one, and the ``misconceptions_*.py`` that continue it."""
    return (path, *sorted(path.parent.glob(f"{path.stem}_*.py"))) if path.is_file() else ()


def load(path: Path) -> tuple[Misconception, ...]:
    """Run an author's misconceptions; without any there are none.

    Raises:
        CourseError: a file has no ``MISCONCEPTIONS``, or two misconceptions have one name.
    """
    found: list[Misconception] = []
    for part in files(path):
        module = runpy.run_path(str(part))
        if "MISCONCEPTIONS" not in module:
            raise CourseError("expected `MISCONCEPTIONS = collect(vars())` at its end", path=part)
        found += module["MISCONCEPTIONS"]
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1:
            raise CourseError(f'two misconceptions are named "{name}": expected a name for each', path=path)
    return tuple(found)
