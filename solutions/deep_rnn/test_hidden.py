"""The hidden tests of the deep recurrent networks.

A network is judged by what it computes: it gets weights of the examiner's, and NumPy says what has to come out. Its
layers may be written in any way. Sequences are drawn anew for everyone.
"""

from itertools import permutations

import numpy as np
import pytest

from autograder.checks import assert_accuracy, assert_array, assert_close, assert_probabilities, task
from autograder.checks.architecture import (
    assert_at_most_parameters,
    assert_compiled,
    assert_stages,
)
from autograder.checks.calls import assert_leaves_alone
from autograder.checks.models import build
from autograder.checks.reading import assert_reads_forward
from autograder.checks.stages import ANY, dense, recurrent
from autograder.checks.training import for_some_seed
from autograder.data import draw_recall
from autograder.errors import CheckFailure

# canary: deep-rnn-hidden-7c19f2e6

KINDS = {"simple": "simple_rnn", "gru": "gru", "lstm": "lstm"}
BLOCKS = {"simple": 1, "gru": 3, "lstm": 4}
every_cell = pytest.mark.parametrize("cell", KINDS)


def sigmoid(z):
    """Squeeze into (0, 1)."""
    return (1 + np.tanh(z / 2)) / 2


def simple(x_t, state, W, U, b):
    """Move a plain layer on; the state is ``(h,)``."""
    return (np.tanh(x_t @ W + state[0] @ U + b),)


