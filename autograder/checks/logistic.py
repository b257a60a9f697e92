"""Small models of the examiner's own, of which NumPy can say exactly what a student's training makes of them.

    known = Logistic.draw(rng, inputs, labels)
    model = make_model(student, network(inputs.shape[1:], *LOGISTIC, optimizer=("SGD", 0.5)), known.start)
    student.handle.train_cnn(model.handle, images, labels, epochs=3, batch_size=len(images))
    weights, losses, accuracies = known.after(3, Descent(0.5))
    assert_close(row(model.weights()), weights[-1])

A step of gradient descent on a logistic regression is one line. It shows whether inputs were scaled, how many steps
were made on how many items, and by which rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Vector = npt.NDArray[np.float64]
Layer = tuple[str, Mapping[str, object]]
"""A class of Keras and its arguments."""

SIGMOID: Layer = ("Dense", {"units": 1, "activation": "sigmoid"})
LOGISTIC: tuple[Layer, ...] = (("Flatten", {}), SIGMOID)
"""The layers of a logistic regression of all pixels."""


def network(input_shape: Sequence[int], *layers: Layer, optimizer: tuple[str, float] | None = None) -> str:
    """Write a Sequential model as JSON; with an ``optimizer``, class and learning rate, a compiled classifier."""
    listed: list[Layer] = [("InputLayer", {"batch_shape": [None, *input_shape]}), *layers]
    config = [{"module": "keras.layers", "class_name": kind, "config": dict(options)} for kind, options in listed]
    model: dict[str, object] = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "given", "layers": config},
    }
    if optimizer is not None:
        rule = {
            "module": "keras.optimizers",
            "class_name": optimizer[0],
            "config": {"learning_rate": optimizer[1]},
        }
        model["compile_config"] = {"optimizer": rule, "loss": "binary_crossentropy", "metrics": ["accuracy"]}
    return json.dumps(model)


def row(arrays: Sequence[Array]) -> Array:
    """Return the weights of a model as one row."""
    return np.concatenate([array.ravel() for array in arrays])


@dataclass(frozen=True)
class Logistic:
    """A logistic regression for ``inputs`` ``(N, D)`` and labels ``(N,)``; its weights are a row, the bias last."""

    inputs: Vector
    labels: Vector
    start: tuple[Vector, Vector]

    @classmethod
    def draw(cls, rng: np.random.Generator, inputs: Array, labels: Array) -> Logistic:
        """Draw weights for inputs of any shape ``(N, ...)``, and a bias of zero."""
        flat = inputs.reshape(len(inputs), -1).astype(float)
        return cls(flat, labels.astype(float), (rng.normal(0, 0.3, (flat.shape[1], 1)), np.zeros(1)))

    def after(self, steps: int, update: Callable[[Vector], Vector]) -> tuple[Vector, Vector, Vector]:
        """Make steps on all items: the weights ``(steps + 1, D + 1)``, the losses and the accuracies before each step.

        ``update`` takes a gradient and returns what is added to the weights.
        """
        weights, losses, accuracies = [np.asarray(row(self.start))], [], []
        inputs = np.concatenate([self.inputs, np.ones((len(self.inputs), 1))], axis=1)
        for _ in range(steps):
            ones = 1 / (1 + np.exp(-inputs @ weights[-1]))
            losses.append(-np.mean(np.log(np.where(self.labels == 1, ones, 1 - ones))))
            accuracies.append(np.mean((ones > 0.5) == self.labels))
            weights.append(weights[-1] + update(inputs.T @ (ones - self.labels) / len(ones)))
        return np.array(weights), np.array(losses), np.array(accuracies)


@dataclass(frozen=True)
class Descent:
    """Plain gradient descent."""

    rate: float

    def __call__(self, gradient: Vector) -> Vector:
        """Return the step for a gradient."""
        return -self.rate * gradient


class Adam:
    """Adam (Kingma and Ba, 2015) with the decay rates of the paper, which are Keras's, too."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._count = 0
        self._mean: Any = 0.0
        self._square: Any = 0.0

    def __call__(self, gradient: Vector) -> Vector:
        """Return the step for a gradient, and remember it."""
        self._count += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.999 * self._square + 0.001 * gradient**2
        mean, square = self._mean / (1 - 0.9**self._count), self._square / (1 - 0.999**self._count)
        return np.asarray(-self.rate * mean / (np.sqrt(square) + 1e-7))
