"""Every notebook of the course runs from top to bottom, figures included: as released, and with the solution in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from autograder.course import Assignment, Course
from autograder.examine.notebook import Executed, run_notebook
from autograder.rubric import Limits
from autograder.subject.process import SubjectServer, spawn_subject
from autograder.subject.sandbox import Walls, best_tier
from autograder.subject.server import ServerConfig

ASSIGNMENTS = Course(Path(__file__).parents[2]).assignments()
MINUTES_S = 900.0

pytestmark = pytest.mark.timeout(900)  # figures of a Keras notebook train networks


@contextmanager
def server(*preload: str) -> Iterator[SubjectServer]:
    """A fork server of subjects."""
    running = SubjectServer.launch(ServerConfig(best_tier(), () if preload else ("tensorflow",), preload))
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.close()


@pytest.fixture(scope="module")
def numpy_server() -> Iterator[SubjectServer]:
    """Subjects without TensorFlow."""
    with server() as running:
        yield running


@pytest.fixture(scope="module")
def keras_server() -> Iterator[SubjectServer]:
    """Subjects with TensorFlow."""
    with server("tensorflow", "autograder.subject.models") as running:
        yield running


def run(path: Path, assignment: Assignment, request: pytest.FixtureRequest) -> Executed:
    """Run every cell of a notebook but the graded ones."""
    kind = "numpy_server" if "tensorflow" in assignment.rubric.forbidden else "keras_server"
    running: SubjectServer = request.getfixturevalue(kind)
    limits = assignment.rubric.limits
    beside = [file for file in assignment.release.rglob("*") if file.is_file() and file.suffix != ".ipynb"]
    files = {file.relative_to(assignment.release).as_posix(): file.read_bytes() for file in beside}
    subject = spawn_subject(running.control, Walls(limits.memory_mib), files, running.folder)
    try:
        notebook = nbformat.read(path, as_version=4)
        return run_notebook(notebook, subject, limits, skip=frozenset(), time_s=MINUTES_S)
    finally:
        subject.kill()


def problems(executed: Executed) -> list[str]:
    """What went wrong, cell by cell."""
    failed = [end for end in executed.ends if end.status != "ok"]
    return [f"{end.status} {end.cause} {executed.notebook.cells[end.index].outputs}" for end in failed]


def pictures(executed: Executed) -> int:
    """How many figures were drawn."""
    outputs = (output for cell in executed.notebook.cells for output in cell.get("outputs", ()))
    return sum("image/png" in output.get("data", {}) for output in outputs)


OPEN_FILES = """
import gc, io
gc.unfreeze()
names = [one.name for one in gc.get_objects() if isinstance(one, io.FileIO) and one.closefd and not one.closed]
print([name for name in names if "/" in str(name)])
"""


def test_a_subject_inherits_no_open_file(numpy_server: SubjectServer) -> None:
    """Its descriptors are others than the server's: a file of the server's, once forgotten, would close one of them."""
    subject = spawn_subject(numpy_server.control, Walls(), {}, numpy_server.folder)
    try:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(OPEN_FILES)])
        executed = run_notebook(notebook, subject, Limits(), skip=frozenset(), time_s=MINUTES_S)
    finally:
        subject.kill()
    assert [output.text for output in executed.notebook.cells[0].outputs] == ["[]\n"]


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda one: one.slug)
def test_the_release_runs(assignment: Assignment, request: pytest.FixtureRequest) -> None:
    """A student who opens it and runs all cells sees no error, and the figures that need no answer."""
    executed = run(assignment.release_notebook, assignment, request)
    assert problems(executed) == []
    assert pictures(executed) > 0


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda one: one.slug)
def test_the_solution_draws_every_figure(assignment: Assignment, request: pytest.FixtureRequest) -> None:
    """With everything solved no figure is left out, and none says that a function is not ready."""
    executed = run(assignment.source_notebook, assignment, request)
    assert problems(executed) == []
    text = "".join(output.get("text", "") for cell in executed.notebook.cells for output in cell.get("outputs", ()))
    assert "not ready" not in text and "comes to life" not in text
