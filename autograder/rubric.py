"""``rubric.toml``: tasks, points and limits of an assignment, read once into frozen records.

    title = "The CNN pipeline from scratch"
    order = 1
    forbidden = ["tensorflow", "keras", "scipy"]   # not importable, and an error in any task

    [limits]                                       # every key optional
    check_s = 30

    [[tasks]]
    name = "train_cnn"
    points = 15
    functions = ["train_cnn", "predict_cnn"]       # default: the name alone
    builds_on = ["conv2d", "relu"]                 # default: nothing

An unknown key, a wrong type, a task without points or points that do not sum to 100 is a CourseError with file and
line.
"""

from __future__ import annotations

import difflib
import math
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from autograder.errors import CourseError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TOTAL_POINTS = 100.0

_LARGEST = 1_000_000
"""The largest limit: eleven days, or a TiB. Whoever wants more has mistaken the unit."""

_FILE_BYTES = 65_536
_LINE = 300
_INTEGER_BITS = 64
"""An integer of TOML has so many."""

_SHOWN = 60
"""Characters of a wrong value that a message repeats."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Times are wall seconds; sizes are per submission."""

    cell_s: float = 60.0
    check_s: float = 30.0
    task_s: float = 90.0
    total_s: float = 900.0
    memory_mib: int = 2048
    processes: int = 64
    disk_mib: int = 64
    output_kib: int = 1024
    notebook_mib: int = 20


@dataclass(frozen=True)
class Task:
    """One graded unit; named after the first of its functions."""

    name: str
    points: float
    functions: tuple[str, ...]
    builds_on: tuple[str, ...]
    forbidden: tuple[str, ...]


@dataclass(frozen=True)
class Rubric:
    """The whole of rubric.toml."""

    title: str
    order: int
    forbidden: tuple[str, ...]
    limits: Limits
    tasks: tuple[Task, ...]

    def task(self, name: str) -> Task:
        """Look a task up by name; raises KeyError."""
        return next(task for task in self.tasks if task.name == name)

    def below(self, name: str) -> tuple[Task, ...]:
        """Return what a task builds on, at whatever distance, in the rubric's order."""
        wanted = {name}
        for earlier in reversed(self.tasks):
            if any(earlier.name in self.task(one).builds_on for one in wanted):
                wanted.add(earlier.name)
        return tuple(task for task in self.tasks if task.name in wanted - {name})


def load(path: Path) -> Rubric:
    """Read a rubric.

    Raises:
        CourseError: the file is missing, is not TOML, or breaks a rule of the module's docstring.
    """
    text = _text(path)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of too many digits is no TOMLDecodeError
        found = re.search(r"line (\d+)", str(error))
        raise CourseError(f"is not TOML: {error}", path=path, line=int(found[1]) if found else None) from None
    return _Reader(path, text).rubric(data)


def _text(path: Path) -> str:
    """Read the file, if it is one that the parser can take: it needs memory by the square of a key's dots."""
    try:
        with path.open("rb") as file:
            contents = file.read(_FILE_BYTES + 1)
    except OSError as error:
        raise CourseError(
            f"cannot be read ({error.strerror}): every assignment needs a rubric.toml", path=path
        ) from None
    if len(contents) > _FILE_BYTES:
        raise CourseError(f"is too large: expected at most {_FILE_BYTES} bytes", path=path)
    try:
        text = contents.decode("utf8")
    except UnicodeDecodeError:
        raise CourseError("expected UTF-8 text: save the file as UTF-8", path=path) from None
    lines = text.split("\n")  # the only end of a line that TOML knows
    if long := next((n for n, line in enumerate(lines, 1) if len(line) > _LINE), None):
        raise CourseError(f"has a line of more than {_LINE} characters: break it", path=path, line=long)
    return text


