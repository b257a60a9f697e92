"""The whole grader, as root and as an ordinary user, behind each kind of walls."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import autograder
from autograder.authoring.build import build
from autograder.course import Assignment, Course
from tests.hostile.conftest import Grader, _is_open
from tests.integration.conftest import FILES, RIGHT, notebook

SPY = """
import os, socket
from pathlib import Path
def attempt(name, action):
    try:
        print(name, "REACHED", str(action())[:200])
    except BaseException as error:
        print(name, "stopped", type(error).__name__)
attempt("solution", lambda: Path("{root}/solutions/probe/solution.py").read_text())
attempt("course", lambda: os.listdir("{root}"))
attempt("salt", lambda: Path("{root}/solutions/salt.txt").read_text())
attempt("shadow", lambda: Path("/etc/shadow").read_text())
attempt("parent", lambda: Path(f"/proc/{{os.getppid()}}/environ").read_bytes().decode() or 1 / 0)
attempt("network", lambda: socket.create_connection(("127.0.0.1", 9), 1))
attempt("outside", lambda: Path("{root}/written").write_text("x"))
"""

ATTACKS = ("solution", "course", "salt", "shadow", "parent", "network", "outside")


@pytest.fixture(scope="module")
def open_course() -> Iterator[Assignment]:
    """The small course where every user can read it: only the walls keep a subject out."""
    root = Path(tempfile.mkdtemp(prefix="autograder-course-"))
    root.chmod(0o755)
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf8")
    build(Course(root))
    yield Course(root).assignment("probe")
    shutil.rmtree(root)


def _link(source: str, target: str) -> None:
    """Copy a file without its bytes, where the file system allows it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@pytest.fixture(scope="module")
def whole_python() -> Iterator[Path]:
    """An interpreter that every user can read, with everything that grading a NumPy assignment needs."""
    system, packages = Path(f"/usr/bin/python3.{sys.version_info.minor}"), Path(sysconfig.get_path("purelib"))
    if _is_open(Path(sys.executable)) and _is_open(Path(sys.executable).resolve()) and _is_open(packages):
        yield Path(sys.executable)
        return
    if not system.exists():
        pytest.skip(f"{sys.executable} is private, and there is no {system} that an ordinary user could run")
    folder = Path(tempfile.mkdtemp(prefix="autograder-python-"))
    folder.chmod(0o755)
    heavy = shutil.ignore_patterns("tensorflow", "keras", "jupyterlab", "notebook", "clang", "grpc", "__pycache__")
    subprocess.run([system, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    place = folder / "venv" / "lib" / system.name / "site-packages"
    shutil.copytree(packages, place, symlinks=True, ignore=heavy, copy_function=_link, dirs_exist_ok=True)
    shutil.copytree(Path(autograder.__file__).parent, place / "autograder", ignore=heavy, dirs_exist_ok=True)
    (folder / "tmp").mkdir()
    (folder / "tmp").chmod(0o1777)
    yield folder / "venv" / "bin" / "python"
    shutil.rmtree(folder)


def graded(tier: Any, root: str, notebooks: list[str]) -> list[Any]:  # runs in a process of its own
    """Grade notebooks one after the other; for each its score, its walls and what it shows."""
    from autograder.course import Course
    from autograder.examine.grader import LocalGrader
    from autograder.model import Job

    found = []
    with LocalGrader(Course(Path(root)).assignment("probe"), sandbox=tier) as grader:
        for text in notebooks:
            result = grader.grade(Job("probe", "ada", text.encode()))
            shown = (result.notebook or b"").decode()
            found.append([result.report.score, result.report.provenance.sandbox, shown])
    return found


def test_an_attacker_reaches_nothing_and_the_next_student_gets_everything(
    grader: Grader, whole_python: Path, open_course: Assignment
) -> None:
    """The spy is stopped at each attempt, the loop and the killer cost their own, and honest work gets its 100."""
    root, release = open_course.course.root, open_course.release_notebook
    submissions = [
        notebook(release, SPY.format(root=root), "", RIGHT),
        notebook(release, "import os\nos._exit(3)", "", RIGHT),
        notebook(release, "", "", {**RIGHT, "double": "def double(x):\n    while True:\n        pass"}),
        notebook(release, "", "", RIGHT),
    ]
    found = replace(grader, python=whole_python).run(graded, str(root), [body.decode() for body in submissions])
    assert [score for score, _, _ in found] == [100, 100, 60, 100]
    assert {walls for _, walls, _ in found} == {grader.tier.value}
    spied = found[0][2]
    assert "REACHED " not in spied.replace('\\"REACHED\\"', "")
    assert all(f"{name} stopped" in spied for name in ATTACKS)
    assert not (root / "written").exists()
