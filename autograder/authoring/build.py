"""``autograder build``: ``source/`` and ``release/`` from what the authors wrote.

Everything is made in a temporary folder and looked through there; only then it is put in place, file by file.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from autograder.authoring import agreement, leak, release, solution, template
from autograder.authoring.compose import compose
from autograder.course import Assignment, Course
from autograder.errors import CourseError, GraderError

_LITTER = frozenset({"__pycache__", ".ipynb_checkpoints", ".pytest_cache"})
"""What tools leave behind where a notebook or a test was opened; it is neither built nor compared."""


class ChangeKind(str, Enum):
    """How a generated file differs from the one in the course."""

    ADDED = "added"
    REMOVED = "removed"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Change:
    """One generated file that a build changes; ``path`` is relative to the course."""

    path: Path
    kind: ChangeKind


def build(course: Course, slugs: Iterable[str] = (), *, check: bool = False) -> list[Change]:
    """Build these assignments, or all, and return what changed; with ``check``, what would change.

    Nothing in the course is touched before every assignment is built and found without a leak.

    Raises:
        CourseError: the author's files contradict each other, or a release would show what is hidden.
        GraderError: nbgrader failed, or a file cannot be written.
    """
    assignments = [course.assignment(slug) for slug in dict.fromkeys(slugs)] or course.assignments()
    try:
        with tempfile.TemporaryDirectory(prefix="autograder-build-") as folder:
            stage = Course(Path(folder))
            for assignment in assignments:
                _build(assignment, Assignment(stage, assignment.slug))
            changes = [change for assignment in assignments for change in _changes(assignment, stage)]
            if not check:
                _apply(changes, stage, course)
    except OSError as error:
        message = f"cannot be read or written ({error.strerror or error}): free the disk or folder, build again"
        raise GraderError(message, path=error.filename2 or error.filename or course.root) from None
    return changes


def _build(assignment: Assignment, staged: Assignment) -> None:
    """Make one assignment's two folders in the stage."""
    shown = template.read(assignment.template)
    functions = [name for task in assignment.rubric.tasks for name in task.functions]
    solved = solution.read(assignment.solution, functions)
    agreement.check(assignment, shown, solved)
    staged.source.mkdir(parents=True)
    staged.source_notebook.write_text(compose(shown, solved, assignment.rubric), encoding="utf8")
    shutil.copyfile(assignment.public_tests, staged.source / assignment.public_tests.name)
    for path in _files(assignment.data):
        if path.is_symlink():
            raise CourseError("is a link: put the file itself here", path=path)
        target = staged.source / path.relative_to(assignment.data.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    release.generate(staged)
    release.check(staged, shown)
    _check_leaks(assignment, staged)


def _check_leaks(assignment: Assignment, staged: Assignment) -> None:
    leaks = leak.scan(assignment, _files(staged.release))
    if leaks:
        first, root = leaks[0], assignment.course.root
        line = f":{first.line}" if first.line else ""
        more = f" (and {len(leaks) - 1} more)" if len(leaks) > 1 else ""
        raise CourseError(
            f"{first.place} shows {first.hidden.relative_to(root).as_posix()}{line}, which is hidden: "
            f"keep it out of the template, test_public.py and data/{more}",
            path=root / first.released.relative_to(staged.course.root),
        )


def _changes(assignment: Assignment, stage: Course) -> Iterator[Change]:
    """Compare an assignment's generated folders with those in the stage."""
    staged = Assignment(stage, assignment.slug)
    root = assignment.course.root
    for old_folder, new_folder in ((assignment.source, staged.source), (assignment.release, staged.release)):
        old = {path.relative_to(root) for path in _files(old_folder)}
        new = {path.relative_to(stage.root) for path in _files(new_folder)}
        for path in sorted(old | new):
            if path not in new:
                yield Change(path, ChangeKind.REMOVED)
            elif path not in old:
                yield Change(path, ChangeKind.ADDED)
            elif (root / path).is_symlink() or (root / path).read_bytes() != (stage.root / path).read_bytes():
                yield Change(path, ChangeKind.DIFFERENT)


def _apply(changes: list[Change], stage: Course, course: Course) -> None:
    """Put every file in place, each whole or not at all, and none before there is room for all of them."""
    targets = {change.path: course.root / change.path for change in changes if change.kind is not ChangeKind.REMOVED}
    partials = {path: target.with_name(f".{target.name}.{os.getpid()}.partial") for path, target in targets.items()}
    try:
        for path, partial in partials.items():
            partial.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(stage.root / path, partial)
        for path, partial in partials.items():
            partial.replace(targets[path])
    finally:
        for partial in partials.values():
            with suppress(OSError):  # what stopped the build may stand in the way here too
                partial.unlink(missing_ok=True)
    for change in changes:
        if change.kind is ChangeKind.REMOVED:
            _remove(course.root / change.path)


def _remove(path: Path) -> None:
    """Delete a file, and its folder when it was the last one in it."""
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder that may not exist, links included and tools' litter left out."""
    paths = sorted(folder.rglob("*")) if folder.is_dir() else []
    return [path for path in paths if (path.is_symlink() or path.is_file()) and not _LITTER.intersection(path.parts)]
