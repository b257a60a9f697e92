"""From messages to values. The message is hostile: nothing in it is believed before it fits the bytes that came."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy import ndarray

from autograder.subject.wire import (
    COMPLEX,
    COUNT,
    FLOAT,
    INTEGER,
    MAGIC,
    NAME_LENGTH,
    NATIVE,
    WIRE,
    Bounds,
    CodecError,
    Handle,
    Opaque,
    check_content,
    check_shape,
    is_key,
    printable,
    text_dtype,
    type_name,
)


class Reader:
    """One message being read; ``at`` is the next byte."""

    __slots__ = ("at", "bounds", "data", "end", "items_left")

    def __init__(self, data: bytes | memoryview, bounds: Bounds) -> None:
        self.data = data
        self.at = len(MAGIC)
        self.end = len(data)
        self.bounds = bounds
        self.items_left = bounds.items

    def _take(self, size: int) -> int:
        """Step over ``size`` bytes and return where they start."""
        start = self.at
        if size > self.end - start:
            raise CodecError("message", f"{size} bytes more", f"{self.end - start}")
        self.at = start + size
        return start

    def get(self, depth: int) -> object:
        """Read one value and all it holds."""
        self.items_left -= 1
        if self.items_left < 0:
            raise CodecError("message", f"at most {self.bounds.items} items", "more")
        if depth > self.bounds.depth:
            raise CodecError("message", f"at most {self.bounds.depth} levels of nesting", "more")
        tag = self.data[self._take(1)]
        read = _READERS.get(tag)
        if read is None:
            raise CodecError("message", "a tag of a value", f"byte {tag}")
        return read(self, depth)

    def _count(self) -> int:
        """Read a u32."""
        return cast(int, COUNT.unpack_from(self.data, self._take(4))[0])

    def _none(self, depth: int) -> None:
        return None

    def _true(self, depth: int) -> bool:
        return True

    def _false(self, depth: int) -> bool:
        return False

    def _int(self, depth: int) -> int:
        return cast(int, INTEGER.unpack_from(self.data, self._take(8))[0])

    def _large_int(self, depth: int) -> int:
        size = self._count()
        start = self._take(size)
        value = int.from_bytes(self.data[start : start + size], "little", signed=True)
        if value.bit_length() > self.bounds.integer_bits:
            raise CodecError("integer", f"at most {self.bounds.integer_bits} bits", f"{value.bit_length()} bits")
        return value

    def _float(self, depth: int) -> float:
        return cast(float, FLOAT.unpack_from(self.data, self._take(8))[0])

    def _complex(self, depth: int) -> complex:
        return complex(*COMPLEX.unpack_from(self.data, self._take(16)))

    def _text(self, depth: int) -> str:
        size = self._count()
        if size > 4 * self.bounds.text:
            raise CodecError("text", f"at most {self.bounds.text} characters", f"{size} bytes")
        start = self._take(size)
        try:
            text = str(self.data[start : start + size], "utf-8")
        except UnicodeDecodeError:
            raise CodecError("text", "UTF-8", "other bytes") from None
        if len(text) > self.bounds.text:
            raise CodecError("text", f"at most {self.bounds.text} characters", f"{len(text)} characters")
        return text

    def _numpy_text(self, depth: int) -> np.str_:
        return np.str_(self._text(depth))

    def _bytes(self, depth: int) -> bytes:
        size = self._count()
        start = self._take(size)
        return bytes(self.data[start : start + size])

    def _code(self) -> int:
        """Read the code of a number's dtype."""
        code = self.data[self._take(1)]
        if code not in WIRE:
            raise CodecError("message", "a code of a dtype", f"byte {code}")
        return code

    def _scalar(self, depth: int) -> object:
        code = self._code()
        wire = WIRE[code]
        start = self._take(wire.itemsize)
        check_content(code, self.data, start, wire.itemsize)
        return ndarray((), wire, self.data, start)[()]

    def _array(self, depth: int) -> ndarray[Any, Any]:
        if self.data[self.at : self.at + 1] == b"U":
            code = self.data[self._take(1)]
            wire = text_dtype(self._count(), self.bounds)
            native = wire.newbyteorder("=")
        else:
            code = self._code()
            wire, native = WIRE[code], NATIVE[code]
        dimensions = self.data[self._take(1)]
        shape = struct.unpack_from(f"<{dimensions}Q", self.data, self._take(8 * dimensions))
        size = check_shape(shape, wire, self.bounds)
        start = self._take(size)
        check_content(code, self.data, start, size)
        if size == 0:
            return ndarray(shape, native)
        return ndarray(shape, wire, self.data, start).astype(native)

    def _items(self, depth: int) -> list[object]:
        count = self._count()
        if count > self.items_left:
            raise CodecError("message", f"at most {self.bounds.items} items", "more")
        return [self.get(depth + 1) for _ in range(count)]

    def _tuple(self, depth: int) -> tuple[object, ...]:
        return tuple(self._items(depth))

    def _dict(self, depth: int) -> dict[object, object]:
        count = self._count()
        found: dict[object, object] = {}
        for _ in range(count):
            key = self.get(depth + 1)
            if not is_key(key):
                raise CodecError("key", "a str or a 64-bit int", type_name(type(key)))
            if key in found:
                raise CodecError("dict", "each key once", "one twice")
            found[key] = self.get(depth + 1)
        return found

    def _opaque(self, depth: int) -> Opaque:
        return Opaque(self._name(depth))

    def _handle(self, depth: int) -> Handle:
        return Handle(self._count(), self._name(depth))

    def _name(self, depth: int) -> str:
        """Read the name of a type."""
        name = self._text(depth)
        if printable(name) != name:
            raise CodecError("name of a type", f"at most {NAME_LENGTH} printable characters", ascii(name[:NAME_LENGTH]))
        return name


_READERS: dict[int, Callable[[Reader, int], object]] = {
    ord("N"): Reader._none,
    ord("T"): Reader._true,
    ord("F"): Reader._false,
    ord("i"): Reader._int,
    ord("I"): Reader._large_int,
    ord("d"): Reader._float,
    ord("c"): Reader._complex,
    ord("s"): Reader._text,
    ord("w"): Reader._numpy_text,
    ord("b"): Reader._bytes,
    ord("g"): Reader._scalar,
    ord("a"): Reader._array,
    ord("L"): Reader._items,
    ord("t"): Reader._tuple,
    ord("D"): Reader._dict,
    ord("O"): Reader._opaque,
    ord("H"): Reader._handle,
}
