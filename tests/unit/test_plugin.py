"""The pytest plugin, on files of a small course, as an author runs it and as an examiner does."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from autograder.checks import plugin
from autograder.checks.plugin import (
    EXAMINATION,
    Examination,
    check_outcome,
    collect_tasks,
    load_reference,
    task_of,
    title_of,
)
from autograder.checks.results import Verdict
from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.model import Outcome, TaskResult
from autograder.subject.proxy import ModuleSubject


class Examiner:
    """A pytest plugin that examines once, as the examiner does in each of its forks."""

    def __init__(self, examination: Examination) -> None:
        self.examination = examination
        self.outcomes: dict[str, Verdict] = {}
        self.tasks: tuple[TaskResult, ...] = ()
        self.titles: list[str] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run every item."""
        if session.testsfailed:
            raise session.Interrupted("collection failed")
        session.config.stash[EXAMINATION] = self.examination
        for item in session.items:
            self.outcomes[item.nodeid] = check_outcome(item, runtestprotocol(item, log=False))
        self.titles = [f"{task_of(item)}: {title_of(item)}" for item in session.items]
        if self.examination.rubric:
            self.tasks = collect_tasks(self.examination.rubric, session.items, self.outcomes)
        return True


def run(test_file: Path, *options: str, plugins: tuple[object, ...] = ()) -> pytest.ExitCode:
    """Run pytest with the plugin on one file, from wherever we are."""
    sys.modules.pop(test_file.stem, None)  # the last test's file of that name
    arguments = [str(test_file), f"-c{os.devnull}", f"--rootdir={test_file.parent}", "--import-mode=importlib"]
    arguments += ["-pno:cacheprovider", *options]
    return pytest.ExitCode(pytest.main(arguments, plugins=[plugin, *plugins]))


def examine(assignment: Assignment, tests: str, **functions: object) -> Examiner:
    """Examine a namespace by hidden tests."""
    assignment.hidden_tests.write_text(tests, encoding="utf8")
    reference = load_reference(assignment.solution)
    subject = ModuleSubject({**vars(reference), **functions}, source=("import numpy as np",))
    examiner = Examiner(Examination(subject, reference, "salt", "ada", assignment.rubric))
    assert run(assignment.hidden_tests, plugins=(examiner,)) is pytest.ExitCode.OK
    return examiner


def scores(examiner: Examiner) -> Mapping[str, tuple[Outcome, float]]:
    """Return each task's outcome and score."""
    return {task.name: (task.outcome, task.score) for task in examiner.tasks}


def test_the_solution_passes_in_ordinary_pytest(tiny: Assignment, capsys: pytest.CaptureFixture[str]) -> None:
    """Hidden and public tests run against the assignment's own solution without any option."""
    assert run(tiny.hidden_tests) is pytest.ExitCode.OK
    assert "3 passed" in capsys.readouterr().out
    assert run(tiny.public_tests) is pytest.ExitCode.OK


