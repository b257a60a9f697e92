"""Strategies that several tests share."""

from __future__ import annotations

from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st

from autograder.subject.codec import Handle, Opaque

_DTYPES = ("?", "i1", "i8", "u1", "u8", "f2", "f4", "f8", "g", "c8", "c16", "U3", "S2", "M8[s]", "O", "i4,f8")
_SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray[Any, Any]:
    """Arrays of any dtype, of the smallest and the largest values, with NaN, without axes, and with nothing in them."""
    dtype = np.dtype(draw(st.sampled_from(_DTYPES)))
    if dtype.kind in "MVSUO":
        return np.zeros(draw(_SHAPES), dtype)
    return draw(hnp.arrays(dtype, draw(_SHAPES)))


def anything() -> st.SearchStrategy[Any]:
    """Whatever a student's function may return, and more than the codec lets through."""
    plain = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.sampled_from([400, 5000]).map(lambda digits: -(10**digits)),
        st.floats(),
        st.complex_numbers(),
        st.text(max_size=5),
        st.binary(max_size=5),
        st.builds(Opaque, st.text(max_size=5)),
        st.builds(Handle, st.integers(0, 9), st.text(max_size=5)),
        st.just(object()),
        arrays(),
        st.sampled_from([np.float16(1), np.float32(2), np.longdouble(3), np.int8(4), np.bool_(True), np.str_("x")]),
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(st.text(max_size=3), inner, max_size=3),
        ),
        max_leaves=6,
    )
