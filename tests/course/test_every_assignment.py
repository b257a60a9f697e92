"""The checks of every assignment can tell: right answers pass, wrong ones lose points where they are wrong."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from autograder.checks.plugin import load_reference
from autograder.misconceptions import Misconception
from autograder.model import Outcome
from autograder.rubric import Task
from autograder.subject.proxy import ModuleSubject
from tests.course.answers import EMPTY, EVERY, Answers, stub
from tests.course.bench import checks, examine_one

pytestmark = pytest.mark.timeout(900)  # networks are trained, right and wrong ones

every_assignment = pytest.mark.parametrize("answers", EVERY, ids=repr)
every_right_answer = pytest.mark.parametrize(
    "answers, path",
    [pytest.param(one, path, id=f"{one}-{path.stem}") for one in EVERY for path in one.right],
)
every_task = pytest.mark.parametrize(
    "answers, task",
    [pytest.param(one, task, id=f"{one}-{task.name}") for one in EVERY for task in one.assignment.rubric.tasks],
)
every_misconception = pytest.mark.parametrize(
    "answers, misconception",
    [pytest.param(one, wrong, id=f"{one}-{wrong.name}") for one in EVERY for wrong in one.misconceptions],
)


@pytest.mark.proves
@pytest.mark.parametrize("kind", ["hidden_tests", "public_tests"])
@every_right_answer
def test_a_right_answer_gets_every_point(answers: Answers, path: Path, kind: str) -> None:
    """However it is written, a correct solution passes every hidden and every public check."""
    tests: Path = getattr(answers.assignment, kind)
    tasks = examine_one(answers.assignment, tests, ModuleSubject(load_reference(path)))
    assert {name: check.message for name, check in checks(tasks).items()} == {}
    assert {name: task.score for name, task in tasks.items()} == answers.points


@every_assignment
def test_there_are_five_alternates(answers: Answers) -> None:
    """Five styles as different as a class writes them."""
    assert len(answers.assignment.alternates) >= 5


@pytest.mark.proves
@every_task
def test_checks_of_a_task_call_what_it_builds_on_at_most(answers: Answers, task: Task) -> None:
    """So a wrong function in one task can cost nothing in another, unless error carried forward gives it back."""
    rubric = answers.assignment.rubric
    below = {function for name in task.builds_on for function in rubric.task(name).functions}
    assert set(task.functions) <= answers.called(task) <= {*task.functions, *below}


@pytest.mark.proves
@every_misconception
def test_a_misconception_loses_points(answers: Answers, misconception: Misconception) -> None:
    """A known wrong answer fails a check of its task, and breaks none."""
    tasks = answers.wrong(misconception)
    assert checks(tasks, Outcome.BROKEN) == {}
    assert tasks[misconception.task].score < answers.points[misconception.task]


@pytest.mark.proves
@every_misconception
def test_a_misconception_costs_nothing_elsewhere(answers: Answers, misconception: Misconception) -> None:
    """In a task that builds on it, the given function stands in for the wrong one."""
    given = answers.assignment.rubric.task(misconception.task).functions
    for task in answers.assignment.rubric.tasks:
        if task.name != misconception.task and answers.called(task) & set(misconception.functions):
            tasks = answers.hidden(answers.with_functions(misconception.functions), task.name, given)
            assert {name: check.message for name, check in checks(tasks).items()} == {}


@every_misconception
def test_a_misconception_keeps_its_word(answers: Answers, misconception: Misconception) -> None:
    """It replaces functions of its own task only, and its feedback is a diagnosis followed by where to look."""
    assert set(misconception.functions) <= set(answers.assignment.rubric.task(misconception.task).functions)
    assert re.fullmatch(r"(You|Your) .{10,110}\. .{15,130}", misconception.feedback)


@every_task
def test_every_task_has_three_misconceptions(answers: Answers, task: Task) -> None:
    """Every task leaves room for at least three kinds of mistakes."""
    assert Counter(one.task for one in answers.misconceptions)[task.name] >= 3


@pytest.mark.proves
@pytest.mark.parametrize("name", EMPTY)
@every_assignment
def test_an_empty_function_gets_nothing(answers: Answers, name: str) -> None:
    """The untouched stub, and a function that computes nothing, pass no hidden check at all."""
    tasks = answers.hidden(answers.of_nothing_but(EMPTY[name]))
    assert checks(tasks, Outcome.PASSED, Outcome.BROKEN) == {}


@pytest.mark.proves
@every_assignment
def test_no_public_check_passes_a_stub(answers: Answers) -> None:
    """The released notebook fails every public check, with the advice to replace the stub."""
    tasks = answers.public({"it": answers.of_nothing_but(stub)})["it"]
    assert checks(tasks, Outcome.PASSED, Outcome.BROKEN) == {}
    assert all("is not implemented yet" in check.message for check in checks(tasks).values())


@pytest.mark.proves
@every_assignment
def test_public_checks_find_most_misconceptions(answers: Answers) -> None:
    """What students see finds the common mistakes at once."""
    subjects = {one.name: answers.with_functions(one.functions) for one in answers.misconceptions}
    results = answers.public(subjects, {one.name: one.task for one in answers.misconceptions})
    assert checks({name: task for tasks in results.values() for name, task in tasks.items()}, Outcome.BROKEN) == {}
    unseen = [name for name, tasks in results.items() if not checks(tasks)]
    assert len(unseen) < len(subjects) / 5, unseen


@pytest.mark.parametrize("kind", ["hidden_tests", "public_tests"])
@every_assignment
def test_titles_are_sentences_of_one_line(answers: Answers, kind: str) -> None:
    """What the student reads about a check fits a table and ends without a full stop."""
    path: Path = getattr(answers.assignment, kind)
    found = ast.walk(ast.parse(path.read_text(encoding="utf8")))
    tests = [node for node in found if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    titles = [ast.get_docstring(test) or "" for test in tests]
    assert [title for title in titles if not 0 < len(title) < 120 or "\n" in title or title.endswith(".")] == []
