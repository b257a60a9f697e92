"""What the first use of a library costs, paid once by the fork server instead of once by every subject.

A first figure finds fonts, opens image plugins and fills caches; a first random number imports a package. None of it
leaves anything behind that a student could see. No text is drawn: matplotlib would keep the fonts' files open, and a
subject, whose descriptors are others, would close one of its own in their place.
"""

from __future__ import annotations

import io

import numpy as np
from matplotlib import font_manager
from matplotlib import pyplot as plt
from PIL import Image

import autograder.data  # noqa: F401 - released notebooks import it in their first cell


def warm_up() -> None:
    """Draw a small figure without text, and throw it away."""
    Image.init()
    font_manager.findfont(font_manager.FontProperties())
    figure, axes = plt.subplots(figsize=(1, 1))
    axes.imshow(np.random.default_rng(0).normal(size=(8, 8)) @ np.ones((8, 8)))
    axes.plot([0, 1])
    axes.axis("off")
    figure.canvas.print_figure(io.BytesIO(), format="png")
    plt.close(figure)
