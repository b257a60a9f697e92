"""Who is examined, against what: the record that stands behind the fixtures, and its form for ordinary pytest."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from autograder.course import Assignment, Course
from autograder.errors import CourseError
from autograder.rubric import Rubric
from autograder.subject.proxy import ModuleSubject, Subject


@dataclass(frozen=True, eq=False)
class Examination:
    """One subject to examine. ``reference`` is None where nothing is hidden; ``rubric`` is None where there is none."""

    subject: Subject
    reference: ModuleType | None
    salt: str
    student: str
    rubric: Rubric | None

    def entropy(self, check: str) -> int:
        """Return 256 bits that only the salt, the student and the check's name decide."""
        text = f"{self.salt}\0{self.student}\0{check}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


EXAMINATION = pytest.StashKey[Examination]()
"""Where the owner of a pytest session puts the subject at hand; without it, the solution examines itself."""


def assignment_of(test_file: Path) -> Assignment | None:
    """Return the assignment whose hidden or public tests this file is; None when it is neither."""
    try:
        assignment = Course.find(test_file.parent).assignment(test_file.parent.name)
    except CourseError:
        return None
    own = (assignment.hidden_tests, assignment.public_tests)
    return assignment if test_file.resolve() in [path.resolve() for path in own] else None


def examination_of(test_file: Path, subject_module: Path | None) -> Examination:
    """Return the examination of a module on disk, by default the assignment's own solution.

    Raises:
        CourseError: no module is named, and the tests are not those of an assignment.
    """
    assignment = assignment_of(test_file)
    if assignment is None:
        if subject_module is None:
            raise CourseError("there is no solution beside these tests: add --subject-module FILE", path=test_file)
        return Examination(ModuleSubject(load_reference(subject_module)), None, "", subject_module.stem, None)
    salt = assignment.course.salt
    return Examination(
        subject=ModuleSubject(load_reference(subject_module or assignment.solution)),
        reference=load_reference(assignment.solution),
        salt=salt.read_text(encoding="utf8").strip() if salt.is_file() else "",
        student="solution",
        rubric=assignment.rubric,
    )


def load_reference(path: Path) -> ModuleType:
    """Run a module of ours and return it, each time as a new one, known to nobody else.

    Raises:
        CourseError: it cannot be imported.
    """
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise CourseError("expected a Python file", path=path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CourseError(f"cannot be imported: {type(error).__name__}: {error}", path=path) from error
    return module
