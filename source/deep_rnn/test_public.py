"""What `check("...")` runs: worked examples whose numbers you can follow with pencil and paper.

The grade is decided by other tests of the same kind, with other inputs. A function that is right for these examples
only will not pass them.
"""

import numpy as np
import pytest

from autograder.checks import assert_accuracy, assert_array, assert_close, assert_probabilities, assert_unmodified, task
from autograder.checks.architecture import (
    assert_at_most_parameters,
    assert_compiled,
    assert_parameters,
    assert_stages,
)
from autograder.checks.models import build
from autograder.checks.reading import assert_reads_forward
from autograder.checks.stages import dense, recurrent
from autograder.data import load_recall
from autograder.errors import CheckFailure


def network(student, function, shape, *args):
    """Build a network for sequences of this shape; one that does not know its input gets to know it here."""
    model = build(student, function, shape, *args)
    model.describe(shape)
    return model


@task("stacked_rnn")
def test_stack_by_default(student):
    """two LSTM layers of 32 units and a softmax over 4 classes have 13,188 parameters for 4 channels"""
    model = network(student, "stacked_rnn", (10, 4))
    hint = "All layers but the last return sequences; the last one returns its last state."
    stages = [recurrent("lstm", 32, sequences=True), recurrent("lstm", 32), dense(4, "softmax")]
    assert_stages(model, stages, hint=hint, name="stacked_rnn")
    assert_parameters(model, 13_188, name="stacked_rnn", hint="Print `stacked_rnn((10, 4)).summary()` and compare.")


@task("stacked_rnn")
@pytest.mark.parametrize("cell, kind", [("simple", "simple_rnn"), ("gru", "gru"), ("lstm", "lstm")])
def test_stack_of_each_cell(student, cell, kind):
    """cell="{cell}" with units (3, 7, 5) gives three layers of those sizes"""
    model = network(student, "stacked_rnn", (6, 2), (3, 7, 5), cell, 3)
    below = [recurrent(kind, units, sequences=True) for units in (3, 7)]
    assert_stages(model, [*below, recurrent(kind, 5), dense(3, "softmax")], name="stacked_rnn")
    if model.describe().compiled is not None:
        raise CheckFailure("stacked_rnn returned a compiled model.", hint="Leave that to those who train it.")


COPY = np.eye(1), np.zeros((1, 1)), np.zeros(1)
"""A layer that only squeezes its input: h = tanh(x)."""

MEMORY = np.eye(1), 1000 * np.eye(1), np.zeros(1)
"""A layer that remembers the sign of what it read first: h = tanh(x + 1000 h)."""


@task("bidirectional_forward")
def test_copying_layers(student):
    """two layers that only squeeze, h = tanh(x), give tanh(1), tanh(2), tanh(3) twice: each state beside its step"""
    x = np.array([[[1.0], [2.0], [3.0]]])
    received, after = student.with_arguments.bidirectional_forward(x, COPY, COPY)
    hint = "The backward states come out last step first: turn them around."
    assert_close(received, np.tanh(np.concatenate([x, x], axis=2)), hint=hint)
    assert_unmodified((x, COPY, COPY), after, ["x", "forward", "backward"])


@task("bidirectional_forward")
def test_remembering_layers(student):
    """two layers that remember the sign of what they read first: forward it is +, backward it is -"""
    x = np.array([[[0.5], [-0.4], [0.3], [-0.9]]])
    hint = "Forward begins at +0.5, backward at -0.9. Both start in a state of zeros."
    received = assert_array(student.bidirectional_forward(x, MEMORY, MEMORY), (1, 4, 2), hint="(N, T, 2H).")
    assert_close(np.sign(received), [[[1, -1], [1, -1], [1, -1], [1, -1]]], hint=hint, name="the signs of your output")
    assert_close(
        received[0, [0, 3], [0, 1]], np.tanh([0.5, -0.9]), hint=hint, name="the states after the first reading"
    )


@task("bidirectional_forward")
def test_triples(student):
    """the halves have weights and biases of their own: at one step, tanh(1 - 0.5) beside tanh(-2 + 1)"""
    forward = np.array([[0.5], [0.0]]), np.zeros((1, 1)), np.array([-0.5])
    backward = np.array([[0.0], [-0.5]]), np.zeros((1, 1)), np.array([1.0])
    received = student.bidirectional_forward(np.array([[[2.0, 4.0]]]), forward, backward)
    assert_close(
        received, np.tanh([[[0.5, -1.0]]]), hint="np.tanh(x_t @ Wx + h @ Wh + b), with the triple of each half."
    )


@task("bidirectional_rnn")
@pytest.mark.parametrize("cell, count", [("simple", 113), ("gru", (273, 303)), ("lstm", 353)])
def test_parameters_of_directions(student, cell, count):
    """cell="{cell}" with 5 units, 2 channels and 3 classes: {count} parameters"""
    received = network(student, "bidirectional_rnn", (6, 2), 5, cell, 3).describe().parameters
    if received not in np.atleast_1d(count):
        hint = "Two layers of 5 units read 2 channels each, and 10 numbers go on to the 3 classes."
        message = "The number of parameters of bidirectional_rnn is wrong."
        raise CheckFailure(message, expected=f"{count}", received=f"{received}", hint=hint)


