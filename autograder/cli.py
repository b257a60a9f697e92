"""The command line: each command parses, makes one call, shows the result and returns an exit code.

    0  done; everything was graded        2  wrong usage, or an author's mistake in the course
    1  a score is below --fail-under,     3  something could not be graded, is broken, or the grader failed
       or --check found changes         128+n  ended by signal n

Everything heavy is imported by the command that needs it, so that ``--help`` answers at once.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.course import Assignment, Course
from autograder.errors import AutograderError, CourseError
from autograder.model import Report
from autograder.views import printable

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    from autograder.audit.candidates import Candidate
    from autograder.grading.engine import Grader
    from autograder.grading.session import Hire, Order, Result

app = typer.Typer(
    name="autograder",
    help="Deep-learning assignments with hidden tests, graded in a sandbox.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The assignment's folder name.")]
Out = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of the reports; by default reports/SLUG in the course.")
]


Workers = Annotated[int, typer.Option(min=1, metavar="N", help="Submissions graded at once.")]
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@app.callback()
def _commands() -> None:
    """Keep every command a command, however few there are."""


@app.command()
def build(
    slugs: Annotated[list[str] | None, typer.Argument(metavar="SLUG", help="By default every assignment.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 if something would change.")] = False,
) -> None:
    """Make source/ and release/ from template and solution."""
    from autograder.authoring.build import build as build_all

    changes = build_all(Course.find(Path.cwd()), slugs or (), check=check)
    for change in changes:
        _say(f"{'would be ' if check else ''}{change.kind.value}: {change.path.as_posix()}")
    if not changes:
        _say("everything is up to date")
    raise typer.Exit(1 if check and changes else 0)


@app.command()
def grade(  # noqa: PLR0913, PLR0917 - each is an option of the command
    slug: Slug,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Notebooks, or folders of them; by default submitted/ in the course."),
    ] = None,
    out: Out = None,
    workers: Workers = CORES,
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade again what did not change, too.")] = False,
    unsafe_no_sandbox: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run students' code with your own rights. Stamped on reports.")
    ] = False,
    fail_under: Annotated[float | None, typer.Option(metavar="POINTS", help="Exit 1 if a score is below this.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Write nothing; show whose score would change.")] = False,
) -> None:
    """Grade submissions into reports, and the course's own into nbgrader's gradebook."""
    from autograder.grading.session import Order

    if unsafe_no_sandbox:
        _say("warning: no sandbox: students' code runs with your rights and can read and change anything", error=True)
    assignment = Course.find(Path.cwd()).assignment(slug)
    order = Order(assignment, tuple(paths or ()), out, workers, fresh)
    if compare:
        raise typer.Exit(show_changes(order, lambda: _local_grader(assignment, unsafe_no_sandbox)))
    raise typer.Exit(carry_out(order, lambda: _local_grader(assignment, unsafe_no_sandbox), fail_under))


def _local_grader(assignment: Assignment, unsafe: bool) -> AbstractContextManager[Grader]:
    from autograder.examine.grader import LocalGrader
    from autograder.subject.sandbox import Tier

    return LocalGrader(assignment, sandbox=Tier.NONE if unsafe else None)


@app.command()
def report(slug: Slug, out: Out = None) -> None:
    """Show the class, and make its HTML page from the reports that are there."""
    from rich.console import Console

    assignment = Course.find(Path.cwd()).assignment(slug)
    show_class(Console(), assignment, write_pages(assignment, out or assignment.reports))
    _say(f"open {_page(out or assignment.reports)}")


@app.command()
def calibrate(
    slug: Slug,
    seeds: Annotated[int, typer.Option(min=2, metavar="N", help="Trainings of each right solution.")] = 30,
    wrong_seeds: Annotated[int, typer.Option(min=2, metavar="N", help="Trainings of each wrong one.")] = 10,
    workers: Workers = CORES,
    fresh: Annotated[bool, typer.Option("--fresh", help="Train again what was trained before, too.")] = False,
) -> None:
    """Find the thresholds of the hidden tests by training, and write them with their evidence and a picture."""
    from rich.console import Console

    from autograder.audit.calibration import Order
    from autograder.audit.calibration import calibrate as find_thresholds
    from autograder.audit.plot import svg
    from autograder.views.calibration import Trainings, tables

    console, assignment = Console(), Course.find(Path.cwd()).assignment(slug)
    try:
        with Trainings(console) as trainings:
            found = find_thresholds(Order(assignment, seeds, wrong_seeds, workers, fresh), trainings)
    except KeyboardInterrupt:
        _say("given up; what was trained is kept, run the same command to continue", error=True)
        raise typer.Exit(130) from None
    assignment.calibration_plot.write_bytes(svg(slug, found))
    console.print()
    console.print(tables(found))
    _say(f"wrote {assignment.calibration} and {assignment.calibration_plot.name}")


@app.command()
def audit(
    slug: Slug,
    quick: Annotated[bool, typer.Option("--quick", help="One mutant and one misconception of each task.")] = False,
    times: Annotated[int, typer.Option("--repeat", min=0, metavar="N", help="Grade N times, compare the reports.")] = 0,
    workers: Workers = CORES,
    fresh: Annotated[bool, typer.Option("--fresh", help="Grade again what did not change, too.")] = False,
) -> None:
    """Grade the grader: right answers, known wrong ones and mechanical mutants, each in its sandbox."""
    from autograder.audit.candidates import candidates, sample

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # the authors' misconceptions import it, and it talks
    assignment = Course.find(Path.cwd()).assignment(slug)
    everyone = candidates(assignment, with_mutants=quick or not times)
    tried = sample(everyone) if quick else everyone
    raise typer.Exit(
        show_stability(assignment, tried, workers, times)
        if times
        else show_audit(assignment, everyone, tried, workers, fresh)
    )


def show_audit(
    assignment: Assignment, everyone: Sequence[Candidate], tried: Sequence[Candidate], workers: int, fresh: bool
) -> int:
    """Examine the candidates that are tried of everyone, write and show what was found, and return the exit code."""
    from rich.console import Console

    from autograder.audit import equivalent
    from autograder.audit.examination import examine
    from autograder.audit.findings import find
    from autograder.grading.journal import write_page
    from autograder.views.audit import PAGE, RECORD, page, record, summary
    from autograder.views.progress import Progress

    console, argued = Console(), equivalent.load(assignment.equivalent_mutants)
    with Progress(console) as progress:
        hire = functools.partial(_local_grader, assignment, unsafe=False)
        examined = examine(assignment, tried, hire, progress, workers=workers, fresh=fresh)
    found = find(assignment, everyone, examined.reports, argued)
    write_page(assignment.audit / RECORD, record(found))
    write_page(assignment.audit / PAGE, page(assignment.rubric.title, found))
    console.print()
    console.print(summary(found))
    _say(f"open {assignment.audit / PAGE}")
    if examined.stopped_by is not None:
        return 128 + examined.stopped_by
    return 3 if found.is_flawed else 0


def show_stability(assignment: Assignment, tried: Sequence[Candidate], workers: int, times: int) -> int:
    """Grade the candidates again and again, show whose report differed, and return the exit code."""
    from rich.console import Console

    from autograder.audit.stability import repeat
    from autograder.views.audit import stability
    from autograder.views.progress import Progress

    console = Console()
    with Progress(console) as progress, _local_grader(assignment, unsafe=False) as grader:
        found = repeat(assignment, tried, grader, progress, workers, times)
    console.print()
    console.print(stability(found))
    if found.stopped_by is not None:
        return 128 + found.stopped_by
    return 3 if found.differences else 0


@app.command()
def demo(
    slug: Annotated[str, typer.Option("--assignment", metavar="SLUG", help="Whose sample class.")] = "cnn_pipeline",
    workers: Workers = CORES,
) -> None:
    """Build, grade and show a sample class of real notebooks, in a course of its own under build/demo."""
    from autograder.authoring.build import build as build_all
    from autograder.demo import sample_course, surprises
    from autograder.examine.grader import LocalGrader
    from autograder.grading.journal import load_all
    from autograder.grading.session import Order

    course = Course.find(Path.cwd())
    assignment = sample_course(course, slug)
    changes = build_all(assignment.course)
    _say(f"built {len(changes)} files; now the class is graded, attackers and all")
    code = carry_out(Order(assignment, workers=workers), lambda: LocalGrader(assignment))
    if code >= 128:
        raise typer.Exit(code)
    found = surprises(course, slug, load_all(assignment.reports))
    for line in found:
        _say(f"not as expected: {line}", error=True)
    if found:
        raise typer.Exit(3)
    _say("everybody got exactly the points that they should")


@app.command()
def doctor() -> None:
    """Show what this machine can isolate, by trying to break out of each tier of the sandbox."""
    from rich.console import Console

    from autograder.subject.sandbox.doctor import examine_machine
    from autograder.subject.sandbox.tiers import best_tier
    from autograder.views import text

    found = examine_machine((Path.cwd(),))
    Console().print(text.findings(found))
    tier = best_tier()
    _say(f"`autograder grade` will use the tier {tier.value}")
    raise typer.Exit(0 if all(one.ok for one in found if one.tier is tier) else 3)


def show_changes(order: Order, hire: Hire) -> int:
    """Show what grading would change, write nothing, and return the exit code: 1 if a score would change."""
    from rich.console import Console

    from autograder.grading.session import compare_class
    from autograder.views import text
    from autograder.views.progress import Progress

    console = Console()
    try:
        with Progress(console) as progress:
            found = compare_class(order, hire, progress)
    except KeyboardInterrupt:
        _say("given up; nothing was written", error=True)
        return 130
    if found.changes:
        console.print()
        console.print(text.changes(found.changes), crop=False)
    _say(f"{found.graded} looked at, {len(found.changes)} would change; nothing was written")
    if found.stopped_by is not None:
        _say(f"stopped: {found.left} not looked at", error=True)
        return 128 + found.stopped_by
    return int(any(one.difference for one in found.changes))


def carry_out(order: Order, hire: Hire, fail_under: float | None = None) -> int:
    """Grade what was ordered, show it, bring pages and gradebook up to date, and return the exit code."""
    from rich.console import Console

    from autograder.grading.session import grade_class
    from autograder.views.progress import Progress

    console = Console()
    if order.out is None:
        threading.Thread(target=_import_gradebook, daemon=True).start()
    try:
        with Progress(console) as progress:
            result = grade_class(order, hire, progress)
    except KeyboardInterrupt:
        _say("given up; the reports that are there stay, run the same command to continue", error=True)
        return 130
    if result.stopped_by is not None:
        _say(f"stopped: {result.finished} graded, {result.left} left; run the same command to continue", error=True)
        return 128 + result.stopped_by
    try:  # what stays comes first: the reader of the output may go away
        write_pages(order.assignment, order.folder)
        if result.of_the_course:
            _sync(order.assignment, result)
    finally:
        show_class(console, order.assignment, result.reports)
    _say(f"reports in {order.folder}, open {_page(order.folder)}")
    return exit_code(result.reports, fail_under)


def _import_gradebook() -> None:
    """Spend the second that importing nbgrader takes while others work; where it is missing, ``_sync`` says so."""
    with contextlib.suppress(ImportError):
        importlib.import_module("autograder.grading.gradebook")


def _sync(assignment: Assignment, result: Result) -> None:
    from autograder.grading import gradebook

    gradebook.sync(assignment.course, assignment, result.reports)
    _say(f"gradebook {assignment.course.gradebook} is up to date")


def show_class(console: Console, assignment: Assignment, reports: Sequence[Report]) -> None:
    """Print the class as a table, or the only report in full, and what needs a person."""
    from autograder.views import summary, text

    console.print()
    if len(reports) == 1:
        console.print(text.student(reports[0]), crop=False)
    else:
        console.print(text.class_table(assignment.rubric.title, reports))
    console.print()
    for title, entries in (
        ("to look at", summary.attention(reports)),
        ("decided by little", summary.close_calls(reports)),
    ):
        if entries:
            console.print(text.attention_list(title, entries))
            console.print()


def write_pages(assignment: Assignment, folder: Path) -> list[Report]:
    """Write the HTML pages of every report of the assignment in ``folder``; return those reports."""
    from autograder.grading.journal import load_all, write_page
    from autograder.views.html import pages

    reports = [one for one in load_all(folder) if one.assignment == assignment.slug]
    for name, page in pages(assignment.rubric.title, reports).items():
        write_page(folder / name, page)
    return reports


def _page(folder: Path) -> Path:
    from autograder.views.html import CLASS_PAGE

    return folder / CLASS_PAGE


def exit_code(reports: Sequence[Report], fail_under: float | None) -> int:
    """Return 3 if a report needs a person, else 1 if a score is below ``fail_under``, else 0."""
    if any(one.needs_review for one in reports):
        return 3
    return int(fail_under is not None and any(one.score < fail_under for one in reports))


def _say(line: str, *, error: bool = False) -> None:
    typer.echo(printable(" ".join(line.splitlines())), err=error)


def main() -> None:
    """Run the command line; known errors are one line, unknown ones a traceback."""
    try:
        app()
    except AutograderError as error:
        _say(f"error: {error}", error=True)
        sys.exit(2 if isinstance(error, CourseError) else 3)
    except ModuleNotFoundError as error:
        what = "pip install 'autograder[instructor]'"
        _say(f"error: this command needs {error.name}, which is not installed: {what}", error=True)
        sys.exit(3)
    except Exception:  # noqa: BLE001 - Python's own exit code for a crash, 1, means "below --fail-under" here
        traceback.print_exc()
        sys.exit(3)
