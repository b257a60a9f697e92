"""The checks of arrays: what passes, what fails, and that the message tells."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks import (
    assert_array,
    assert_close,
    assert_dict,
    assert_finite,
    assert_int,
    assert_numbers,
    assert_raises,
    assert_shape,
    assert_tuple,
    assert_unmodified,
)
from autograder.errors import CheckFailure, NotImplementedYet, StudentRaised
from autograder.subject.codec import Opaque
from tests.strategies import anything

X = np.linspace(-1.0, 1.0, 24).reshape(2, 3, 4)


def message(check: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """Run a check that has to fail and return what the student reads."""
    with pytest.raises(CheckFailure) as caught:
        check(*args, **kwargs)
    return str(caught.value)


CHECKS = [
    lambda value: assert_close(value, X),
    lambda value: assert_close(value, X.astype(np.float32), like=np.float16),
    lambda value: assert_close(value, np.zeros((0, 2))),
    lambda value: assert_close(value, 3),
    lambda value: assert_close(value, 0.5, rtol=0, atol=1e-3),
    lambda value: assert_array(value, (None, 2)),
    lambda value: assert_array(value, (), like=None),
    lambda value: assert_array(value, (2,), dtype=np.float32, finite=False),
    lambda value: assert_shape(value, (1, None)),
    assert_finite,
    lambda value: assert_int(value, 4),
    lambda value: assert_numbers(value, 2),
    lambda value: assert_tuple(value, 2),
    lambda value: assert_dict(value, ["a", "b"]),
    lambda value: assert_unmodified((X, {"w": X}, [1.0], "same"), value, ["x", "parameters", "y", "mode"]),
    lambda value: assert_raises(lambda: value, "ValueError"),
]


@pytest.mark.parametrize("check", CHECKS)
@given(value=anything())
def test_nothing_but_a_failure_comes_of_anything(check: Callable[[Any], Any], value: Any) -> None:
    """Whatever was received, a check passes or fails; it never breaks, warns, or prints an endless text."""
    text = ""
    try:
        check(value)
    except CheckFailure as failure:
        text = str(failure)
    assert len(text) < 600
    assert text.replace("\n", "").isprintable()


@given(before=anything(), after=anything())
def test_comparing_arguments_never_breaks(before: Any, after: Any) -> None:
    """Arguments of any kind can be compared, and each equals itself."""
    with contextlib.suppress(CheckFailure):
        assert_unmodified((before,), (after,), ["x"])
    assert_unmodified((before,), (before,), ["x"])


@given(seed=st.integers(0, 99), dtype=st.sampled_from([np.float32, np.float64]))
def test_sums_in_any_order_are_close(seed: int, dtype: type) -> None:
    """Reordering thousands of terms is no mistake, at the precision that was computed in."""
    terms: np.ndarray[Any, Any] = np.random.default_rng(seed).normal(size=(4, 5000)).astype(dtype)
    assert_close(terms[:, ::-1].cumsum(axis=1)[:, -1], terms.sum(axis=1))


@given(seed=st.integers(0, 99), scale=st.sampled_from([1e-12, 1.0, 1e12]))
def test_a_thousandth_of_the_scale_is_wrong(seed: int, scale: float) -> None:
    """An error of a thousandth of the largest value fails at every scale and in both precisions."""
    expected = scale * np.random.default_rng(seed).normal(size=(3, 4))
    wrong = expected.copy()
    wrong[1, 2] += 1e-3 * np.abs(expected).max()
    for dtype in (np.float32, np.float64):
        assert "(1, 2)" in message(assert_close, wrong.astype(dtype), expected.astype(dtype))


def test_shapes_stand_beside_each_other_with_the_hint() -> None:
    """A wrong shape shows both shapes and the worked arithmetic."""
    text = message(assert_close, np.zeros((2, 9, 9, 4)), np.zeros((2, 5, 5, 4)), hint="floor((9 - 3 + 2*1)/2) + 1 = 5")
    assert text.splitlines() == [
        "The shape of your output is wrong.",
        "Expected: (2, 5, 5, 4)",
        "Received: (2, 9, 9, 4)",
        "floor((9 - 3 + 2*1)/2) + 1 = 5",
    ]


def test_first_bad_value_is_shown_with_the_extent() -> None:
    """A wrong value shows where, what was expected, what came, how many are wrong and how far."""
    wrong = X.copy()
    wrong[0, 1, 2], wrong[1, 0, 0] = 9.0, 11.0
    text = message(assert_close, wrong, X)
    assert "2 of 24 differ, first at index (0, 1, 2)" in text
    assert "Expected: -0.4782609 at (0, 1, 2)" in text
    assert "Received: 9 at (0, 1, 2)" in text
    assert f"largest error is {11 - X[1, 0, 0]:.3g}" in text


def test_values_that_read_the_same_are_written_out() -> None:
    """Two numbers that differ in the ninth digit are not shown as equal."""
    lines = message(assert_close, 1.00000002, 1.0, rtol=1e-9).splitlines()
    assert lines[1].removeprefix("Expected: ") != lines[2].removeprefix("Received: ")


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (None, "None (is there a `return`?)"),
        (X.tolist(), "a list of 2 items (np.array(...) makes an array of a list)"),
        (np.zeros(X.shape, int), "an integer array; convert with .astype(float)"),
        (X > 0, "an array of truth values; convert with .astype(float)"),
        (X.astype(complex), "a complex array; only real numbers are expected"),
        (Opaque("numpy.ndarray of object"), "an object of type numpy.ndarray of object"),
        (X.astype(np.float32), "a float32 array"),
        (X[..., np.newaxis], "(2, 3, 4, 1)"),
        (np.full(X.shape, np.nan), "24 NaN and 0 infinite of 24 values, first at index (0, 0, 0)"),
    ],
)
def test_what_came_is_named(received: object, words: str) -> None:
    """Every usual mistake is told apart, with the way out where there is one."""
    assert words in message(assert_close, received, X)


def test_shapes_never_broadcast() -> None:
    """``(N, 1)`` is not ``(N,)``, a column of equal values is no scalar, and a scalar no array."""
    assert "(3, 1)" in message(assert_close, np.ones((3, 1)), np.ones(3))
    assert "(1,)" in message(assert_close, np.ones(1), 1.0)
    assert "a float, 1" in message(assert_close, 1.0, np.ones(3))


@pytest.mark.parametrize("one", [1, 1.0, np.float32(1), np.float64(1), np.int16(1), np.array(1.0)])
def test_scalars_of_any_real_type_are_numbers(one: object) -> None:
    """Where a number is expected, its type is the student's choice; a truth value is no number."""
    assert_close(one, 1.0, rtol=1e-12)
    assert "a truth value" in message(assert_close, True, 1.0)


