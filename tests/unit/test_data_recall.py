"""The recall sequences: a symbol in the first step, noise in all others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.data import draw_recall, load_recall
from autograder.data.recall import NOISE

SEQUENCES, LABELS = load_recall()


def test_there_are_four_thousand_sequences_of_forty_steps() -> None:
    """In float32, which is what a network computes with."""
    assert SEQUENCES.shape == (4000, 40, 4) and LABELS.shape == (4000, 4)
    assert SEQUENCES.dtype == LABELS.dtype == np.float32


def test_the_first_step_is_the_label() -> None:
    """One-hot, without noise."""
    np.testing.assert_array_equal(SEQUENCES[:, 0], LABELS)
    np.testing.assert_array_equal(np.sort(LABELS, axis=1), np.tile([0, 0, 0, 1], (4000, 1)))


def test_all_later_steps_are_the_same_noise() -> None:
    """Around zero and as wide in every step and channel; the labels move neither mean nor spread."""
    noise = SEQUENCES[:, 1:].astype(np.float64)
    error = NOISE / np.sqrt(len(noise))
    assert np.abs(noise.mean(axis=0)).max() < 5 * error
    assert np.abs(noise.std(axis=0) - NOISE).max() < 5 * error / np.sqrt(2)
    for symbol in range(4):
        assert np.abs(noise[LABELS[:, symbol] == 1].mean(axis=0)).max() < 5 * 2 * error


def test_noise_does_not_repeat() -> None:
    """Neither from step to step nor from sequence to sequence."""
    noise = SEQUENCES[:, 1:].astype(np.float64)
    assert abs(np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1]) < 0.01
    assert abs(np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1]) < 0.01


@given(st.integers(0, 40), st.integers(1, 9), st.integers(2, 6), st.integers(0, 9))
def test_symbols_are_balanced(count: int, length: int, symbols: int, seed: int) -> None:
    """Each comes as often as the others, up to one, whatever the sizes are."""
    sequences, labels = draw_recall(np.random.default_rng(seed), count, length, symbols)
    assert sequences.shape == (count, length, symbols)
    assert np.ptp(labels.sum(axis=0)) <= 1


def test_a_seed_and_a_split_decide_everything() -> None:
    """The same arguments give the same sequences; another seed or split gives others."""
    again, labels = load_recall()
    np.testing.assert_array_equal(again, SEQUENCES)
    np.testing.assert_array_equal(labels, LABELS)
    for other in (load_recall(seed=1), load_recall("validation")):
        assert not np.array_equal(other[0], SEQUENCES)


def test_order_is_random() -> None:
    """A label tells nothing about the next one."""
    repeats = float((LABELS[:-1] * LABELS[1:]).sum(axis=1).mean())
    assert repeats == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize("length, symbols", [(0, 4), (40, 1)])
def test_what_cannot_be_recalled_is_an_error(length: int, symbols: int) -> None:
    """There is a step to read and something to tell apart."""
    with pytest.raises(ValueError, match="expected 1 step and 2 symbols or more"):
        draw_recall(np.random.default_rng(0), 5, length, symbols)


def test_there_is_no_hidden_split() -> None:
    """Hidden sequences come from a generator of the examiner's."""
    with pytest.raises(ValueError, match='expected the split "train" or "validation"'):
        load_recall("test")  # type: ignore[arg-type]
