"""Descriptions of networks as a subject would send them, written without Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.checks.description import Description, read_description

Data = dict[str, Any]


class Network:
    """Writes a description, operation by operation."""

    def __init__(self, *shape: int) -> None:
        self.operations: list[Data] = []
        self.layers: list[Data] = []
        self.weights: list[Data] = []
        self.compiled: Data | None = None
        self.input = self.op("InputLayer", [], shape)

    def op(self, kind: str, inputs: list[int], shape: tuple[int, ...], **config: object) -> int:
        """Add an operation without weights; return its number."""
        self.operations.append(
            {
                "kind": kind,
                "layer": None,
                "config": config,
                "call": {},
                "inputs": [[number, 0] for number in inputs],
                "shapes": [[None, *shape]],
                "opaque": None,
            }
        )
        return len(self.operations) - 1

    def layer(
        self, kind: str, inputs: list[int], shape: tuple[int, ...], weights: dict[str, list[int]], **config: object
    ) -> int:
        """Add a layer with its weights."""
        numbers = range(len(self.weights), len(self.weights) + len(weights))
        self.weights += [
            {"name": name, "shape": size, "dtype": "float32", "trainable": not name.startswith("moving")}
            for name, size in weights.items()
        ]
        self.layers.append({"kind": kind, "trainable": True, "weights": list(numbers)})
        number = self.op(kind, inputs, shape, **config)
        self.operations[number]["layer"] = len(self.layers) - 1
        return number

    def conv(self, source: int, filters: int, size: int = 3, strides: int = 1, **config: Any) -> int:
        """Add a convolution of any padding."""
        height, width, channels = self.shape(source)
        config = {"padding": "valid", "activation": "linear", "use_bias": True, **config}
        margin = size - 1 if config["padding"] == "valid" else 0
        shape = (-(-(height - margin) // strides), -(-(width - margin) // strides), filters)
        weights = {"kernel": [size, size, channels, filters], **({"bias": [filters]} if config["use_bias"] else {})}
        lengths = {"kernel_size": [size, size], "strides": [strides, strides], "dilation_rate": [1, 1], "groups": 1}
        return self.layer("Conv2D", [source], shape, weights, filters=filters, **lengths, **config)

    def norm(self, source: int) -> int:
        """Add a batch normalization."""
        shape = self.shape(source)
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        return self.layer("BatchNormalization", [source], shape, {name: [shape[-1]] for name in names})

    def dense(self, source: int, units: int, activation: str = "linear") -> int:
        """Add a dense layer."""
        shape = self.shape(source)
        weights = {"kernel": [shape[-1], units], "bias": [units]}
        return self.layer("Dense", [source], (*shape[:-1], units), weights, units=units, activation=activation)

    def same(self, kind: str, *sources: int, **config: object) -> int:
        """Add an operation that keeps the shape of its first input."""
        return self.op(kind, list(sources), self.shape(sources[0]), **config)

    def flat(self, source: int) -> int:
        """Add a flattening."""
        return self.op("Flatten", [source], (int(np.prod(self.shape(source))),))

    def shape(self, number: int) -> tuple[int, ...]:
        """Return an output's shape without the batch."""
        return tuple(self.operations[number]["shapes"][0][1:])

    def data(self) -> Data:
        """Return the description as it would come from a subject."""
        last = [[len(self.operations) - 1, 0]]
        return {
            "operations": self.operations,
            "outputs": last,
            "layers": self.layers,
            "weights": self.weights,
            "compiled": self.compiled,
        }

    def read(self) -> Description:
        """Return the description as records."""
        return read_description(self.data())
