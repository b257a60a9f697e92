"""Reports as people read them: pure functions from ``Report`` to text and HTML.

``summary`` counts, ``text`` draws for the terminal, ``html`` makes pages. What a student wrote, a name or the text of
an exception, may hold escape sequences or characters that turn the line around; ``printable`` takes them all out.

A check's message may hold a table, as of two architectures. Its lines are never wrapped, so that its columns stay.
"""

from __future__ import annotations

import itertools
import re
import unicodedata

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[@-_])")
_JOINERS = "\u200c\u200d"


def printable(text: str) -> str:
    """Remove what acts instead of being shown: escape sequences, control and formatting characters, lone surrogates."""
    text = _ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n"))
    return "".join(character for character in text if _is_shown(character))


def _is_shown(character: str) -> bool:
    if character in "\n\t" or character in _JOINERS:
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs")


def parts(message: str) -> list[tuple[bool, list[str]]]:
    """Split a message into runs of lines, each with whether it is a table: indented, or marked by ``>``."""
    runs = itertools.groupby(message.splitlines(), key=lambda line: line.startswith(("  ", "> ")))
    return [(is_table, list(lines)) for is_table, lines in runs]
