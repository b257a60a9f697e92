"""The same correct notebooks, graded by ``nbgrader autograde`` and by ``autograder grade``: who takes how long?

    python bench/peers.py --students 12 --repeat 1

Both grade the same notebooks of the first assignment, by turns the sample class's im2col and Einstein sums, each with a
cell that imports TensorFlow, as homework does. Then come the hidden checks: for us the course's own, for nbgrader
``nbgrader_checks.py``, plain asserts that call the functions as often on arrays of the same sizes and train as many
networks for as long. nbgrader's course is made by its own ``generate_assignment`` and has its defaults. What is timed
is one command over the whole class, from its start to its end, in a process of its own, one command after the other.
Everybody has to get full marks from everyone.

nbgrader runs every cell. We leave out the author's figures, on which no check can depend; so that nobody has to take
that as an excuse, the second row is nbgrader over the same notebooks without those cells. The assignment forbids
TensorFlow, so a subject of ours has only a stand-in for it. The last row is our command over a copy of the assignment
that forbids nothing, where every subject has the real one.

CPU seconds are those of all processes below the command, looked at every 50 ms: what a process does after the last
look at it is missed. The seconds of one more submission are the slope between a class of one and the whole class.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbgrader.api import Gradebook

from autograder.authoring.build import build
from autograder.course import Assignment, Course
from autograder.examine.notebook import run_notebook
from autograder.figures import is_figure
from autograder.grading.journal import load_all
from autograder.subject.process import SubjectServer, spawn_subject
from autograder.subject.sandbox import Walls, best_tier
from autograder.subject.sandbox.processes import descendants
from autograder.subject.server import ServerConfig

ROOT = Path(__file__).parents[1]
SLUG = "cnn_pipeline"
STYLES = ("grace", "emmy")
LOOK_S = 0.05
TICKS = os.sysconf("SC_CLK_TCK")
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
"""As after the environment was activated: nbgrader looks for a program of its own on the path."""

CELL = re.compile(r'^# %% task="(\w+)"\n', re.MULTILINE)

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one command took."""

    wall_s: float
    cpu_s: float


@dataclasses.dataclass(frozen=True)
class Grader:
    """One way to grade: a course whose ``submitted/`` is filled, a command, and how to read the scores."""

    name: str
    course: Path
    command: tuple[str, ...]
    scores: Callable[[Sequence[str]], list[float]]


