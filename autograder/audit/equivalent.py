"""``equivalent_mutants.toml``: mutants that no check can tell from the solution, each with the reason.

    [[mutants]]
    definition = "softmax"
    before = "exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))"
    after = "exponentials = np.exp(logits - logits.max(keepdims=True))"
    reason = "..."

A mutant is named by its two lines, so that the entry holds wherever they stand in the file.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from pathlib import Path

from autograder.audit.mutants import Mutant
from autograder.errors import CourseError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Equivalent:
    """One mutant that the author argues away."""

    definition: str
    before: str
    after: str
    reason: str

    def is_about(self, mutant: Mutant) -> bool:
        """Say whether this is the mutant that is meant."""
        return (self.definition, self.before, self.after) == (mutant.definition, mutant.before, mutant.after)


def load(path: Path) -> tuple[Equivalent, ...]:
    """Read the list; without a file it is empty.

    Raises:
        CourseError: it is not TOML, or an entry has other keys than these four texts.
    """
    if not path.is_file():
        return ()
    try:
        data = tomllib.loads(path.read_text(encoding="utf8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CourseError(f"is not TOML: {error}", path=path) from None
    wanted = {field.name for field in fields(Equivalent)}
    entries = data.get("mutants", [])
    if set(data) - {"mutants"} or not isinstance(entries, list):
        raise CourseError("expected [[mutants]] tables and nothing else", path=path)
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict) or set(entry) != wanted or not all(isinstance(v, str) for v in entry.values()):
            raise CourseError(f"entry {number}: expected the texts {', '.join(sorted(wanted))}", path=path)
        if not entry["reason"].strip():
            raise CourseError(f"entry {number} has no reason: say why no check can tell", path=path)
    return tuple(Equivalent(**entry) for entry in entries)
