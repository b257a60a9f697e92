"""Handwritten digits, 8x8: the public 1,297 of scikit-learn's bundled 1,797, and for the examiner the other 500.

Which images are public is a rule, not a list: sort the 1,797 positions by the SHA-256 of their decimal text; the first
1,297 are public and the rest is hidden. The rule needs no random generator, so it gives the same split everywhere.
``digits.npz`` holds the public part alone, in that order and with the original values 0..16, so that a student's
process needs no scikit-learn and finds no hidden image.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998
(CC BY 4.0); scikit-learn bundles its test part.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from autograder.errors import CourseError

Digits = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]
"""Images ``(N, 8, 8)`` with values 0..255, and labels ``(N,)``."""

HIDDEN = 500
"""Images kept for the examiner."""

VALIDATION = 297
"""Public images of the split ``validation``; the other 1,000 are ``train``."""

_BRIGHTEST = 16
_FILE = Path(__file__).with_name("digits.npz")


def load_digits(split: Literal["train", "validation"] = "train", seed: int = 0) -> Digits:
    """Return one split of the public digits.

    Args:
        split: ``"train"``, 1,000 images, or ``"validation"``, the other 297.
        seed: Shuffles the public digits before they are split, so the two splits of one seed share no image.

    Raises:
        ValueError: there is no such split.
    """
    if split not in ("train", "validation"):
        raise ValueError(f'expected the split "train" or "validation", received {split!r}')
    with np.load(_FILE, allow_pickle=False) as public:
        images, labels = public["images"], public["labels"]
    order = np.random.default_rng(seed).permutation(len(images))
    chosen = order[:-VALIDATION] if split == "train" else order[-VALIDATION:]
    return _scaled(images[chosen]), labels[chosen].astype(np.int64)


def hidden_digits() -> Digits:
    """Return the 500 digits that no student gets; for the examiner, because it reads them from scikit-learn."""
    images, labels = _in_order()
    return _scaled(images[-HIDDEN:]), labels[-HIDDEN:].astype(np.int64)


def write_public(path: Path) -> None:
    """Write the public part as it ships in ``digits.npz``."""
    images, labels = _in_order()
    np.savez_compressed(path, images=images[:-HIDDEN], labels=labels[:-HIDDEN])


def _in_order() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return all of scikit-learn's digits, values 0..16, the public ones first."""
    table = np.loadtxt(_source(), dtype=np.uint8, delimiter=",")  # (1797, 64 + 1)
    order = sorted(range(len(table)), key=lambda index: sha256(str(index).encode()).digest())
    return table[order, :-1].reshape(-1, 8, 8), table[order, -1]


def _source() -> Path:
    """Find the file that scikit-learn bundles; importing the package, and SciPy with it, would take a second."""
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise CourseError("the hidden digits are in scikit-learn, which is missing: install autograder[instructor]")
    return Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"


def _scaled(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Stretch 0..16 to 0..255."""
    return np.round(images * (255 / _BRIGHTEST)).astype(np.uint8)
