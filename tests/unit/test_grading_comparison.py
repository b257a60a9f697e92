"""A changed grade is explained by the checks that changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autograder.grading.comparison import CheckChange, change
from autograder.model import Outcome

if TYPE_CHECKING:
    from tests.conftest import ReportOf


def test_the_same_grade_is_no_change(report_of: ReportOf) -> None:
    """Whatever time it took."""
    assert change(report_of("ada", fit=10.0), report_of("ada", fit=10.0)) is None


def test_a_change_names_the_check_and_the_points(report_of: ReportOf) -> None:
    """By how much, and by what."""
    found = change(report_of("ada", fit=10.0), report_of("ada"))
    assert found is not None
    assert (found.before, found.after, found.difference) == (70.0, 100.0, 30.0)
    assert found.checks == (CheckChange("fit", "does fit", Outcome.FAILED, Outcome.PASSED),)


def test_a_broken_check_is_a_change_though_the_score_stays(report_of: ReportOf) -> None:
    """Nothing and nothing for a different reason."""
    found = change(report_of("ada", fit=0.0), report_of("ada", fit=None))
    assert found is not None
    assert found.difference == 0
    assert [one.after for one in found.checks] == [Outcome.BROKEN]


def test_a_first_grade_is_a_change_from_nothing(report_of: ReportOf) -> None:
    """A new submission has no score before."""
    found = change(None, report_of("ada"))
    assert found is not None
    assert (found.before, found.after, found.checks) == (None, 100.0, ())
