"""What crosses the boundary is data, whole or not at all, whatever the other side sends."""

from __future__ import annotations

import struct
import time
import tracemalloc
from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.subject.codec import Bounds, CodecError, Handle, Opaque, decode, encode, type_name

MAGIC = encode(None)[:-1]
CODES = "?bhiqBHIQefdFD"
Point = namedtuple("Point", "x y")

dtypes = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(sizes=(16, 32, 64), endianness="?"),
    hnp.complex_number_dtypes(sizes=(64, 128), endianness="?"),
    hnp.unicode_string_dtypes(endianness="?", max_len=5),
)
arrays = hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
scalars = st.one_of(
    *(hnp.from_dtype(np.dtype(code)) for code in CODES),
    hnp.from_dtype(np.dtype("U4")),
)
texts = st.text(max_size=20)
names = st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=20)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**1023), 2**1023), st.floats(), st.complex_numbers(), texts,
    st.binary(max_size=20), arrays, scalars, names.map(Opaque), st.builds(Handle, st.integers(0, 2**32 - 1), names),
)  # fmt: skip
keys = st.one_of(texts, st.integers(-(2**63), 2**63 - 1))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.lists(inner, max_size=4).map(tuple), st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)


def trace(value: Any) -> object:
    """Render a value so that two traces are equal if the values agree in type and bit for bit, byte order apart."""
    if isinstance(value, np.ndarray | np.generic):
        native = value.astype(value.dtype.newbyteorder("="))
        return isinstance(value, np.ndarray), native.dtype.str, value.shape, native.tobytes()
    if isinstance(value, float):
        return float, struct.pack("d", value)
    if isinstance(value, complex):
        return complex, struct.pack("dd", value.real, value.imag)
    if isinstance(value, list | tuple):
        return type(value), [trace(item) for item in value]
    if isinstance(value, dict):
        return type(value), [(trace(key), trace(item)) for key, item in value.items()]
    return type(value), value


def array_head(code: bytes, *shape: int) -> bytes:
    """The bytes of a message up to an array's items."""
    return MAGIC + b"a" + code + struct.pack(f"<B{len(shape)}Q", len(shape), *shape)


@given(values)
@settings(deadline=None)
def test_round_trip(value: object) -> None:
    """Every value comes back in its exact type, bit for bit."""
    assert trace(value) == trace(decode(encode(value)))


@given(values)
@settings(deadline=None)
def test_one_message_per_value(value: object) -> None:
    """What was read is written as the same message again."""
    message = encode(value)
    assert encode(decode(message)) == message
    assert encode(decode(memoryview(message))) == message


@given(arrays, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_memory_layout(array: Any, random: Any) -> None:
    """A view of any strides and order arrives as a fresh, writable, contiguous array."""
    axes = list(range(array.ndim))
    random.shuffle(axes)
    index = (..., *(slice(None, None, random.choice([1, -1, 2])) for _ in axes))
    view = array.transpose(axes)[index]
    for shown in (view, np.asfortranarray(view) if view.ndim else view):
        received: Any = decode(encode(shown))
        assert trace(np.array(shown, order="C")) == trace(received)
        assert received.flags.c_contiguous and received.flags.writeable and received.flags.owndata


def test_decoded_arrays_are_copies() -> None:
    """To write into a decoded array leaves the message alone."""
    message = encode(np.zeros(3))
    received: Any = decode(message)
    received[:] = 7
    assert trace(decode(message)) == trace(np.zeros(3))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Point(1, [2]), (1, [2])),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(str, {2: "b"}), {2: "b"}),
        (np.longlong(3), np.int64(3)),
        (np.array([1, 2], "q"), np.array([1, 2], "int64")),
    ],
)
def test_plain_kinds(value: object, expected: object) -> None:
    """Subclasses of containers, and NumPy types of the same width, arrive as the plain ones."""
    assert trace(decode(encode(value))) == trace(expected)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (np.array([None]), "numpy.ndarray of object"),
        (np.zeros(2, "S3"), "numpy.ndarray of bytes"),
        (np.zeros(2, "M8[s]"), "numpy.ndarray of datetime64"),
        (np.zeros(2, "f8, i4"), "numpy.ndarray of void"),
        (np.zeros(2, np.longdouble), "numpy.ndarray of extended float"),
        (np.ma.array([1, 2]), type_name(np.ma.MaskedArray)),
        (np.zeros(2).view(np.recarray), type_name(np.recarray)),
        (np.datetime64("2024-01-01"), "numpy.datetime64"),
        (np.bytes_(b"x"), "numpy.bytes_"),
        ({1.5: 2}, "dict with keys of float"),
        ({True: 2}, "dict with keys of bool"),
        ({2**70: 2}, "dict with keys of int"),
        ({1, 2}, "set"),
        (len, "builtin_function_or_method"),
        (pytest, "module"),
        (range(3), "range"),
    ],
)
def test_opaque(value: object, name: str) -> None:
    """What is no data arrives as the name of its type."""
    assert decode(encode([value])) == [Opaque(name)]


