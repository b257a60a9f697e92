"""The solution of ``deep_rnn``, and the examiner's arithmetic, against oracles that share nothing with them.

They are Keras's own layers with the same weights, counts of parameters, and laws that hold for any sequence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks.plugin import load_reference
from autograder.course import Course

Array = npt.NDArray[Any]

ASSIGNMENT = Course.find(Path(__file__).parent).assignment("deep_rnn")
DEEP = load_reference(ASSIGNMENT.solution)
SIZES = [(1, 1, 1, 1), (3, 7, 2, 5), (5, 1, 3, 3), (2, 12, 4, 3)]
"""Sequences, steps, inputs, units."""

CELLS = {"simple": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}

properties = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def hidden(request: pytest.FixtureRequest) -> Any:
    """The hidden tests as a module, whose mark is a plugin's that does not run here."""
    request.config.addinivalue_line("markers", "task: the task that a check belongs to")
    return load_reference(ASSIGNMENT.hidden_tests)


def _triples(seed: int, inputs: int, units: int) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Draw weights and biases of a plain layer for each direction."""
    rng = np.random.default_rng(seed)
    shapes = ((inputs, units), (units, units), (units,))
    forward, backward = (tuple(0.8 * rng.normal(size=shape) for shape in shapes) for _ in range(2))
    return forward, backward


def _numpy(tensor: Any) -> Array:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


@pytest.mark.parametrize("sizes", SIZES)
def test_forward_is_keras_bidirectional(sizes: tuple[int, int, int, int]) -> None:
    """Keras's layer with the same weights gives the same states, both halves in the input's order."""
    count, steps, inputs, units = sizes
    x, triples = np.random.default_rng(7).normal(size=(count, steps, inputs)), _triples(8, inputs, units)
    layer = keras.layers.Bidirectional(keras.layers.SimpleRNN(units, return_sequences=True))
    layer.build(x.shape)
    layer.set_weights([array for triple in triples for array in triple])
    np.testing.assert_allclose(DEEP.bidirectional_forward(x, *triples), _numpy(layer(x)), atol=1e-5)


@pytest.mark.parametrize("cell, options", [("simple", {}), ("gru", {}), ("gru", {"reset_after": False}), ("lstm", {})])
def test_the_examiners_cells_are_those_of_keras(hidden: Any, cell: str, options: dict[str, bool]) -> None:
    """With random weights and biases, every state of every cell that the hidden tests compute."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=(3, 6, 4))
    layer = CELLS[cell](5, return_sequences=True, **options)
    layer.build(x.shape)
    weights = [rng.normal(size=weight.shape) for weight in layer.get_weights()]
    layer.set_weights(weights)
    np.testing.assert_allclose(hidden.states(cell, x, *weights), _numpy(layer(x)), atol=1e-5)


@pytest.mark.parametrize("cell, count", [("simple", 3_396), ("gru", 10_116), ("lstm", 13_188)])
def test_a_stack_has_the_parameters_of_its_formula(cell: str, count: int) -> None:
    """Blocks of ``(D + H + 1) H`` parameters, one, three with a second bias, or four; and the dense layer."""
    assert DEEP.stacked_rnn((10, 4), cell=cell).count_params() == count


@pytest.mark.parametrize("cell", CELLS)
def test_two_directions_are_keras_bidirectional(cell: str) -> None:
    """The last states of Keras's layers, one of which gets the sequence reversed, go through the dense layer."""
    x = np.random.default_rng(10).normal(size=(4, 6, 3)).astype(np.float32)
    model = DEEP.bidirectional_rnn((6, 3), 5, cell, 4)
    *weights, kernel, bias = model.get_weights()
    last = []
    for own, sequence in ((weights[: len(weights) // 2], x), (weights[len(weights) // 2 :], x[:, ::-1])):
        layer = CELLS[cell](5)
        layer.build(x.shape)
        layer.set_weights(own)
        last.append(_numpy(layer(sequence)))
    z = np.concatenate(last, axis=1) @ kernel + bias
    expected = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(_numpy(model(x)), expected, atol=1e-5)


def test_a_masked_network_is_the_plain_one_without_the_padding() -> None:
    """Keras's layers without any mask, called with the bare sequence, give the same probabilities."""
    rng = np.random.default_rng(11)
    masked, plain = DEEP.masked_rnn((9, 3), 6, 4), keras.Sequential([keras.layers.GRU(6), keras.layers.Dense(4)])
    masked.set_weights([rng.normal(size=weight.shape) for weight in masked.get_weights()])
    plain.build((None, None, 3))
    plain.set_weights(masked.get_weights())
    for length in (1, 4, 9):
        x = rng.normal(size=(2, length, 3)).astype(np.float32)
        expected = _numpy(keras.ops.softmax(plain(x)))
        padded = np.pad(x, ((0, 0), (0, 9 - length), (0, 0)))
        np.testing.assert_allclose(_numpy(masked(padded)), expected, atol=1e-5)


def test_the_recaller_keeps_what_it_is_given() -> None:
    """Its forget gates start open: of a cell of ones, after 39 steps without input, most is left."""
    model = DEEP.build_recaller()
    kernel, recurrent, bias = model.layers[0].get_weights()
    forget = 1 / (1 + np.exp(-np.split(bias, 4)[1]))
    assert (forget**39).min() > 0.5
    assert model.count_params() == 4 * (4 + 28 + 1) * 28 + 29 * 4 <= 5000
    assert kernel.shape == (4, 112) and recurrent.shape == (28, 112)


SEQUENCES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 3), st.integers(1, 6), st.just(2)),
    elements=st.floats(-3, 3).map(lambda value: round(value, 3)),
)


@properties
@given(SEQUENCES)
def test_reversing_a_sequence_exchanges_the_halves(x: Array) -> None:
    """With the layers exchanged as well, each reads what the other one read."""
    forward, backward = _triples(1, 2, 3)
    states = DEEP.bidirectional_forward(x, forward, backward)
    mirrored = DEEP.bidirectional_forward(x[:, ::-1], backward, forward)[:, ::-1]
    np.testing.assert_allclose(np.roll(mirrored, 3, axis=2), states, atol=1e-12)


@properties
@given(SEQUENCES, st.integers(0, 5))
def test_a_step_reaches_what_is_read_after_it(x: Array, at: int) -> None:
    """A change leaves the forward states before it and the backward states after it as they were, bit for bit."""
    step = at % x.shape[1]
    other = x.copy()
    other[:, step] += 1
    triples = _triples(2, 2, 3)
    before, after = DEEP.bidirectional_forward(x, *triples), DEEP.bidirectional_forward(other, *triples)
    np.testing.assert_array_equal(before[:, :step, :3], after[:, :step, :3])
    np.testing.assert_array_equal(before[:, step + 1 :, 3:], after[:, step + 1 :, 3:])
    assert np.any(before[:, step] != after[:, step])


@properties
@given(SEQUENCES)
def test_sequences_do_not_touch_each_other(x: Array) -> None:
    """A batch is its sequences, one by one."""
    triples = _triples(3, 2, 4)
    together = DEEP.bidirectional_forward(x, *triples)
    alone = [DEEP.bidirectional_forward(x[n : n + 1], *triples) for n in range(len(x))]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-12)
