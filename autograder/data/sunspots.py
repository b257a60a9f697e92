"""Sunspots, one number a year since 1700: the years to 1946 ship with the package, the later ones are hidden.

A sunspot number counts the dark spots and groups of spots on the sun. It rises and falls in cycles of about eleven
years, no two alike. A series is split by time and never by chance, so there is neither a seed nor a shuffle: what is
hidden is what comes later, and it lies with the course's solutions, where no student's process can read it.

Source: World Data Center SILSO (then SIDC), Royal Observatory of Belgium, Brussels: yearly mean sunspot numbers, first
version of the series, as distributed by NOAA's National Geophysical Data Center. Public domain.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

Sunspots = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]
"""Years ``(L,)``, in order and without a gap, and the mean sunspot number of each ``(L,)``."""

LAST_PUBLIC_YEAR = 1946

_FILE = Path(__file__).with_name("sunspots.csv")


def load_sunspots() -> Sunspots:
    """Return the public part, 1700 to 1946: 247 years and their sunspot numbers, from 0 to 154.4."""
    return _read(_FILE)


def hidden_sunspots(folder: Path) -> Sunspots:
    """Return the 62 later years, 1947 to 2008, from the folder of the hidden data; for the examiner."""
    return _read(folder / "sunspots_hidden.csv")


def _read(path: Path) -> Sunspots:
    lines = (line for line in path.read_text(encoding="utf8").splitlines() if not line.startswith("#"))
    next(lines)  # year,number
    rows = [line.split(",") for line in lines]
    return np.array([int(year) for year, _ in rows]), np.array([float(number) for _, number in rows])
