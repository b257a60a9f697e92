"""The sunspot numbers: what ships with the package, and what is hidden from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from autograder.course import Course
from autograder.data import hidden_sunspots, load_sunspots
from autograder.data.sunspots import LAST_PUBLIC_YEAR, Sunspots

COURSE = Course.find(Path(__file__).parent)


@pytest.fixture(scope="module")
def parts() -> tuple[Sunspots, Sunspots]:
    """The public and the hidden part."""
    return load_sunspots(), hidden_sunspots(COURSE.hidden_data)


def test_public_and_hidden_are_every_year_once(parts: tuple[Sunspots, Sunspots]) -> None:
    """The hidden part follows the public one without a gap, and nothing is in both."""
    (years, _), (later, _) = parts
    np.testing.assert_array_equal(np.concatenate([years, later]), np.arange(1700, 2009))
    assert years[-1] == LAST_PUBLIC_YEAR


def test_numbers_are_finite_and_not_negative(parts: tuple[Sunspots, Sunspots]) -> None:
    """A count of spots, as floats, one for each year."""
    for years, numbers in parts:
        assert years.dtype == np.int64 and numbers.dtype == np.float64
        assert numbers.shape == years.shape
        assert np.isfinite(numbers).all() and numbers.min() >= 0


@pytest.mark.parametrize("year, number", [(1700, 5.0), (1778, 154.4), (1810, 0.0), (1946, 92.6), (1957, 190.2)])
def test_known_years_have_their_published_numbers(parts: tuple[Sunspots, Sunspots], year: int, number: float) -> None:
    """The highest maximum, in 1957, the spotless year 1810, and the ends."""
    years, numbers = (np.concatenate(both) for both in zip(*parts, strict=True))
    assert numbers[years == year] == pytest.approx(number)


def test_the_sun_keeps_its_period(parts: tuple[Sunspots, Sunspots]) -> None:
    """The strongest frequency of both parts is that of the solar cycle, ten to twelve years."""
    for _, numbers in parts:
        power = np.abs(np.fft.rfft(numbers - numbers.mean())) ** 2
        assert 9.5 < len(numbers) / int(power.argmax()) < 12.5


def test_no_file_of_the_package_holds_a_hidden_year() -> None:
    """A student's process reads the package, so the later numbers are nowhere in it."""
    hidden = [
        line for line in (COURSE.hidden_data / "sunspots_hidden.csv").read_text().splitlines() if line[:1] in "12"
    ]
    assert len(hidden) == 62
    files = (COURSE.root / "autograder").rglob("*.csv")
    assert [path for path in files for line in hidden if line in path.read_text(encoding="utf8")] == []


def test_hidden_data_decides_a_grade(tmp_path: Path) -> None:
    """An assignment whose hidden data changed is another one, so that it is graded again."""
    for folder in ("assignments/waves", "solutions/data"):
        (tmp_path / folder).mkdir(parents=True)
    waves = Course(tmp_path).assignment("waves")
    before = waves.digest()
    (Course(tmp_path).hidden_data / "waves.csv").write_text("1,2\n", encoding="utf8")
    assert waves.digest() != before