def sample_class() -> Any:
    """Load the module that makes the sample classes."""
    spec = importlib.util.spec_from_file_location("make_class", ROOT / "demo" / "make_class.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def write_class(course: Path, release: Path, students: Sequence[str]) -> None:
    """Write everybody's notebook into ``submitted/``."""
    make = sample_class()
    released = json.loads(release.read_text(encoding="utf8"))
    imports = make.Cell("code", "after", "setup", "import tensorflow as tf\n\nprint(tf)", ())
    for number, student in enumerate(students):
        style = make.read(SLUG, STYLES[number % len(STYLES)])
        own = dataclasses.replace(style, name=student, cells=(imports, *style.cells))
        path = course / "submitted" / student / SLUG / f"{SLUG}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(make.submission(own, released), encoding="utf8")


def our_course(root: Path, *, forbidding: bool) -> Assignment:
    """Build a copy of the course; without ``forbidding``, one whose rubric forbids nothing."""
    for folder in ("assignments", "solutions"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    assignment = Course(root).assignment(SLUG)
    if not forbidding:
        rubric = assignment.rubric_path.read_text(encoding="utf8")
        allowing, count = re.subn(r"^forbidden = \[[^]]*\]$", "forbidden = []", rubric, count=1, flags=re.MULTILINE)
        assert count == 1
        assignment.rubric_path.write_text(allowing, encoding="utf8")
    build(assignment.course, [SLUG])
    return Course(root).assignment(SLUG)


def ours(name: str, root: Path, students: Sequence[str], *, forbidding: bool) -> Grader:
    """Prepare our own command."""
    assignment = our_course(root, forbidding=forbidding)
    write_class(root, assignment.release_notebook, students)
    command = (sys.executable, "-m", "autograder", "grade", SLUG, "--fresh")

    def scores(graded: Sequence[str]) -> list[float]:
        return [report.score for report in load_all(assignment.reports) if report.student in graded]

    return Grader(name, root, command, scores)


def nbgraders(name: str, root: Path, source: Assignment, students: Sequence[str], *, figures: bool) -> Grader:
    """Prepare nbgrader's command: an instructor's notebook with real test cells, released by nbgrader itself."""
    instructors = json.loads(source.source_notebook.read_text(encoding="utf8"))
    cells = instructors["cells"]
    instructors["cells"] = [cell for cell in cells if figures or not is_figure("".join(cell["source"]))]
    put_tests(instructors["cells"], source.solution.read_text(encoding="utf8"))
    path = root / "source" / SLUG / f"{SLUG}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(instructors), encoding="utf8")
    nbgrader = (sys.executable, "-m", "nbgrader")
    cost_of([*nbgrader, "generate_assignment", SLUG], root)
    write_class(root, root / "release" / SLUG / f"{SLUG}.ipynb", students)

    def scores(graded: Sequence[str]) -> list[float]:
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
            return [float(book.find_submission(SLUG, student).score) for student in graded]

    return Grader(name, root, (*nbgrader, "autograde", SLUG, "--force"), scores)


def put_tests(cells: Sequence[Json], solution: str) -> None:
    """Fill nbgrader's check cells: between its markers, the asserts of each task, the solution above the first."""
    text = (ROOT / "bench" / "nbgrader_checks.py").read_text(encoding="utf8")
    _, *parts = CELL.split(text)
    tests = dict(zip(parts[::2], parts[1::2], strict=True))
    first = next(iter(tests))
    reference = f"import types\n\n_reference = types.ModuleType('reference')\nexec({solution!r}, vars(_reference))\n"
    tests[first] = f"{reference}\n{tests[first]}"
    for cell in cells:
        mark = cell["metadata"].get("nbgrader", {})
        if mark.get("grade"):
            test = tests.pop(mark["grade_id"].removesuffix("-check"))
            cell["source"] = f"### BEGIN HIDDEN TESTS\n{test.strip()}\n### END HIDDEN TESTS"
    assert not tests, f"no cell for the checks of {', '.join(tests)}"


def cost_of(command: Sequence[str], folder: Path) -> Cost:
    """Run a command to its end and look at the processes below it meanwhile."""
    spent: dict[tuple[int, str], float] = {}
    started = time.perf_counter()
    with (folder / "command.log").open("w", encoding="utf8") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=ENVIRONMENT)
        while process.poll() is None:
            for one in (process.pid, *descendants(process.pid)):
                spent.update(cpu_of(one))
            time.sleep(LOOK_S)
    wall_s = time.perf_counter() - started
    if process.returncode:
        said = (folder / "command.log").read_text(encoding="utf8", errors="replace")
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {said[-2000:]}")
    return Cost(wall_s, sum(spent.values()))


def cpu_of(process: int) -> Iterator[tuple[tuple[int, str], float]]:
    """Yield the CPU seconds of a process that lives, under its number and its start."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return
    yield (process, fields[19]), (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def class_of(grader: Grader, students: Sequence[str]) -> Iterator[None]:
    """Let nobody but these students have submitted."""
    submitted, aside = grader.course / "submitted", grader.course / "aside"
    aside.mkdir()
    for path in submitted.iterdir():
        if path.name not in students:
            path.rename(aside / path.name)
    yield
    for path in aside.iterdir():
        path.rename(submitted / path.name)
    aside.rmdir()


def measure(grader: Grader, students: Sequence[str]) -> Cost:
    """Grade a class of these students and make sure that all of them get full marks."""
    with class_of(grader, students):
        cost = cost_of(grader.command, grader.course)
        scores = grader.scores(students)
    if scores != [100.0] * len(students):
        raise RuntimeError(f"{grader.name} gave {scores}: every notebook is right")
    return cost


def row(grader: Grader, students: Sequence[str], repeat: int) -> tuple[Cost, float]:
    """Return the median cost of the class, and the seconds of one more submission."""
    whole = [measure(grader, students) for _ in range(repeat)]
    median = Cost(*(statistics.median(getattr(one, name) for one in whole) for name in ("wall_s", "cpu_s")))
    if len(students) == 1:
        return median, median.wall_s
    one = statistics.median(measure(grader, students[:1]).wall_s for _ in range(repeat))
    return median, (median.wall_s - one) / (len(students) - 1)


def show_speed(graders: Sequence[Grader], students: Sequence[str], repeat: int) -> None:
    """Print the table of times; the first grader is who the others are compared with."""
    print(
        f"{len(students)} submissions, {len(os.sched_getaffinity(0))} cores, median of {repeat}, full marks for all\n"
    )
    print(f"{'':34}{'seconds':>9}{'per minute':>12}{'CPU s each':>12}{'one more, s':>13}{'throughput':>12}")
    base = 0.0
    for grader in graders:
        cost, slope_s = row(grader, students, repeat)
        base = base or cost.wall_s
        rate, cpu_s = 60 * len(students) / cost.wall_s, cost.cpu_s / len(students)
        times = f"{base / cost.wall_s:.1f} x"
        print(f"{grader.name:34}{cost.wall_s:9.1f}{rate:12.1f}{cpu_s:12.2f}{slope_s:13.2f}{times:>12}", flush=True)


def show_memory(assignment: Assignment, student: str) -> None:
    """Print what one more kernel holds after it has run the notebook, beside another one that has."""
    path = assignment.submission(student)
    print(f"\n{'one more kernel that has run it':34}{'private MiB':>12}{'PSS MiB':>9}")
    kinds: dict[str, Callable[[], Generator[None, None, None]]] = {
        "a plain Jupyter kernel": lambda: plain_kernels(path),
        "our subject": lambda: our_subjects(assignment, path, ("tensorflow",), ()),
        "our subject with TensorFlow": lambda: our_subjects(assignment, path, (), ("tensorflow",)),
    }
    for name, kernels in kinds.items():
        with closing(kernels()) as running:
            next(running)
            before = set(descendants(os.getpid()))
            next(running)
            new = set(descendants(os.getpid())) - before
            private, share = (sum(memory_mib(one, kind) for one in new) for kind in ("Private", "Pss:"))
        print(f"{name:34}{private:12.0f}{share:9.0f}", flush=True)


def memory_mib(process: int, kind: str) -> float:
    """Sum the lines of a process's smaps_rollup that begin with ``kind``."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(kind) and "Hugetlb" not in line) / 1024


def plain_kernels(path: Path) -> Generator[None, None, None]:
    """Yield once for each cold kernel that has run the notebook; they live until the end."""
    started = []
    try:
        while True:
            manager, client = start_new_kernel(stderr=subprocess.DEVNULL)
            started.append((manager, client))
            notebook = nbformat.read(path, as_version=4)
            runner = NotebookClient(notebook, km=manager, allow_errors=True)
            runner.kc = client
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "code":
                    runner.execute_cell(cell, index)
            yield
    finally:
        for manager, client in started:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def our_subjects(
    assignment: Assignment, path: Path, forbidden: tuple[str, ...], preload: tuple[str, ...]
) -> Generator[None, None, None]:
    """Yield once for each subject that has run the notebook; they live until the end."""
    limits = assignment.rubric.limits
    server = SubjectServer.launch(ServerConfig(best_tier(), forbidden, preload))
    subjects = []
    try:
        server.wait_until_ready()
        while True:
            subjects.append(spawn_subject(server.control, Walls(limits.memory_mib), {}, server.folder))
            notebook = nbformat.read(path, as_version=4)
            run_notebook(notebook, subjects[-1], limits, skip=frozenset(), time_s=limits.total_s)
            yield
    finally:
        for subject in subjects:
            subject.kill()
        server.close()


def main() -> int:
    """Prepare four courses, grade each, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--students", type=int, default=12, metavar="N")
    parser.add_argument("--repeat", type=int, default=1, metavar="N", help="show the median of N runs")
    options = parser.parse_args()
    students = [f"student{number:02d}" for number in range(1, options.students + 1)]
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        root = Path(folder)
        forbidding = ours("autograder grade", root / "ours", students, forbidding=True)
        assignment = Course(root / "ours").assignment(SLUG)
        graders = (
            nbgraders("nbgrader autograde", root / "nbgrader", assignment, students, figures=True),
            nbgraders("nbgrader autograde, no figures", root / "bare", assignment, students, figures=False),
            forbidding,
            ours("autograder grade, with TensorFlow", root / "open", students, forbidding=False),
        )
        show_speed(graders, students, options.repeat)
        show_memory(assignment, students[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
