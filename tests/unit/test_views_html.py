"""The pages: complete, linked, escaped, readable without color, and loading nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from autograder.model import Evidence, Outcome
from autograder.views.html import CLASS_PAGE, class_page, pages, student_page
from autograder.views.summary import Measurement, summarize

if TYPE_CHECKING:
    from tests.conftest import ReportOf

HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}\x1b[31m\u202e"


class _Page(HTMLParser):
    """Reads a page back: its elements with their attributes, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(source)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "wbr", "rect", "line"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str]:
        return [attributes["href"] or "" for tag, attributes in self.elements if tag == "a"]


def test_every_student_has_a_page_that_the_class_links_to(report_of: ReportOf) -> None:
    """Each link leads to a page that is written, for names that need quoting, too."""
    names = ["ada", "Ada Lovelace (1)", "100%25", "o'brien", "李雷", "index"]
    made = pages("Tiny", [report_of(name) for name in names])
    links = {unquote(link) for link in _Page(made[CLASS_PAGE]).links()}
    assert links == set(made) - {CLASS_PAGE}
    assert links == {f"students/{name}.html" for name in names}


def test_nothing_a_student_wrote_becomes_an_element(report_of: ReportOf) -> None:
    """Names, reasons, notes, titles and messages are text wherever they stand."""
    report = report_of(HOSTILE, fit=1.0, reason=HOSTILE)
    task = report.tasks[1]
    check = replace(task.checks[0], title=HOSTILE, message=HOSTILE, misconception=HOSTILE)
    report = replace(
        report,
        tasks=(report.tasks[0], replace(task, checks=(check,))),
        notebook=replace(report.notebook, notes=(HOSTILE,)),
    )
    graded = replace(report, outcome=report_of("ada").outcome)
    for source in (student_page(HOSTILE, report), class_page(HOSTILE, [report, graded])):
        page = _Page(source)
        assert "script" not in {tag for tag, _ in page.elements}
        assert "<script>alert(1)</script>" in page.text
        assert "{{ 7*7 }}" in page.text
        assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
        assert "\x1b" not in source
        assert "\u202e" not in source


