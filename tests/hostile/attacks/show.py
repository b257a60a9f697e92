"""What a browser or a terminal would do with what the grader wrote: found by parsing, not by trust in escaping."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser

_ACTIVE = {"applet", "base", "button", "embed", "form", "frame", "iframe", "input", "link", "object", "script", "math"}
_LOADING = {"action", "background", "data", "formaction", "href", "poster", "src", "srcset", "xlink:href"}
_HARMLESS = re.compile(r"(?:%20)*#|(?:attached-|students/|\.\./|[\w%.~()'+@-]+\.html$)", re.ASCII)
_MATH = re.compile(r"\\(?:href|require|htmlData|style|class|cssId|unicode|def|newcommand)\b")
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class _Reader(HTMLParser):
    """Collects what acts, or comes from elsewhere."""

    def __init__(self, *, own: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.own = own
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Judge a tag and what it has."""
        if tag in _ACTIVE or (tag in {"meta", "style", "svg"} and not self.own):
            self.found.append(f"<{tag}>")
        self.found += [
            f"{tag} {name}={(value or '')[:60]}" for name, value in attrs if self._acts(name.lower(), value or "")
        ]

    def _acts(self, name: str, value: str) -> bool:
        if name.startswith("on") or (name == "style" and not self.own):
            return True
        if name in _LOADING:
            elsewhere = name == "href" and not self.own and value.startswith(("https://", "http://"))  # for who clicks
            return not (elsewhere or _HARMLESS.match(value))
        return False


def active(page: str, *, own: bool = True) -> list[str]:
    """Name what in a page could act or load; ``own`` is one that the grader made, whose own style sheet may stay."""
    reader = _Reader(own=own)
    reader.feed(page)
    reader.close()
    return reader.found


def active_output(kind: str, text: str) -> list[str]:
    """Name what in an output, or in a cell of text, could act when a notebook is opened or made into a page."""
    if kind in {"text/plain", "image/png", "image/jpeg"}:
        return []
    if kind == "text/latex":
        return _MATH.findall(text) + active(text, own=False)
    if kind == "text/markdown":
        from nbconvert.filters import markdown2html

        return active(str(markdown2html(text.replace("attachment:", "attached-"))), own=False)
    return active(text, own=False) if kind == "text/html" else [kind]


def driving(text: str, *, output: bool) -> list[str]:
    """Name the characters that drive a terminal or turn a line around.

    An ``output`` of a notebook may have colors, carriage returns, and marks of scripts that are written from the right.
    """
    plain = _COLOR.sub("", text).replace("\r", "") if output else text
    return sorted({f"U+{ord(one):04X}" for one in plain if _drives(one, output)})


def _drives(character: str, output: bool) -> bool:
    if character in "\n\t\u200c\u200d":
        return False
    kind = unicodedata.category(character)
    return kind in {"Cc", "Cs"} or (character in _TURNING if output else kind == "Cf")


def texts(value: object) -> Iterator[str]:
    """Yield every text in a notebook's JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