def gru(x_t, state, W, U, b):
    """Move a GRU on, in either of Keras's two forms, which the bias tells apart; the state is ``(h,)``."""
    h, units = state[0], len(U)
    before, after = b if b.ndim == 2 else (b, np.zeros(3 * units))
    x_z, x_r, x_c = np.split(x_t @ W + before, 3, axis=1)
    h_z, h_r, h_c = np.split(h @ U + after, 3, axis=1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    candidate = np.tanh(x_c + (r * h_c if b.ndim == 2 else (r * h) @ U[:, 2 * units :]))
    return (z * h + (1 - z) * candidate,)


def lstm(x_t, state, W, U, b):
    """Move an LSTM on; the state is ``(h, c)``."""
    i, f, candidate, o = np.split(x_t @ W + state[0] @ U + b, 4, axis=1)
    c = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(candidate)
    return sigmoid(o) * np.tanh(c), c


STEPS = {"simple": simple, "gru": gru, "lstm": lstm}


def states(cell, x, W, U, b):
    """Return the states of a layer after each step ``(N, T, H)``; Keras's own layers confirm them."""
    state = (np.zeros((len(x), len(U))),) * 2
    found = []
    for x_t in np.moveaxis(x, 1, 0):
        state = STEPS[cell](x_t, state, W, U, b)
        found.append(state[0])
    return np.stack(found, axis=1)


def softmax(z):
    """Return probabilities."""
    powers = np.exp(z)
    return powers / powers.sum(axis=1, keepdims=True)


def answers(model, x, classes):
    """Return probabilities, whether a network ends in a softmax or not: that is another check's question."""
    received = model.predict(x, (classes,))
    return received if np.abs(received.sum(axis=1) - 1).max() < 1e-3 else softmax(received)


def layer_shapes(cell, inputs, units, form=0):
    """Return the shapes of a layer's weights; a GRU has two ``form``s of biases."""
    columns = BLOCKS[cell] * units
    return [(inputs, columns), (units, columns), ((2, columns), (columns,))[form] if cell == "gru" else (columns,)]


def network(student, function, shape, *args):
    """Build a network for sequences of this shape; one that does not know its input gets to know it here."""
    model = build(student, function, shape, *args)
    model.describe(shape)
    return model


def drawn(rng, model, *allowed):
    """Give a model random weights, if it has those of one of the ``allowed`` lists of shapes.

    Returns:
        The values in the order of that list; of equal shapes, in the order of the model.
    """
    found = model.describe().weights
    fitting = [shapes for shapes in allowed if sorted(shapes) == sorted(weight.shape for weight in found)]
    if not fitting:
        expected, received = (", ".join(map(str, shapes)) for shapes in (allowed[0], [one.shape for one in found]))
        message = f"The weights of {model.name} do not have the right shapes."
        raise CheckFailure(message, expected=expected, received=received, hint="Mind input_shape, units and classes.")
    left, values = list(found), []
    for shape in fitting[0]:
        weight = left.pop(next(place for place, one in enumerate(left) if one.shape == shape))
        values.append(rng.normal(0, 1.2 / np.sqrt(shape[0]) if len(shape) > 1 else 0.5, shape))
        model.set_weights({weight.number: values[-1]})
    return values


@task("stacked_rnn", weight=2)
@pytest.mark.parametrize("cell, units, classes", [("lstm", (6, 5), 4), ("gru", (7,), 3), ("simple", (5, 4, 6), 2)])
def test_stack(student, cell, units, classes):
    """stacks {cell} layers of {units} units, and a dense layer for {classes} classes"""
    model = network(student, "stacked_rnn", (9, 3), units, cell, classes)
    below = [recurrent(KINDS[cell], count, sequences=True, function="tanh") for count in units[:-1]]
    last = recurrent(KINDS[cell], units[-1], sequences=False, function="tanh")
    assert_stages(model, [*below, last, dense(classes, ANY)], name="stacked_rnn")


@task("stacked_rnn")
def test_stack_by_default(student):
    """has two LSTM layers of 32 units and four classes if nothing else is said"""
    model = network(student, "stacked_rnn", (12, 2))
    stages = [recurrent("lstm", 32, sequences=True), recurrent("lstm", 32), dense(4, ANY)]
    assert_stages(model, stages, name="stacked_rnn")


@task("stacked_rnn", weight=2)
@every_cell
def test_stack_computes(student, rng, cell):
    """computes what two {cell} layers and a softmax compute, with weights of our choice"""
    model = network(student, "stacked_rnn", (7, 4), (3, 5), cell, 6)
    allowed = [[*layer_shapes(cell, 4, 3, form), *layer_shapes(cell, 3, 5, form), (5, 6), (6,)] for form in (0, 1)]
    weights, x = drawn(rng, model, *allowed), rng.normal(size=(4, 7, 4))
    hidden = states(cell, states(cell, x, *weights[:3]), *weights[3:6])
    expected = softmax(hidden[:, -1] @ weights[6] + weights[7])
    assert_close(answers(model, x, 6), expected, rtol=1e-3, like=np.float32)


@task("stacked_rnn", weight=2)
def test_stack_gives_probabilities(student, rng):
    """gives one probability for each class, and is not compiled yet"""
    model = network(student, "stacked_rnn", (5, 2), (3, 3), "gru", 5)
    assert_probabilities(model.predict(rng.normal(0, 3, (9, 5, 2)), (5,)), (9, 5), hint="End in a softmax.")
    assert model.describe().compiled is None, "stacked_rnn returned a compiled model: leave that to those who train it."


def directions(rng, count=3, length=5, inputs=2, units=4):
    """Draw sequences and the weights of a plain layer for each direction, without biases."""
    scales = 0.8, 0.6
    forward, backward = (
        (scales[0] * rng.normal(size=(inputs, units)), scales[1] * rng.normal(size=(units, units)), np.zeros(units))
        for _ in range(2)
    )
    return rng.normal(size=(count, length, inputs)), forward, backward


def half_agrees(student, reference, half, args):
    """Compare one of the two halves that ``bidirectional_forward`` returns."""
    expected = reference.bidirectional_forward(*args)
    hint = "Concatenate the two halves along the last axis."
    received = assert_array(student.bidirectional_forward(*args), expected.shape, like=np.float32, hint=hint)
    units = expected.shape[2] // 2
    part = np.s_[:, :, half * units : (half + 1) * units]
    hint = "Read the steps backwards, then turn the states around: state t stands beside step t." if half else None
    assert_close(received[part], expected[part], like=np.float32, hint=hint, name=f"the {HALVES[half]} half")


HALVES = ("forward", "backward")
either_half = pytest.mark.parametrize("half", [0, 1], ids=HALVES)


@task("bidirectional_forward", weight=2)
@either_half
@pytest.mark.parametrize("sizes", [(1, 4, 1, 2), (4, 7, 3, 2), (2, 3, 2, 5), (3, 3, 3, 3), (4, 1, 2, 3)])
def test_halves(student, reference, rng, half, sizes):
    """reads both ways, with (N, T, D, H) = {sizes}: half {half} of (forward, backward)"""
    half_agrees(student, reference, half, directions(rng, *sizes))


@task("bidirectional_forward", weight=2)
@either_half
def test_halves_with_biases(student, reference, rng, half):
    """adds the biases: half {half} of (forward, backward)"""
    x, *layers = directions(rng)
    args = x, *((Wx, Wh, rng.uniform(0.5, 1.5, b.shape)) for Wx, Wh, b in layers)
    half_agrees(student, reference, half, args)


@task("bidirectional_forward")
def test_halves_leave_their_arguments(student, reference, rng):
    """leaves sequences and weights as they were"""
    assert_leaves_alone(student, reference, "bidirectional_forward", directions(rng))


@task("bidirectional_forward")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_halves_keep_precision(student, reference, rng, dtype):
    """loses no precision of {dtype}"""
    x, *layers = directions(rng)
    args = x.astype(dtype), *(tuple(array.astype(dtype) for array in layer) for layer in layers)
    expected = reference.bidirectional_forward(*args)
    received = assert_array(student.bidirectional_forward(*args), expected.shape, like=dtype)
    errors = np.abs(received - expected).max(axis=(0, 1))
    assert errors.min() < 1e-3, "No column has the right values."


def both_ways(rng, model, cell):
    """Give a bidirectional model random weights; return sequences, and the probabilities that may come out."""
    allowed = [[*layer_shapes(cell, 4, 3, form) * 2, (6, 5), (5,)] for form in (0, 1)]
    weights, x = drawn(rng, model, *allowed), rng.normal(size=(4, 7, 4))
    expected = []
    for ahead, back in permutations((weights[:3], weights[3:6])):
        last = [states(cell, x, *ahead)[:, -1], states(cell, x[:, ::-1], *back)[:, -1]]
        expected += [softmax(np.concatenate(order, axis=1) @ weights[6] + weights[7]) for order in permutations(last)]
    return x, expected


@task("bidirectional_rnn", weight=4)
@every_cell
def test_both_directions(student, rng, cell):
    """puts the last state of a {cell} layer in each direction side by side, with weights of our choice"""
    model = network(student, "bidirectional_rnn", (7, 4), 3, cell, 5)
    x, allowed = both_ways(rng, model, cell)
    received = answers(model, x, 5)
    closest = min(allowed, key=lambda expected: np.abs(received - expected).max())
    hint = "The layer that reads backwards has read everything when it arrives at the first step."
    assert_close(received, closest, rtol=1e-3, like=np.float32, hint=hint)


@task("bidirectional_rnn", weight=2)
@every_cell
def test_sizes_of_directions(student, rng, cell):
    """has two {cell} layers of the given units, whose states together reach the classes"""
    model = network(student, "bidirectional_rnn", (7, 4), 3, cell, 5)
    drawn(rng, model, *([*layer_shapes(cell, 4, 3, form) * 2, (6, 5), (5,)] for form in (0, 1)))


@task("bidirectional_rnn")
def test_directions_by_default(student, rng):
    """has GRUs of 32 units and four classes if nothing else is said"""
    model = network(student, "bidirectional_rnn", (6, 2))
    drawn(rng, model, *([*layer_shapes("gru", 2, 32, form) * 2, (64, 4), (4,)] for form in (0, 1)))


@task("bidirectional_rnn", weight=2)
def test_directions_give_probabilities(student, rng):
    """gives probabilities"""
    model = network(student, "bidirectional_rnn", (6, 2), 5, "lstm", 3)
    assert_probabilities(model.predict(rng.normal(0, 3, (9, 6, 2)), (3,)), (9, 3), hint="End in a softmax.")


SHORT, LONG = 5, 9


def masked(student, rng, length, weights=None, units=6):
    """Build a masking network for sequences of one length, with random weights or with those of another one."""
    model = network(student, "masked_rnn", (length, 3), units, 4)
    found = model.describe().weights
    values = weights or [rng.normal(0, 1 / np.sqrt(max(one.shape[0], 2)), one.shape) for one in found]
    if [one.shape for one in found] != [value.shape for value in values]:
        hint = "A recurrent network has the same weights for every length: end it with the last state."
        raise CheckFailure("The weights of masked_rnn depend on the length of the sequences.", hint=hint)
    model.set_weights(values)
    return model, values


def assert_padding_changes_nothing(student, rng, model, weights):
    """Compare predictions for padded sequences with those for the same ones as they are, by models of their length."""
    parts = [rng.normal(size=(6, length, 3)) for length in (2, SHORT)]
    alone = [masked(student, rng, part.shape[1], weights)[0].predict(part, (4,)) for part in parts]
    expected = np.concatenate(alone)
    if not np.ptp(expected, axis=0).max() > 1e-4:
        raise CheckFailure("Different sequences get the same prediction.")
    padded = np.concatenate([np.pad(part, ((0, 0), (0, LONG - part.shape[1]), (0, 0))) for part in parts])
    hint = "Mask the steps that are all zero, before the recurrent layer."
    assert_close(model.predict(padded, (4,)), expected, rtol=1e-3, hint=hint, name="the output for padded sequences")


@task("masked_rnn", weight=8)
def test_padding_with_random_weights(student, rng):
    """predicts the same for a sequence with and without zeros behind it, with random weights"""
    assert_padding_changes_nothing(student, rng, *masked(student, rng, LONG))


@task("masked_rnn", weight=4)
def test_padding_with_trained_weights(student, rng):
    """predicts the same for a sequence with and without zeros behind it, after a training"""
    model, before = masked(student, rng, LONG)
    x, labels = rng.normal(size=(48, LONG, 3)), np.eye(4)[rng.integers(4, size=48)]
    x[:24, SHORT:] = 0
    adam = {"class_name": "Adam", "config": {"learning_rate": 0.02}}
    compiled = {"optimizer": adam, "loss": "categorical_crossentropy"}
    model.fit(x, labels, x[:1], epochs=3, batch_size=8, seed=0, compiled=compiled)
    after = model.weights()
    assert any(np.any(old != new) for old, new in zip(before, after, strict=True)), "The training moves no weight."
    assert_padding_changes_nothing(student, rng, model, after)


SEQUENCES = {
    "any steps": lambda rng, shape: rng.normal(size=shape),
    "negative steps": lambda rng, shape: -rng.uniform(0.3, 2, shape),
    "only the first channel": lambda rng, shape: rng.normal(size=shape) * [1, 0, 0],
    "only the last channel": lambda rng, shape: rng.normal(size=shape) * [0, 0, 1],
    "sums of zero": lambda rng, shape: rng.normal(size=(*shape[:2], 1)) * rng.permuted([1, -1, 0]),
    "a step of zeros between": lambda rng, shape: rng.normal(size=shape) * (np.arange(LONG) != 3)[:, None],
}
"""Steps that are not all zero, of several kinds."""


@task("masked_rnn")
@pytest.mark.parametrize("kind", SEQUENCES)
def test_every_step_counts(student, rng, kind):
    """heeds every step that is not all zero: {kind}"""
    model, _ = masked(student, rng, LONG)
    x, other = (SEQUENCES[kind](rng, (8, LONG, 3)) for _ in range(2))
    changed = np.repeat(x[np.newaxis], LONG, axis=0)  # (T, N, T, D): of the first ones, each has another first step
    for step in range(LONG):
        changed[step, :, step] = other[:, step]
    received = model.predict(changed.reshape(-1, LONG, 3), (4,)).reshape(LONG, 8, 4)
    moved = np.abs(received - model.predict(x, (4,))).max(axis=(1, 2)) > 1e-6
    idle = np.flatnonzero(x.any(axis=(0, 2)) & ~moved)
    if idle.size:
        hint = "A step is padding only if all its channels are 0."
        raise CheckFailure(f"Step {idle[0]} of {LONG} changes no prediction.", hint=hint)


@task("masked_rnn", weight=2)
def test_order_counts(student, rng):
    """reads the steps in their order, by a layer with so many units"""
    model, weights = masked(student, rng, LONG, units=7)
    shapes = [weight.shape for weight in weights]
    if not any(len(shape) == 2 and shape[0] == 7 and shape[1] % 7 == 0 for shape in shapes):
        raise CheckFailure("masked_rnn has no recurrent weights of 7 units.", received=", ".join(map(str, shapes)))
    x = rng.normal(size=(9, LONG, 3))
    if np.abs(model.predict(x, (4,)) - model.predict(x[:, ::-1].copy(), (4,))).max() < 1e-4:
        raise CheckFailure("Reversed sequences get the same predictions.", hint="Read them by a recurrent layer.")


@task("masked_rnn", weight=2)
def test_masked_by_default(student, rng):
    """has 32 units and four classes if nothing else is said, and gives probabilities"""
    model = network(student, "masked_rnn", (6, 2))
    shapes = [weight.shape for weight in model.describe().weights]
    assert (32, 4) in shapes, f"Expected a dense layer from 32 units to 4 classes, received {shapes}."
    assert_probabilities(model.predict(rng.normal(size=(5, 6, 2)), (4,)), (5, 4), hint="End in a softmax.")


MOST_PARAMETERS = 5000


def recaller(student, shape=(40, 4), *args):
    """Build a recaller, and hold it to the rules."""
    model = network(student, "build_recaller", shape, *args)
    assert_reads_forward(model, name="your recaller")
    assert_at_most_parameters(model, MOST_PARAMETERS, name="your recaller")
    return model


@task("build_recaller", weight=2)
def test_recaller_keeps_the_rules(student):
    """reads forward by recurrent layers, with at most 5,000 parameters"""
    recaller(student)


@task("build_recaller")
@pytest.mark.parametrize("shape, classes", [((40, 4), 4), ((12, 3), 5)])
def test_recaller_is_ready(student, rng, shape, classes):
    """is compiled with the categorical cross-entropy, and gives {classes} probabilities for sequences of {shape}"""
    model = network(student, "build_recaller", shape, classes)
    description = model.describe()
    assert_compiled(description, losses=("categorical_crossentropy",), name="your recaller")
    assert not description.compiled.from_logits, "The loss expects logits: end in a softmax, and leave from_logits."
    received = model.predict(rng.normal(0, 2, (6, *shape)), (classes,))
    assert_probabilities(received, (6, classes), hint="End in a softmax.")


@task("build_recaller", weight=8)
def test_recalls(student, rng, threshold):
    """recalls the first step after 39 steps of noise, trained by us for ten epochs"""
    (sequences, labels), (others, truth) = draw_recall(rng, 4000), draw_recall(rng, 500)
    hint = "Use a gated cell, and let its keeping gate start open, by a bias of about 3."

    def attempt(seed):
        student.model("seed_everything", seed, of="build_recaller")
        model = recaller(student)
        model.fit(sequences, labels, others[:1], epochs=10, batch_size=32, seed=seed)
        assert_accuracy(model.predict(others, (4,)), truth, threshold("recall_accuracy"), hint=hint)

    for_some_seed(attempt, seeds=(0, 1))
