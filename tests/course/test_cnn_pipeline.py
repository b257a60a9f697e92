"""The checks of ``cnn_pipeline`` can tell: right answers pass, wrong ones lose points where they are wrong."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograder.checks.plugin import load_reference
from autograder.course import Course
from autograder.misconceptions import Misconception, load
from autograder.model import Outcome
from autograder.subject.proxy import ModuleSubject
from tests.course.bench import Results, checks, examine, examine_one

CNN = Course.find(Path(__file__).parent).assignment("cnn_pipeline")
ALTERNATES = sorted((CNN.solution.parent / "alternates").glob("*.py"))
MISCONCEPTIONS = load(CNN.misconceptions)
POINTS = {task.name: task.points for task in CNN.rubric.tasks}
FUNCTIONS = [function for task in CNN.rubric.tasks for function in task.functions]


@pytest.fixture(scope="module")
def solution() -> ModuleType:
    """The hidden implementation."""
    return load_reference(CNN.solution)


class _Recording(ModuleSubject):
    """Functions whose calls are written down."""

    def __init__(self, functions: dict[str, Any]) -> None:
        super().__init__(functions)
        self.called: set[str] = set()

    def call(self, function: str, args: Sequence[object], kwargs: Mapping[str, object], keep: bool, after: bool) -> Any:
        self.called.add(function)
        return super().call(function, args, kwargs, keep, after)


@pytest.mark.parametrize("tests", [CNN.hidden_tests, CNN.public_tests], ids=["hidden", "public"])
@pytest.mark.parametrize("path", [CNN.solution, *ALTERNATES], ids=lambda path: path.stem)
def test_a_right_answer_gets_every_point(path: Path, tests: Path) -> None:
    """However it is written, a correct solution passes every hidden and every public check."""
    tasks = examine_one(CNN, tests, ModuleSubject(load_reference(path)))
    assert {name: check.message for name, check in checks(tasks).items()} == {}
    assert {name: task.score for name, task in tasks.items()} == POINTS


def test_there_are_three_alternates() -> None:
    """Loops, im2col and einsum: three styles as different as a class writes them."""
    assert len(ALTERNATES) >= 3


@pytest.mark.parametrize("task", CNN.rubric.tasks, ids=lambda task: task.name)
def test_checks_of_a_task_call_only_its_functions(task: Any, solution: ModuleType) -> None:
    """So a wrong function in one task can cost nothing in another, whatever it returns."""
    subject = _Recording(dict(vars(solution)))
    examine_one(CNN, CNN.hidden_tests, subject, task.name)
    assert subject.called == set(task.functions)


@pytest.fixture(scope="module")
def wrong(solution: ModuleType) -> Results:
    """Every misconception in the place of the solution's functions, examined in its own task."""
    subjects = {one.name: ModuleSubject({**vars(solution), **one.functions}) for one in MISCONCEPTIONS}
    return examine(CNN, CNN.hidden_tests, subjects, {one.name: one.task for one in MISCONCEPTIONS})


@pytest.mark.parametrize("misconception", MISCONCEPTIONS, ids=lambda one: one.name)
def test_a_misconception_loses_points(misconception: Misconception, wrong: Results) -> None:
    """A known wrong answer fails a check of its task, and breaks none."""
    tasks = wrong[misconception.name]
    assert checks(tasks, Outcome.BROKEN) == {}
    assert tasks[misconception.task].score < POINTS[misconception.task]


@pytest.mark.parametrize("misconception", MISCONCEPTIONS, ids=lambda one: one.name)
def test_a_misconception_keeps_its_word(misconception: Misconception) -> None:
    """It replaces functions of its own task only, and its feedback is a diagnosis followed by where to look."""
    assert set(misconception.functions) <= set(CNN.rubric.task(misconception.task).functions)
    assert re.fullmatch(r"(You|Your) .{10,110}\. .{15,130}", misconception.feedback)


def test_the_training_of_the_misconceptions_is_right(solution: ModuleType) -> None:
    """What they change about a training is therefore all that is wrong with it."""
    helpers = load_reference(CNN.misconceptions.with_name("misconceptions_training.py"))
    functions = {**vars(solution), "train_cnn": helpers._train, "predict_cnn": helpers._predict}
    tasks = examine_one(CNN, CNN.hidden_tests, ModuleSubject(functions), "train_cnn")
    assert tasks["train_cnn"].score == POINTS["train_cnn"]


def test_every_task_has_three_misconceptions() -> None:
    """Every task leaves room for at least three kinds of mistakes."""
    counts = Counter(one.task for one in MISCONCEPTIONS)
    assert {name for name in POINTS if counts[name] < 3} == set()


PARTLY_RIGHT = {
    "no_channel_axis": 0.35,
    "padded_on_one_side": 0.6,
    "stride_only_in_the_shape": 0.6,
    "first_image_for_all": 0.1,
    "bias_forgotten": 0.8,
    "max_stride_ignored": 0.5,
    "not_shifted": 0.7,
    "backward_without_stride": 0.5,
    "padding_not_removed": 0.6,
    "overlaps_overwritten": 0.6,
    "learning_rate_ignored": 0.9,
}
"""The share of its task's points that a partly right answer keeps at least."""


