"""The drawn shapes: balanced, repeatable, never the same twice, and told apart by nothing but their outline."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.data import draw_shapes, load_shapes
from autograder.data.shapes import _LEVELS, KINDS, SIDE

_WITHOUT_HEAVY_LIBRARIES = """
import sys
from autograder.data.shapes import load_shapes
load_shapes(count=2)
print(sorted({"tensorflow", "keras", "sklearn", "scipy"} & set(sys.modules)))
"""


@given(st.integers(0, 2**32), st.integers(0, 9), st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True))
@settings(max_examples=30, deadline=None)
def test_pictures_are_bytes_and_kinds_are_balanced(seed: int, count: int, kinds: list[str]) -> None:
    """Whatever is asked for, no kind has two pictures more than another."""
    images, labels = draw_shapes(np.random.default_rng(seed), count, kinds)
    assert images.shape == (count, SIDE, SIDE, 3) and images.dtype == np.uint8
    assert labels.shape == (count,) and labels.dtype == np.int64
    assert np.ptp(np.bincount(labels, minlength=len(kinds))) <= 1


def test_the_same_arguments_give_the_same_pictures_and_others_give_others() -> None:
    """Seed, split and generator decide; nothing else is random."""
    once, again = load_shapes(seed=3, count=5), load_shapes(seed=3, count=5)
    np.testing.assert_array_equal(once[0], again[0])
    np.testing.assert_array_equal(once[1], again[1])
    for other in (load_shapes(seed=4, count=5), load_shapes("validation", seed=3, count=5)):
        assert not any(np.array_equal(one, two) for one in once[0] for two in other[0])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_covers_the_area_of_a_circle(kind: str) -> None:
    """So that size tells nothing about the kind."""
    v, u = np.mgrid[-3:3:1500j, -3:3:1500j]
    area = 36 * np.mean(_LEVELS[kind](u, v) > 0)
    assert area == pytest.approx(np.pi, rel=1e-2)


@pytest.mark.parametrize("kind", KINDS)
def test_levels_are_distances_near_the_outline(kind: str) -> None:
    """Just inside, one step of the grid changes the level by one step at most: edges are smooth and not blurred."""
    v, u = np.mgrid[-2:2:801j, -2:2:801j]
    level = _LEVELS[kind](u, v)
    steps = np.abs(np.diff(level, axis=0)[:, :-1]), np.abs(np.diff(level, axis=1)[:-1])
    near = np.abs(level[:-1, :-1]) < 0.05
    assert max(step[near].max() for step in steps) < 1.05 * 4 / 800
    assert np.median(np.hypot(*steps)[near]) == pytest.approx(4 / 800, rel=0.05)


def test_mean_color_does_not_tell_the_kind() -> None:
    """Circles and squares have the same brightness and the same contrast, up to chance."""
    images, labels = draw_shapes(np.random.default_rng(0), 400)
    for statistic in (images.mean(axis=(1, 2, 3)), images.std(axis=(1, 2, 3))):
        first, second = statistic[labels == 0], statistic[labels == 1]
        deviation = np.sqrt(first.var() / len(first) + second.var() / len(second))
        assert abs(first.mean() - second.mean()) < 4 * deviation


@pytest.mark.parametrize("kinds", [(), ("circle", "sqare")])
def test_a_kind_that_is_not_there_is_refused(kinds: tuple[str, ...]) -> None:
    """The message lists the kinds that there are."""
    with pytest.raises(ValueError, match="expected kinds among circle, square"):
        draw_shapes(np.random.default_rng(0), 2, kinds)


def test_a_split_that_is_not_there_is_refused() -> None:
    """The hidden pictures have no name: the examiner draws them."""
    with pytest.raises(ValueError, match='expected the split "train" or "validation"'):
        load_shapes("hidden")  # type: ignore[arg-type]  # what a student might try


def test_drawing_needs_numpy_alone() -> None:
    """A student's process has no other library for it."""
    command = [sys.executable, "-c", _WITHOUT_HEAVY_LIBRARIES]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
