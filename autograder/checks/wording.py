"""Values in words: short, bounded, and safe to print whatever a student's code returned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.subject.wire import Handle, Opaque

_LONGEST_NAME = 60
_WIDEST_INTEGER_BITS = 128


def describe(value: object) -> str:
    """Say in a few words what ``value`` is, with advice where one mistake is likely. Never prints a whole array."""
    for kinds, words in _WORDS:
        if isinstance(value, kinds):
            return words(value)
    return f"an object of type {printable(type(value).__name__)}"


def number(value: Any, other: Any = None) -> str:
    """Write a number with seven digits, or with all of them where it would read the same as ``other``."""
    if isinstance(value, (int, np.integer)):
        whole = int(value)
        return str(whole) if whole.bit_length() <= _WIDEST_INTEGER_BITS else f"one of {whole.bit_length()} bits"
    short = f"{value:.7g}"
    return short if other is None or f"{other:.7g}" != short else f"{value:.17g}"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def printable(text: str) -> str:
    """Cut a text that a student may have chosen, and drop what is not printable."""
    kept = "".join(letter for letter in text if letter.isprintable())
    return kept if len(kept) <= _LONGEST_NAME else kept[:_LONGEST_NAME] + "..."


def _sized(value: Any) -> str:
    return f"a {type(value).__name__} of {plural(len(value), 'item')}"


_WORDS: tuple[tuple[tuple[type, ...], Callable[[Any], str]], ...] = (
    ((type(None),), lambda _: "None (is there a `return`?)"),
    ((np.ndarray,), lambda value: f"an array of shape {value.shape}, dtype {printable(str(value.dtype))}"),
    ((bool, np.bool_), lambda value: f"a truth value, {bool(value)}"),
    ((int, np.integer), lambda value: f"an integer, {number(value)}"),
    ((float, np.floating), lambda value: f"a float, {number(value)}"),
    ((str,), lambda _: "a string"),
    ((bytes,), lambda _: "bytes"),
    ((list,), lambda value: f"{_sized(value)} (np.array(...) makes an array of a list)"),
    ((tuple, dict), _sized),
    ((Opaque, Handle), lambda value: f"an object of type {printable(value.type_name)}"),
)
"""The first row that fits gives the words; a bool is an int, so it comes first."""
