"""Networks of real Keras that are written differently and compute the same: they have one canonical form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest

from autograder.checks.architecture import assert_compiled, stages_of
from autograder.checks.description import read_description
from autograder.checks.stages import dense, matches, recurrent
from autograder.subject.description import describe

layers = keras.layers


def is_last_state(layer: Any, taken: Callable[[Any], Any]) -> bool:
    """Tell whether taking something of every step is seen as a layer that gives its last state."""
    steps = keras.Input((7, 2))
    model = keras.Model(steps, layers.Dense(1)(taken(layer(steps))))
    return matches([recurrent("gru", 5), dense(1)], stages_of(read_description(describe(model))))


@pytest.mark.parametrize("taken", [lambda h: h[:, -1], lambda h: h[:, -1, :], lambda h: h[:, 6]])
@pytest.mark.parametrize("spelled", [lambda function: function, layers.Lambda])
def test_the_last_of_every_step_is_the_last_state(taken: Any, spelled: Any) -> None:
    """A student may ask for every step and take the last one; that is what a layer gives by default."""
    assert is_last_state(layers.GRU(5, return_sequences=True), spelled(taken))


@pytest.mark.parametrize("taken", [lambda h: h[:, 5], lambda h: h[:, 0], lambda h: h[1:, -1], lambda h: h[:, -1, ::-1]])
def test_any_other_part_of_the_steps_is_not(taken: Any) -> None:
    """An earlier step, some sequences only, or units in another order are another network."""
    assert not is_last_state(layers.GRU(5, return_sequences=True), taken)


def test_the_last_step_of_both_directions_is_not() -> None:
    """At the last step the backward half has read one step only: the best known mistake with these layers."""
    assert not is_last_state(layers.Bidirectional(layers.GRU(5, return_sequences=True)), lambda h: h[:, -1])


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_stacked_cells_are_a_stack(sequences: bool, backwards: bool) -> None:
    """``RNN([cell, cell])`` is two layers; it is the lower one that may begin at the end."""
    options = {"return_sequences": sequences, "go_backwards": backwards}
    model = keras.Sequential([keras.Input((7, 2)), layers.RNN([layers.LSTMCell(5), layers.GRUCell(4)], **options)])
    lower, upper = stages_of(read_description(describe(model)))
    assert matches([recurrent("gru", 4, sequences=sequences)], [upper])
    assert matches([recurrent("lstm", 5, sequences=True)], [lower]) is not backwards
    assert (lower.stage.output, upper.stage.output) == ((7, 5), (7, 4) if sequences else (4,))


@pytest.mark.parametrize(
    "activation, name",
    [
        (layers.ReLU(), "relu"),
        (layers.Activation("relu"), "relu"),
        (layers.ReLU(max_value=6), "re_lu"),
        (layers.LeakyReLU(), "leaky_relu"),
    ],
)
def test_an_activation_may_be_a_layer(activation: Any, name: str) -> None:
    """``activation=keras.layers.ReLU()`` is ReLU, unless the layer is a bounded or a leaky one."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, activation=activation)])
    assert matches([dense(1, name)], stages_of(read_description(describe(model))))


@pytest.mark.parametrize("loss", ["bce", ["binary_crossentropy"], {"answer": keras.losses.BinaryCrossentropy()}])
def test_one_loss_may_stand_in_a_list(loss: Any) -> None:
    """Keras takes a list or a dict of losses, one for each output, where there is one output too."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, activation="sigmoid", name="answer")])
    model.compile("adam", loss)
    assert_compiled(read_description(describe(model)), losses=("binary_crossentropy",))
