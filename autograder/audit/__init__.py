"""Grading the grader: what shows that the checks and their thresholds can tell right from wrong."""

from __future__ import annotations

from autograder.audit.measurement import Measurement

__all__ = ["Measurement"]
