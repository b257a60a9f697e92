"""nbgrader's gradebook, filled from reports as nbgrader itself would have filled it.

Only the rows that are wrong are written, in one transaction, so a second run changes nothing and a class is recorded in
a moment. What a person entered stays: manual scores, extra credit, comments, flags. The reports remain the record of
the grade; the gradebook can be filled again from them at any time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from alembic.script import ScriptDirectory
from nbgrader import api, dbutil
from sqlalchemy import create_engine, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from autograder.course import Assignment, Course
from autograder.errors import CourseError, GraderError
from autograder.model import Outcome, Report, ReportOutcome

WAIT_S = 15
"""How long a gradebook that somebody else is writing to is waited for."""

_Row = dict[str, Any]


@dataclass(frozen=True)
class _Cell:
    """One of nbgrader's cells in the released notebook; ``points`` is None where nothing is graded."""

    name: str
    cell_type: str
    source: str
    checksum: str | None
    locked: bool
    is_solution: bool
    points: float | None


def sync(course: Course, assignment: Assignment, reports: Sequence[Report], wait_s: float = WAIT_S) -> None:
    """Bring the gradebook into line with the reports; idempotent.

    A task that is broken, and every task of an ungradable submission, gets no automatic score and is marked as needing
    a person's grade.

    Raises:
        CourseError: the release is missing, or points that a person gave belong to a task that is no more.
        GraderError: the gradebook is locked, cannot be written to, or is no gradebook.
    """
    kernelspec, cells = _released(assignment.release_notebook)
    path = course.gradebook
    with _told(path), _created(path), api.Gradebook(f"sqlite:///{path}?timeout={wait_s:g}") as gradebook:
        session: Session = gradebook.db()
        with session.begin():
            session.execute(text("BEGIN IMMEDIATE"))  # nobody may write between what we read and what we write
            notebook = _notebook(session, assignment.slug, gradebook.course_id)
            notebook.kernelspec = kernelspec
            _record_cells(session, notebook.id, cells, path)
            submitted = _submitted(session, notebook, [report.student for report in reports])
            _add_comments(session, notebook.id, submitted)
            _record_grades(session, notebook.id, submitted, reports)


@contextmanager
def _created(path: Path) -> Iterator[None]:
    """Make an empty gradebook if there is none, whole or not at all.

    nbgrader would ask the program ``alembic`` for the schema's version, which is not on the search path when ours is
    called by its full path; the library knows it as well.
    """
    if not path.exists():
        partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        engine = create_engine(f"sqlite:///{partial}")
        try:
            with engine.begin() as connection:
                api.Base.metadata.create_all(connection)
                connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                head = ScriptDirectory(dbutil.ALEMBIC_DIR).get_current_head()
                connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
            partial.replace(path)
        finally:
            engine.dispose()
            partial.unlink(missing_ok=True)
    yield


def _released(path: Path) -> tuple[str, list[_Cell]]:
    """Read the cells that nbgrader records, from the notebook that students got."""
    try:
        notebook = json.loads(path.read_bytes())
    except OSError as error:
        raise CourseError(f"cannot be read ({error.strerror}): run `autograder build` first", path=path) from None
    except ValueError:
        raise CourseError("is not a notebook: run `autograder build`", path=path) from None
    cells = [_cell(cell, cell["metadata"]["nbgrader"]) for cell in notebook["cells"] if "nbgrader" in cell["metadata"]]
    return json.dumps(notebook["metadata"].get("kernelspec", {})), cells


def _cell(cell: Mapping[str, Any], about: Mapping[str, Any]) -> _Cell:
    source = cell["source"]
    return _Cell(
        name=about["grade_id"],
        cell_type=cell["cell_type"],
        source=source if isinstance(source, str) else "".join(source),
        checksum=about.get("checksum"),
        locked=bool(about.get("locked")),
        is_solution=bool(about.get("solution")),
        points=float(about["points"]) if about.get("grade") else None,
    )


def _notebook(session: Session, slug: str, course_id: str) -> Any:
    """Get or make the assignment and its one notebook."""
    assignment = session.scalar(select(api.Assignment).filter_by(name=slug))
    if assignment is None:
        assignment = api.Assignment(name=slug, course_id=course_id)
        session.add(assignment)
        session.flush()
    notebook = session.scalar(select(api.Notebook).filter_by(name=slug, assignment_id=assignment.id))
    if notebook is None:
        notebook = api.Notebook(name=slug, assignment_id=assignment.id)
        session.add(notebook)
        session.flush()
    return notebook


def _record_cells(session: Session, notebook_id: str, cells: Sequence[_Cell], path: Path) -> None:
    """Record the released cells and forget those that are no more."""
    graded = {c.name: {"max_score": c.points, "cell_type": c.cell_type} for c in cells if c.points is not None}
    solution: dict[str, _Row] = {cell.name: {} for cell in cells if cell.is_solution}
    source = {
        cell.name: {
            "cell_type": cell.cell_type,
            "locked": cell.locked,
            "source": cell.source,
            "checksum": cell.checksum,
        }
        for cell in cells
    }
    for table, wanted in ((api.GradeCell, graded), (api.SolutionCell, solution), (api.SourceCell, source)):
        there = {row.name: row for row in session.scalars(select(table).filter_by(notebook_id=notebook_id))}
        for name in there.keys() - wanted.keys():
            _forget(session, there[name], path)
        for name, values in wanted.items():
            if name not in there:
                session.add(table(name=name, notebook_id=notebook_id, **values))
                continue
            for key, value in values.items():
                setattr(there[name], key, value)
    session.flush()


