"""The data sets: what a student's process can read, and what it cannot."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from autograder.data import digits, hidden_digits, load_digits
from autograder.data.digits import Digits

_SHIPPED = Path(digits.__file__).with_name("digits.npz")

_LOAD_WITHOUT_SKLEARN = """
import sys
sys.modules["sklearn"] = None
from autograder.data import hidden_digits, load_digits
from autograder.errors import CourseError
assert len(load_digits("train")[0]) == 1000
try:
    hidden_digits()
except CourseError:
    print("hidden")
"""


def _items(*parts: Digits) -> Counter[tuple[bytes, int]]:
    """Every image with its label, as a multiset."""
    return Counter((image.tobytes(), int(label)) for part in parts for image, label in zip(*part, strict=True))


def _scikit_learn() -> Digits:
    everything = datasets.load_digits()
    return np.round(everything.images * 255 / 16).astype(np.uint8), everything.target.astype(np.int64)


@pytest.mark.parametrize(("split", "count"), [("train", 1000), ("validation", 297)])
def test_a_split_is_bytes_from_black_to_white_with_integer_labels(split: str, count: int) -> None:
    """The types and the range are those of raw image files."""
    images, labels = load_digits(split)  # type: ignore[arg-type]  # parametrize knows str alone
    assert images.shape == (count, 8, 8) and images.dtype == np.uint8
    assert int(images.min()) == 0 and int(images.max()) == 255
    assert labels.shape == (count,) and labels.dtype == np.int64
    assert set(labels) == set(range(10))


@pytest.mark.parametrize("seed", [0, 1, 99])
def test_public_and_hidden_are_scikit_learns_digits_and_share_none(seed: int) -> None:
    """Together they are the whole set, and no hidden image is also public."""
    train, validation, hidden = load_digits("train", seed), load_digits("validation", seed), hidden_digits()
    assert len(hidden[0]) == digits.HIDDEN
    assert _items(train, validation, hidden) == _items(_scikit_learn())
    assert not _items(train) & _items(validation)
    assert not _items(train, validation) & _items(hidden)


def test_the_shipped_file_is_what_the_function_writes(tmp_path: Path) -> None:
    """The data can be made again from scikit-learn."""
    digits.write_public(tmp_path / "again.npz")
    with np.load(_SHIPPED, allow_pickle=False) as shipped, np.load(tmp_path / "again.npz", allow_pickle=False) as again:
        assert set(shipped) == set(again) == {"images", "labels"}
        for name in shipped:
            assert shipped[name].dtype == again[name].dtype == np.uint8
            np.testing.assert_array_equal(shipped[name], again[name])


def test_the_file_is_written_the_same_twice(tmp_path: Path) -> None:
    """No clock and no chance goes into the file."""
    for name in ("first.npz", "second.npz"):
        digits.write_public(tmp_path / name)
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    """The seed alone decides."""
    first, again, other = load_digits(seed=3), load_digits(seed=3), load_digits(seed=4)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.array_equal(first[0], other[0])


def test_an_unknown_split_is_refused_by_name() -> None:
    """Nobody can ask for the hidden split."""
    with pytest.raises(ValueError, match="'hidden'"):
        load_digits("hidden")  # type: ignore[arg-type]  # the mistake under test


def test_a_process_without_scikit_learn_reads_the_public_part_alone() -> None:
    """The loader of students needs no scikit-learn; the examiner's does."""
    process = subprocess.run([sys.executable, "-c", _LOAD_WITHOUT_SKLEARN], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "hidden"


def test_the_hidden_digits_are_balanced_enough_to_measure_accuracy() -> None:
    """Every class is among the 500 at least 30 times."""
    assert np.bincount(hidden_digits()[1], minlength=10).min() >= 30
