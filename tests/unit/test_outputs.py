"""What a student wrote or displayed is shown, and does nothing, in the executed notebook."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest

from autograder.examine import outputs
from autograder.examine.outputs import finished


def _finished(*cells: Any, released: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(finished(nbformat.v4.new_notebook(cells=list(cells)), (), released))[
        "cells"
    ]
    return found


def _displayed(kind: str, text: str) -> dict[str, Any]:
    shown = nbformat.v4.new_output("display_data", {kind: text})
    (cell,) = _finished(nbformat.v4.new_code_cell("1", outputs=[shown]))
    data: dict[str, Any] = cell["outputs"][0]["data"]
    return {key: "".join(value) for key, value in data.items()}


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "<b onclick=x>", "</div>", "<!-- -->", "<?php", "<IMG SRC=x>", "<svg/onload=x>"],
)
def test_a_tag_in_a_cell_of_text_is_shown(text: str) -> None:
    """It is no tag any more, as no letter follows its bracket, and can still be read."""
    (cell,) = _finished(nbformat.v4.new_markdown_cell(f"see {text} and $a < b$"))
    assert "".join(cell["source"]) == f"see {text.replace('<', '< ')} and $a < b$"


@pytest.mark.parametrize(
    "text", ["**a** <b>b</b><br> 1 < 2", "[a](https://x.org/a:b) ![p](pic.png)", "<https://x.org>"]
)
def test_harmless_text_stays(text: str) -> None:
    """Emphasis, comparisons, links to the web and pictures beside the notebook."""
    assert "".join(_finished(nbformat.v4.new_markdown_cell(text))[0]["source"]) == text


@pytest.mark.parametrize("link", ["javascript:x", " JaVaScript:x", "java&#115;cript:x", "data:text/html,x", "vb\\:x"])
def test_a_link_that_is_a_program_leads_nowhere(link: str) -> None:
    """However its scheme is written it becomes a place in the same page."""
    (cell,) = _finished(nbformat.v4.new_markdown_cell(f"[x]({link})"))
    assert "".join(cell["source"]).replace(" ", "").startswith("[x](#")


def test_what_was_released_is_the_author_s() -> None:
    """HTML that the author wrote stays."""
    text = "<div class='hint'>Look at the sign.</div>"
    (cell,) = _finished(nbformat.v4.new_markdown_cell(text), released=frozenset({text}))
    assert "".join(cell["source"]) == text


def test_html_that_takes_too_long_to_clean_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for all of a notebook is bounded, and what is too slow says so."""
    monkeypatch.setattr(outputs, "_CLEANING_S", 0.2)
    assert "took too long" in _displayed("text/html", "<b><i><a>" * 20_000)["text/plain"]
    assert _displayed("text/html", "<b>x</b>") == {"text/html": "<b>x</b>"}


def test_letters_that_turn_a_line_round_are_taken_out() -> None:
    """Their marks are of use to nobody but who wants to be misread; Hebrew and Arabic do without."""
    assert _displayed("text/plain", "a\u202eb\u2066c \u05d0\u200f") == {"text/plain": "abc \u05d0\u200f"}
