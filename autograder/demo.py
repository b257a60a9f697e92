"""``autograder demo``: a course of its own for a sample class, so that the demonstration touches nobody's files.

demo/<slug>/students/<student>.py          what is the student's own of a notebook, from which demo/make_class.py makes
demo/<slug>/submitted/<student>/<slug>/    the sample class, in nbgrader's layout
demo/<slug>/expected.toml                  the score that each of them must get
build/demo/                                the course that is made, built and graded
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autograder.course import Assignment, Course
from autograder.errors import CourseError, GraderError
from autograder.model import Report

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def sample_course(course: Course, slug: str) -> Assignment:
    """Make the demonstration's course afresh, from this one's assignment and its sample class.

    Raises:
        CourseError: there is no such assignment, or no sample class for it.
        GraderError: the folder cannot be written.
    """
    assignment = course.assignment(slug)
    sample = course.root / "demo" / slug / "submitted"
    if not sample.is_dir():
        known = ", ".join(sorted(path.parent.name for path in (course.root / "demo").glob("*/submitted")))
        raise CourseError(f'there is no sample class for "{slug}": expected one of {known or "none"}', path=sample)
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


def surprises(course: Course, slug: str, reports: Sequence[Report]) -> list[str]:
    """Say in a line each who got something else than ``expected.toml`` says; nothing, if all is as it should be."""
    path = course.root / "demo" / slug / "expected.toml"
    expected: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf8"))
    received = {report.student: report for report in reports}
    lines = [f"{name}: no report" for name in sorted(set(expected) - set(received))]
    lines += [f"{name}: not in {path.name}" for name in sorted(set(received) - set(expected))]
    both = sorted(set(expected) & set(received))
    return lines + [f"{name}: {what}" for name in both for what in _differences(expected[name], received[name])]


def _differences(expected: Mapping[str, Any], report: Report) -> Iterator[str]:
    if report.outcome.value != expected.get("outcome", "graded"):
        yield f"{report.outcome.value}, expected {expected.get('outcome', 'graded')}"
        return
    if round(report.score, 4) != expected["score"]:
        yield f"{report.score:.4f} points, expected {expected['score']}"
    for task in report.tasks if report.reason is None else ():
        score = expected.get("tasks", {}).get(task.name, task.max_score)
        if task.score != score:
            yield f"{task.score} points for {task.name}, expected {score}"
    carried = [task.name for task in report.tasks if task.carried_forward]
    if carried != expected.get("carried_forward", carried):
        yield f"carried forward: {', '.join(carried) or 'nothing'}, expected {', '.join(expected['carried_forward'])}"
