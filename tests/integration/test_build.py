"""A build makes both folders through nbgrader, finds leaks, and touches nothing before it is sure."""

from __future__ import annotations

import json
import logging
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.authoring.build import Change, ChangeKind, build
from autograder.course import Assignment, Course
from autograder.errors import CourseError, GraderError

REAL = Course(Path(__file__).parents[2])
NOTEBOOKS = ("source/tiny/tiny.ipynb", "release/tiny/tiny.ipynb")
BESIDE = ("data/numbers.csv", "test_public.py", "tiny.ipynb")


def generated(course: Course) -> dict[str, bytes]:
    """Return every file below source/ and release/."""
    files = [path for folder in ("source", "release") for path in (course.root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(course.root).as_posix(): path.read_bytes() for path in files}


def released_cells(tiny: Assignment) -> dict[str, Any]:
    """Return the released cells by their ids."""
    return {cell["id"]: cell for cell in json.loads(tiny.release_notebook.read_text(encoding="utf8"))["cells"]}


@pytest.fixture(scope="module")
def real_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Build a copy of this repository's own course."""
    root = tmp_path_factory.mktemp("real")
    for folder in ("assignments", "solutions"):
        shutil.copytree(REAL.root / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    build(Course(root))
    return Course(root)


def append(path: Path, text: str) -> None:
    """Add text to the end of a file."""
    path.write_text(path.read_text(encoding="utf8") + text, encoding="utf8")


@contextmanager
def full_disk(free: int) -> Iterator[None]:
    """Let no file of this process grow beyond ``free`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_first_build_adds_everything(tiny_course: Course) -> None:
    """Both folders hold the notebook, the public tests and the data, and nothing else."""
    changes = build(tiny_course)
    expected = [f"{folder}/tiny/{name}" for folder in ("source", "release") for name in BESIDE]
    assert changes == [Change(Path(path), ChangeKind.ADDED) for path in expected]
    assert sorted(generated(tiny_course)) == sorted(expected)


def test_two_builds_are_the_same_bytes(tiny_course: Course) -> None:
    """A second build changes nothing, and a build elsewhere gives the same files."""
    build(tiny_course)
    first = generated(tiny_course)
    assert build(tiny_course, ["tiny"]) == []
    for name in first:
        (tiny_course.root / name).unlink()
    build(tiny_course)
    assert generated(tiny_course) == first


def test_students_get_the_stubs_and_no_solution(tiny: Assignment, tiny_course: Course) -> None:
    """The released task cell is the template's, to the letter."""
    build(tiny_course)
    cells = released_cells(tiny)
    template = tiny.template.read_text(encoding="utf8")
    assert "".join(cells["shift"]["source"]) in template
    assert "".join(cells["fit"]["source"]) in template
    assert "fsum" in tiny.source_notebook.read_text(encoding="utf8")
    assert "fsum" not in tiny.release_notebook.read_text(encoding="utf8")


def test_the_release_is_locked_as_nbgrader_locks(tiny: Assignment, tiny_course: Course) -> None:
    """Setup and checks cannot be edited, solutions cannot be deleted, and checksums tell of a change."""
    build(tiny_course)
    nbformat.validate(json.loads(tiny.release_notebook.read_text(encoding="utf8")))
    metadata = {name: cell["metadata"] for name, cell in released_cells(tiny).items()}
    for name in ("setup", "shift-check", "fit-check"):
        assert (metadata[name]["deletable"], metadata[name]["editable"]) == (False, False)
    assert metadata["fit"]["deletable"] is False
    assert "editable" not in metadata["fit"]
    assert len(metadata["fit-check"]["nbgrader"]["checksum"]) == 32
    assert metadata["cell-04"] == {"tags": ["figure"]}


def test_check_writes_nothing_and_tells_each_change(tiny: Assignment, tiny_course: Course) -> None:
    """Added, removed and different files are told apart; tools' litter is no change."""
    build(tiny_course)
    assert build(tiny_course, check=True) == []
    tiny.release_notebook.write_text("{}", encoding="utf8")
    (tiny.release / "test_public.py").unlink()
    (tiny.release / "old.txt").write_text("stale", encoding="utf8")
    (tiny.release / ".ipynb_checkpoints").mkdir()
    (tiny.release / ".ipynb_checkpoints" / "tiny.ipynb").write_text("{}", encoding="utf8")
    before = generated(tiny_course)
    changes = {change.path.name: change.kind for change in build(tiny_course, check=True)}
    assert changes == {
        "tiny.ipynb": ChangeKind.DIFFERENT,
        "test_public.py": ChangeKind.ADDED,
        "old.txt": ChangeKind.REMOVED,
    }
    assert generated(tiny_course) == before


def test_a_build_repairs_what_check_told(tiny: Assignment, tiny_course: Course) -> None:
    """Stale files and their folder go, what was edited is made again, links are replaced by files."""
    build(tiny_course)
    first = generated(tiny_course)
    (tiny.release / "old").mkdir()
    (tiny.release / "old" / "stale.txt").write_text("stale", encoding="utf8")
    tiny.release_notebook.unlink()
    tiny.release_notebook.symlink_to(tiny.source_notebook)
    assert len(build(tiny_course)) == 2
    assert generated(tiny_course) == first
    assert not tiny.release_notebook.is_symlink()
    assert not (tiny.release / "old").exists()


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        (
            "notebook.py",
            "\n# %% [markdown]\n# tiny-solution-4f1c\n",
            'cell "cell-06" shows solutions/tiny/solution.py:9',
        ),
        ("test_public.py", "# 0b6d7a51-never-shown\n", "line 10 shows solutions/salt.txt, which is hidden"),
        ("data/numbers.csv", "return x * by * 1.0 + 0.0 * by\n", "shows solutions/tiny/misconceptions.py:5"),
    ],
)
def test_a_leak_fails_the_build_and_replaces_nothing(tiny_course: Course, name: str, text: str, place: str) -> None:
    """The error names the released file, the cell and the hidden line, but not the salt."""
    build(tiny_course)
    before = generated(tiny_course)
    append(tiny_course.root / "assignments/tiny" / name, text)
    with pytest.raises(CourseError) as caught:
        build(tiny_course)
    assert place in caught.value.message
    assert "0b6d7a51" not in str(caught.value)
    assert str(caught.value.path).startswith(str(tiny_course.root / "release/tiny/"))
    assert generated(tiny_course) == before


