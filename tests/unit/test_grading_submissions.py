"""Submissions are found by layout, named safely, and read without following or waiting for anything."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.grading.submissions import Submission, discover, read, student_name
from autograder.rubric import Limits

FILE_NAMES = (
    st.binary(min_size=1, max_size=120).filter(lambda raw: b"/" not in raw and b"\0" not in raw).map(os.fsdecode)
)
SMALL = Limits(notebook_mib=1)


def _put(path: Path, text: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf8")
    return path


def _students(found: list[Submission]) -> list[str]:
    return [submission.student for submission in found]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ada", "ada"),
        ("Ada Lovelace (1)", "Ada Lovelace (1)"),
        ("o'brien+nn@example.org", "o'brien+nn@example.org"),
        ("李雷", "李雷"),
        ("José", "José"),
        ("..", "%2E%2E"),
        (".hidden", "%2Ehidden"),
        ("-rf", "%2Drf"),
        ("=1+1", "%3D1+1"),
        ("a/b", "a%2Fb"),
        ("a\nb\x1b[31m", "a%0Ab%1B%5B31m"),
        ("a\u202eb", "a%E2%80%AEb"),
        ("100%", "100%25"),
        ("Lovelace, Ada", "Lovelace%2C Ada"),
        (os.fsdecode(b"\xff"), "%FF"),
        ("ada ", "ada%20"),
    ],
)
def test_a_name_keeps_letters_and_encodes_what_could_act(text: str, name: str) -> None:
    """Letters of every script stay; separators, escapes and look-invisible characters become %XX."""
    assert student_name(text) == name


@given(FILE_NAMES)
def test_a_name_is_always_one_plain_path_component(text: str) -> None:
    """Whatever a file system can hold becomes a name that stays in its folder and fits with a suffix."""
    name = student_name(text)
    assert name and "/" not in name and not name.startswith((".", "-", " "))
    assert not any(unicodedata.category(character)[0] == "C" for character in name)
    assert len(name.encode()) <= 200
    assert len(name) <= 100


@given(FILE_NAMES, FILE_NAMES)
def test_different_names_stay_different(one: str, other: str) -> None:
    """Two files of two students can never share a report; only Unicode's spellings of one letter are one."""
    same = unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
    assert (student_name(one) == student_name(other)) == same


def test_a_long_name_is_cut_and_stays_its_own() -> None:
    """Two long names with one beginning end in different digests."""
    one, other = student_name("a" * 240), student_name("a" * 239 + "b")
    assert one != other
    assert one.startswith("a" * 80 + "~")


def test_the_courses_submissions_are_found_by_student(tiny: Assignment) -> None:
    """Without paths, submitted/ is read; who did not hand this assignment in is left out."""
    for student in ("grace", "ada"):
        _put(tiny.submission(student))
    _put(tiny.course.submitted / "alan" / "other" / "other.ipynb")
    found = discover(tiny, [])
    assert _students(found) == ["ada", "grace"]
    assert found[0].path == tiny.submission("ada")


def test_a_file_is_named_after_its_stem(tiny: Assignment, tmp_path: Path) -> None:
    """Any notebook may be graded."""
    assert _students(discover(tiny, [_put(tmp_path / "inbox" / "ada.ipynb")])) == ["ada"]


def test_a_file_in_nbgraders_layout_is_named_after_the_student(tiny: Assignment) -> None:
    """``submitted/ada/tiny/tiny.ipynb`` is Ada's, not a student's called tiny."""
    assert _students(discover(tiny, [_put(tiny.submission("ada"))])) == ["ada"]


@pytest.mark.parametrize("parts", [("ada",), ("ada", "tiny"), ()])
def test_a_folder_of_the_layout_may_be_given_at_any_depth(tiny: Assignment, parts: tuple[str, ...]) -> None:
    """submitted/, a student's folder and the assignment's folder in it all work."""
    _put(tiny.submission("ada"))
    assert _students(discover(tiny, [tiny.course.submitted.joinpath(*parts)])) == ["ada"]


def test_a_folder_of_notebooks_may_hold_the_layout_too(tiny: Assignment, tmp_path: Path) -> None:
    """Notebooks and student folders may lie side by side; hidden files and others are nobody's."""
    for name in ("ada.ipynb", "grace/tiny/tiny.ipynb", "._ada.ipynb", ".ipynb_checkpoints/ada.ipynb", "notes.txt"):
        _put(tmp_path / "inbox" / name)
    assert _students(discover(tiny, [tmp_path / "inbox"])) == ["ada", "grace"]


