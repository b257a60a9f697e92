"""The calibrated numbers of an assignment, as its hidden tests read them from ``calibration.json``.

    accuracy = threshold("digits_accuracy")

``autograder calibrate`` writes the file; the build and the tests read it, and neither knows a number of its own.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import CourseError

SCHEMA = 1
"""The version of the file's layout."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds by the names of their measurements; called with a name, it returns the number."""

    path: Path
    values: Mapping[str, float]

    @classmethod
    def read(cls, path: Path) -> Thresholds:
        """Read a ``calibration.json``; one that is missing holds nothing.

        Raises:
            CourseError: the file is damaged.
        """
        try:
            record: Any = json.loads(path.read_text(encoding="utf8")) if path.is_file() else _EMPTY
            values = {name: float(one["threshold"]) for name, one in record["measurements"].items()}
            schema = record["schema"]
            if not all(map(math.isfinite, values.values())):
                raise ValueError("a threshold is not finite")
        except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
            message = f"is no calibration ({type(error).__name__}: {error}): {_again(path)} writes it anew"
            raise CourseError(message, path=path) from None
        if schema != SCHEMA:
            raise CourseError(f"has the layout {schema}, expected {SCHEMA}: {_again(path)} writes it anew", path=path)
        return cls(path, values)

    def __call__(self, name: str) -> float:
        """Return one threshold.

        Raises:
            CourseError: nothing of that name was calibrated.
        """
        if name not in self.values:
            raise CourseError(self.missing(name), path=self.path)
        return self.values[name]

    def missing(self, name: str) -> str:
        """Say that nothing of that name was calibrated, and what to do."""
        close = difflib.get_close_matches(name, self.values, 1)
        if close:
            return f'no threshold "{name}" was calibrated: did you mean "{close[0]}"?'
        return f'no threshold "{name}" was calibrated: list it in calibrate.py and run {_again(self.path)}'


_EMPTY: Mapping[str, Any] = {"schema": SCHEMA, "measurements": {}}


def _again(path: Path) -> str:
    return f"`autograder calibrate {path.parent.name}`"
