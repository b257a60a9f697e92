"""Arrays and numbers that came from a student, against what was expected.

Every function takes anything at all as ``received`` and raises nothing but CheckFailure because of it. The texts are
written for the student: what was expected, what came, where to look.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from autograder.checks.evidence import note_close_call
from autograder.checks.wording import describe, number, plural
from autograder.errors import CheckFailure, NotImplementedYet, StudentRaised

Array = npt.NDArray[Any]
Shape = Sequence[int | None]

_RTOL = {2: 1e-2, 4: 1e-4}
"""Relative tolerance by the bytes of a float; 1e-6 for wider ones. Thousands of terms stay below in any order."""

CLOSE = 4.0
"""An error within this factor of the tolerance, above or below, is told to the instructor: a person should look."""

_DTYPE_ADVICE = {
    "i": "an integer array; convert with .astype(float)",
    "u": "an integer array; convert with .astype(float)",
    "b": "an array of truth values; convert with .astype(float)",
    "c": "a complex array; only real numbers are expected",
    "O": "an array of Python objects; do all rows have the same length?",
}


def assert_close(
    received: object,
    expected: npt.ArrayLike,
    *,
    rtol: float | None = None,
    atol: float = 0.0,
    like: npt.DTypeLike | Array | None = None,
    hint: str | None = None,
    name: str = "your output",
) -> None:
    """Check type, shape, dtype, finiteness and values of an array, or of a scalar where a scalar is expected.

    A value is right when it is off by at most ``atol + rtol * scale``. The scale is the largest magnitude in
    ``expected``, or 1 where all of it is zero. By default ``rtol`` is 1e-6, and 1e-4 as soon as one side is float32:
    the coarser side sets the tolerance. A given ``rtol`` is raised to 100 machine epsilons of the coarser side.

    Shapes must be equal; nothing broadcasts. Where floats are expected, integers fail, and so does an array of less
    precision than ``like`` (a dtype or an array; default: ``expected``). A scalar may be of any real type.
    ``hint`` ends a message about the shape or the values.

    Raises:
        CheckFailure: received is not as expected.
        ValueError: ``expected`` is not finite, or not numeric: the author's mistake.
    """
    wanted = np.asarray(expected)
    if wanted.dtype.kind not in "iuf" or not np.isfinite(wanted).all():
        raise ValueError(f"expected finite real numbers to compare with, received dtype {wanted.dtype}")
    array = _array(received, wanted.shape, name)
    _require_shape(array, wanted.shape, name, hint)
    _require_dtype(array, _least(wanted if like is None else like), name)
    assert_finite(array, name=name)
    _require_values(array, wanted, _relative(rtol, array, wanted), atol, (name, hint))


def assert_array(
    received: object,
    shape: Shape,
    *,
    like: npt.DTypeLike | Array | None = float,
    dtype: npt.DTypeLike | None = None,
    finite: bool = True,
    hint: str | None = None,
    name: str = "your output",
) -> Array:
    """Check that ``received`` is an array of that shape and return it, safe to compute with.

    ``None`` in ``shape`` allows any length. ``like`` asks for at least the precision of that float dtype or array, and
    ``like=None`` for any real number type, integers included; ``dtype`` asks for exactly that dtype instead.

    Raises:
        CheckFailure: received is anything else.
    """
    array = _array(received, shape, name)
    _require_shape(array, shape, name, hint)
    if dtype is not None:
        _require_exact_dtype(array, np.dtype(dtype), name)
    else:
        _require_dtype(array, _least(like), name)
    if finite:
        assert_finite(array, name=name)
    return array


def assert_shape(received: object, shape: Shape, *, hint: str | None = None, name: str = "your output") -> None:
    """Check the shape alone; ``None`` in ``shape`` allows any length."""
    _require_shape(_array(received, shape, name), shape, name, hint)


def assert_finite(received: object, *, hint: str | None = None, name: str = "your output") -> None:
    """Check that an array or a number holds neither NaN nor infinity; integers always pass."""
    array = _array(received, None, name)
    if array.dtype.kind not in "iubfc":
        _fail_dtype(array, "real numbers", name)
    bad = ~np.isfinite(array)
    if bad.any():
        nan = int(np.isnan(array).sum())
        first = f", first at index {_first(bad)}" if array.ndim else ""
        raise CheckFailure(
            f"Not every value of {name} is finite.",
            expected="finite numbers only",
            received=f"{nan} NaN and {int(bad.sum()) - nan} infinite of {plural(array.size, 'value')}{first}",
            hint=hint,
        )


def assert_int(received: object, expected: int, *, hint: str | None = None, name: str = "your output") -> None:
    """Check an integer of any integer type; a float fails even when it is whole."""
    value = _integer(received)
    if value is None:
        raise CheckFailure(
            f"The type of {name} is wrong.", expected="an integer", received=describe(received), hint=hint
        )
    if value != expected:
        raise CheckFailure(
            f"The value of {name} is wrong.", expected=number(expected), received=number(value), hint=hint
        )


def assert_numbers(
    received: object, length: int | None = None, *, hint: str | None = None, name: str = "your output"
) -> npt.NDArray[np.float64]:
    """Check a list, tuple or one-dimensional array of finite real numbers; return it as float64 ``(length,)``."""
    items = received.tolist() if type(received) is np.ndarray and received.ndim == 1 else received
    if type(items) not in (list, tuple):
        _fail_type("a list of numbers", received, name)
    values = [_scalar(item) for item in _items(items)]
    for index, (value, item) in enumerate(zip(values, _items(items), strict=True)):
        if value is None:
            _fail_type("numbers only", item, f"item {index} of {name}")
    if length is not None and len(values) != length:
        raise CheckFailure(
            f"The length of {name} is wrong.",
            expected=plural(length, "number"),
            received=plural(len(values), "number"),
            hint=hint,
        )
    array = np.array([math.nan if value is None else value for value in values], dtype=np.float64)
    assert_finite(array, hint=hint, name=name)
    return array


def assert_tuple(
    received: object, length: int, *, hint: str | None = None, name: str = "your output"
) -> tuple[Any, ...]:
    """Check a tuple (or list) of that many items and return it, safe to unpack; the items are still unchecked."""
    if type(received) not in (tuple, list) or len(_items(received)) != length:
        raise CheckFailure(
            f"The type of {name} is wrong.",
            expected=f"a tuple of {plural(length, 'item')}",
            received=describe(received),
            hint=hint,
        )
    return tuple(_items(received))


def assert_dict(
    received: object, keys: Collection[str], *, hint: str | None = None, name: str = "your output"
) -> dict[str, Any]:
    """Check a dict with exactly those keys and return it; the values are still unchecked."""
    if type(received) is not dict:
        _fail_type("a dict", received, name, hint)
    missing = [key for key in keys if key not in received]
    if missing or len(received) != len(keys):
        lacks = f", without {', '.join(missing)}" if missing else ""
        raise CheckFailure(
            f"The keys of {name} are wrong.",
            expected=", ".join(keys),
            received=f"{plural(len(received), 'key')}{lacks}",
            hint=hint,
        )
    return received


def assert_unmodified(before: Sequence[object], after: object, names: Sequence[str]) -> None:
    """Check that a call left its arguments alone: ``before`` are the author's, ``after`` came back from the student."""
    values = _items(after)
    if len(values) != len(before):
        _fail_type(f"the {plural(len(before), 'argument')} back", after, "the arguments after the call")
    for name, old, new in zip(names, before, values, strict=False):
        if not _same(old, new):
            raise CheckFailure(
                f"Your function changed its argument {name}.",
                hint=f"Work on a copy, or use operations that make a new array: {name} = {name} * 2, not {name} *= 2.",
            )


