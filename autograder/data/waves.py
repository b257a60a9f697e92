"""Waves: series that nobody has seen, because they are drawn when they are needed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_NOISE = 0.05


def draw_wave(rng: np.random.Generator, count: int) -> npt.NDArray[np.float64]:
    """Draw ``count`` values of a wave of 6 to 12 steps that swells and fades over 40 to 80 steps, a little noisy."""
    time = np.arange(count)
    swell = 1 + 0.3 * np.sin(2 * np.pi * time / rng.uniform(40, 80) + rng.uniform(0, 2 * np.pi))
    wave = np.sin(2 * np.pi * time / rng.uniform(6, 12) + rng.uniform(0, 2 * np.pi))
    return np.asarray(swell * wave + _NOISE * rng.normal(size=count))
