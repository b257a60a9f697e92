"""Reports as self-contained pages: no script, no outside resource, every text escaped.

A page's policy forbids loading or running anything, so that even a hole in the escaping would show and not act.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from autograder.model import Report, ReportOutcome, points
from autograder.views import parts, printable
from autograder.views.summary import UNSAFE_TIER, Mark, groups, mark, summarize

CLASS_PAGE = "index.html"
_STUDENTS = "students"


@dataclass(frozen=True)
class _Bar:
    """One bar of the distribution, in the units of its drawing."""

    x: float
    height: float
    count: int
    start: str
    end: str


def pages(title: str, reports: Sequence[Report]) -> dict[str, str]:
    """Return every page of a class by its path: the class's, which links to one per student."""
    return {CLASS_PAGE: class_page(title, reports)} | {
        f"{_STUDENTS}/{report.student}.html": student_page(title, report) for report in reports
    }


def student_page(title: str, report: Report) -> str:
    """Make the page that a student may see: what was asked, what held, what did not, and where to look."""
    return template("student.html.j2").render(
        title=title,
        report=report,
        is_graded=report.outcome is ReportOutcome.GRADED,
        is_unsafe=report.provenance.sandbox == UNSAFE_TIER,
        share=_share(report.score, report.max_score),
    )


def class_page(title: str, reports: Sequence[Report]) -> str:
    """Make the instructor's page: how the class did, task by task, and which submissions need a person."""
    summary = summarize(reports)
    return template("class.html.j2").render(
        title=title,
        reports=reports,
        summary=summary,
        bars=_bars(summary.bins, summary.max_score),
        average=_share(summary.mean, summary.max_score),
    )


def _bars(bins: Sequence[int], max_score: float) -> list[_Bar]:
    """Lay the distribution out: 60 units per bin, the highest bar 120 units."""
    highest = max(*bins, 1)
    step = max_score / len(bins)
    return [
        _Bar(60.0 * i, round(120.0 * count / highest, 1), count, points(step * i), points(step * (i + 1)))
        for i, count in enumerate(bins)
    ]


def _share(score: float, max_score: float) -> float:
    """Return a percentage from 0 to 100."""
    return round(100 * min(max(score / max_score, 0), 1), 1) if max_score else 0.0


def _link(student: str) -> str:
    return f"{_STUDENTS}/{quote(student, safe='', errors='replace')}.html"


def _breakable(name: str) -> Markup:
    """Let a long name of a function break at its underscores, and nowhere else."""
    return Markup("_<wbr>").join(printable(name).split("_"))


def _shown(value: object) -> object:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def template(name: str) -> jinja2.Template:
    """Return one of the package's templates, which escapes everything that it is given."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        points=points,
        parts=parts,
        share=_share,
        mark=mark,
        groups=groups,
        link=_link,
        breakable=_breakable,
        with_code=_with_code,
    )
    environment.globals.update(Mark=Mark)
    return environment.get_template(name)


def _with_code(text: str) -> Markup:
    """Set what stands between backticks as code."""
    parts = printable(text).split("`")
    marked = (Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts))
    return Markup("").join(marked)
