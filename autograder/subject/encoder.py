"""From values to messages, without running code that a student could have put into a value."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Any, NoReturn, cast

import numpy as np
from numpy import asarray, ndarray

from autograder.subject.wire import (
    CHARACTER,
    CODE_OF,
    COMPLEX,
    COUNT,
    FLOAT,
    INTEGER,
    MAGIC,
    TEXT,
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

_DTYPE_WORDS = {
    "O": "object",
    "V": "void",
    "S": "bytes",
    "M": "datetime64",
    "m": "timedelta64",
    "T": "string",
    "f": "extended float",
    "c": "extended complex",
    "U": "empty text",
}


class Writer:
    """One message being written, as parts that are joined at the end."""

    __slots__ = ("bounds", "convert", "items_left", "parts", "room")

    def __init__(self, bounds: Bounds, convert: Callable[[object], object] | None) -> None:
        self.bounds = bounds
        self.convert = convert
        self.parts: list[bytes | memoryview] = [MAGIC]
        self.items_left = bounds.items
        self.room = bounds.bytes

    def put(self, value: object, depth: int) -> None:
        """Append one value and all it holds."""
        self.items_left -= 1
        if self.items_left < 0:
            self._crowd()
        if depth > self.bounds.depth:
            raise CodecError("value", f"at most {self.bounds.depth} levels of nesting", "more, or a cycle")
        # By identity: to look a type up by itself would call its metaclass's __hash__ and __eq__.
        write = _WRITERS.get(id(type(value)), Writer._other)
        write(self, value, depth)

    def overflow(self, size: int) -> NoReturn:
        """Raise for a message of ``size`` bytes."""
        raise CodecError("value", f"at most {self.bounds.bytes} bytes", f"{size} bytes or more")

    def reserve(self, size: int) -> None:
        """Count ``size`` bytes before they are made."""
        self.room -= size
        if self.room < 0:
            self.overflow(self.bounds.bytes - self.room)

    def _crowd(self) -> NoReturn:
        raise CodecError("value", f"at most {self.bounds.items} items", "more")

    def _none(self, value: None, depth: int) -> None:
        self.parts.append(b"N")

    def _bool(self, value: bool, depth: int) -> None:
        self.parts.append(b"T" if value else b"F")

    def _int(self, value: int, depth: int) -> None:
        bits = value.bit_length()
        if bits < 64:
            self.parts.append(b"i" + INTEGER.pack(value))
            return
        if bits > self.bounds.integer_bits:
            raise CodecError("integer", f"at most {self.bounds.integer_bits} bits", f"{bits} bits")
        raw = value.to_bytes(bits // 8 + 1, "little", signed=True)
        self.parts.append(b"I" + COUNT.pack(len(raw)) + raw)

    def _float(self, value: float, depth: int) -> None:
        self.parts.append(b"d" + FLOAT.pack(value))

    def _complex(self, value: complex, depth: int) -> None:
        self.parts.append(b"c" + COMPLEX.pack(value.real, value.imag))

    def _text(self, value: str, depth: int, tag: bytes = b"s") -> None:
        if len(value) > self.bounds.text:
            raise CodecError("text", f"at most {self.bounds.text} characters", f"{len(value)} characters")
        try:
            raw = value.encode("utf-8")
        except UnicodeEncodeError:
            raise CodecError("text", "Unicode characters", "half of a surrogate pair") from None
        self.reserve(len(raw))
        self.parts.append(tag + COUNT.pack(len(raw)) + raw)

    def _numpy_text(self, value: np.str_, depth: int) -> None:
        self._text(value, depth, b"w")

    def _bytes(self, value: bytes, depth: int) -> None:
        self.reserve(len(value))
        self.parts += (b"b" + COUNT.pack(len(value)), value)

    def _scalar(self, value: np.generic, depth: int) -> None:
        code = CODE_OF[value.dtype]
        self.parts.append(b"g" + bytes((code,)) + asarray(value, WIRE[code]).tobytes())

    def _array(self, value: ndarray[Any, Any], depth: int) -> None:
        dtype = _native(value.dtype)
        code = CODE_OF.get(dtype)
        if code is not None:
            head, wire = bytes((code,)), WIRE[code]
        elif _is_text(dtype):
            code, characters = TEXT, dtype.itemsize // CHARACTER.itemsize
            head, wire = b"U" + COUNT.pack(characters), text_dtype(characters, self.bounds)
        else:
            self._converted(value, depth)
            return
        check_shape(value.shape, wire, self.bounds)
        self.reserve(value.nbytes)
        plain = value.astype(wire, order="C", copy=False)
        check_content(code, plain, 0, plain.nbytes)
        self.parts += (b"a" + head + struct.pack(f"<B{plain.ndim}Q", plain.ndim, *plain.shape), plain.data)

    def _list(self, value: list[object], depth: int) -> None:
        self._items(b"L", value, len(value), depth)

    def _tuple(self, value: tuple[object, ...], depth: int) -> None:
        self._items(b"t", tuple.__iter__(value), tuple.__len__(value), depth)

    def _items(self, tag: bytes, values: Iterable[object], count: int, depth: int) -> None:
        if count > self.items_left:
            self._crowd()
        # A copy, because another thread of the student's may change the list meanwhile.
        items = tuple(values)
        self.parts.append(tag + COUNT.pack(len(items)))
        for item in items:
            self.put(item, depth + 1)

    def _dict(self, value: dict[object, object], depth: int) -> None:
        if 2 * dict.__len__(value) > self.items_left:
            self._crowd()
        entries = tuple(dict.items(value))
        if not all(is_key(key) for key, _ in entries):
            self._converted(value, depth)
            return
        self.parts.append(b"D" + COUNT.pack(len(entries)))
        for key, item in entries:
            self.put(key, depth + 1)
            self.put(item, depth + 1)

    def _opaque(self, value: Opaque, depth: int) -> None:
        self._text(printable(value.type_name), depth, b"O")

    def _handle(self, value: Handle, depth: int) -> None:
        if type(value.number) is not int or not 0 <= value.number < 2**32:
            raise CodecError("handle", "a number from 0 to 2**32 - 1", "another value")
        self.parts.append(b"H" + COUNT.pack(value.number))
        self._text(printable(value.type_name), depth, b"")

    def _other(self, value: object, depth: int) -> None:
        """Append a value of a type that has no tag."""
        kind = type(value)
        if issubclass(kind, tuple):
            self._tuple(cast("tuple[object, ...]", value), depth)
        elif issubclass(kind, dict):
            self._dict(cast("dict[object, object]", value), depth)
        else:
            self._converted(value, depth)

    def _converted(self, value: object, depth: int) -> None:
        """Append what the converter makes of ``value``, or its type's name."""
        answer = Opaque(_describe(value)) if self.convert is None else self.convert(value)
        if not _is_data(answer):
            answer = Opaque(_describe(answer))
        _WRITERS[id(type(answer))](self, answer, depth)


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return dtype if dtype.isnative else dtype.newbyteorder("=")