def assert_raises(
    call: Callable[..., object], kind: str | type[BaseException], *args: object, hint: str | None = None, **kwargs: Any
) -> None:
    """Check that ``call(*args, **kwargs)``, a call of the student's function, raises ``kind`` or a subclass of it."""
    wanted = kind if isinstance(kind, str) else kind.__name__
    try:
        result = call(*args, **kwargs)
    except NotImplementedYet:
        raise
    except StudentRaised as error:
        if wanted in error.type_names:
            return
        raise CheckFailure(
            "Your function raised the wrong exception.", expected=wanted, received=error.message, hint=hint
        ) from None
    raise CheckFailure(
        "Your function accepted arguments that make no sense.",
        expected=f"raise {wanted}(...)",
        received=f"it returned {describe(result)}",
        hint=hint,
    )


def _array(received: object, shape: Shape | None, name: str) -> Array:
    """Return an exact array; a number becomes one of shape () where a number is expected, or anything."""
    if type(received) is np.ndarray:
        return received
    value = _scalar(received)
    if value is None or shape:
        what = "an array" if shape is None else f"an array of shape {_shape(shape)}" if shape else "a number"
        _fail_type(what, received, name)
    return np.asarray(received if isinstance(received, np.generic) else value)


def _scalar(received: object) -> float | None:
    """Return a real number as float, infinite when it is too large; None for all else, truth values included."""
    if isinstance(received, (np.floating, np.integer)):
        return float(received)
    if type(received) is np.ndarray:
        return float(received) if received.ndim == 0 and received.dtype.kind in "iuf" else None
    if type(received) is int:
        return float(received) if received.bit_length() < 1024 else math.inf * (1 if received > 0 else -1)
    return received if type(received) is float else None


def _integer(received: object) -> int | None:
    if isinstance(received, np.integer):
        return int(received)
    if type(received) is np.ndarray and received.ndim == 0 and received.dtype.kind in "iu":
        return int(received)
    return received if type(received) is int else None


def _items(received: object) -> Sequence[Any]:
    return received if isinstance(received, (tuple, list)) else ()


def _least(like: npt.DTypeLike | Array | None) -> np.dtype[Any] | None:
    """Return the float dtype whose precision is asked for; None when integers do as well."""
    if like is None:
        return None
    dtype = like.dtype if isinstance(like, (np.ndarray, np.generic)) else np.dtype(like)
    return dtype if dtype.kind == "f" else None