TOUCHED: list[str] = []


def _trap(name: str) -> Any:
    def method(*args: object, **kwargs: object) -> Any:
        TOUCHED.append(name)
        raise RuntimeError(name)

    return method


class TrapMeta(type):
    """A metaclass whose hooks are traps."""

    __hash__ = _trap("meta.__hash__")
    __eq__ = _trap("meta.__eq__")
    __getattribute__ = _trap("meta.__getattribute__")
    __instancecheck__ = _trap("__instancecheck__")
    __subclasscheck__ = _trap("__subclasscheck__")


HOOKS = (
    *("__len__", "__iter__", "__getitem__", "items", "keys", "values", "__hash__", "__eq__", "__bool__", "__int__"),
    *("__index__", "__float__", "__repr__", "__str__", "__array__", "__array_finalize__", "__array_interface__"),
    *("__reduce__", "__reduce_ex__", "__getattribute__", "bit_length", "encode", "astype"),
)


@pytest.mark.parametrize("base", [object, int, float, str, bytes, list, tuple, dict, set, np.float64, np.str_])
def test_no_student_method_is_called(base: Any) -> None:
    """Neither an overridden method nor a metaclass runs when a value is written."""
    kind: Any = TrapMeta("Trapped", (base,), {name: _trap(name) for name in HOOKS})
    value = base.__new__(kind)
    TOUCHED.clear()
    received = decode(encode(value))
    assert TOUCHED == []
    assert type(received) in (tuple, dict, Opaque)


def test_array_subclass() -> None:
    """An array type of the student's own is not unpacked."""
    kind = type("Tensor", (np.ndarray,), {"__array_finalize__": lambda *_: None, "astype": _trap("astype")})
    received: Any = decode(encode(np.zeros(2).view(kind)))
    assert isinstance(received, Opaque) and received.type_name.endswith("Tensor")


def test_type_name() -> None:
    """The name of a type is short and printable, whatever the type claims."""
    kind = type("x\x1b[31m\x07" + "y" * 500, (), {"__module__": 5})
    name = type_name(kind)
    assert name.startswith("x?[31m?y") and len(name) == 200
    assert type_name(eval("type('Homeless', (), {})", {})) == "Homeless"


def test_converter() -> None:
    """The converter is asked about what is no data, and only about that."""
    seen: list[object] = []

    def convert(value: object) -> object:
        seen.append(value)
        return Handle(4, "set") if type(value) is set else value

    assert decode(encode([1, {2}, {"a": 3j}, range(2)], convert=convert)) == [
        1,
        Handle(4, "set"),
        {"a": 3j},
        Opaque("range"),
    ]
    assert seen == [{2}, range(2)]


def test_converter_nested() -> None:
    """What the converter answers may hold what needs it again."""

    def convert(value: object) -> object:
        return sorted(value) if isinstance(value, frozenset) else [frozenset({1})]

    assert decode(encode({1, 2}, convert=convert)) == [[1]]


def test_endless_converter() -> None:
    """A converter that never ends shows as too deep."""
    with pytest.raises(CodecError, match="nesting"):
        encode(object(), convert=lambda value: [value])


def _cycle() -> list[object]:
    cycle: list[object] = []
    cycle.append({"again": cycle})
    return cycle


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (_cycle(), "nesting"),
        (2**1024, "1024 bits"),
        (-(2**1024) - 1, "1024 bits"),
        ("x" * 101, "100 characters"),
        ("\ud800", "surrogate"),
        ({"\ud800": 1}, "surrogate"),
        (np.array(["\udfff"]), "Unicode"),
        (b"x" * 5000, "4096 bytes"),
        (["x" * 100] * 50, "4096 bytes"),
        ([b"x" * 100] * 39, "4096 bytes"),
        (np.zeros(1000), "4096 bytes"),
        (np.zeros((0, 1000)), "4096 bytes"),
        (np.broadcast_to(1.0, (10**6, 10**6)), "4096 bytes"),
        (np.zeros((1,) * 17), "16 dimensions"),
        (np.zeros(2, "U101"), "100 characters"),
        (np.array([2], "u1").view(bool), "0 and 1"),
        ([0] * 1001, "1000 items"),
        ([[0] * 40] * 40, "1000 items"),
        (dict.fromkeys(range(501)), "1000 items"),
        (Handle(-1, "x"), "handle"),
        (Handle(2**32, "x"), "handle"),
        (Handle(True, "x"), "handle"),
    ],
)
def test_value_out_of_bounds(value: object, what: str) -> None:
    """A value out of bounds is an error of the sender, in words."""
    with pytest.raises(CodecError, match=what):
        encode(value, Bounds(bytes=4096, items=1000, text=100))


