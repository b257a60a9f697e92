"""The leak scan: nothing that is hidden may stand in a file that leaves the course.

What is looked for, in the author's hidden files:

- the salt;
- canaries, tokens in a line of their own, ``# canary: 7d1c0f9a2b``;
- every distinctive line of the solution and of the Python files beside and below it: hidden tests, misconceptions,
  alternates. A line that the template or the public tests show as well is not hidden.

Files are looked into as a curious student would: notebooks and JSON decoded, archives opened, escaped and base64 text
undone, white space not trusted.
"""

from __future__ import annotations

import base64
import binascii
import builtins
import gzip
import io
import json
import keyword
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import Assignment
from autograder.errors import CourseError

DISTINCTIVE = 24
"""A hidden line of fewer characters may stand anywhere by chance; a canary or salt is made not to."""

_WORDS = (
    3  # a distinctive line has as many words or numbers that are not Python's: `if isinstance(value, dict):` has one
)
_PYTHON = frozenset((*keyword.kwlist, *dir(builtins)))
_TOKEN = 8  # a canary or salt has as many characters
_CANARY = re.compile(r"\s*#\s*canary:\s*(\S+)\s*$")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,}")
_URL_SAFE = str.maketrans("-_", "+/")
_IMPORT = re.compile(r"(from\s+[\w.]+\s+)?import\s")
_DEPTH = 4  # of archives in archives and base64 in base64


@dataclass(frozen=True)
class Leak:
    """A hidden line in a released file. ``place`` is where in it; ``line`` is None when all of ``hidden`` is secret."""

    released: Path
    place: str
    hidden: Path
    line: int | None


@dataclass(frozen=True)
class _Secret:
    text: str
    path: Path
    line: int | None


def scan(assignment: Assignment, files: Iterable[Path]) -> list[Leak]:
    """Look for what is hidden of an assignment in these files, of any kind and from anywhere.

    Raises:
        CourseError: a canary or the salt is too short to be told from chance.
    """
    secrets = list(_secrets(assignment))
    found: dict[Leak, None] = {}
    for path in files:
        for place, text in _texts(path.read_bytes(), _DEPTH):
            forms = list(_forms(text, _DEPTH))
            for secret in secrets:
                if any(secret.text in form for form in forms):
                    found[Leak(path, place or _line(text, secret.text), secret.path, secret.line)] = None
    return list(found)


def _secrets(assignment: Assignment) -> Iterator[_Secret]:
    salt = assignment.course.salt
    if salt.is_file():
        yield _Secret(_token(_flat(salt.read_text(encoding="utf8", errors="replace")), salt, None), salt, None)
    shown = _flat("\n".join(line for path in (assignment.template, assignment.public_tests) for line in _read(path)))
    seen: set[str] = set()
    for path in sorted(assignment.solution.parent.rglob("*.py")):
        for number, line in enumerate(_read(path), 1):
            text = _flat(line)
            if canary := _CANARY.match(line):
                yield _Secret(_token(canary[1], path, number), path, number)
            elif _is_distinctive(text) and text not in shown and text not in seen:
                seen.add(text)
                yield _Secret(text, path, number)


def _is_distinctive(text: str) -> bool:
    words = set(re.findall(r"\w+", text)) - _PYTHON
    return len(text) >= DISTINCTIVE and len(words) >= _WORDS and not _IMPORT.match(text)


def _token(text: str, path: Path, line: int | None) -> str:
    if len(text) < _TOKEN:
        message = f"expected a secret of {_TOKEN} characters or more, received {len(text)}: it would be found anywhere"
        raise CourseError(message, path=path, line=line)
    return text


def _read(path: Path) -> list[str]:
    return path.read_text(encoding="utf8").split("\n") if path.is_file() else []


def _flat(text: str) -> str:
    """Collapse white space, so that a line is found however it was wrapped or indented."""
    return " ".join(text.split())


def _line(text: str, secret: str) -> str:
    """Return the line of a text in which a secret stands, as far as it stands in one."""
    number = next((number for number, line in enumerate(text.split("\n"), 1) if secret in _flat(line)), None)
    return f"line {number}" if number else "the file"


def _texts(content: bytes, depth: int) -> Iterator[tuple[str, str]]:
    """Yield the readable parts of a file, each with its place in it; an empty place means the file as a whole."""
    unpacked = list(_unpacked(content)) if depth else []
    for member, inner in unpacked:
        for place, text in _texts(inner, depth - 1):
            yield ", ".join(part for part in (member, place) if part), text
    if unpacked:
        return
    text = content.decode("utf8", errors="replace")
    try:
        data = json.loads(text) if text.lstrip().startswith(("{", "[")) else None
    except (ValueError, RecursionError):
        data = None
    if data is None:
        yield "", text
    else:
        yield from _decoded(data)


def _unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the members of a zip (also .npz, .whl) or gzip file; nothing when the content is neither."""
    try:
        if content.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                yield from ((name, archive.read(name)) for name in archive.namelist())
        elif content.startswith(b"\x1f\x8b"):
            yield "", gzip.decompress(content)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, RuntimeError, NotImplementedError):
        return


def _decoded(data: Any) -> Iterator[tuple[str, str]]:
    """Yield the text of parsed JSON: a notebook's by cell, any other as a whole."""
    if isinstance(data, dict) and isinstance(data.get("cells"), list):
        for position, cell in enumerate(data["cells"], 1):
            name = cell.get("id", position) if isinstance(cell, dict) else position
            yield f'cell "{name}"', "\n".join(_strings(cell))
        data = {key: value for key, value in data.items() if key != "cells"}
        yield "the notebook's metadata", "\n".join(_strings(data))
    else:
        yield "", "\n".join(_strings(data))


def _strings(data: Any) -> Iterator[str]:
    """Yield every string of parsed JSON; a list of strings is one text, as nbformat splits lines."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        if data and all(isinstance(item, str) for item in data):
            yield "".join(data)
        for item in data:
            yield from _strings(item)
    elif isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _strings(value)


def _forms(text: str, depth: int) -> Iterator[str]:
    """Yield a text as it stands, without escapes, and what its base64 stands for."""
    yield _flat(text)
    if "\\" in text:
        yield _flat(re.sub(r"\\+([\"'])", r"\1", re.sub(r"\\+[nrt]", " ", text)))
    for run in _BASE64.findall(text.translate(_URL_SAFE)) if depth else ():
        with suppress(binascii.Error):  # a long word that is no base64
            for _, inner in _texts(base64.b64decode(run + "=" * (-len(run) % 4)), depth - 1):
                yield from _forms(inner, depth - 1)
