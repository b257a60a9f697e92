"""What the first use of a library costs, paid once by the fork server instead of once by every subject.

A first figure finds fonts, opens image plugins and fills caches; a first random number imports a package. None of it
leaves anything behind that a student could see.
"""

from __future__ import annotations

import io

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

import autograder.data  # noqa: F401 - released notebooks import it in their first cell


def warm_up() -> None:
    """Draw a small figure of the usual kinds, and throw it away."""
    Image.init()
    values = np.random.default_rng(0).normal(size=(8, 8)) @ np.ones((8, 8))
    figure, (left, right) = plt.subplots(1, 2)
    left.imshow(values)
    left.set_title("$x_1$ and text")
    right.plot(values[0], label="line")
    right.scatter(values[0], values[1])
    right.bar(range(8), values[1])
    right.hist(values.ravel())
    right.contour(values)
    right.legend()
    right.set(xlabel="x", ylabel="y")
    figure.colorbar(left.images[0])
    figure.tight_layout()
    figure.canvas.print_figure(io.BytesIO(), format="png")
    plt.close(figure)
