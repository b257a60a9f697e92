"""Bases and classifiers of the examiner's own: what is written of them, without Keras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.logistic import network
from autograder.checks.transfer import (
    BASE_KINDS,
    BASES,
    MAPS,
    NEW_KINDS,
    SHAPE,
    SHAPES_BASE,
    graph,
    last_weights,
    on_base,
    shapes_weights,
    written,
)
from autograder.data.shapes import KINDS
from tests.networks import Network


def layers_of(config: str) -> list[dict[str, Any]]:
    """Return the layers of a model in JSON."""
    found: list[dict[str, Any]] = json.loads(config)["config"]["layers"]
    return found


def sources(layer: dict[str, Any]) -> list[str]:
    """Return the names of the nodes that a layer in a graph is called on."""
    tensors = layer["inbound_nodes"][0]["args"][0]
    return [each["config"]["keras_history"][0] for each in (tensors if isinstance(tensors, list) else [tensors])]


def test_a_graph_names_its_nodes_and_what_they_read() -> None:
    """The input first, then each node with its sources; two sources are one list of tensors."""
    relu = written(("ReLU", {}))
    config = graph((4,), ("a", relu, ["input"], {}), ("b", written(("Add", {})), ["input", "a"], {}))
    names = [layer["name"] for layer in layers_of(config)]
    assert names == ["input", "a", "b"]
    assert [sources(layer) for layer in layers_of(config)[1:]] == [["input"], ["input", "a"]]
    assert json.loads(config)["config"]["output_layers"] == ["b", 0, 0]


@pytest.mark.parametrize("pooled", [True, False])
def test_a_classifier_averages_maps_only(pooled: bool) -> None:
    """Between base and head stands global average pooling, where it is asked for."""
    config = on_base(network(SHAPE, *MAPS), SHAPE, 3, pooled=pooled)
    kinds = [layer["class_name"] for layer in layers_of(config)]
    assert kinds == ["InputLayer", "Sequential", *(["GlobalAveragePooling2D"] if pooled else []), "Dense"]


@pytest.mark.parametrize("training, said", [(False, {"training": False}), (None, {})])
def test_a_classifier_calls_its_base_in_a_mode(training: bool | None, said: dict[str, object]) -> None:
    """In inference mode, or in that of the model around it."""
    config = on_base(network(SHAPE, *MAPS), SHAPE, 3, training=training)
    assert layers_of(config)[1]["inbound_nodes"][0]["kwargs"] == said


def described(norms: list[bool]) -> Network:
    """Write a network of convolutions, each followed by batch normalization or not, and by ReLU."""
    net = Network(6, 6, 2)
    place = net.input
    for has_norm in norms:
        place = net.conv(place, 3, padding="same")
        place = net.same("ReLU", net.norm(place) if has_norm else place)
    return net


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(0, 8))
def test_the_last_layers_are_those_with_weights_without_normalization(norms: list[bool], layers: int) -> None:
    """Each convolution counts once, however much batch normalization stands between them."""
    description = described(norms).read()
    numbers = last_weights(description, layers)
    weights = [description.weights[number] for number in numbers]
    assert [weight.name for weight in weights] == ["kernel", "bias"] * min(layers, len(norms))
    assert numbers == sorted(numbers)
    assert not layers or numbers[-1] == max(weight.number for weight in description.weights if weight.name == "bias")


@given(st.lists(st.booleans(), min_size=1, max_size=6), st.integers(0, 8))
def test_batch_normalization_may_use_up_a_layer(norms: list[bool], layers: int) -> None:
    """In the other reading it counts, and is frozen all the same."""
    description = described(norms).read()
    kinds = [kind for has_norm in norms for kind in ("conv", *["norm"] * has_norm)]
    expected = kinds[max(0, len(kinds) - layers) :].count("conv")
    assert len(last_weights(description, layers, norms_count=True)) == 2 * expected


def test_the_shipped_base_is_small_and_holds_arrays_only(tmp_path: Path) -> None:
    """Weights are read in the order of their numbers, and nothing that would have to be unpickled."""
    path = tmp_path / "base.npz"
    arrays: dict[str, Any] = {f"weight_{number:02d}": np.full(number + 1, number) for number in range(12)}
    np.savez(path, **dict(reversed(arrays.items())), head_kernel=np.zeros(3))
    assert [len(values) for values in shapes_weights(path)] == list(range(1, 13))
    np.savez(path, weight_00=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="pickle"):
        shapes_weights(path)


def test_kinds_are_known_and_the_new_ones_are_new() -> None:
    """The base has seen none of the kinds that it is transferred to."""
    assert {*BASE_KINDS, *NEW_KINDS} == set(KINDS)
    assert not set(BASE_KINDS) & set(NEW_KINDS)


@pytest.mark.parametrize("config", [network((64, 64, 3), *SHAPES_BASE), *BASES.values()])
def test_every_base_has_batch_normalization(config: str) -> None:
    """Otherwise inference mode and statistics could not be looked at."""
    assert "BatchNormalization" in [layer["class_name"] for layer in layers_of(config)]
