"""Which networks read a sequence from the first step to the last, with nothing that goes past it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from autograder.checks.reading import assert_reads_forward
from autograder.errors import CheckFailure
from tests.networks import Network


def _recurrent(
    net: Network, source: int, kind: str = "GRU", *, sequences: bool = False, backwards: bool = False
) -> int:
    """Add a recurrent layer of 5 units that reads 8 steps."""
    shape = (8, 5) if sequences else (5,)
    config = {"units": 5, "activation": "tanh", "return_sequences": sequences, "go_backwards": backwards}
    return net.op(kind, [source], shape, **config)


def _dense(net: Network, source: int, *shape: int) -> int:
    return net.op("Dense", [source], shape, units=shape[-1], activation="softmax", use_bias=True)


def _plain(net: Network) -> None:
    _dense(net, _recurrent(net, net.input), 4)


def _stacked(net: Network) -> None:
    below = _recurrent(net, _dense(net, net.op("Masking", [net.input], (8, 3)), 8, 6), "LSTM", sequences=True)
    _dense(net, _recurrent(net, below, "SimpleRNN"), 4)


def _none(net: Network) -> None:
    _dense(net, net.op("Flatten", [net.input], (24,)), 4)


def _both_ways(net: Network) -> None:
    inner = {"class_name": "GRU", "config": {"units": 5}}
    _dense(net, net.op("Bidirectional", [net.input], (10,), layer=inner, backward_layer=inner, merge_mode="concat"), 4)


def _backwards(net: Network) -> None:
    _dense(net, _recurrent(net, net.input, backwards=True), 4)


def _every_step(net: Network) -> None:
    _dense(net, _recurrent(net, net.input, sequences=True), 8, 4)


def _shortcut(net: Network) -> None:
    read, past = _recurrent(net, net.input), net.op("Flatten", [net.input], (24,))
    _dense(net, net.op("Concatenate", [read, past], (29,), axis=-1), 4)


def _cut(net: Network) -> None:
    _dense(net, _recurrent(net, net.op("Cropping1D", [net.input], (1, 3), cropping=[0, 7])), 4)


@pytest.mark.parametrize("draw", [_plain, _stacked])
def test_recurrent_layers_in_a_row_read_forward(draw: Callable[[Network], None]) -> None:
    """Of any kind, with masks and dense layers before and behind them."""
    net = Network(8, 3)
    draw(net)
    assert_reads_forward(net.read())


@pytest.mark.parametrize(
    "draw, message",
    [
        (_none, "is not made of recurrent layers in a row"),
        (_both_ways, "is not made of recurrent layers in a row"),
        (_shortcut, "is not made of recurrent layers in a row"),
        (_cut, "is not made of recurrent layers in a row"),
        (_backwards, "reads backwards"),
        (_every_step, "does not answer to the last state alone"),
    ],
)
def test_a_second_look_at_the_first_step_is_found(draw: Callable[[Network], None], message: str) -> None:
    """Backwards, past the memory, or by leaving out what comes later; the message begins with the network's name."""
    net = Network(8, 3)
    draw(net)
    with pytest.raises(CheckFailure, match=f"The recaller {message}"):
        assert_reads_forward(net.read(), name="the recaller")