def test_two_submissions_of_one_student_are_named_both(tiny: Assignment, tmp_path: Path) -> None:
    """The message holds both paths."""
    one, other = _put(tmp_path / "a" / "ada.ipynb"), _put(tmp_path / "b" / "ada.ipynb")
    with pytest.raises(CourseError, match="second submission") as caught:
        discover(tiny, [one.parent, other.parent])
    assert str(one) in str(caught.value)
    assert str(other) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "says"), [("gone", "does not exist"), ("notes.txt", "is no notebook"), ("empty", "holds no submission")]
)
def test_a_path_without_a_submission_is_an_error(tiny: Assignment, tmp_path: Path, name: str, says: str) -> None:
    """A mistyped path says what was expected there."""
    _put(tmp_path / "notes.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CourseError, match=says):
        discover(tiny, [tmp_path / name])


def test_one_notebook_of_another_name_is_used_with_a_note(tiny: Assignment) -> None:
    """A renamed file costs nothing, and the student learns of it."""
    _put(tiny.submission("ada").with_name("tiny (1).ipynb"))
    (found,) = discover(tiny, [])
    assert found.note == "The notebook was called tiny (1).ipynb and was graded as tiny.ipynb."
    assert read(found, SMALL).notebook == b"{}"


@pytest.mark.parametrize("names", [(), ("draft.ipynb", "final.ipynb")])
def test_no_or_several_other_notebooks_are_ungradable(tiny: Assignment, names: tuple[str, ...]) -> None:
    """Nobody guesses between two drafts; the reason names the expected file."""
    folder = tiny.submission("ada").parent
    folder.mkdir(parents=True)
    for name in names:
        _put(folder / name)
    (found,) = discover(tiny, [])
    job = read(found, SMALL)
    assert job.notebook is None
    assert job.reason is not None
    assert "no notebook called tiny.ipynb" in job.reason


def _one_at(path: Path) -> Submission:
    return Submission("tiny", "ada", path.parent, path)


def _reason(submission: Submission) -> str:
    job = read(submission, SMALL)
    assert job.notebook is None
    assert job.reason is not None
    return job.reason


def test_a_file_above_the_limit_is_not_read(tmp_path: Path) -> None:
    """300 MB cost no memory; the student learns the limit and what to do."""
    path = tmp_path / "ada.ipynb"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    assert _reason(_one_at(path)) == "The file is larger than 1 MiB: clear all outputs and submit again."


def test_a_file_at_the_limit_is_read(tmp_path: Path) -> None:
    """The bound itself is allowed."""
    path = tmp_path / "ada.ipynb"
    path.write_bytes(b" " * 2**20)
    assert read(_one_at(path), SMALL).notebook == b" " * 2**20


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A student cannot hand in somebody else's file by linking to it."""
    link = tmp_path / "inbox" / "ada.ipynb"
    link.parent.mkdir()
    link.symlink_to(_put(tmp_path / "secret.ipynb", "secret"))
    assert "symbolic link" in _reason(_one_at(link))


def test_a_linked_folder_is_not_followed(tiny: Assignment) -> None:
    """Nor by linking the folder."""
    _put(tiny.submission("grace"), "hers")
    (tiny.course.submitted / "ada").symlink_to(tiny.course.submitted / "grace")
    ada = discover(tiny, [])[0]
    assert ada.student == "ada"
    assert "symbolic link" in _reason(ada)


@pytest.mark.timeout(10)
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    """A FIFO that nobody writes to is refused at once."""
    os.mkfifo(tmp_path / "ada.ipynb")
    assert "not a regular file" in _reason(_one_at(tmp_path / "ada.ipynb"))


def test_a_folder_called_like_a_notebook_is_refused(tmp_path: Path) -> None:
    """Its name ends in .ipynb and it is still no notebook."""
    (tmp_path / "ada.ipynb").mkdir()
    assert "not a regular file" in _reason(_one_at(tmp_path / "ada.ipynb"))


def test_a_file_that_vanished_has_a_reason(tmp_path: Path) -> None:
    """Between finding and reading, a file may go."""
    submission = replace(_one_at(tmp_path / "ada.ipynb"), student="ada")
    assert "could not be read (No such file" in _reason(submission)