class _Reader:
    """One file being read; keeps its text to tell the line of a mistake."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines = text.splitlines()

    def fail(self, message: str, token: str | None = None, start: int = 1) -> NoReturn:
        """Raise a CourseError that points at the first line from ``start`` on that holds ``token``."""
        pattern = re.compile(rf"(?<!\w){re.escape(token)}(?!\w)") if token else None
        line = next(
            (n for n, text in enumerate(self.lines, 1) if n >= start and pattern and pattern.search(text)), None
        )
        raise CourseError(message, path=self.path, line=line)

    def rubric(self, data: Mapping[str, Any]) -> Rubric:
        self._known(data, ("title", "order", "forbidden", "limits", "tasks"), "the rubric")
        forbidden = self._names(data, "forbidden")
        tables = self._value(data, "tasks", list, [])
        if not tables or not all(isinstance(table, dict) for table in tables):
            self.fail("expected at least one [[tasks]] table", "tasks")
        starts = [n for n, text in enumerate(self.lines, 1) if re.match(r"\s*\[\[\s*tasks\s*\]\]", text)]
        starts += [1] * len(tables)
        tasks = tuple(self._task(table, forbidden, start) for table, start in zip(tables, starts, strict=False))
        self._consistent(tasks)
        return Rubric(
            title=self._value(data, "title", str, None),
            order=self._value(data, "order", int, None),
            forbidden=forbidden,
            limits=self._limits(self._value(data, "limits", dict, {})),
            tasks=tasks,
        )

    def _task(self, table: Mapping[str, Any], forbidden: tuple[str, ...], start: int) -> Task:
        self._known(table, ("name", "points", "functions", "builds_on", "forbidden"), "a task", start)
        name = self._value(table, "name", str, None, start)
        if not name.isidentifier():
            self.fail(
                f"task name {name!r} is not a Python identifier: name the task after its first function", name, start
            )
        if "points" not in table:
            self.fail(f'task "{name}" has no points: add `points = ...`', name, start)
        points = self._value(table, "points", float, None, start)
        if not 0 < points <= TOTAL_POINTS:
            self.fail(f'task "{name}" has {points:g} points: expected more than 0 and at most 100', "points", start)
        functions = self._names(table, "functions", start) or (name,)
        if functions[0] != name:
            self.fail(
                f'task "{name}" must be named after its first function, which is "{functions[0]}"', "functions", start
            )
        return Task(
            name,
            points,
            functions,
            self._names(table, "builds_on", start),
            tuple(dict.fromkeys((*forbidden, *self._names(table, "forbidden", start)))),
        )

    def _consistent(self, tasks: tuple[Task, ...]) -> None:
        seen: set[str] = set()
        for task in tasks:
            for function in task.functions:
                if function in seen:
                    self.fail(f'function "{function}" stands in two tasks: keep it in one', function)
                seen.add(function)
            for earlier in task.builds_on:
                if earlier not in {other.name for other in tasks[: tasks.index(task)]}:
                    self.fail(f'task "{task.name}" builds on "{earlier}", which is no earlier task', earlier)
        total = sum(task.points for task in tasks)
        if abs(total - TOTAL_POINTS) > 1e-9:
            self.fail(f"the points of all tasks sum to {total:g}: expected {TOTAL_POINTS:g}", "points")

    def _limits(self, table: Mapping[str, Any]) -> Limits:
        kinds = {field.name: type(field.default) for field in fields(Limits)}
        self._known(table, kinds, "[limits]")
        values = {name: self._value(table, name, kinds[name], None) for name in table}
        for name, value in values.items():
            if not 0 < value <= _LARGEST:
                self.fail(f"{name} is {value:g}: expected more than 0 and at most {_LARGEST}", name)
        return Limits(**values)

    def _known(self, table: Mapping[str, Any], known: Iterable[str], where: str, start: int = 1) -> None:
        names = list(known)
        for key in table:
            if key not in names:
                close = difflib.get_close_matches(key, names, 1)
                advice = f'did you mean "{close[0]}"?' if close else "known keys: " + ", ".join(names)
                self.fail(f'unknown key "{key}" in {where}: {advice}', key, start)

    def _value(self, table: Mapping[str, Any], key: str, kind: type, default: Any, start: int = 1) -> Any:
        if key not in table:
            if default is None:
                self.fail(f'"{key}" is missing: add `{key} = ...`', None)
            return default
        value = table[key]
        if type(value) is int and value.bit_length() >= _INTEGER_BITS:
            self.fail(f'"{key}" has too many digits: expected a smaller number', key, start)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind or (isinstance(value, float) and not math.isfinite(value)):
            self.fail(f'"{key}" is {_shown(value)}: expected {kind.__name__}', key, start)
        return value

    def _names(self, table: Mapping[str, Any], key: str, start: int = 1) -> tuple[str, ...]:
        value = self._value(table, key, list, [], start)
        if not all(isinstance(name, str) and name.isidentifier() for name in value):
            self.fail(f'"{key}" is {_shown(value)}: expected a list of names', key, start)
        return tuple(value)


def _shown(value: object) -> str:
    """Render a value of the file, however large it is."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of too many digits, or too many brackets
        return f"a {type(value).__name__} that is too large"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
