"""Data only: the one format that crosses between a subject and its examiner.

A message is ``MAGIC`` and one value. A value is a tag byte and what follows it, integers little-endian:

    N  T  F             None, True, False
    i  8 bytes          int that fits 64 bits            I  u32 n, n bytes    a larger one, two's complement
    d  8 bytes          float                            c  16 bytes          complex
    s  u32 n, n bytes   str, UTF-8                       w  as s              numpy.str_
    b  u32 n, n bytes   bytes                            g  code, item        NumPy scalar
    a  code, u8 ndim, ndim u64, items                    array in C order (text: u32 characters per item after the code)
    L  t  u32 n, n values     list, tuple                D  u32 n, n keys and values    dict, keys s or i
    O  as s             Opaque                           H  u32, as s         Handle

The length of an array's items follows from its code and shape, so no message can contradict itself. Nothing in
it names code, a class or a file. The sender may be a student's program: ``decode`` believes nothing before it has
compared it with the bytes that are there, and a message costs memory in proportion to its length, whatever it claims.
"""

from __future__ import annotations

from collections.abc import Callable

from autograder.subject.decoder import Reader
from autograder.subject.encoder import Writer
from autograder.subject.wire import BOUNDS, MAGIC, Bounds, CodecError, Handle, Opaque, type_name

__all__ = ["BOUNDS", "Bounds", "CodecError", "Handle", "Opaque", "decode", "encode", "type_name"]


def encode(value: object, bounds: Bounds = BOUNDS, *, convert: Callable[[object], object] | None = None) -> bytes:
    """Write one value.

    What is no data is given to ``convert``, whose answer is written in its place, and becomes an ``Opaque`` if there is
    no ``convert`` or the answer is no data either. A subclass of tuple or dict is written as a plain one; no method
    that a student could have overridden is called.

    Raises:
        CodecError: the value is out of bounds; a cycle shows as too deep.
    """
    writer = Writer(bounds, convert)
    writer.put(value, 0)
    message = b"".join(writer.parts)
    if len(message) > bounds.bytes:
        writer.overflow(len(message))
    return message


def decode(data: bytes | memoryview, bounds: Bounds = BOUNDS) -> object:
    """Read one value; arrays are fresh, writable, and in native byte order.

    Raises:
        CodecError: ``data`` is anything but one whole message within the bounds.
    """
    if len(data) > bounds.bytes:
        raise CodecError("message", f"at most {bounds.bytes} bytes", f"{len(data)} bytes")
    if data[: len(MAGIC)] != MAGIC:
        raise CodecError("message", f"{MAGIC!r} first", repr(bytes(data[: len(MAGIC)])))
    reader = Reader(data, bounds)
    value = reader.get(0)
    if reader.at != reader.end:
        raise CodecError("message", "nothing after the value", f"{reader.end - reader.at} bytes")
    return value
