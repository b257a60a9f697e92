"""The bytes of a submission, read into cells of which only the kind, the text and the grade id are kept.

nbformat's own reader is made for friends: its upgrade and validation walk the whole tree, outputs included, and raise
whatever the tree makes them raise. Nothing but the text of the cells is wanted here, so it is taken out directly, for
all versions 3 and 4 of the format, after its size, its depth and the number of its parts were bounded.
"""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass
from typing import Any

from autograder.errors import SubmissionError
from autograder.figures import is_figure
from autograder.rubric import Limits

DEPTH = 200
"""Nesting of the JSON; notebooks with rich outputs stay below 40."""

PARTS = 2_000_000
"""Brackets and commas in the JSON: in memory a part costs many times its bytes in the file."""

_AGAIN = "Download it again from Jupyter with File > Save and Export Notebook As > Notebook, and submit that file."
_KINDS = {"code": "code", "markdown": "markdown", "heading": "markdown", "html": "markdown", "raw": "markdown"}
"""Kinds of cells and what becomes of them. Raw text would go into HTML pages as it is, so it is shown as Markdown."""

_STRING = re.compile(r'"[^"]*"?')
_FILLING = re.compile(r"[^][{},]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Cell:
    """One cell as submitted; ``kind`` is ``code`` or ``markdown``.

    ``prints`` and ``pictures`` are what a figure showed when it was saved: text, and PNG files in base64.
    """

    kind: str
    source: str
    grade_id: str | None
    prints: str = ""
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Received:
    """A submitted notebook; ``kernel`` and ``language`` are what it says of itself."""

    cells: tuple[Cell, ...]
    kernel: str | None
    language: str | None


def read(submitted: bytes, limits: Limits) -> Received:
    """Read a notebook file.

    Raises:
        SubmissionError: it is none that can be read; the message is for the student.
    """
    data = _parse(_text(submitted, limits))
    if not isinstance(data, dict):
        raise SubmissionError(f"Your file is not a notebook: it is JSON, but it holds no cells. {_AGAIN}")
    found = data.get("metadata")
    metadata = found if isinstance(found, dict) else {}
    return Received(
        cells=tuple(_cell(number, cell) for number, cell in enumerate(_cells(data), 1)),
        kernel=_name(metadata, "kernelspec", "name"),
        language=_name(metadata, "language_info", "name") or _name(metadata, "kernelspec", "language"),
    )


def _text(submitted: bytes, limits: Limits) -> str:
    if len(submitted) > limits.notebook_mib * 2**20:
        raise SubmissionError(
            f"Your notebook has {len(submitted) / 2**20:.1f} MiB and at most {limits.notebook_mib} MiB are accepted. "
            "Clear the outputs with Edit > Clear Outputs of All Cells, save, and submit again."
        )
    if not submitted.strip():
        raise SubmissionError("Your file is empty. Save your notebook in Jupyter, and submit the saved file.")
    try:
        return submitted.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SubmissionError(f"Your file is not a notebook: it is not UTF-8 text. {_AGAIN}") from None


def _parse(text: str) -> Any:
    _check_structure(text)
    try:
        # No integer matters but the format's version, and one of a million digits would take long, or raise.
        return json.loads(text, parse_int=lambda digits: int(digits[:9]))
    except (ValueError, RecursionError):
        raise SubmissionError(f"Your file is not a notebook: it is not valid JSON. {_AGAIN}") from None


def _check_structure(text: str) -> None:
    """Bound the parts and their depth before the parser makes objects of them."""
    plain = text.replace("\\\\", "").replace('\\"', "")  # now every quote opens or closes a string
    parts = _FILLING.sub("", _STRING.sub("", plain))
    depths = itertools.accumulate(1 if bracket in "[{" else -1 for bracket in parts.replace(",", ""))
    if len(parts) > PARTS or max(depths, default=0) > DEPTH:
        raise SubmissionError(
            "Your file is not a notebook that can be read: its JSON is nested too deeply or has too many parts. "
            "Clear the outputs with Edit > Clear Outputs of All Cells, save, and submit again."
        )


def _cells(data: dict[str, Any]) -> list[Any]:
    version = data.get("nbformat")
    if type(version) is not int:
        raise SubmissionError(f"Your file is not a notebook: it does not say which notebook format it has. {_AGAIN}")
    if version not in (3, 4):
        age = "too new" if version > 4 else "too old"
        raise SubmissionError(
            f"Your notebook is in format {version}, which is {age}: expected format 4. "
            "Open it in the course's Jupyter, save it there, and submit that file."
        )
    cells = data.get("cells") if version == 4 else _worksheet_cells(data.get("worksheets"))
    if not isinstance(cells, list):
        raise SubmissionError(f"Your file is not a notebook: it has no list of cells. {_AGAIN}")
    return cells


def _worksheet_cells(worksheets: Any) -> list[Any] | None:
    if not isinstance(worksheets, list) or not all(isinstance(sheet, dict) for sheet in worksheets):
        return None
    lists = [sheet.get("cells") for sheet in worksheets]
    return list(itertools.chain.from_iterable(lists)) if all(isinstance(cells, list) for cells in lists) else None


def _cell(number: int, cell: Any) -> Cell:
    kind = cell.get("cell_type") if isinstance(cell, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        raise SubmissionError(f"Your notebook is damaged: its cell {number} is neither code nor text. {_AGAIN}")
    source = _text_of(cell.get("source", cell.get("input")))  # format 3 has the code of a cell in `input`
    if source is None:
        raise SubmissionError(f"Your notebook is damaged: its cell {number} has no text. {_AGAIN}")
    if kind == "heading":
        level = cell.get("level")
        source = f"{'#' * (level if type(level) is int and 0 < level < 7 else 1)} {source}"
    grade_id = _name(cell.get("metadata"), "nbgrader", "grade_id")
    found = cell.get("outputs")
    if kind != "code" or not is_figure(source) or not isinstance(found, list):
        return Cell(_KINDS[kind], _clean(source), grade_id)
    outputs = [output for output in found if isinstance(output, dict)]
    return Cell("code", _clean(source), grade_id, *_shown(outputs))


def _shown(outputs: list[dict[str, Any]]) -> tuple[str, tuple[str, ...]]:
    """Return what a figure had printed, and the pictures that it had drawn."""
    prints = [text for output in outputs if (text := _text_of(output.get("text"))) is not None]
    data = [output["data"] for output in outputs if isinstance(output.get("data"), dict)]
    pictures = [text for one in data if (text := _text_of(one.get("image/png"))) is not None]
    return _clean("".join(prints)), tuple(map(_clean, pictures))


def _text_of(value: Any) -> str | None:
    """Join lines as nbformat splits them; None when it is no text."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(value)
    return value if isinstance(value, str) else None


def _clean(source: str) -> str:
    """Return text that can be written as UTF-8, with one kind of line ends."""
    return _SURROGATE.sub("\ufffd", source.replace("\r\n", "\n").replace("\r", "\n"))


def _name(metadata: Any, table: str, key: str) -> str | None:
    inner = metadata.get(table) if isinstance(metadata, dict) else None
    value = inner.get(key) if isinstance(inner, dict) else None
    return value if isinstance(value, str) else None
