"""Mutants of a solution are other programs, each said once and named by what changed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from autograder.audit.equivalent import load
from autograder.audit.mutants import Mutant, mutants
from autograder.errors import CourseError

SOLUTION = '''\
"""A docstring that 1 + 1 does not change."""
import math

RATE = 2.0


def grow(x: int = 3):
    """Another one."""
    if x < 0:
        raise ValueError(f"expected {1 + 1}, received " + str(x))
    total = 0
    for _ in range(x):
        total += RATE
    return math.sqrt(total)
'''


@pytest.fixture
def solution(tmp_path: Path) -> Path:
    """A small solution on disk."""
    path = tmp_path / "solution.py"
    path.write_text(SOLUTION, encoding="utf8")
    return path


def _changes(path: Path) -> set[tuple[str, str]]:
    return {(one.before, one.after) for one in mutants(path)}


def test_mutants_are_small_changes_of_the_right_lines(solution: Path) -> None:
    """Numbers, comparisons, augmented assignments, constants and defaults."""
    assert {
        ("RATE = 2.0", "RATE = 3.0"),
        ("if x < 0:", "if x <= 0:"),
        ("if x < 0:", "if x < 1:"),
        ("total += RATE", "total = RATE"),
        ("total += RATE", "total -= RATE"),
        ("def grow(x: int = 3):", "def grow(x: int = 4):"),
    } <= _changes(solution)


def test_texts_and_imports_stay(solution: Path) -> None:
    """What a solution says when it raises is free, so no check could tell."""
    assert not [
        before for before, _ in _changes(solution) if "raise" in before or "import" in before or '"""' in before
    ]


def test_each_mutant_is_one_change_that_means_something_else(solution: Path) -> None:
    """Every program parses, differs from the solution and from every other mutant, and so does its name."""
    found = mutants(solution)
    meanings = [ast.dump(ast.parse(one.program)) for one in found]
    assert len({*meanings, ast.dump(ast.parse(SOLUTION))}) == len(found) + 1
    assert len({one.name for one in found}) == len(found)
    assert {one.definition for one in found} == {"RATE", "grow"}


def test_mutants_are_the_same_every_time(solution: Path) -> None:
    """An audit that was interrupted finds its reports again."""
    assert mutants(solution) == mutants(solution)


def test_a_solution_that_does_not_parse_is_the_authors_mistake(tmp_path: Path) -> None:
    """One line with the file's name."""
    path = tmp_path / "solution.py"
    path.write_text("def f(:\n", encoding="utf8")
    with pytest.raises(CourseError, match="is not Python"):
        mutants(path)


ENTRY = '[[mutants]]\ndefinition = "grow"\nbefore = "a"\nafter = "b"\nreason = "{reason}"\n'


def test_an_equivalent_mutant_is_known_by_its_lines(tmp_path: Path) -> None:
    """Wherever they stand in the file."""
    path = tmp_path / "equivalent_mutants.toml"
    path.write_text(ENTRY.format(reason="both are right"), encoding="utf8")
    (entry,) = load(path)
    assert entry.is_about(Mutant("grow", 7, "a", "b", ""))
    assert not entry.is_about(Mutant("grow", 7, "a", "c", ""))


@pytest.mark.parametrize(
    "text, complaint",
    [
        (ENTRY.format(reason=" "), "no reason"),
        ("[[mutants]]\ndefinition = 'f'\n", "expected the texts"),
        ("mutant = 1\n", "expected .*mutants"),
        ("[[mutants]\n", "not TOML"),
    ],
)
def test_a_list_with_a_mistake_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """The author is told which entry, and what it lacks."""
    path = tmp_path / "equivalent_mutants.toml"
    path.write_text(text, encoding="utf8")
    with pytest.raises(CourseError, match=complaint):
        load(path)


def test_without_a_list_nothing_is_argued_away(tmp_path: Path) -> None:
    """No file is no entries."""
    assert load(tmp_path / "none.toml") == ()
