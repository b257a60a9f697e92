"""Shapes: colored 64x64 pictures with one shape each, drawn when they are needed, so that nobody has seen them before.

A bright shape stands on a dark ground. Place, size, tilt and colors are drawn at random, the ground runs from one color
to another, a bar crosses some pictures, and everything is noisy. All kinds of shapes cover the same area:
size and brightness tell nothing about the kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Shapes = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]
"""Pictures ``(N, 64, 64, 3)`` with values 0..255, and labels ``(N,)``: positions in the list of kinds."""

SIDE = 64

_Plane = npt.NDArray[np.float64]
_Level = Callable[[_Plane, _Plane], _Plane]
"""How far inside of a shape the points ``(u, v)`` are, below 0 outside. The shape is around the origin, of area pi."""

_RADIUS = (13.0, 22.0)
_TURN = np.pi / 18
"""Shapes stand upright, up to this angle to either side."""

_DARK, _BRIGHT = (0.0, 50.0), (170.0, 255.0)
"""What is red, green and blue in a background, and in a shape."""

_NOISE = 12.0
_CROSSED = 0.2
"""The share of pictures with a bar across."""

_ROWS, _COLUMNS = np.mgrid[:SIDE, :SIDE].astype(float)


def draw_shapes(rng: np.random.Generator, count: int, kinds: Sequence[str] = ("circle", "square")) -> Shapes:
    """Draw pictures of these kinds of shapes, of each as many as of the others, up to one, in random order.

    Raises:
        ValueError: there is no such kind, or none is given.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise ValueError(f"expected kinds among {', '.join(KINDS)}, received {', '.join(unknown) or 'none'}")
    labels = rng.permutation(np.arange(count) % len(kinds))
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[...] = _picture(rng, _LEVELS[kinds[label]])
    return images, labels.astype(np.int64)


def load_shapes(
    split: Literal["train", "validation"] = "train",
    seed: int = 0,
    count: int = 800,
    kinds: Sequence[str] = ("circle", "square"),
) -> Shapes:
    """Return pictures of a split, the same for the same arguments.

    Raises:
        ValueError: there is no such split, or no such kind.
    """
    if split not in ("train", "validation"):
        raise ValueError(f'expected the split "train" or "validation", received {split!r}')
    return draw_shapes(np.random.default_rng([seed, len(split)]), count, kinds)


def _picture(rng: np.random.Generator, level: _Level) -> _Plane:
    """Draw one picture ``(64, 64, 3)``, values 0..255."""
    picture = _background(rng)
    picture = _painted(picture, _coverage(rng, level), rng.uniform(*_BRIGHT, 3))
    if rng.random() < _CROSSED:
        picture = _painted(picture, _bar(rng), rng.uniform(0, 200, 3))
    noisy = picture + rng.normal(0, rng.uniform(0, _NOISE), picture.shape)
    return np.clip(np.rint(noisy), 0, 255)


def _background(rng: np.random.Generator) -> _Plane:
    """Draw a dark color that changes a little from one side of the picture to the other."""
    u, _ = _turned(rng.uniform(0, 2 * np.pi), SIDE / 2, SIDE / 2)
    return rng.uniform(*_DARK, 3) + (u / SIDE)[..., np.newaxis] * rng.uniform(-40, 40, 3)


def _coverage(rng: np.random.Generator, level: _Level) -> _Plane:
    """Draw place, size and turn of a shape; return the share of each pixel that it covers ``(64, 64)``."""
    radius = rng.uniform(*_RADIUS)
    row, column = rng.uniform(radius, SIDE - radius, 2)
    u, v = _turned(rng.uniform(-_TURN, _TURN), row, column)
    return np.clip(radius * level(u / radius, v / radius) + 0.5, 0, 1)


def _bar(rng: np.random.Generator) -> _Plane:
    """Draw a bar right across the picture."""
    _, v = _turned(rng.uniform(0, 2 * np.pi), *rng.uniform(0, SIDE, 2))
    return np.clip(rng.uniform(1, 2.5) - np.abs(v) + 0.5, 0, 1)


def _turned(angle: float, row: float, column: float) -> tuple[_Plane, _Plane]:
    """Return the coordinates of all pixels in a system that is turned, with its origin at ``(row, column)``."""
    right, down = _COLUMNS - column, _ROWS - row
    return np.cos(angle) * right + np.sin(angle) * down, np.cos(angle) * down - np.sin(angle) * right


def _painted(picture: _Plane, coverage: _Plane, color: _Plane) -> _Plane:
    share = coverage[..., np.newaxis]
    return np.asarray((1 - share) * picture + share * color)


def _circle(u: _Plane, v: _Plane) -> _Plane:
    return 1 - np.hypot(u, v)


def _polygon(corners: int) -> _Level:
    """A regular polygon: a point is inside as far as it is from the nearest side."""
    apothem = np.sqrt(np.pi / (corners * np.tan(np.pi / corners)))
    angles = 2 * np.pi * np.arange(corners) / corners

    def level(u: _Plane, v: _Plane) -> _Plane:
        return np.asarray(apothem - np.max([np.cos(angle) * u + np.sin(angle) * v for angle in angles], axis=0))

    return level


def _rectangle(width: float, height: float) -> _Level:
    """A rectangle by its half width and half height."""
    return lambda u, v: np.minimum(width - np.abs(u), height - np.abs(v))


def _cross(u: _Plane, v: _Plane) -> _Plane:
    arm = np.sqrt(np.pi * 9 / 20)  # three times as long as wide: the area is 20/9 of the arm's square
    return np.maximum(_rectangle(arm, arm / 3)(u, v), _rectangle(arm / 3, arm)(u, v))


def _ring(u: _Plane, v: _Plane) -> _Plane:
    return np.asarray(0.25 - np.abs(np.hypot(u, v) - 1))


def _star(u: _Plane, v: _Plane) -> _Plane:
    """Five points, the outer ones twice as far as the inner ones: ten times one triangle, folded onto one."""
    tip = np.sqrt(np.pi / (2.5 * np.sin(np.pi / 5)))
    inner = tip / 2 * np.array([np.cos(np.pi / 5), np.sin(np.pi / 5)])
    folded = np.abs((np.arctan2(v, u) + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    along, across = np.hypot(u, v) * np.cos(folded), np.hypot(u, v) * np.sin(folded)
    normal = np.array([inner[1], tip - inner[0]]) / np.hypot(inner[1], tip - inner[0])
    return np.asarray(normal[0] * tip - (normal[0] * along + normal[1] * across))


def _crescent(u: _Plane, v: _Plane) -> _Plane:
    """A circle, bitten by a smaller one from so far away that the rest's area is pi."""
    return np.asarray(np.minimum(1.25 - np.hypot(u, v), np.hypot(u - 1.004, v) - 1.0))


_LEVELS: Mapping[str, _Level] = {
    "circle": _circle,
    "square": _polygon(4),
    "triangle": _polygon(3),
    "bar": _rectangle(np.sqrt(3 * np.pi) / 2, np.sqrt(np.pi / 3) / 2),
    "cross": _cross,
    "ring": _ring,
    "star": _star,
    "crescent": _crescent,
}

KINDS = tuple(_LEVELS)
"""All kinds of shapes."""
