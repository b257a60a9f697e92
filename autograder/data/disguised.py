"""Digits that nobody has seen: turned, mirrored and renamed, so that what was learned elsewhere is worth nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autograder.data.digits import Digits

Images = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

LESSON_HIDDEN = 200
"""Hidden images of one lesson."""


@dataclass(frozen=True)
class Disguise:
    """One way to turn and mirror images, and new names ``(10,)`` for the ten classes."""

    quarter_turns: int
    mirrored: bool
    names: npt.NDArray[np.int64]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Disguise:
        """Draw one of the eight positions of a square and one of the 10! namings."""
        return cls(int(rng.integers(4)), bool(rng.integers(2)), rng.permutation(10))

    def sample(self, digits: Digits, count: int, rng: np.random.Generator) -> tuple[Images, Labels]:
        """Draw different images of a split, float32 ``(count, 8, 8, 1)`` in [0, 1], and their labels ``(count,)``."""
        chosen = rng.choice(len(digits[0]), count, replace=False)
        images = np.rot90(digits[0][chosen], self.quarter_turns, axes=(1, 2))
        images = images[:, ::-1] if self.mirrored else images
        return (images[..., np.newaxis] / 255).astype(np.float32), self.names[digits[1][chosen]]


def lesson(
    splits: tuple[Digits, Digits], count: int, rng: np.random.Generator
) -> tuple[Images, npt.NDArray[np.float64], Images, Labels]:
    """Draw ``count`` images of the first split with one-hot labels ``(count, 10)``, 200 of the second with theirs.

    Both wear one disguise, so that what is learned from the first holds for the second.
    """
    disguise = Disguise.draw(rng)
    images, labels = disguise.sample(splits[0], count, rng)
    return images, np.eye(10)[labels], *disguise.sample(splits[1], LESSON_HIDDEN, rng)