def _require_shape(array: Array, shape: Shape, name: str, hint: str | None) -> None:
    fits = len(shape) == array.ndim and all(
        want in (None, have) for want, have in zip(shape, array.shape, strict=False)
    )
    if not fits:
        raise CheckFailure(
            f"The shape of {name} is wrong.", expected=_shape(shape), received=_shape(array.shape), hint=hint
        )


def _require_dtype(array: Array, least: np.dtype[Any] | None, name: str) -> None:
    """Ask for floats of at least that precision; a scalar may be any real number."""
    kind = array.dtype.kind
    if kind not in "iuf" or (kind != "f" and least is not None and array.ndim > 0):
        _fail_dtype(array, f"a {least} array" if least is not None and array.ndim else "real numbers", name)
    if least is not None and kind == "f" and array.ndim and array.dtype.itemsize < least.itemsize:
        raise CheckFailure(
            f"The precision of {name} is too low.",
            expected=f"a {least} array",
            received=f"a {array.dtype} array",
            hint="Keep the precision of the input: arrays made inside the function need dtype=x.dtype.",
        )


def _require_exact_dtype(array: Array, dtype: np.dtype[Any], name: str) -> None:
    if array.dtype != dtype:
        raise CheckFailure(
            f"The dtype of {name} is wrong.",
            expected=f"a {dtype} array",
            received=describe(array),
            hint=f"Convert with .astype(np.{dtype}).",
        )


def _relative(rtol: float | None, array: Array, wanted: Array) -> float:
    """Return the relative tolerance that the coarser of two dtypes allows; less than float32 is nobody's excuse."""
    floats = [dtype for dtype in (array.dtype, wanted.dtype) if dtype.kind == "f"]
    coarsest = min(floats, key=lambda dtype: dtype.itemsize, default=np.dtype(np.float64))
    if coarsest.itemsize < min(4, wanted.dtype.itemsize):
        coarsest = np.dtype(np.float32)
    if rtol is None:
        return _RTOL.get(coarsest.itemsize, 1e-6)
    return max(rtol, 100 * float(np.finfo(coarsest).eps))


def _require_values(array: Array, wanted: Array, rtol: float, atol: float, telling: tuple[str, str | None]) -> None:
    """Compare finite arrays of one shape; ``telling`` is the name and the hint."""
    if not array.size:
        return
    with np.errstate(all="ignore"):
        have, want = array.astype(np.longdouble), wanted.astype(np.longdouble)
        scale = float(np.abs(want).max()) or 1.0
        error = np.abs(have - want)
    allowed = atol + rtol * scale
    bad = error > allowed
    name, hint = telling
    if allowed / CLOSE < error.max() < allowed * CLOSE:
        note_close_call(f"The largest error of {name} is {error.max():.2g}, and {allowed:.2g} is allowed.")
    if not bad.any():
        return
    count, index = int(bad.sum()), _first(bad)
    message = f"The value of {name} is wrong: it is off by {error.max():.3g}."
    if array.ndim:
        message = (
            f"The values of {name} are wrong: {count} of {array.size} differ, first at index {index}; "
            f"the largest error is {error.max():.3g}."
        )
    place = f" at {index}" if array.ndim else ""
    shown, came = number(wanted[index], array[index]), number(array[index], wanted[index])
    raise CheckFailure(message, expected=shown + place, received=came + place, hint=hint)


def _same(old: object, new: object) -> bool:
    """Tell whether a value is the one it was, NaN equal to itself."""
    if type(old) is not type(new):
        return False
    if isinstance(old, np.ndarray) and isinstance(new, np.ndarray):
        equal_nan = old.dtype.kind in "fc"
        return old.dtype == new.dtype and np.array_equal(old, new, equal_nan=equal_nan)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return list(old) == list(new) and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, (list, tuple)) and isinstance(new, (list, tuple)):
        return len(old) == len(new) and all(_same(a, b) for a, b in zip(old, new, strict=True))
    if isinstance(old, (float, complex, np.inexact)):
        return bool(old == new) or str(old) == str(new)  # NaN is written as NaN
    return not isinstance(old, (int, str, bytes, np.generic)) or bool(old == new)


def _first(bad: Array) -> tuple[int, ...]:
    """Return the index of the first True, in the order in which numbers are printed."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def _shape(shape: Shape) -> str:
    inside = ", ".join("any" if length is None else str(length) for length in shape)
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def _fail_type(expected: str, received: object, name: str, hint: str | None = None) -> NoReturn:
    raise CheckFailure(f"The type of {name} is wrong.", expected=expected, received=describe(received), hint=hint)


def _fail_dtype(array: Array, expected: str, name: str) -> NoReturn:
    received = _DTYPE_ADVICE.get(array.dtype.kind) or describe(array)
    raise CheckFailure(f"The dtype of {name} is wrong.", expected=expected, received=received)
