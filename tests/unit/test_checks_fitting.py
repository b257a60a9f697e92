"""Losses of a training, computed from predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import rel_entr, softmax

from autograder.checks.fitting import Curve, probe_loss
from autograder.errors import CheckFailure

Array = np.ndarray[Any, Any]


def predictions(seed: int, items: int, classes: int) -> tuple[Array, Array]:
    """Random probabilities ``(N, K)`` and integer labels ``(N,)``."""
    rng = np.random.default_rng(seed)
    return softmax(rng.normal(size=(items, classes)), axis=1).astype(np.float32), rng.integers(0, classes, items)


@given(seed=st.integers(0, 99), items=st.integers(1, 20), classes=st.integers(2, 6))
def test_cross_entropy_is_scipys_divergence(seed: int, items: int, classes: int) -> None:
    """Against one-hot labels the cross-entropy is the relative entropy; sparse labels give the same."""
    received, labels = predictions(seed, items, classes)
    hot = np.eye(classes)[labels]
    oracle = rel_entr(hot, received).sum(axis=1).mean()
    assert probe_loss(received, hot, "categorical_crossentropy") == pytest.approx(oracle, rel=1e-6)
    assert probe_loss(received, labels, "sparse_categorical_crossentropy") == pytest.approx(oracle, rel=1e-6)


@given(seed=st.integers(0, 99), items=st.integers(1, 20))
def test_binary_cross_entropy_is_that_of_two_classes(seed: int, items: int) -> None:
    """One column is the probability of class 1."""
    received, labels = predictions(seed, items, 2)
    oracle = rel_entr(np.eye(2)[labels], received).sum(axis=1).mean()
    for shape in ((-1,), (-1, 1)):
        assert probe_loss(received[:, 1:], labels.reshape(shape), "binary_crossentropy") == pytest.approx(
            oracle, rel=1e-5
        )


def test_squared_error_is_the_variance_around_the_mean() -> None:
    """The error of the mean as forecast is the variance; nothing broadcasts."""
    targets = np.random.default_rng(0).normal(size=50)
    forecast = np.full((50, 1), targets.mean(), np.float32)
    assert probe_loss(forecast, targets, "mean_squared_error") == pytest.approx(targets.var(), rel=1e-5)
    with pytest.raises(CheckFailure, match="shape"):
        probe_loss(forecast[:, 0], targets, "mean_squared_error")


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "binary_crossentropy", "mean_squared_error"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_has_no_loss(loss: str, bad: float) -> None:
    """A NaN or an infinity anywhere makes the loss NaN, so that no trend test can pass it."""
    columns = 2 if loss == "categorical_crossentropy" else 1
    received = np.full((4, columns), 1 / columns, np.float32)
    received[2, 0] = bad
    labels = np.eye(2)[[0, 1, 0, 1]] if columns == 2 else np.array([0.0, 1.0, 0.0, 1.0])
    assert np.isnan(probe_loss(received, labels, loss))


def test_logits_are_no_probabilities() -> None:
    """A loss could be made as low as one likes by numbers that are no probabilities."""
    received = np.array([[9, -9], [-9, 9]], np.float32)
    with pytest.raises(CheckFailure, match="no probabilities"):
        probe_loss(received, np.eye(2), "categorical_crossentropy")
    with pytest.raises(CheckFailure, match="no probabilities"):
        probe_loss(received[:, :1], np.array([0, 1]), "binary_crossentropy")


def test_a_certain_mistake_has_a_finite_loss() -> None:
    """Probability 0 for the right class is bad, and no infinity."""
    assert probe_loss(np.eye(2, dtype=np.float32), np.eye(2)[::-1], "categorical_crossentropy") == pytest.approx(
        16.118, abs=1e-3
    )


def test_an_unknown_loss_is_the_authors_mistake() -> None:
    """The known ones are listed."""
    with pytest.raises(ValueError, match="categorical_crossentropy, sparse"):
        probe_loss(np.zeros((1, 1)), np.zeros(1), "hinge")


def test_honest_claims_agree() -> None:
    """The mean over an epoch lies between the losses before and after it, more or less."""
    curve = Curve(start=2.3, losses=(1.2, 0.6, 0.5), claimed=(1.7, 0.8, 0.66), predictions=())
    assert curve.disagreement() is None
    assert curve.differences == pytest.approx((0.5, 0.2, 0.16))


def test_invented_claims_are_reported() -> None:
    """A falling curve that the predictions do not know of is told by its first epoch that cannot be."""
    curve = Curve(start=2.3, losses=(2.3, 2.3, 2.3), claimed=(2.0, 1.2, 0.1), predictions=())
    told = "History claims a loss of {} in epoch {}; the predictions have 2.3 after it."
    assert curve.disagreement() == told.format(0.1, 3)
    assert curve.disagreement(slack=0.4) == told.format(1.2, 2)
    assert Curve(2.3, (1.0, 0.5), (1.0,), ()).disagreement() == "History has 1 losses for 2 epochs."
    assert Curve(2.3, (float("nan"),), (1.0,), ()).disagreement() is not None
