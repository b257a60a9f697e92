"""What a student answered is remembered, and told from what another one answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import CheckFailure
from autograder.subject.proxy import ModuleSubject
from autograder.subject.witness import Answer, Double, Witness
from tests.strategies import arrays

Function = Callable[..., Any]


def answers_of(*functions: Function, x: object = 3.0) -> list[Answer]:
    """Ask functions f0, f1, ... the same question, and return what was answered."""
    witness = Witness(ModuleSubject({f"f{number}": function for number, function in enumerate(functions)}))
    witness.begin(0)
    for number in range(len(functions)):
        with contextlib.suppress(CheckFailure):
            getattr(witness, f"f{number}")(x)
    return witness.answers


def is_alike(original: Function, other: Function, x: object = 3.0) -> bool:
    """Say whether another function answers as the original did."""
    double = Double(ModuleSubject({"f0": other}), answers_of(original, x=x))
    double.begin(0)
    with contextlib.suppress(CheckFailure):
        double.f0(x)
    return double.is_alike


def test_a_witness_remembers_one_check() -> None:
    """Beginning a new check forgets the answers of the last, and is none itself."""
    witness = Witness(ModuleSubject({"f": lambda x: x}))
    for value in (1.0, 2.0):
        witness.begin(0)
        assert witness.f(value) == value
    assert [answer.reply["value"] for answer in witness.answers if answer.reply] == [2.0]


@given(arrays())
def test_a_function_is_like_itself(x: Any) -> None:
    """Whatever it returns, not-a-number and infinity included."""

    def function(x: Any) -> Any:
        return {"a": [x, x.copy()], "b": (x, "text", None)}

    assert is_alike(function, function, x)


@given(st.integers(1, 40), st.sampled_from([np.float32, np.float64]))
def test_rounding_makes_no_difference(size: int, dtype: type) -> None:
    """Two orders of adding up are one answer; one value off by a hundredth is another."""
    x: Any = np.random.default_rng(size).normal(1, 1, size).astype(dtype)
    assert is_alike(lambda x: np.cumsum(x * x)[-1:], lambda x: np.cumsum((x * x)[::-1])[-1:], x)
    off = np.eye(1, size, dtype=dtype)[0] * dtype(0.01) * np.abs(x).max()
    assert not is_alike(lambda x: x, lambda x: x + off, x)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x: x, lambda x: np.array([x])),
        (lambda _: 3.0, lambda _: 3),
        (lambda _: "a", lambda _: "b"),
        (lambda _: [1.0, 2.0], lambda _: [1.0]),
        (lambda _: {"a": 1.0}, lambda _: {"b": 1.0}),
        (lambda _: np.nan, lambda _: np.inf),
        (lambda x: x / 0.0, lambda _: 1.0),
        (lambda x: x[0], lambda x: x.missing),
        (lambda _: np.zeros((2, 3)), lambda _: np.zeros((3, 2))),
        (lambda _: None, lambda _: 0.0),
    ],
)
def test_other_answers_are_others(one: Function, other: Function) -> None:
    """Shapes, kinds of numbers, texts, lengths, keys, values and exceptions all tell two functions apart."""
    assert is_alike(one, one)
    assert not is_alike(one, other)


def test_a_double_that_differs_is_asked_no_more() -> None:
    """The first different answer decides, so nothing is computed after it."""
    calls: list[object] = []
    double = Double(ModuleSubject({"f0": lambda _: 0.0, "f1": calls.append}), answers_of(lambda x: x, lambda x: x))
    double.begin(0)
    assert double.f0(3.0) == 0
    with pytest.raises(CheckFailure, match="answered differently"):
        double.f1(3.0)
    assert calls == []
    assert not double.is_alike


def test_one_question_less_is_not_alike() -> None:
    """A check that ended earlier asked something else."""
    double = Double(ModuleSubject({"f0": lambda x: x}), answers_of(lambda x: x, lambda x: x))
    double.begin(0)
    double.f0(3.0)
    assert not double.is_alike


def test_a_stub_and_a_missing_function_are_no_answers() -> None:
    """There is nothing to compare in them."""

    def stub(_: object) -> None:
        raise NotImplementedError

    assert [answer.was_no_answer for answer in answers_of(stub, lambda x: x, lambda x: x[0])] == [True, False, False]
    witness = Witness(ModuleSubject({}))
    with pytest.raises(CheckFailure):
        witness.f(1)
    assert witness.answers[0].was_no_answer
