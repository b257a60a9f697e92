"""Ways to damage what was valid: bytes changed, cut, repeated; parts of JSON replaced by anything."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

_FLIP, _OVERWRITE, _INSERT, _CUT, _REPEAT, _END = range(6)
_numbers = st.sampled_from([0, -1, 4, 9, 2**31, 2**63, 10**30, -(10**30), 1e308, float("inf"), float("nan")])


def _nest(value: Any, depth: int) -> Any:
    for level in range(depth):
        value = [value] if level % 2 else {"n": value}
    return value


_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 99),
    _numbers,
    st.text(max_size=6),
    st.sampled_from(["", "\ud800", "\x00", "\x1b[2J", "<script>alert(1)</script>", "a" * 3000, "\u202e"]),
)
json_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["data", "text/html", "image/png", "x"]) | st.text(max_size=3), inner, max_size=3
        ),
        st.builds(_nest, inner, st.integers(1, 40)),
    ),
    max_leaves=5,
)


@st.composite
def damaged(draw: st.DrawFn, valid: st.SearchStrategy[bytes], pieces: Sequence[bytes]) -> bytes:
    """Valid bytes with up to four changes; ``pieces`` are what the format gives a meaning to."""
    data = bytearray(draw(valid))
    piece = st.sampled_from(pieces) | st.binary(max_size=4)
    changes = st.tuples(st.integers(_FLIP, _END), st.integers(0, 2**20), st.integers(0, 2**9), piece)
    for kind, place, size, new in draw(st.lists(changes, max_size=4)):
        _change(data, kind, place % (len(data) + 1), size, new)
    return bytes(data)


def _change(data: bytearray, kind: int, at: int, size: int, new: bytes) -> None:
    if kind == _FLIP:
        data[at : at + 1] = bytes(byte ^ (1 << size % 8) for byte in data[at : at + 1])
    elif kind == _OVERWRITE:
        data[at : at + len(new)] = new
    elif kind == _INSERT:
        data[at:at] = new
    elif kind == _CUT:
        del data[at : at + size]
    elif kind == _REPEAT:
        data[at : at + size] = data[at : at + size] * 2
    else:
        del data[at:]


@st.composite
def replaced(draw: st.DrawFn, whole: Any) -> Any:
    """A copy of a JSON value with one to three of its parts replaced, taken out or repeated."""
    whole = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        holder, key = _place(draw, whole)
        if holder is None:
            return draw(json_values)
        how = draw(st.integers(0, 5))
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        else:
            holder[key] = draw(json_values)
    return whole


def _place(draw: st.DrawFn, whole: Any) -> tuple[Any, Any]:
    """Walk down from the whole to one of its parts; None when there is nothing to walk into."""
    holder, key, here = None, None, whole
    while isinstance(here, dict | list) and here and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(list(here) if isinstance(here, dict) else range(len(here))))
        holder, here = here, here[key]
    return holder, key
