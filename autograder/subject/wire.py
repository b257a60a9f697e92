"""The vocabulary of the messages: their bounds, records, dtypes, and the rules that both directions keep."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import ndarray

MAGIC = b"AGD1"
MIB = 2**20
NAME_LENGTH = 200
"""Characters of a type's name that are kept."""

COUNT = struct.Struct("<I")
INTEGER = struct.Struct("<q")
FLOAT = struct.Struct("<d")
COMPLEX = struct.Struct("<dd")

_CODES = {
    "?": "bool",
    "b": "int8",
    "h": "int16",
    "i": "int32",
    "q": "int64",
    "B": "uint8",
    "H": "uint16",
    "I": "uint32",
    "Q": "uint64",
    "e": "float16",
    "f": "float32",
    "d": "float64",
    "F": "complex64",
    "D": "complex128",
}
NATIVE = {ord(code): np.dtype(name) for code, name in _CODES.items()}
WIRE = {code: native.newbyteorder("<") for code, native in NATIVE.items()}
CODE_OF = {native: code for code, native in NATIVE.items()}
TEXT = ord("U")
BOOL = ord("?")
CHARACTER = np.dtype("<u4")
_BYTE = np.dtype("u1")


@dataclass(frozen=True)
class Bounds:
    """What one message may hold; ``text`` is in characters per string, ``bytes`` counts the whole message."""

    bytes: int = 64 * MIB
    items: int = 200_000
    depth: int = 24
    text: int = MIB
    integer_bits: int = 1024
    dimensions: int = 16


BOUNDS = Bounds()


class CodecError(Exception):
    """A value or a message that is out of bounds, or no message at all."""

    def __init__(self, what: str, expected: str, received: str) -> None:
        self.what = what
        self.expected = expected
        self.received = received
        super().__init__(f"{what}: expected {expected}, received {received}")


@dataclass(frozen=True)
class Opaque:
    """A value that is no data: its type's name only."""

    type_name: str


@dataclass(frozen=True)
class Handle:
    """A value that stayed in the subject, and the number to ask for it by."""

    number: int
    type_name: str


def type_name(kind: type) -> str:
    """Name a type as ``module.QualName``, printable and short, without running code of the type or its metaclass."""
    # `kind.__module__` would ask the metaclass first, which may define it as a property; these descriptors do not.
    name = type.__dict__["__qualname__"].__get__(kind)
    try:
        module = type.__dict__["__module__"].__get__(kind)
    except AttributeError:
        module = None
    known = [part for part in (module, name) if type(part) is str and part != "builtins"]
    return printable(".".join(known))


def printable(text: object) -> str:
    """Make a name fit to be shown, whatever it is."""
    if type(text) is not str:
        return "?"
    return "".join(letter if letter.isprintable() else "?" for letter in text[:NAME_LENGTH]) or "?"


def is_key(key: object) -> bool:
    """Tell whether ``key`` may be a dict's: a str, or an int too short to be one of many with the same hash."""
    return type(key) is str or (type(key) is int and -(2**63) <= key < 2**63)


def text_dtype(characters: int, bounds: Bounds) -> np.dtype[Any]:
    """Return the dtype of text items, as sent.

    Raises:
        CodecError: items without a character, or with too many.
    """
    if not 0 < characters <= bounds.text:
        raise CodecError("text array", f"1 to {bounds.text} characters per item", str(characters))
    return np.dtype(f"<U{characters}")


def check_shape(shape: tuple[int, ...], dtype: np.dtype[Any], bounds: Bounds) -> int:
    """Return the bytes of an array's items.

    An axis of length 0 does not excuse the others: a sum over it would fill them.

    Raises:
        CodecError: too many dimensions, or too large.
    """
    if len(shape) > bounds.dimensions:
        raise CodecError("array", f"at most {bounds.dimensions} dimensions", str(len(shape)))
    span = math.prod(length or 1 for length in shape) * dtype.itemsize
    if span > bounds.bytes:
        raise CodecError("array", f"at most {bounds.bytes} bytes", f"shape {shape} of {dtype.name}")
    return 0 if 0 in shape else span


def check_content(code: int, buffer: Any, offset: int, size: int) -> None:
    """Refuse items that NumPy itself would never make: a bool that is neither 0 nor 1, a character beyond Unicode.

    ``size`` bytes of items lie in ``buffer`` from ``offset`` on.

    Raises:
        CodecError: there is such an item.
    """
    if size == 0:
        return
    if code == BOOL and ndarray((size,), _BYTE, buffer, offset).max() > 1:
        raise CodecError("array of bool", "items 0 and 1", "others")
    if code == TEXT:
        letters: ndarray[Any, Any] = ndarray((size // CHARACTER.itemsize,), CHARACTER, buffer, offset)
        if letters.max() > 0x10FFFF or ((letters >= 0xD800) & (letters <= 0xDFFF)).any():
            raise CodecError("text array", "Unicode characters", "others")
