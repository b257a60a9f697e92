"""``@task("conv2d")``: which task a test belongs to, and how much it weighs there."""

from __future__ import annotations

from typing import Protocol, TypeVar, cast

import pytest

_Test = TypeVar("_Test")


class _Decorator(Protocol):
    def __call__(self, test: _Test, /) -> _Test: ...


def task(name: str, *, weight: float = 1) -> _Decorator:
    """Mark a pytest test as a check of the task ``name``.

    The task's points are shared by its checks in proportion to ``weight``; each case of a parametrized test is a check.
    The first line of the test's docstring is what the student reads; parameters fill in ``{stride}`` and the like.

    Raises:
        ValueError: the weight is not above 0.
    """
    if not weight > 0:
        raise ValueError(f'task "{name}": the weight is {weight}, expected more than 0')
    return cast("_Decorator", pytest.mark.task(name, weight=weight))
