"""What a student gets: nbgrader's own generator strips the solutions and locks the cells.

It runs in this process, without a gradebook, without anyone's nbgrader_config.py and without a word on the terminal.
"""

from __future__ import annotations

import json
import logging

from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from autograder.authoring.template import STUB, Template
from autograder.course import Assignment
from autograder.errors import GraderError


def generate(assignment: Assignment) -> None:
    """Make ``release/<slug>`` from ``source/<slug>``.

    Raises:
        GraderError: nbgrader failed.
    """
    config = Config(
        CourseDirectory={"root": str(assignment.course.root), "assignment_id": assignment.slug},
        GenerateAssignment={"no_database": True, "force": True},
        SaveCells={"enabled": False},
        ClearSolutions={"code_stub": {"python": STUB}},
    )
    log = logging.Logger("nbgrader")  # noqa: LOG001 - no handler of the program's may hear it
    errors = _Errors(logging.ERROR)
    log.addHandler(errors)
    try:
        GenerateAssignment(coursedir=CourseDirectory(config=config, log=log), config=config, log=log).start()
    except NbGraderException as error:
        reason = errors.reason or str(error)
        raise GraderError(f"nbgrader cannot make the release: {reason}", path=assignment.source_notebook) from None


def check(assignment: Assignment, template: Template) -> None:
    """Compare the released task cells with the template's, and the files beside the notebook with the source's.

    Raises:
        GraderError: nbgrader left something else than the stubs, or a file out.
    """
    for path in sorted(assignment.source.rglob("*")):
        if not (assignment.release / path.relative_to(assignment.source)).exists():
            raise GraderError("is of a kind that nbgrader does not release: give it another name", path=path)
    notebook = json.loads(assignment.release_notebook.read_text(encoding="utf8"))
    released = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}
    for cell in template.tasks:
        if released.get(cell.task) != cell.source:
            raise GraderError(f'the released cell "{cell.task}" is not the stub', path=template.path, line=cell.line)


class _Errors(logging.Handler):
    """Keeps the last line of nbgrader's first error; the rest of what it logs says less."""

    reason = ""

    def emit(self, record: logging.LogRecord) -> None:
        if "Traceback" in record.getMessage() and not self.reason:
            self.reason = record.getMessage().strip().split("\n")[-1]