def test_rounding_is_forgiven_where_nothing_is_expected() -> None:
    """Noise beside zeros is right, as it is beside values of order 1; a thousandth is not."""
    assert_close(np.array([1e-13, 0.0]), np.zeros(2))
    assert "2 of 2 differ" in message(assert_close, np.full(2, 1e-3), np.zeros(2))


def test_a_scalar_is_judged_by_its_own_precision() -> None:
    """No tolerance is finer than float32 can hold, and float16 is no excuse for less than that."""
    assert_close(np.float32(0.1), 0.1, rtol=1e-12)
    assert_close(np.float32(0.1), 0.1005, rtol=1e-2)
    assert "off by" in message(assert_close, np.float64(np.float32(0.1)), 0.1, rtol=1e-12)
    assert "off by" in message(assert_close, np.float16(0.1), 0.1)


def test_precision_is_that_of_like() -> None:
    """float32 is enough where it came in, and too little where float64 did; more is never wrong."""
    assert_close(X.astype(np.float32), X, like=np.float32)
    assert_close(X, X.astype(np.float32))
    assert "precision" in message(assert_close, X.astype(np.float32), X)
    assert "float16" in message(assert_array, X.astype(np.float16), X.shape, like=np.zeros(1, np.float32))


def test_an_expected_value_that_is_not_finite_is_the_authors() -> None:
    """The author's own NaN is an error, not the student's failure."""
    with pytest.raises(ValueError, match="finite"):
        assert_close(X, X * np.inf)


def test_exact_dtype_says_how_to_convert() -> None:
    """A dtype that is part of the contract is named with its conversion."""
    assert ".astype(np.float32)" in message(assert_array, X, X.shape, dtype=np.float32)
    assert assert_array(X, (2, None, 4)) is X


@pytest.mark.parametrize("five", [5, np.int64(5), np.uint8(5), np.array(5)])
def test_integers_of_any_type(five: object) -> None:
    """Any integer type will do, a float will not, and a wrong one is shown."""
    assert_int(five, 5)
    assert "Received: a float, 5" in message(assert_int, 5.0, 5)
    assert "Expected: 6\nReceived: 5" in message(assert_int, five, 6)


@pytest.mark.parametrize("losses", [[3.0, 2], (3.0, 2.0), np.array([3.0, 2.0]), [np.float32(3), np.array(2.0)]])
def test_numbers_come_in_lists_tuples_and_arrays(losses: object) -> None:
    """One number per epoch, in whatever holds them."""
    np.testing.assert_array_equal(assert_numbers(losses, 2), [3.0, 2.0])
    assert "Expected: 3 numbers\nReceived: 2 numbers" in message(assert_numbers, losses, 3)


def test_containers_are_safe_to_unpack() -> None:
    """A tuple has its length, a dict its keys, or the message says what is missing."""
    assert assert_tuple([1, None], 2) == (1, None)
    assert "a tuple of 2 items" in message(assert_tuple, (1,), 2)
    assert assert_dict({"W": 1, "b": 2}, ["b", "W"]) == {"W": 1, "b": 2}
    assert "1 key, without b" in message(assert_dict, {"W": 1}, ["W", "b"])


def test_a_changed_argument_is_named() -> None:
    """In-place work is found in arrays and inside dicts, NaN is equal to itself, and the advice is a copy."""
    before = (np.array([np.nan, 1.0]), {"W": np.ones(2)})
    assert_unmodified(before, (before[0].copy(), {"W": np.ones(2)}), ["x", "parameters"])
    text = message(assert_unmodified, before, (before[0], {"W": np.zeros(2)}), ["x", "parameters"])
    assert "changed its argument parameters" in text
    assert "copy" in text


def raising(error: Exception) -> Callable[..., Any]:
    """Return a function that raises."""

    def call(*_: object) -> None:
        raise error

    return call


def test_the_exception_that_is_asked_for_passes() -> None:
    """The wanted exception or a subclass passes; another one, or a value, is told."""
    odd = StudentRaised("f", ("Odd", "ValueError", "Exception"), "no")
    assert_raises(raising(odd), ValueError, 3, 5)
    assert "Received: f raised Odd: no" in message(assert_raises, raising(odd), "KeyError")
    assert "it returned an integer, 3" in message(assert_raises, lambda: 3, "ValueError")


def test_a_stub_stays_a_stub() -> None:
    """The untouched stub is told as such, even where an exception is wanted."""
    with pytest.raises(NotImplementedYet):
        assert_raises(raising(NotImplementedYet("f")), "NotImplementedError")