def _forget(session: Session, cell: Any, path: Path) -> None:
    """Delete a cell with its grades and comments, unless a person wrote one of them."""
    for table, by_hand in ((api.Grade, api.Grade.manual_score), (api.Comment, api.Comment.manual_comment)):
        of_cell = table.cell_id == cell.id
        if session.scalar(select(table.id).where(of_cell, by_hand.is_not(None)).limit(1)) is not None:
            raise CourseError(
                f'holds work done by hand on "{cell.name}", which the assignment no longer has: '
                "bring the task back, or move the file away to start a new gradebook",
                path=path,
            )
        session.execute(delete(table).where(of_cell))
    session.delete(cell)


def _submitted(session: Session, notebook: Any, students: Sequence[str]) -> dict[str, str]:
    """Add what the students lack; return the id of each one's submitted notebook."""
    known = set(session.scalars(select(api.Student.id)))
    _insert(session, api.Student, [{"id": student} for student in students if student not in known])

    ours = select(api.SubmittedAssignment.student_id, api.SubmittedAssignment.id).filter_by(
        assignment_id=notebook.assignment_id
    )
    submissions = _pairs(session, ours)
    new = {student: uuid4().hex for student in students if student not in submissions}
    rows = [{"id": new[student], "student_id": student, "assignment_id": notebook.assignment_id} for student in new]
    _insert(session, api.SubmittedAssignment, rows)
    submissions |= new

    notebooks = _pairs(
        session,
        select(api.SubmittedNotebook.assignment_id, api.SubmittedNotebook.id).filter_by(notebook_id=notebook.id),
    )
    missing = {submissions[student]: uuid4().hex for student in students if submissions[student] not in notebooks}
    rows = [{"id": missing[number], "assignment_id": number, "notebook_id": notebook.id} for number in missing]
    _insert(session, api.SubmittedNotebook, rows)
    notebooks |= missing
    return {student: notebooks[submissions[student]] for student in students}


def _add_comments(session: Session, notebook_id: str, submitted: Mapping[str, str]) -> None:
    """Give each solution cell of each submission the empty comment that a person may fill."""
    cells = list(session.scalars(select(api.SolutionCell.id).filter_by(notebook_id=notebook_id)))
    there = set(_of_notebook(session, notebook_id, api.Comment, api.Comment.notebook_id, api.Comment.cell_id))
    places = [(number, cell) for number in submitted.values() for cell in cells]
    _insert(
        session,
        api.Comment,
        [
            {"id": uuid4().hex, "notebook_id": number, "cell_id": cell}
            for number, cell in places
            if (number, cell) not in there
        ],
    )


def _record_grades(session: Session, notebook_id: str, submitted: Mapping[str, str], reports: Sequence[Report]) -> None:
    """Write the automatic scores that are not there yet; a score that stays leaves the row, flag and all, as it is."""
    cells = _pairs(session, select(api.GradeCell.name, api.GradeCell.id).filter_by(notebook_id=notebook_id))
    grade = api.Grade
    columns = (grade.notebook_id, grade.cell_id, grade.id, grade.auto_score, grade.manual_score)
    there = {tuple(row[:2]): row for row in _of_notebook(session, notebook_id, grade, *columns)}
    new: list[_Row] = []
    changed: list[_Row] = []
    for report in reports:
        scores = _auto_scores(report)
        for name, cell in cells.items():
            score, place = scores.get(name), (submitted[report.student], cell)
            row = there.get(place)
            if row is None:
                values = {"id": uuid4().hex, "notebook_id": place[0], "cell_id": cell, "auto_score": score}
                new.append(values | {"needs_manual_grade": score is None})
            elif row.auto_score != score:
                needs = score is None or row.manual_score is not None
                changed.append({"id": row.id, "auto_score": score, "needs_manual_grade": needs})
    _insert(session, grade, new)
    if changed:
        session.execute(update(grade), changed)


def _auto_scores(report: Report) -> dict[str, float | None]:
    """Return the score of each grade cell; None where a person has to give it."""
    ungradable = report.outcome is ReportOutcome.UNGRADABLE
    return {
        f"{task.name}-check": None if ungradable or task.outcome is Outcome.BROKEN else task.score
        for task in report.tasks
    }


def _of_notebook(session: Session, notebook_id: str, table: Any, *columns: Any) -> list[Any]:
    """Select columns of the grades or comments of every submission of one notebook."""
    ours = select(api.SubmittedNotebook.id).filter_by(notebook_id=notebook_id)
    return list(session.execute(select(*columns).where(table.notebook_id.in_(ours))))


def _pairs(session: Session, query: Any) -> dict[str, str]:
    return {row[0]: row[1] for row in session.execute(query)}


def _insert(session: Session, table: Any, rows: Sequence[_Row]) -> None:
    if rows:
        session.execute(insert(table), rows)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn what the database says into one line; the reports are safe already."""
    try:
        yield
    except (DBAPIError, api.InvalidEntry) as error:
        cause = str(getattr(error, "orig", None) or error)
        if "locked" in cause:
            advice = "somebody else is writing to it: close formgrader or wait, then run the same command again"
        else:
            advice = f"cannot be written to ({cause}): mend or move it, then run the same command again"
        raise GraderError(f"{advice}; the reports are complete", path=path) from None
