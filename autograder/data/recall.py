"""Recall: sequences whose first step shows a symbol and whose later steps are noise, drawn when they are needed.

The label is the symbol. What makes it hard is how long it has to be kept while noise, stronger than the symbol was,
comes in by the same channels.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Recall = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
"""Sequences ``(N, T, K)``, one channel for each of ``K`` symbols, and their symbols, one-hot ``(N, K)``."""

LENGTH, SYMBOLS = 40, 4

NOISE = 2.0
"""The standard deviation of the noise in each channel; a symbol is a 1 in its own."""


def draw_recall(rng: np.random.Generator, count: int, length: int = LENGTH, symbols: int = SYMBOLS) -> Recall:
    """Draw sequences of any symbol, each as often as the others, up to one, in random order.

    Raises:
        ValueError: there is no step, or there are fewer than two symbols.
    """
    if length < 1 or symbols < 2:
        raise ValueError(f"expected 1 step and 2 symbols or more, received {length} and {symbols}")
    labels = rng.permutation(np.arange(count) % symbols)
    sequences = rng.normal(0, NOISE, (count, length, symbols))
    sequences[:, 0] = np.eye(symbols)[labels]
    return sequences.astype(np.float32), np.eye(symbols, dtype=np.float32)[labels]


def load_recall(
    split: Literal["train", "validation"] = "train", seed: int = 0, count: int = 4000, length: int = LENGTH
) -> Recall:
    """Return sequences of four symbols of a split, the same for the same arguments.

    Raises:
        ValueError: there is no such split, or no step.
    """
    if split not in ("train", "validation"):
        raise ValueError(f'expected the split "train" or "validation", received {split!r}')
    return draw_recall(np.random.default_rng([seed, len(split)]), count, length)
