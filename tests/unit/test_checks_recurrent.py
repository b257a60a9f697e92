"""Recurrent layers in canonical form, from descriptions that nobody has to believe; no Keras is needed for that."""

from __future__ import annotations

import pytest

from autograder.checks.architecture import stages_of
from autograder.checks.stages import matches, recurrent
from tests.networks import Network


def of_every_step(key: object) -> Network:
    """A GRU that gives every step, of which ``key`` is taken."""
    net = Network(7, 2)
    steps = net.op("GRU", [net.input], (7, 4), units=4, return_sequences=True, go_backwards=False)
    taken = net.op("GetItem", [steps], (4,))
    net.operations[taken]["call"] = {"args": [None, key]}
    return net


@pytest.mark.parametrize("key", [[":", -1], [":", -1, ":"], [":", 6]])
def test_the_last_step_is_the_last_state(key: object) -> None:
    """However it is counted, the last of every step is what a layer gives by default."""
    assert matches([recurrent("gru", 4)], stages_of(of_every_step(key).read()))


@pytest.mark.parametrize("key", [None, [], -1, [":"], [":", 5], [":", 0], [":", -7], ["1:", -1], [":", -1, "::-1"]])
def test_another_key_is_another_network(key: object) -> None:
    """What is no last step, or makes no sense, stays a stage of its own."""
    assert not matches([recurrent("gru", 4)], stages_of(of_every_step(key).read()))


@pytest.mark.parametrize("cells", [None, [], {}, 7, [None], [{"class_name": 3}], [{"class_name": "LSTMCell"}, 1]])
def test_cells_that_make_no_sense_break_nothing(cells: object) -> None:
    """A forged stack of cells is read as some network, which is not the one that was asked for."""
    net = Network(7, 2)
    net.op("RNN", [net.input], (4,), cell={"class_name": "StackedRNNCells", "config": {"cells": cells}})
    assert not matches([recurrent("lstm", 4)], stages_of(net.read()))
    net = Network(7, 2)
    net.op("RNN", [], (4,), cell={"class_name": "StackedRNNCells", "config": {"cells": cells}})
    assert not matches([recurrent("lstm", 4)], stages_of(net.read()))