def test_another_module_can_be_the_subject(
    tiny: Assignment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--subject-module`` examines a module of any place; what it lacks is a failure in the student's words."""
    mine = tmp_path / "mine.py"
    mine.write_text("def shift(x, by=1.0):\n    return x * by\n", encoding="utf8")
    assert run(tiny.hidden_tests, f"--subject-module={mine}") is pytest.ExitCode.TESTS_FAILED
    output = capsys.readouterr().out
    assert "Your notebook defines no function named fit" in output
    assert "3 failed" in output


def test_an_examiner_gets_tasks_with_points(tiny: Assignment) -> None:
    """A full pass has every point; a wrong function loses the points of its own task."""
    tests = tiny.hidden_tests.read_text(encoding="utf8")
    assert scores(examine(tiny, tests)) == {"shift": (Outcome.PASSED, 60.0), "fit": (Outcome.PASSED, 40.0)}
    wrong = examine(tiny, tests, shift=lambda x, by: x + abs(by))
    assert scores(wrong) == {"shift": (Outcome.FAILED, 30.0), "fit": (Outcome.PASSED, 40.0)}
    messages = {check.name: check.message for check in wrong.tasks[0].checks}
    assert messages["test_moves_by[0.25]"] == ""
    assert "differ, first at index (0, 0)" in messages["test_moves_by[-7.5]"]


MEASURES = '''
import numpy as np, pytest
from autograder.checks import assert_accuracy, task
from autograder.checks.training import for_some_seed

LABELS = np.arange(200) % 4

def predicted(right):
    return np.where(np.arange(200) < right, LABELS, (LABELS + 1) % 4)

@task("shift")
@pytest.mark.parametrize("right", [186, 116, 60])
def test_measures(student, right):
    """measures"""
    assert_accuracy(predicted(right), LABELS, 0.62)

@task("shift")
def test_second_attempt(student):
    """measures twice"""
    for_some_seed(lambda seed: assert_accuracy(predicted([10, 150][seed]), LABELS, 0.62), seeds=(0, 1))

@task("fit")
def test_measures_nothing(student):
    """compares"""
    assert student.fit([1.0, 3.0]) == 2.0
'''


def test_the_record_shows_what_a_check_measured(tiny: Assignment) -> None:
    """Observed value, interval, threshold and number of items are there, whether it passed or failed."""
    shift, fit = examine(tiny, MEASURES).tasks
    measured = [check.evidence for check in shift.checks]
    assert [evidence and evidence.observed for evidence in measured] == [0.93, 0.58, 0.3, 0.75]
    assert [check.outcome for check in shift.checks][2] is Outcome.FAILED
    assert {(evidence.threshold, evidence.items) for evidence in measured if evidence} == {(0.62, 200)}
    assert measured[0] is not None
    assert measured[0].text == "93.0% of 200 items right (95% interval 88.5% to 96.1%); 62.0% needed."
    assert fit.checks[0].evidence is None


def test_a_value_near_the_threshold_says_why_it_passed(tiny: Assignment) -> None:
    """Less than was asked for, and yet enough: the interval decides, and its sentence says so."""
    near = examine(tiny, MEASURES).tasks[0].checks[1]
    assert near.outcome is Outcome.PASSED
    assert near.evidence is not None
    assert near.evidence.text.endswith("62.0% needed, which the interval reaches.")


OUTCOMES = '''
import numpy as np, pytest
from autograder.checks import task
from autograder.errors import CheckFailure

@pytest.fixture
def poor(student):
    raise CheckFailure("not even started")

@pytest.fixture
def untidy(student):
    yield
    raise OSError("left something")

@task("shift")
def test_breaks(student):
    """breaks"""
    {}["secret"]

@task("shift")
def test_asserts(student):
    """asserts in words"""
    assert student.shift(1.0) == 3, "three, not two"

@task("shift")
def test_asserts_barely(student):
    """asserts without words"""
    assert student.shift(1.0) == 3

@task("shift")
def test_skips(student):
    """is skipped"""
    pytest.skip("not today")

@task("fit")
def test_setup(poor):
    """fails before it starts"""

@task("fit")
def test_teardown(untidy):
    """breaks when it is over"""

@task("fit")
@pytest.mark.parametrize("n, d", [(2, 0.5)])
def test_title(student, n, d):
    """takes {n} rows of width {d:.2f}

    And this line is the author's.
    """
'''


def test_every_end_of_a_check_has_its_outcome(tiny: Assignment) -> None:
    """Failure, assertion, skip, and an exception in setup, call or teardown each become what they are."""
    examiner = examine(tiny, OUTCOMES)
    found = {name.partition("::")[2]: verdict for name, verdict in examiner.outcomes.items()}
    assert found["test_asserts"] == Verdict(Outcome.FAILED, "three, not two")
    assert found["test_asserts_barely"] == Verdict(Outcome.FAILED, "asserts without words")
    assert found["test_skips"] == Verdict(Outcome.SKIPPED, "not today")
    assert found["test_setup"] == Verdict(Outcome.FAILED, "not even started")
    assert found["test_teardown"].outcome is Outcome.BROKEN
    assert found["test_breaks"].message.endswith("(KeyError in test_hidden.py line 18)")
    assert found["test_title[2-0.5]"] == Verdict(Outcome.PASSED)
    assert examiner.titles[-1] == "fit: takes 2 rows of width 0.50"


RANDOM = '''
from autograder.checks import task

@task("shift")
def test_draws(student, rng):
    """draws"""
    student.note(rng.random(), student.draw())

@task("fit")
def test_draws_too(student, rng):
    """draws"""
    student.note(rng.random(), student.draw())
'''


def draws(assignment: Assignment, student: str, salt: str = "salt") -> list[float]:
    """Return the random numbers of two checks: those of the test, and the subject's own global ones."""
    assignment.hidden_tests.write_text(RANDOM, encoding="utf8")
    drawn: list[float] = []
    subject = ModuleSubject({"note": lambda *values: drawn.extend(values), "draw": random.random})
    examination = Examination(subject, None, salt, student, assignment.rubric)
    run(assignment.hidden_tests, plugins=(Examiner(examination),))
    return drawn


def test_random_inputs_are_fresh_and_repeat(tiny: Assignment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The salt, the student and the check decide the numbers, and nothing else does, such as the working directory."""
    first = draws(tiny, "ada")
    monkeypatch.chdir(tmp_path)
    assert draws(tiny, "ada") == first
    assert len({*first, *draws(tiny, "bob"), *draws(tiny, "ada", "pepper")}) == 12


def test_a_forbidden_package_fails_each_check_of_the_task(tiny: Assignment) -> None:
    """The rule's sentence is the message of every check of that task, and of no other task."""
    text = tiny.rubric_path.read_text(encoding="utf8").replace("order = 1", 'order = 1\nforbidden = ["scipy"]')
    tiny.rubric_path.write_text(text, encoding="utf8")
    reference = load_reference(tiny.solution)
    subject = ModuleSubject(reference, source=("import scipy as s", "def shift(x, by):\n    return s.shift(x, by)"))
    examiner = Examiner(Examination(subject, reference, "", "ada", tiny.rubric))
    assert tiny.rubric.task("shift").forbidden == ("scipy",)
    run(tiny.hidden_tests, plugins=(examiner,))
    shift, fit = examiner.tasks
    assert [check.message.partition(" (")[0] for check in shift.checks] == ["shift uses scipy"] * 2
    assert (shift.score, fit.score) == (0.0, 40.0)
    again = Examiner(replace(examiner.examination, rubric=None))
    run(tiny.hidden_tests, plugins=(again,))
    assert {found.outcome for found in again.outcomes.values()} == {Outcome.PASSED}


HEAD = "from autograder.checks import task\nimport pytest\n"
CHECK = '@task("shift")\ndef test_a(student):\n    """a{}"""\n'
OTHER = '@task("fit")\ndef test_b():\n    """b"""\n'
MISTAKES = {
    "unknown task": (CHECK.replace("shift", "shfit").format(""), ':3: there is no task "shfit": did you mean "shift"?'),
    "no docstring": (CHECK.replace('"""a{}"""', "pass"), ":3: test_a has no docstring"),
    "empty docstring": (CHECK.replace("a{}", " "), ":3: test_a has no docstring"),
    "unknown brace": (CHECK.replace("{}", "{size}"), ":3: the docstring of test_a cannot be filled in"),
    "open brace": (CHECK.replace("{}", "{"), ":3: the docstring of test_a cannot be filled in"),
    "no task": (CHECK.partition("\n")[2].format("") + OTHER, ":3: test_a is a check of no task"),
    "task without a check": (CHECK.format(""), ':1: task "fit" has no hidden check'),
    "no weight": (CHECK.format("").replace('t")', 't", weight=0)'), 'task "shift": the weight is 0'),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_an_authors_mistake_ends_the_collection(
    tiny: Assignment, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    """Each mistake of an author is one line with file and line, before any test runs."""
    tiny.hidden_tests.write_text(HEAD + text, encoding="utf8")
    assert run(tiny.hidden_tests) is pytest.ExitCode.INTERRUPTED
    output = capsys.readouterr().out.replace("\n", "")
    assert message in output


def test_a_selection_of_tests_is_no_mistake(tiny: Assignment) -> None:
    """Running one test of a complete file does not miss the others, and a class may hold all checks of a task."""
    assert run(tiny.hidden_tests, "-k", "fits") is pytest.ExitCode.OK
    text = tiny.hidden_tests.read_text(encoding="utf8").partition('@task("fit"')[0]
    inside = 'class TestMore:\n    @task("fit")\n    def test_a(self, student):\n        """a"""\n'
    tiny.hidden_tests.write_text(text + inside, encoding="utf8")
    assert run(tiny.hidden_tests) is pytest.ExitCode.OK


def test_other_peoples_tests_are_left_alone(tmp_path: Path) -> None:
    """A test without ``@task`` needs no docstring, no course and no subject."""
    file = tmp_path / "test_mine.py"
    file.write_text("def test_a():\n    pass\n\ndef test_b(capsys):\n    pass\n", encoding="utf8")
    assert run(file, "--strict-markers") is pytest.ExitCode.OK


def test_tests_of_no_course_ask_for_a_module(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A lone test file says what is missing, and runs with it; it has no reference."""
    file, mine = tmp_path / "test_public.py", tmp_path / "mine.py"
    checks = HEAD + '@task("f")\ndef test_a(student):\n    """a"""\n    assert student.f() == 1\n'
    file.write_text(checks, encoding="utf8")
    mine.write_text("def f():\n    return 1\n", encoding="utf8")
    assert run(file) is pytest.ExitCode.TESTS_FAILED
    assert "add --subject-module FILE" in capsys.readouterr().out
    assert run(file, f"--subject-module={mine}") is pytest.ExitCode.OK
    file.write_text(checks.replace("student", "reference"), encoding="utf8")
    assert run(file, f"--subject-module={mine}") is pytest.ExitCode.TESTS_FAILED
    assert "there is no reference here" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["1 / 0", "import no_such_module", "def f(:"])
def test_a_module_that_does_not_run_is_the_authors(tmp_path: Path, text: str) -> None:
    """A solution that raises, or is no Python, is a CourseError with its file."""
    path = tmp_path / "solution.py"
    path.write_text(text, encoding="utf8")
    with pytest.raises(CourseError, match="cannot be imported"):
        load_reference(path)
    with pytest.raises(CourseError, match="expected a Python file"):
        load_reference(tmp_path / "none.py")


def test_each_load_is_a_module_of_its_own(tiny: Assignment) -> None:
    """What is patched in one load of the solution does not reach another."""
    one, other = load_reference(tiny.solution), load_reference(tiny.solution)
    vars(one)["shift"] = None
    assert other.shift(2.0) == 3.0
