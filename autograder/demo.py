"""``autograder demo``: a course of its own for the sample class, so that the demonstration touches nobody's files.

demo/<slug>/submitted/<student>/<slug>/    the sample class, in nbgrader's layout
demo/<slug>/expected.toml                  the score that each of them must get
build/demo/                                the course that is made, built and graded
"""

from __future__ import annotations

import shutil

from autograder.course import Assignment, Course
from autograder.errors import CourseError, GraderError


def sample_course(course: Course, slug: str) -> Assignment:
    """Make the demonstration's course afresh, from this one's assignment and its sample class.

    Raises:
        CourseError: there is no such assignment, or no sample class for it.
        GraderError: the folder cannot be written.
    """
    assignment = course.assignment(slug)
    sample = course.root / "demo" / slug / "submitted"
    if not sample.is_dir():
        raise CourseError(f'there is no sample class for "{slug}"', path=sample)
    root = course.root / "build" / "demo"
    try:
        shutil.rmtree(root, ignore_errors=True)
        for folder in (assignment.template.parent, assignment.solution.parent, course.hidden_data):
            if folder.is_dir():
                shutil.copytree(folder, root / folder.relative_to(course.root))
        shutil.copy(course.salt, root / course.salt.relative_to(course.root))
        shutil.copytree(sample, root / "submitted")
    except OSError as error:
        raise GraderError(f"cannot be written ({error.strerror}): free the folder and try again", path=root) from None
    return Course(root).assignment(slug)
