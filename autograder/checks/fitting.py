"""Training under the examiner's orders: how a student's model learns, by losses that are computed here.

    curve = fit_and_probe(model, (x, y), (probe_x, probe_y), epochs=10, batch_size=32, seed=0,
                          loss="categorical_crossentropy", compiled={"optimizer": "adam", "loss": ...})
    curve.losses, curve.start            the loss of the probe after each epoch, and before the first
    curve.claimed                        what History says about the training data, epoch by epoch
    curve.disagreement()                 a sentence, where that cannot be; None otherwise

The labels of the probe never reach the student's process: only its predictions come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_shape
from autograder.checks.metrics import assert_probabilities
from autograder.checks.models import Model

Array = npt.NDArray[Any]
Data = tuple[Array, Array]
"""Inputs, and labels or targets."""

_LEAST_PROBABILITY = 1e-7


@dataclass(frozen=True)
class Curve:
    """The course of a training. Losses are not finite where predictions are not."""

    start: float
    losses: tuple[float, ...]
    claimed: tuple[float, ...]
    predictions: tuple[Array, ...]

    @property
    def differences(self) -> tuple[float, ...]:
        """The claimed loss of each epoch less the computed one."""
        return tuple(float(claim - loss) for claim, loss in zip(self.claimed, self.losses, strict=False))

    def disagreement(self, slack: float = 0.5) -> str | None:
        """Say where History claims a loss that the predictions contradict, if the probe is like the training data.

        The mean over an epoch lies between the losses before and after it; ``slack`` widens that range on both sides,
        by that part of the start's loss, for noise, dropout and a probe of other data.
        """
        if len(self.claimed) != len(self.losses):
            return f"History has {len(self.claimed)} losses for {len(self.losses)} epochs."
        edges = (self.start, *self.losses)
        for epoch, claim in enumerate(self.claimed, 1):
            low, high = sorted(edges[epoch - 1 : epoch + 1])
            margin = slack * abs(self.start)
            if not low - margin <= claim <= high + margin:
                computed = f"the predictions have {edges[epoch]:.3g}"
                return f"History claims a loss of {claim:.3g} in epoch {epoch}; {computed} after it."
        return None


def fit_and_probe(
    model: Model,
    train: Data,
    probe: Data,
    *,
    loss: str,
    seed: int,
    compiled: Mapping[str, object] | None = None,
    **options: Any,
) -> Curve:
    """Train a model on ``train`` and compute its loss on ``probe`` before the training and after each epoch.

    Args:
        model: the model; without ``compiled`` as its student compiled it.
        train: inputs and labels, which reach the student's process.
        probe: inputs, which do, and labels, which do not.
        loss: ``"categorical_crossentropy"``, ``"sparse_categorical_crossentropy"``, ``"binary_crossentropy"`` or
            ``"mean_squared_error"``.
        seed: of shuffling and dropout.
        compiled: arguments of ``Model.compile``.
        options: ``epochs``, ``batch_size`` and what else ``Model.fit`` takes.

    Raises:
        CheckFailure: the training fails, or predictions have the wrong shape, or are finite and no probabilities.
    """
    training = model.fit(*train, probe[0], seed=seed, compiled=compiled, **options)
    losses = [probe_loss(predictions, probe[1], loss) for predictions in training.predictions]
    return Curve(losses[0], tuple(losses[1:]), training.claims.get("loss", ()), training.predictions)


def probe_loss(predictions: Array, labels: Array, loss: str) -> float:
    """Return the mean loss of predictions ``(N, K)``; NaN where any of them is not finite."""
    if loss not in _LOSSES:
        raise ValueError(f"expected one of {', '.join(_LOSSES)}, received {loss}")
    return _LOSSES[loss](predictions.astype(np.float64), labels)


def _categorical(predictions: Array, labels: Array) -> float:
    if not _usable(predictions, labels.shape):
        return float("nan")
    assert_probabilities(predictions, (labels.shape[0], labels.shape[1]), name=_NAME)
    right = np.sum(predictions * labels, axis=1)
    return float(-np.log(np.clip(right, _LEAST_PROBABILITY, 1)).mean())


def _sparse(predictions: Array, labels: Array) -> float:
    classes = predictions.shape[-1] if predictions.ndim == 2 else int(labels.max()) + 1
    if classes <= labels.max():
        assert_shape(predictions, (len(labels), int(labels.max()) + 1), name=_NAME)
    return _categorical(predictions, np.eye(classes)[labels.reshape(-1)])


def _binary(predictions: Array, labels: Array) -> float:
    if not _usable(predictions, (len(labels), 1)):
        return float("nan")
    both = np.concatenate([1 - predictions, predictions], axis=1)
    return _categorical(both, np.eye(2)[labels.reshape(-1).astype(int)])


def _squared(predictions: Array, labels: Array) -> float:
    targets = labels.reshape(len(labels), -1)
    if not _usable(predictions, targets.shape):
        return float("nan")
    return float(np.mean((predictions - targets) ** 2))


def _usable(predictions: Array, shape: tuple[int, ...]) -> bool:
    """Check the shape; tell whether every value is finite."""
    assert_shape(predictions, shape, name=_NAME)
    return bool(np.isfinite(predictions).all())


_NAME = "the output of your model"
_LOSSES = {
    "categorical_crossentropy": _categorical,
    "sparse_categorical_crossentropy": _sparse,
    "binary_crossentropy": _binary,
    "mean_squared_error": _squared,
}