@pytest.mark.parametrize(
    "value",
    [[None] * 10**6, [np.zeros((2, 4000)).T] * 100, ["x" * 60_000] * 100, dict.fromkeys(range(10**5))],
    ids=["list", "arrays", "texts", "dict"],
)
def test_no_memory_for_what_will_not_fit(value: object) -> None:
    """A value far out of bounds is refused before it was copied."""
    tracemalloc.start()
    with pytest.raises(CodecError):
        encode(value, Bounds(bytes=2**16, items=1000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**18


@given(values, st.data())
@settings(deadline=None)
def test_wrong_length(value: object, data: st.DataObject) -> None:
    """A message that was cut short, or that runs on, is an error."""
    message = encode(value)
    with pytest.raises(CodecError):
        decode(message[: data.draw(st.integers(0, len(message) - 1))])
    with pytest.raises(CodecError):
        decode(message + data.draw(st.binary(min_size=1, max_size=3)))


@given(values, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
@settings(deadline=None)
def test_mutated_message(value: object, changes: list[tuple[int, int]]) -> None:
    """A message with some bytes changed is an error or another value."""
    message = bytearray(encode(value))
    for place, byte in changes:
        message[place % len(message)] = byte
    _value_or_error(bytes(message))


@given(st.binary(max_size=200))
@example(b"L" + b"\xff" * 4)
@settings(deadline=None)
def test_any_bytes(body: bytes) -> None:
    """Any bytes at all are an error or a value."""
    _value_or_error(body)
    _value_or_error(MAGIC + body)


def _value_or_error(message: bytes) -> None:
    try:
        value = decode(message)
    except CodecError:
        return
    assert trace(decode(encode(value))) == trace(value)


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (b"", "message"),
        (b"\x93NUMPY", "message"),
        (MAGIC, "1 bytes more"),
        (MAGIC + b"?", "tag"),
        (array_head(b"d", 10**10), "shape"),
        (array_head(b"d", 2**63, 2), "shape"),
        (array_head(b"d", 2**64 - 1), "shape"),
        (array_head(b"d", 0, 2**62), "shape"),
        (array_head(b"b", 2**16, 2**16, 2**16, 2**16), "shape"),
        (array_head(b"d", *[1] * 17) + b"x" * 8, "dimensions"),
        (array_head(b"d", 2) + b"x" * 15, "16 bytes more, received 15"),
        (array_head(b"d", 2) + b"x" * 17, "nothing after"),
        (array_head(b"O", 1) + b"x" * 8, "dtype"),
        (array_head(b"g", 1) + b"x" * 16, "dtype"),
        (array_head(b"?", 1) + b"\x02", "0 and 1"),
        (array_head(b"U\0\0\0\0", 10**12), "characters"),
        (array_head(b"U\xff\xff\xff\xff", 1), "characters"),
        (array_head(b"U\1\0\0\0", 1) + b"\0\0\x11\0", "Unicode"),
        (array_head(b"U\1\0\0\0", 1) + b"\0\xd8\0\0", "Unicode"),
        (MAGIC + b"g?\x02", "0 and 1"),
        (MAGIC + b"s\2\0\0\0\xc3\x28", "UTF-8"),
        (MAGIC + b"s\3\0\0\0\xed\xa0\x80", "UTF-8"),
        (MAGIC + b"s\xff\xff\xff\xff", "characters"),
        (MAGIC + b"b\xff\xff\xff\xff", "bytes more"),
        (MAGIC + b"L\xff\xff\xff\xff", "items"),
        (MAGIC + b"D\xff\xff\xff\xff", "bytes more"),
        (MAGIC + b"L\1\0\0\0" * 10**5, "nesting"),
        (MAGIC + b"L" + struct.pack("<I", 150_000) + b"N" * 150_000 + b"N", "nothing after"),
        (MAGIC + b"D\2\0\0\0" + (b"s\1\0\0\0aN") * 2, "each key once"),
        (MAGIC + b"D\1\0\0\0NN", "str or a 64-bit int"),
        (MAGIC + b"D\1\0\0\0L\0\0\0\0N", "str or a 64-bit int"),
        (MAGIC + b"I" + struct.pack("<I", 10_000) + b"\x7f" * 10_000, "1024 bits"),
        (MAGIC + b"O\1\0\0\0\x1b", "printable"),
        (MAGIC + b"O\0\0\0\0", "printable"),
        (MAGIC + b"H\0\0\0\0" + struct.pack("<I", 300) + b"x" * 300, "printable"),
    ],
)
def test_hostile_message(message: bytes, what: str) -> None:
    """A hostile message is refused at once, and costs memory by its length and not by its claims."""
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(CodecError, match=what) as caught:
        decode(message)
    seconds = time.process_time() - start
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(str(caught.value)) < 1000
    assert seconds < 1
    assert peak < 2**20 + 40 * len(message)


def test_message_too_long() -> None:
    """A message beyond the bound is refused by its length alone."""
    with pytest.raises(CodecError, match="at most 100 bytes"):
        decode(encode(b"x" * 100), Bounds(bytes=100))


def test_colliding_keys() -> None:
    """Integers long enough to share one hash by the thousand are no keys."""
    key = 2**61 - 1 << 61
    with pytest.raises(CodecError, match="64-bit"):
        decode(MAGIC + b"D\1\0\0\0" + encode(key)[len(MAGIC) :] + b"N")
