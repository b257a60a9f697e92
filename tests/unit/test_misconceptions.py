"""Misconceptions as records: how an author writes them, and how they are found again."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import CourseError
from autograder.misconceptions import collect, load, misconception

HEADER = "from autograder.misconceptions import collect, misconception\n"
ONE = '@misconception("relu")\ndef {name}(x):\n    """You did it wrong. Look here."""\n    return x\n'
FOOTER = "MISCONCEPTIONS = collect(vars())\n"


def test_a_docstring_becomes_the_feedback() -> None:
    """Its name is that of the mistake, its docstring is the feedback on one line, and it replaces its task."""

    @misconception("relu")
    def identity(x: float) -> float:
        """You returned the argument.

        Make negative values 0.
        """
        return x

    assert (identity.task, identity.name) == ("relu", "identity")
    assert identity.feedback == "You returned the argument. Make negative values 0."
    assert identity.functions["relu"](-2.0) == -2.0


def test_companions_come_along() -> None:
    """A wrong second function of a task brings the first one that it works with."""

    @misconception("train", function="predict", train=max)
    def constant(_: object) -> int:
        """You returned a constant. Use the parameters."""
        return 0

    assert constant.functions["train"] is max
    assert constant.functions["predict"]("anything") == 0


def test_feedback_is_required() -> None:
    """A wrong answer without a word for the student is an author's mistake."""
    with pytest.raises(CourseError, match='"silent" has no feedback'):

        @misconception("relu")
        def silent(x: float) -> float:
            return x


def test_collect_keeps_the_order_and_leaves_the_rest() -> None:
    """Only the records of a namespace are collected, as they were written."""
    namespace: dict[str, object] = {}
    exec(HEADER + ONE.format(name="second") + ONE.format(name="first") + "other = 1\n", namespace)
    assert [one.name for one in collect(namespace)] == ["second", "first"]


def test_a_long_list_continues_in_files_beside_it(tmp_path: Path) -> None:
    """``misconceptions_*.py`` beside the file are read after it."""
    (tmp_path / "misconceptions.py").write_text(HEADER + ONE.format(name="one") + FOOTER, encoding="utf8")
    (tmp_path / "misconceptions_more.py").write_text(HEADER + ONE.format(name="two") + FOOTER, encoding="utf8")
    assert [one.name for one in load(tmp_path / "misconceptions.py")] == ["one", "two"]


@pytest.mark.parametrize(
    "text, message",
    [
        (HEADER, "expected `MISCONCEPTIONS"),
        (HEADER + ONE.format(name="one") + FOOTER, 'two misconceptions are named "one"'),
    ],
)
def test_a_file_that_says_nothing_new_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """A part without a list, and a second misconception of one name, are errors that name the file."""
    (tmp_path / "misconceptions.py").write_text(HEADER + ONE.format(name="one") + FOOTER, encoding="utf8")
    (tmp_path / "misconceptions_more.py").write_text(text, encoding="utf8")
    with pytest.raises(CourseError, match=r"misconceptions.*" + message.replace("`", ".")):
        load(tmp_path / "misconceptions.py")