def test_pages_load_nothing(report_of: ReportOf) -> None:
    """They can be mailed, archived and opened offline; the policy in them forbids the rest."""
    for source in pages("Tiny", [report_of("ada"), report_of("alan", reason="empty")]).values():
        page = _Page(source)
        assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.elements}
        assert not re.search(r"url\(|@import|https?:|src=", source)
        policies = [a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
        assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_pages_are_accessible(report_of: ReportOf) -> None:
    """A language, one h1, headers with a scope, and words for every sign and picture."""
    for source in pages("Tiny", [report_of("ada", fit=3.0), report_of("alan", shift=None)]).values():
        elements = _Page(source).elements
        assert ("html", {"lang": "en"}) in elements
        assert [tag for tag, _ in elements].count("h1") == 1
        assert all("scope" in attributes for tag, attributes in elements if tag == "th")
        pictures = [attributes for _, attributes in elements if attributes.get("role") == "img"]
        assert all(one.get("aria-label") or one.get("aria-labelledby") for one in pictures)


def test_the_students_page_tells_what_failed(report_of: ReportOf) -> None:
    """Points, the title of the check, and the message."""
    text = _Page(student_page("Tiny", report_of("ada", fit=4.0))).text
    assert "64 of 100 points" in " ".join(text.split())
    assert "does fit" in text
    assert "fit is failed" in text


def test_a_diagnosis_is_told_once_and_above_what_was_found(report_of: ReportOf) -> None:
    """What the student most likely did is a sentence with its code; a second check with the same one adds nothing."""
    report = report_of("ada")
    task = report.tasks[0]
    feedback = f"You changed the array by `x[x < 0]`. {HOSTILE}"
    first, second = (
        replace(task.checks[0], title=title, misconception="in_place", outcome=Outcome.FAILED, message=message)
        for title, message in (("one", f"{feedback}\nExpected: 1"), ("two", f"{feedback}\nExpected: 2"))
    )
    page = student_page("Tiny", replace(report, tasks=(replace(task, checks=(first, second)),)))
    assert page.count("You changed the array by <code>x[x &lt; 0]</code>.") == 1
    text = _Page(page).text
    assert text.index("You changed") < text.index("Expected: 1") < text.index("Expected: 2")


def test_a_table_scrolls_and_is_not_wrapped(report_of: ReportOf) -> None:
    """The lines of a table are a part of their own, which the keyboard reaches; those that differ are marked."""
    message = "They differ.\n  expected   your model\n> conv 32    conv <64>\n  dense 1    dense 1\nA hint."
    report = report_of("ada", fit=4.0)
    task = replace(report.tasks[1], checks=(replace(report.tasks[1].checks[0], message=message),))
    page = _Page(student_page("Tiny", replace(report, tasks=(task,))))
    (table,) = (attributes for _, attributes in page.elements if attributes.get("class") == "table")
    assert table["tabindex"] == "0"
    assert [attributes for _, attributes in page.elements].count({"class": "differs"}) == 1
    assert message.replace("\n", "") in page.text


def test_what_was_measured_is_told_where_a_check_passed(report_of: ReportOf) -> None:
    """A passed check shows its numbers; of a failed one, the message has them already."""
    report = report_of("ada", fit=4.0)
    measured = Evidence("accuracy", "93.0% of 200 items right", 0.93, items=200)
    tasks = [replace(task, checks=(replace(task.checks[0], evidence=measured),)) for task in report.tasks]
    for number, shown in enumerate((1, 0)):
        text = _Page(student_page("Tiny", replace(report, tasks=(tasks[number],)))).text
        assert text.count("93.0% of 200 items right") == shown


def test_the_students_page_shows_no_word_of_a_broken_test(report_of: ReportOf) -> None:
    """A traceback of a hidden test is not for the student; that it broke is."""
    text = _Page(student_page("Tiny", report_of("ada", fit=None))).text
    assert "fit is broken" not in text
    assert "the points are still open" in text


def test_an_ungradable_page_says_why(report_of: ReportOf) -> None:
    """The reason stands at the top."""
    assert "The file is empty." in student_page("Tiny", report_of("ada", reason="The file is empty."))


def test_a_run_without_a_sandbox_is_stamped(report_of: ReportOf) -> None:
    """On the student's page and on the class's; never otherwise."""
    report = report_of("ada")
    unsafe = replace(report, provenance=replace(report.provenance, sandbox="none"))
    for page in (student_page, lambda title, one: class_page(title, [one])):
        assert "without a sandbox" in page("Tiny", unsafe)
        assert "without a sandbox" not in page("Tiny", report)


def test_points_carried_forward_are_explained(report_of: ReportOf) -> None:
    """A student sees why a task that cannot work gave points."""
    report = report_of("ada")
    task = replace(report.tasks[1], carried_forward=True)
    assert "Checked with a correct version" in student_page("Tiny", replace(report, tasks=(report.tasks[0], task)))


def test_the_class_is_counted_over_what_was_graded(report_of: ReportOf) -> None:
    """An ungradable file is no zero in the mean; the score at the top belongs to the last bin."""
    reports = [
        report_of("a"),
        report_of("b", fit=0.0),
        report_of("c", shift=0.0, fit=9.0),
        report_of("d", reason="empty"),
    ]
    summary = summarize(reports)
    assert (summary.submissions, summary.graded) == (4, 3)
    assert summary.mean == pytest.approx((100 + 60 + 9) / 3)
    assert summary.median == 60
    assert summary.bins == (1, 0, 0, 0, 0, 0, 1, 0, 0, 1)
    assert [(rate.name, rate.full, rate.graded) for rate in summary.tasks] == [("shift", 2, 3), ("fit", 1, 3)]


def test_a_class_without_a_graded_submission_has_a_page(report_of: ReportOf) -> None:
    """Nothing is divided by nothing."""
    assert "ungradable" in class_page("Tiny", [report_of("ada", reason="empty")])


def test_the_class_page_tells_what_was_measured(report_of: ReportOf) -> None:
    """The range of the class beside what was asked for; what decided nothing is left out."""
    reports = [
        report_of(name, fit=0.0 if value < 0.6 else 40.0) for name, value in (("a", 0.5), ("b", 0.7), ("c", 0.9))
    ]
    for number, value in enumerate((0.5, 0.7, 0.9)):
        shift, fit = reports[number].tasks
        claimed = replace(shift.checks[0], evidence=Evidence("reported loss", "", 0.1, claimed=0.2))
        measured = replace(fit.checks[0], evidence=Evidence("accuracy", "", value, threshold=0.6))
        tasks = (replace(shift, checks=(claimed,)), replace(fit, checks=(measured,)))
        reports[number] = replace(reports[number], tasks=tasks)
    assert summarize(reports).measurements == (Measurement("fit", "does fit", 0.6, 0.5, 0.7, 0.9, 2, 3),)
    assert "What was measured" in class_page("Tiny", reports)
    assert "What was measured" not in class_page("Tiny", [report_of("ada")])


def test_misconceptions_are_counted_per_student(report_of: ReportOf) -> None:
    """A student with the same one in several checks counts once."""
    report = report_of("ada", fit=1.0)
    check = replace(report.tasks[1].checks[0], misconception="mean_of_squares")
    report = replace(report, tasks=(report.tasks[0], replace(report.tasks[1], checks=(check, check))))
    assert summarize([report]).misconceptions == (("fit", "mean_of_squares", 1),)
    assert "mean of squares" in class_page("Tiny", [report])