def filled(model, values):
    """Give a model these weights, by their shapes."""
    weights = model.describe().weights
    if {weight.shape for weight in weights} != set(values):
        received = ", ".join(str(weight.shape) for weight in weights)
        expected = ", ".join(map(str, values))
        raise CheckFailure("The weights have other shapes than expected.", expected=expected, received=received)
    model.set_weights({weight.number: values[weight.shape] for weight in weights})
    return model


@task("bidirectional_rnn")
def test_directions_by_hand(student):
    """with layers that remember the sign of what they read first, +, ..., - becomes softmax of 1, -1 and 0"""
    remembering = {(2, 1): [[1], [0]], (1, 1): [[1000]], (1,): [0], (2, 3): [[1, 0, 0], [0, 1, 0]], (3,): [0, 0, 0]}
    model = filled(network(student, "bidirectional_rnn", (4, 2), 1, "simple", 3), remembering)
    x = np.array([[[0.5, 0], [-0.4, 0], [0.3, 0], [-0.9, 0]]])
    received = np.sort(assert_probabilities(model.predict(x, (3,)), (1, 3), hint="End in a softmax."), axis=1)
    powers = np.exp([[-1.0, 0, 1]])
    hint = "The last state of the layer that reads backwards is the one at the first step. Concatenate both."
    assert_close(received, powers / powers.sum(), rtol=1e-3, like="f4", hint=hint, name="the sorted output")


@task("masked_rnn")
def test_padding(student):
    """the same weights give the same prediction for 3 steps and for these with 4 steps of zeros behind them"""
    rng = np.random.default_rng(0)
    short, long = (network(student, "masked_rnn", (length, 2), 5, 3) for length in (3, 7))
    weights = [rng.normal(size=weight.shape) for weight in long.describe().weights]
    shapes = [weight.shape for weight in short.describe().weights]
    assert shapes == [weight.shape for weight in weights], "The weights depend on the length of the sequences."
    assert (5, 3) in shapes, f"Expected a dense layer from 5 units to 3 classes, received {shapes}."
    for model in (short, long):
        model.set_weights(weights)
    x = rng.normal(size=(4, 3, 2))
    expected = assert_probabilities(short.predict(x, (3,)), (4, 3), hint="End in a softmax.")
    hint = "Put `layers.Masking()` in front of the recurrent layer: it masks the steps that are all zero."
    received = long.predict(np.pad(x, ((0, 0), (0, 4), (0, 0))), (3,))
    assert_close(received, expected, rtol=1e-3, hint=hint, name="the prediction for padded sequences")


@task("masked_rnn")
@pytest.mark.parametrize("step", [(0.5, 0.0), (0.0, 0.5), (1.0, -1.0), (-0.5, -0.5)])
def test_step_counts(student, step):
    """a last step of {step} is no padding: it changes the prediction"""
    model = network(student, "masked_rnn", (4, 2), 6, 3)
    x = np.ones((1, 4, 2))
    x[0, 3] = 0
    other = x.copy()
    other[0, 3] = step
    if np.abs(model.predict(x, (3,)) - model.predict(other, (3,))).max() < 1e-6:
        hint = "A step is padding only if all its channels are 0."
        raise CheckFailure(f"A step of {step} changes no prediction.", hint=hint)


@task("build_recaller")
def test_recaller_keeps_the_rules(student):
    """reads forward by recurrent layers, with at most 5,000 parameters"""
    model = network(student, "build_recaller", (40, 4))
    assert_reads_forward(model, name="your recaller")
    assert_at_most_parameters(model, 5000, name="your recaller")


@task("build_recaller")
def test_recaller_is_ready(student):
    """heeds input_shape and classes, ends in a softmax, and is compiled with the categorical cross-entropy"""
    model = network(student, "build_recaller", (12, 3), 5)
    assert_probabilities(model.predict(np.ones((2, 12, 3)), (5,)), (2, 5), hint="End in a softmax.")
    assert_compiled(model, losses=("categorical_crossentropy",), name="your recaller")


@task("build_recaller")
def test_recalls(student):
    """recalls the symbols of 300 new sequences after ten epochs on 4,000; this takes some ten seconds"""
    (sequences, labels), (others, truth) = load_recall(), load_recall("validation", count=300)
    student.model("seed_everything", 0, of="build_recaller")
    model = network(student, "build_recaller", (40, 4))
    assert_reads_forward(model, name="your recaller")
    assert_at_most_parameters(model, 5000, name="your recaller")
    model.fit(sequences, labels, others[:1], epochs=10, batch_size=32, seed=0)
    hint = "Is the keeping gate open at the start? Its bias is about 3 or more; try a learning rate up to 0.01."
    assert_accuracy(model.predict(others, (4,)), truth, 0.95, hint=hint)
