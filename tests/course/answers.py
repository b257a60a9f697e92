"""The answers to an assignment whose verdict is known: right ones, wrong ones, and empty ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograder.checks.plugin import load_reference
from autograder.course import Assignment, Course
from autograder.misconceptions import Misconception, load
from autograder.model import TaskResult
from autograder.rubric import Task
from autograder.subject.proxy import ModuleSubject
from tests.course.bench import Results, examine, examine_one

Functions = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Answers:
    """Everything that the author of an assignment wrote down as right or wrong, examined at most once."""

    assignment: Assignment

    def __repr__(self) -> str:
        return self.assignment.slug

    @cached_property
    def solution(self) -> ModuleType:
        """The hidden implementation."""
        return load_reference(self.assignment.solution)

    @property
    def trains_keras(self) -> bool:
        """Whether its checks train Keras networks: then to prove them all takes minutes."""
        return "tensorflow" not in self.assignment.rubric.forbidden

    @property
    def right(self) -> tuple[Path, ...]:
        """The solution and the alternates."""
        return (self.assignment.solution, *self.assignment.alternates)

    @cached_property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """The known wrong answers."""
        return load(self.assignment.misconceptions)

    @property
    def points(self) -> dict[str, float]:
        """The full points of each task."""
        return {task.name: task.points for task in self.assignment.rubric.tasks}

    @property
    def functions(self) -> list[str]:
        """The functions of all tasks."""
        return [function for task in self.assignment.rubric.tasks for function in task.functions]

    def with_functions(self, functions: Functions) -> ModuleSubject:
        """Return the solution with some of its functions replaced."""
        return ModuleSubject({**vars(self.solution), **functions})

    def of_nothing_but(self, function: Callable[..., Any]) -> ModuleSubject:
        """Return a subject in which every function of the assignment is the same one."""
        return ModuleSubject(dict.fromkeys(self.functions, function))

    def hidden(
        self, subject: ModuleSubject, task: str | None = None, given: Collection[str] = ()
    ) -> dict[str, TaskResult]:
        """Run the hidden checks, all or those of one task, with the reference's functions in the place of ``given``."""
        answered = {name: getattr(self.solution, name) for name in given}
        with subject.given(answered):
            return examine_one(self.assignment, self.assignment.hidden_tests, subject, task)

    def public(self, subjects: Mapping[str, ModuleSubject], only: Mapping[str, str] | None = None) -> Results:
        """Run the public checks."""
        return examine(self.assignment, self.assignment.public_tests, subjects, only)

    def wrong(self, misconception: Misconception) -> dict[str, TaskResult]:
        """Return what the hidden checks of its task say about a misconception."""
        return self._wrong(misconception.task)[misconception.name]

    def wrong_by_name(self, name: str) -> TaskResult:
        """Return the result of a misconception in its own task."""
        found = next(one for one in self.misconceptions if one.name == name)
        return self.wrong(found)[found.task]

    def called(self, task: Task) -> set[str]:
        """Return which functions the hidden checks of a task call."""
        if task.name not in self._called:
            subject = _Recording(dict(vars(self.solution)))
            self.hidden(subject, task.name)
            self._called[task.name] = subject.called
        return self._called[task.name]

    @cached_property
    def _called(self) -> dict[str, set[str]]:
        return {}

    @cached_property
    def _known_wrong(self) -> dict[str, Results]:
        return {}

    def _wrong(self, task: str) -> Results:
        """Examine all misconceptions of a task, collecting the tests once."""
        if task not in self._known_wrong:
            subjects = {one.name: self.with_functions(one.functions) for one in self.misconceptions if one.task == task}
            only = dict.fromkeys(subjects, task)
            self._known_wrong[task] = examine(self.assignment, self.assignment.hidden_tests, subjects, only)
        return self._known_wrong[task]


class _Recording(ModuleSubject):
    """Functions whose calls are written down."""

    def __init__(self, functions: dict[str, Any]) -> None:
        super().__init__(functions)
        self.called: set[str] = set()

    def _ask(self, request: dict[str, object], function: str) -> dict[Any, Any]:
        if request["op"] == "call":
            self.called.add(function)
        return super()._ask(request, function)


def stub(*_: Any, **__: Any) -> Any:
    """Do what an untouched stub does."""
    raise NotImplementedError


def _error(*_: Any, **__: Any) -> Any:
    raise ValueError("always")


EMPTY: dict[str, Callable[..., Any]] = {
    "stub": stub,
    "error": _error,
    "none": lambda *_, **__: None,
    "zero": lambda *_, **__: 0.0,
    "one": lambda *_, **__: 1,
    "first argument": lambda *args, **_: args[0],
    "last argument": lambda *args, **_: args[-1],
    "two arguments": lambda *args, **_: args[:2],
    "zeros": lambda *args, **_: np.zeros_like(args[0]),
}
"""Functions that compute nothing, whatever they are called with."""


def learned_by_heart(answers: Answers, names: Collection[str]) -> tuple[ModuleSubject, int]:
    """Return functions that know the answers of the public checks and nothing else, and how many they know."""
    memory: dict[str, Any] = {}

    def learning(name: str) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            key, answer = repr((name, args, kwargs)), getattr(answers.solution, name)(*args, **kwargs)
            return memory.setdefault(key, answer)

        return function

    def reciting(name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: memory[repr((name, args, kwargs))]

    answers.public({"it": answers.with_functions({name: learning(name) for name in names})})
    return ModuleSubject({name: reciting(name) for name in names}), len(memory)


EVERY = [Answers(one) for one in Course.find(Path(__file__).parent).assignments()]


def answers_of(slug: str) -> Answers:
    """Return the answers to one assignment."""
    return next(one for one in EVERY if one.assignment.slug == slug)
