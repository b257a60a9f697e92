"""The data sets of the course, all offline.

A student's process reads only what ships with the package. What is hidden comes from ``hidden_*``, which the examiner
alone calls: it needs libraries and files that a student's process does not have.
"""

from __future__ import annotations

from autograder.data.digits import hidden_digits, load_digits
from autograder.data.recall import draw_recall, load_recall
from autograder.data.shapes import draw_shapes, load_shapes
from autograder.data.sunspots import hidden_sunspots, load_sunspots
from autograder.data.waves import draw_wave

__all__ = [
    "draw_recall",
    "draw_shapes",
    "draw_wave",
    "hidden_digits",
    "hidden_sunspots",
    "load_digits",
    "load_recall",
    "load_shapes",
    "load_sunspots",
]