def _is_text(dtype: np.dtype[Any]) -> bool:
    return dtype.char == "U" and dtype.itemsize > 0


def _is_data(value: object) -> bool:
    """Tell whether there is a tag for a value; the items of a container may still need the converter."""
    if type(value) is dict:
        return all(is_key(key) for key in tuple(value))
    if type(value) is ndarray:
        dtype = _native(value.dtype)
        return dtype in CODE_OF or _is_text(dtype)
    return id(type(value)) in _WRITERS


def _describe(value: object) -> str:
    """Name what is no data, with the reason where the type alone does not say it."""
    name = type_name(type(value))
    if type(value) is ndarray:
        kind = value.dtype.kind
        return f"{name} of {_DTYPE_WORDS.get(kind, kind)}"
    if type(value) is dict:
        foreign = [type_name(type(key)) for key in tuple(value) if not is_key(key)]
        return f"{name} with keys of {foreign[0]}" if foreign else name
    return name


_SCALARS = (
    np.bool_,
    np.byte,
    np.short,
    np.intc,
    np.int_,
    np.longlong,
    np.ubyte,
    np.ushort,
    np.uintc,
    np.uint,
    np.ulonglong,
    np.half,
    np.single,
    np.double,
    np.csingle,
    np.cdouble,
)

_WRITERS: dict[int, Callable[[Writer, Any, int], None]] = {
    id(type(None)): Writer._none,
    id(bool): Writer._bool,
    id(int): Writer._int,
    id(float): Writer._float,
    id(complex): Writer._complex,
    id(str): Writer._text,
    id(bytes): Writer._bytes,
    id(list): Writer._list,
    id(tuple): Writer._tuple,
    id(dict): Writer._dict,
    id(ndarray): Writer._array,
    id(np.str_): Writer._numpy_text,
    id(Opaque): Writer._opaque,
    id(Handle): Writer._handle,
    **{id(kind): Writer._scalar for kind in _SCALARS},
}
