"""Where the submissions lie, whose they are, and how their bytes are read.

A submission is hostile before it is opened: its name may be meant for a shell, its file may be a link to somebody
else's, a pipe that never ends, or 300 MB of output. So a student's name is made safe once, here, and is safe wherever
it turns up afterwards; and a file is reached step by step below the folder that the instructor named, never through a
symbolic link.
"""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import stat
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course import Assignment
from autograder.errors import CourseError, SubmissionError
from autograder.model import Job
from autograder.rubric import Limits

SUFFIX = ".ipynb"
_MIB = 2**20
_PLAIN = frozenset("._@+-'() ")
_LONGEST_CHARACTERS, _LONGEST_BYTES, _HEAD_BYTES = 100, 180, 80


@dataclass(frozen=True)
class Submission:
    """One student's file, read or not.

    ``root`` is the folder that the instructor named, ``path`` lies below it. ``note`` tells the student what was
    tolerated; ``reason`` why there is nothing to grade, when that is known without reading.
    """

    assignment: str
    student: str
    root: Path
    path: Path
    note: str | None = None
    reason: str | None = None


def student_name(text: str) -> str:
    """Return the student that a file or folder called ``text`` stands for: a name that is safe in a path and a table.

    Letters and digits of any script stay, and so do ``._@+-'()`` and spaces inside. Every other character is written
    as ``%XX`` per UTF-8 byte, a name of more than 100 characters is cut and ends in ``~`` and a digest of the whole.
    Different names therefore stay different, except that Unicode's two spellings of one letter are one (NFC).
    """
    text = unicodedata.normalize("NFC", text)
    last = len(text) - 1
    name = "".join(c if _stays(c, edge=i in (0, last), first=i == 0) else _encoded(c) for i, c in enumerate(text))
    if len(name) <= _LONGEST_CHARACTERS and len(name.encode()) <= _LONGEST_BYTES:
        return name
    head = name.encode()[:_HEAD_BYTES].decode(errors="ignore")
    return f"{head}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _stays(character: str, *, edge: bool, first: bool) -> bool:
    kind = unicodedata.category(character)
    if kind[0] == "L" or kind == "Nd" or character == "_":
        return True
    if first:
        return False
    return kind[0] == "M" or (character in _PLAIN and not (edge and character in ". "))


def _encoded(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf8", "surrogateescape"))


def discover(assignment: Assignment, paths: Sequence[Path]) -> list[Submission]:
    """Find the submissions at ``paths``, or in the course's ``submitted/`` if there are none, by student.

    A path is a notebook (the student is the file's stem), a folder of notebooks, or a folder in nbgrader's layout (the
    student is the folder's name). A file ``<slug>/<slug>.ipynb`` is always named after the folder above.

    Raises:
        CourseError: a path does not exist or holds no submission, or one student has two.
    """
    found = [one for path in paths or [assignment.course.submitted] for one in _at(assignment.slug, path)]
    found.sort(key=lambda one: (one.student, one.path))
    for one, other in itertools.pairwise(found):
        if one.student == other.student:
            raise CourseError(
                f'is a second submission of "{one.student}", whose first is {one.path}: '
                "remove or rename one, or grade them into two folders with --out",
                path=other.path,
            )
    return found


def _at(slug: str, path: Path) -> list[Submission]:
    path = path.absolute()
    if path.is_dir():
        found = list(_in_folder(slug, path))
        if not found:
            raise CourseError(
                f"holds no submission: expected notebooks, or <student>/{slug}/{slug}{SUFFIX} as in submitted/",
                path=path,
            )
        return found
    if not os.path.lexists(path):
        raise CourseError(f"does not exist: expected a notebook, or a folder of submissions of {slug}", path=path)
    if not _is_notebook(path.name):
        raise CourseError(f"is no notebook: expected a file that ends in {SUFFIX}, or a folder", path=path)
    return [_from_file(slug, path.parent, path)]


def _in_folder(slug: str, folder: Path) -> Iterable[Submission]:
    """Read one folder's entries; what starts with a dot (checkpoints, a Mac's forks) is nobody's submission."""
    if _holds(folder, slug):
        yield _from_layout(slug, folder.parent, folder)
    for name in _listing(folder):
        entry = folder / name
        if _is_notebook(name):
            yield _from_file(slug, folder, entry)
        elif name != slug and entry.is_dir() and _holds(entry, slug):
            yield _from_layout(slug, folder, entry)


def _from_file(slug: str, root: Path, path: Path) -> Submission:
    in_layout = path.stem == slug and path.parent.name == slug
    return Submission(slug, student_name(path.parent.parent.name if in_layout else path.stem), root, path)


def _from_layout(slug: str, root: Path, folder: Path) -> Submission:
    """Choose the notebook in ``<student>/<slug>/``: the one of the right name, or the only one there."""
    student, expected = student_name(folder.name), folder / slug / f"{slug}{SUFFIX}"
    inside = expected.parent
    if os.path.lexists(expected) or folder.is_symlink() or inside.is_symlink():
        return Submission(slug, student, root, expected)
    others = [name for name in _listing(inside) if _is_notebook(name)]
    if len(others) == 1:
        note = f"The notebook was called {student_name(others[0])} and was graded as {expected.name}."
        return Submission(slug, student, root, inside / others[0], note=note)
    among = f" ({len(others)} others are there)" if others else ""
    reason = f"There is no notebook called {expected.name}{among}: submit it under this name."
    return Submission(slug, student, root, expected, reason=reason)


def _holds(folder: Path, name: str) -> bool:
    return (folder / name).is_dir()


def _listing(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise CourseError(f"cannot be read ({error.strerror}): make the folder readable", path=folder) from None


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(SUFFIX)


def read(submission: Submission, limits: Limits) -> Job:
    """Read a submission's bytes; what cannot be read is a job without a notebook, with the reason for the student."""
    if submission.reason is not None:
        return Job(submission.assignment, submission.student, None, submission.reason)
    try:
        notebook = _contents(submission, limits.notebook_mib)
    except SubmissionError as error:
        return Job(submission.assignment, submission.student, None, error.message)
    return Job(submission.assignment, submission.student, notebook)


def _contents(submission: Submission, limit_mib: int) -> bytes:
    too_large = SubmissionError(f"The file is larger than {limit_mib} MiB: clear all outputs and submit again.")
    try:
        with open(_descriptor(submission), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SubmissionError("This is not a regular file: submit the notebook itself.")
            if status.st_size > limit_mib * _MIB:
                raise too_large
            contents = file.read(limit_mib * _MIB + 1)
    except OSError as error:
        raise SubmissionError(_told(error)) from None
    if len(contents) > limit_mib * _MIB:
        raise too_large
    return contents


def _descriptor(submission: Submission) -> int:
    """Open the file folder by folder from its root: no link is followed and no pipe is waited for."""
    *between, last = submission.path.relative_to(submission.root).parts
    folder = os.open(submission.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in between:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        if stat.S_ISDIR(os.stat(last, dir_fd=folder, follow_symlinks=False).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=folder)
    finally:
        os.close(folder)


def _told(error: OSError) -> str:
    if error.errno in (errno.ELOOP, errno.ENOTDIR):
        return "The file, or a folder on the way to it, is a symbolic link: submit the notebook itself."
    if error.errno in (errno.EISDIR, errno.ENXIO):
        return "This is not a regular file: submit the notebook itself."
    return f"The file could not be read ({error.strerror}): submit it again."