@pytest.mark.parametrize("name, share", PARTLY_RIGHT.items())
def test_a_partly_right_answer_keeps_its_part(name: str, share: float, wrong: Results) -> None:
    """One mistake among right things does not cost all of a task."""
    (task,) = wrong[name].values()
    assert task.score >= share * task.max_score


def _stub(*_: Any, **__: Any) -> Any:
    raise NotImplementedError


def _error(*_: Any, **__: Any) -> Any:
    raise ValueError("always")


EMPTY: dict[str, Callable[..., Any]] = {
    "stub": _stub,
    "error": _error,
    "none": lambda *_, **__: None,
    "zero": lambda *_, **__: 0.0,
    "one": lambda *_, **__: 1,
    "first argument": lambda *args, **_: args[0],
    "last argument": lambda *args, **_: args[-1],
    "two arguments": lambda *args, **_: args[:2],
    "zeros": lambda *args, **_: np.zeros_like(args[0]),
    "gradients of zero": lambda _, x, kernels, *__: (x * 0, kernels * 0, kernels[0, 0, 0] * 0),
    "tenths": lambda _, images: np.full((len(images), 10), 0.1),
}


@pytest.fixture(scope="module")
def empty() -> Results:
    """Every function of the assignment replaced by one that computes nothing."""
    return examine(
        CNN, CNN.hidden_tests, {name: ModuleSubject(dict.fromkeys(FUNCTIONS, EMPTY[name])) for name in EMPTY}
    )


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_function_gets_nothing(name: str, empty: Results) -> None:
    """The untouched stub, and a function that computes nothing, pass no hidden check at all."""
    assert checks(empty[name], Outcome.PASSED, Outcome.BROKEN) == {}


def test_an_untrained_network_gets_nothing(solution: ModuleType) -> None:
    """Constant probabilities beside a plausible list of losses pass no check of the training."""

    def train_cnn(_images: Any, _labels: Any, epochs: int = 10, **_: Any) -> tuple[dict[str, Any], list[float]]:
        return {}, [2.3 - 0.1 * epoch for epoch in range(epochs)]

    functions = {**vars(solution), "train_cnn": train_cnn, "predict_cnn": EMPTY["tenths"]}
    tasks = examine_one(CNN, CNN.hidden_tests, ModuleSubject(functions), "train_cnn")
    assert checks(tasks, Outcome.PASSED, Outcome.BROKEN) == {}


def test_no_public_check_passes_a_stub() -> None:
    """The released notebook fails every public check, with the advice to replace the stub."""
    tasks = examine_one(CNN, CNN.public_tests, ModuleSubject(dict.fromkeys(FUNCTIONS, _stub)))
    assert checks(tasks, Outcome.PASSED, Outcome.BROKEN) == {}
    assert all("is not implemented yet" in check.message for check in checks(tasks).values())


def test_public_checks_find_most_misconceptions(solution: ModuleType) -> None:
    """What students see finds the common mistakes at once."""
    subjects = {one.name: ModuleSubject({**vars(solution), **one.functions}) for one in MISCONCEPTIONS}
    results = examine(CNN, CNN.public_tests, subjects, {one.name: one.task for one in MISCONCEPTIONS})
    assert checks({name: task for tasks in results.values() for name, task in tasks.items()}, Outcome.BROKEN) == {}
    unseen = [name for name, tasks in results.items() if not checks(tasks)]
    assert len(unseen) < len(MISCONCEPTIONS) / 5, unseen


def test_public_examples_do_not_earn_the_grade(solution: ModuleType) -> None:
    """Answers learned by heart from the public checks get nothing from the hidden ones."""
    memory: dict[str, Any] = {}
    plain = [name for name in FUNCTIONS if name not in ("train_cnn", "predict_cnn", "output_size")]

    def learning(name: str) -> Callable[..., Any]:
        def function(*args: Any, **kwargs: Any) -> Any:
            key, answer = repr((name, args, kwargs)), getattr(solution, name)(*args, **kwargs)
            return memory.setdefault(key, answer)

        return function

    def reciting(name: str) -> Callable[..., Any]:
        return lambda *args, **kwargs: memory[repr((name, args, kwargs))]

    examine_one(CNN, CNN.public_tests, ModuleSubject({**vars(solution), **{name: learning(name) for name in plain}}))
    tasks = examine_one(CNN, CNN.hidden_tests, ModuleSubject({name: reciting(name) for name in plain}))
    assert len(memory) > 20
    assert checks(tasks, Outcome.PASSED, Outcome.BROKEN) == {}


@pytest.mark.parametrize("path", [CNN.hidden_tests, CNN.public_tests], ids=["hidden", "public"])
def test_titles_are_sentences_of_one_line(path: Path) -> None:
    """What the student reads about a check fits a table and ends without a full stop."""
    found = ast.walk(ast.parse(path.read_text(encoding="utf8")))
    tests = [node for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    titles = [ast.get_docstring(test) or "" for test in tests]
    assert [title for title in titles if not 0 < len(title) < 120 or "\n" in title or title.endswith(".")] == []