def test_a_mistake_in_one_assignment_leaves_all_alone(tiny: Assignment, tiny_course: Course) -> None:
    """Nothing is put in place before every assignment is built."""
    append(tiny.solution, "def wrong(x):\n    return x\n")
    with pytest.raises(CourseError, match="wrong is no function"):
        build(tiny_course)
    assert generated(tiny_course) == {}


def test_an_unknown_slug_is_told(tiny_course: Course) -> None:
    """A misspelt slug is not an empty build."""
    with pytest.raises(CourseError, match="expected one of tiny"):
        build(tiny_course, ["tinny"])


def test_links_in_the_data_are_refused(tiny: Assignment, tiny_course: Course) -> None:
    """A link would release whatever it points at."""
    (tiny.data / "more.csv").symlink_to(tiny.solution)
    with pytest.raises(CourseError, match=r"more\.csv: is a link"):
        build(tiny_course)


def test_a_file_that_nbgrader_leaves_out_is_told(tiny: Assignment, tiny_course: Course) -> None:
    """Students are not sent a release with a file missing."""
    (tiny.data / "more.ipynb").write_text("{}", encoding="utf8")
    with pytest.raises(GraderError, match="a kind that nbgrader does not release"):
        build(tiny_course)


def test_a_folder_that_cannot_be_written_is_one_line(tiny_course: Course) -> None:
    """Here a file stands where the folder belongs, which stops even root."""
    (tiny_course.root / "release").write_text("", encoding="utf8")
    with pytest.raises(GraderError, match="cannot be read or written") as caught:
        build(tiny_course)
    assert "\n" not in str(caught.value)
    assert generated(tiny_course) == {}


@pytest.mark.parametrize("is_nbgraders", [False, True])
def test_a_full_disk_is_one_line_and_leaves_whole_files(
    tiny: Assignment, tiny_course: Course, is_nbgraders: bool
) -> None:
    """Whether the disk fills before nbgrader runs or within it, what was there stays."""
    bodies = ("shift(x, by=1.0): return x + by", "fit(x): return 0.0", "forecast(parameters, x): return x")
    tiny.solution.write_text("".join(f"def {body}\n" for body in bodies), encoding="utf8")
    build(tiny_course)
    before = generated(tiny_course)
    source, release = (len(before[name]) for name in NOTEBOOKS)
    assert source < release
    with pytest.raises(GraderError) as caught, full_disk(source if is_nbgraders else source - 1):
        build(tiny_course)
    assert "File too large" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert generated(tiny_course) == before


def test_nothing_is_logged_or_printed(
    tiny_course: Course, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The command line alone talks to the instructor."""
    caplog.set_level(logging.DEBUG)
    build(tiny_course)
    assert [record for record in caplog.records if "nbgrader" in record.name.lower()] == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("slug", [assignment.slug for assignment in REAL.assignments()])
@pytest.mark.parametrize("is_release", [True, False])
def test_the_notebooks_run_from_top_to_bottom(real_course: Course, slug: str, is_release: bool) -> None:
    """No cell of the untouched release raises, nor one of the instructor's notebook with its solutions."""
    assignment = real_course.assignment(slug)
    path = assignment.release_notebook if is_release else assignment.source_notebook
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    client.execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
