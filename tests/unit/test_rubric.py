"""rubric.toml: what is read, and what each mistake says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import rubric
from autograder.errors import CourseError

GOOD = """\
title = "Demo"
order = 2
forbidden = ["scipy"]

[limits]
check_s = 5

[[tasks]]
name = "relu"
points = 40

[[tasks]]
name = "train"
points = 60
functions = ["train", "predict"]
builds_on = ["relu"]
forbidden = ["keras"]
"""


Read = Callable[[str], rubric.Rubric]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a rubric from its text."""

    def load(text: str) -> rubric.Rubric:
        path = tmp_path / "rubric.toml"
        path.write_text(text, encoding="utf8")
        return rubric.load(path)

    return load


def test_reads_every_key(read: Read) -> None:
    """A rubric becomes records, defaults filled in."""
    loaded = read(GOOD)
    assert (loaded.title, loaded.order, loaded.limits.check_s) == ("Demo", 2, 5.0)
    assert loaded.limits.cell_s == rubric.Limits().cell_s
    assert loaded.task("relu") == rubric.Task("relu", 40.0, ("relu",), (), ("scipy",))
    assert loaded.task("train") == rubric.Task("train", 60.0, ("train", "predict"), ("relu",), ("scipy", "keras"))


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("points = 40", "pionts = 40", 10, 'unknown key "pionts" in a task: did you mean "points"'),
        ("points = 40\n", "", 9, 'task "relu" has no points'),
        ("points = 40", "points = 41", None, "sum to 101"),
        ("points = 40", "points = -1", 10, "expected more than 0"),
        ("points = 40", 'points = "forty"', 10, "expected float"),
        ("points = 40", "points = nan", 10, "expected float"),
        ("check_s = 5", "check_s = 0", 6, "expected more than 0"),
        ("check_s = 5", "check = 5", 6, 'did you mean "check_s"'),
        ("check_s = 5", "check_s = true", 6, "expected float"),
        ('"train", "predict"', '"predict", "train"', 15, "named after its first function"),
        ('"train", "predict"', '"train", "relu"', 9, "stands in two tasks"),
        ('builds_on = ["relu"]', 'builds_on = ["rely"]', 16, "no earlier task"),
        ('builds_on = ["relu"]', 'builds_on = "relu"', 16, "expected list"),
        ('title = "Demo"\n', "", None, '"title" is missing'),
        ('name = "relu"', 'name = "re lu"', 9, "not a Python identifier"),
        ("order = 2", "order = = 2", 2, "is not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_line(read: Read, old: str, new: str, line: int | None, message: str) -> None:
    """One clear CourseError for each mistake, with file and line."""
    with pytest.raises(CourseError) as caught:
        read(GOOD.replace(old, new, 1))
    assert message in caught.value.message
    assert str(caught.value).count("\n") == 0
    if line is not None:
        assert caught.value.line == line


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    """A rubric that is not there names itself."""
    with pytest.raises(CourseError, match=r"rubric\.toml: cannot be read"):
        rubric.load(tmp_path / "rubric.toml")


def test_bytes_that_are_no_text_say_so(tmp_path: Path) -> None:
    """A rubric in another encoding is the author's error, not a traceback."""
    path = tmp_path / "rubric.toml"
    path.write_bytes(b"title = '\xff'")
    with pytest.raises(CourseError, match="UTF-8"):
        rubric.load(path)


@given(st.text(max_size=300) | st.sampled_from(GOOD.splitlines()).map(lambda line: GOOD.replace(line, line[::-1])))
def test_any_text_is_a_rubric_or_a_course_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever the file holds, nothing but a CourseError comes out."""
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf8", errors="replace")
    try:
        loaded = rubric.load(path)
    except CourseError:
        return
    assert sum(task.points for task in loaded.tasks) == pytest.approx(rubric.TOTAL_POINTS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("order = 2", "order = " + "9" * 290, "too many digits"),
        ("order = 2", "order = 0x" + "f" * 290, "too many digits"),
        ("points = 40", "points = 1" + "0" * 290, "too many digits"),
        ("order = 2", "order = [" + "9," * 100 + "]", "'order' is"),
        ("order = 2", "order = " + "[\n" * 3000, "is not TOML"),
        ("order = 2", "order = [" + "0x" + "f" * 200 + "]", "expected int"),
        ("order = 2", "a" + ".a" * 3000 + " = 1", "more than 300 characters"),
        ("order = 2", "order = 2\n" * 7000, "at most 65536 bytes"),
        ("check_s = 5", "check_s = 1e300", "at most 1000000"),
        ("check_s = 5", "memory_mib = 1000001", "at most 1000000"),
    ],
)
def test_what_is_too_large_is_one_line(read: Read, old: str, new: str, message: str) -> None:
    """Numbers, brackets, keys and files beyond all measure are the author's error, and a short one."""
    with pytest.raises(CourseError) as caught:
        read(GOOD.replace(old, new, 1))
    assert message in str(caught.value).replace('"', "'")
    assert len(str(caught.value)) < 500
