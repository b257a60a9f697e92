"""The data sets of the course, all offline.

A student's process reads only what ships with the package. What is hidden comes from ``hidden_*``, which the examiner
alone calls: it needs libraries and files that a student's process does not have.
"""

from __future__ import annotations

from autograder.data.digits import hidden_digits, load_digits

__all__ = ["hidden_digits", "load_digits"]
