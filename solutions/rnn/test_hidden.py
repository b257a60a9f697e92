"""The hidden tests of the recurrent networks: every check draws fresh inputs and compares with the reference.

A check looks at one property, so that a partly right answer gets the part that is right: first states and biases are
zero and float32 will do, except where they are what is checked. Every check also needs some right values, so no empty
function passes.
"""

from pathlib import Path

import numpy as np
import pytest

from autograder.checks import (
    assert_close,
    assert_error_against_baseline,
    assert_gradients,
    assert_loss_falls,
    assert_tuple,
    assert_unmodified,
    task,
)
from autograder.checks.calls import assert_agrees, assert_keeps_precision, assert_leaves_alone
from autograder.checks.forecasting import Forecaster, Windows, assert_trained
from autograder.checks.training import assert_reported, for_some_seed
from autograder.data import draw_wave, hidden_sunspots, load_sunspots

# canary: rnn-hidden-3fd08a6c


def weights(rng, inputs=2, units=4):
    """Draw weights of a layer that neither saturates nor forgets at once, and a bias of zeros."""
    return 0.7 * rng.normal(size=(inputs, units)), 0.5 * rng.normal(size=(units, units)), np.zeros(units)


def step(rng, count=3, inputs=2, units=4):
    """Draw the arguments of one step; the state before it is not zero."""
    return rng.normal(size=(count, inputs)), rng.uniform(-0.9, 0.9, (count, units)), *weights(rng, inputs, units)


def layer(rng, count=3, length=5, inputs=2, units=4):
    """Draw sequences, a first state of zeros, and weights."""
    return rng.normal(size=(count, length, inputs)), np.zeros((count, units)), *weights(rng, inputs, units)


def passage(rng, reference, started=False, **sizes):
    """Draw the arguments of the way back: a gradient at every step, and what the way there left behind."""
    x, h0, Wx, Wh, b = layer(rng, **sizes)
    h0 = rng.uniform(-0.9, 0.9, h0.shape) if started else h0
    h = reference.rnn_forward(x, h0, Wx, Wh, b)
    return rng.normal(size=h.shape), x, h0, h, Wx, Wh


def states(rng, length=6, units=4):
    """Draw states of one sequence, and recurrent weights."""
    return rng.uniform(-0.95, 0.95, (length, units)), rng.normal(size=(units, units))


def gradients(rng, scale=1.0):
    """Draw gradients of very different norms, whose global norm is ``scale``."""
    drawn = {"Wx": 0.2 * rng.normal(size=(2, 5)), "Wh": rng.normal(size=(5, 5)), "b": 0.5 * rng.normal(size=5)}
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in drawn.values()))
    return {name: scale * gradient / norm for name, gradient in drawn.items()}


ORDINARY = {
    "rnn_step": lambda rng, _: step(rng),
    "rnn_forward": lambda rng, _: layer(rng),
    "rnn_backward": passage,
    "clip_gradients": lambda rng, _: (gradients(rng, 3.0), 1.25),
    "gradient_flow": lambda rng, _: states(rng),
    "make_windows": lambda rng, _: (rng.normal(size=17), 4),
}
"""Arguments of the plainest kind for each function of arrays."""


def each(names):
    """Parametrize a test over functions, each case a check of the function's own task."""
    return pytest.mark.parametrize("function", [pytest.param(name, marks=task(name)) for name in names])


@each(ORDINARY)
def test_inputs_unmodified(student, reference, rng, function):
    """leaves its arguments as they were"""
    assert_leaves_alone(student, reference, function, ORDINARY[function](rng, reference))


@each(ORDINARY)
def test_precision(student, reference, rng, function):
    """keeps float64, and works in float32"""
    assert_keeps_precision(student, reference, function, ORDINARY[function](rng, reference))


@task("rnn_step", weight=2)
@pytest.mark.parametrize("count, inputs, units", [(1, 1, 3), (4, 3, 2), (3, 4, 4)])
def test_step(student, reference, rng, count, inputs, units):
    """moves {count} state(s) of {units} units on by {inputs} input(s)"""
    assert_agrees(student, reference, "rnn_step", *step(rng, count, inputs, units))


@task("rnn_step")
def test_step_bias(student, reference, rng):
    """adds the bias"""
    x_t, h_prev, Wx, Wh, b = step(rng)
    assert_agrees(student, reference, "rnn_step", x_t, h_prev, Wx, Wh, rng.uniform(0.5, 1, b.shape))


@task("rnn_step")
def test_step_squashes(student, reference, rng):
    """stays between -1 and 1 however large the inputs are"""
    x_t, *rest = step(rng)
    assert_agrees(student, reference, "rnn_step", 100 * x_t, *rest)


@task("rnn_forward", weight=2)
@pytest.mark.parametrize("count, length", [(1, 4), (3, 1), (2, 3), (4, 9)])
def test_forward(student, reference, rng, count, length):
    """gives all states of {count} sequence(s) of length {length}"""
    assert_agrees(student, reference, "rnn_forward", *layer(rng, count, length))


@task("rnn_forward")
@pytest.mark.parametrize("units", [3, 2])
def test_forward_square(student, reference, rng, units):
    """does not confuse the axes where several lengths are {units}"""
    assert_agrees(student, reference, "rnn_forward", *layer(rng, units, units, units, units))


@task("rnn_forward", weight=2)
@pytest.mark.parametrize("length", [1, 6])
def test_forward_from_a_state(student, reference, rng, length):
    """begins with the state that it is given, for length {length}"""
    x, h0, *rest = layer(rng, length=length)
    assert_agrees(student, reference, "rnn_forward", x, rng.uniform(-0.9, 0.9, h0.shape), *rest)


@task("rnn_forward")
def test_forward_bias(student, reference, rng):
    """adds the bias at every step"""
    x, h0, Wx, Wh, b = layer(rng)
    assert_agrees(student, reference, "rnn_forward", x, h0, Wx, Wh, rng.uniform(0.5, 1, b.shape))


GRADIENTS = ("grad_x", "grad_h0", "grad_Wx", "grad_Wh", "grad_b")


def agrees_in_part(student, reference, name, args):
    """Compare one of the five gradients with the reference's."""
    received = assert_tuple(student.rnn_backward(*args), 5, hint=f"Return {', '.join(GRADIENTS)}.")
    part = GRADIENTS.index(name)
    assert_close(received[part], reference.rnn_backward(*args)[part], like=np.float32, name=name)


@task("rnn_backward", weight=2)
@pytest.mark.parametrize("name", GRADIENTS)
def test_backward(student, reference, rng, name):
    """computes {name} for a gradient at every step"""
    agrees_in_part(student, reference, name, passage(rng, reference))


@task("rnn_backward")
@pytest.mark.parametrize("name", GRADIENTS)
def test_backward_from_the_last_step(student, reference, rng, name):
    """computes {name} for a gradient at the last step alone"""
    grad_h, *rest = passage(rng, reference, length=6)
    grad_h[:, :-1] = 0
    agrees_in_part(student, reference, name, (grad_h, *rest))


@task("rnn_backward")
@pytest.mark.parametrize("name", GRADIENTS)
@pytest.mark.parametrize("count, length", [(1, 7), (4, 1)])
def test_backward_sizes(student, reference, rng, name, count, length):
    """computes {name} for {count} sequence(s) of length {length} that begin with a state"""
    agrees_in_part(student, reference, name, passage(rng, reference, True, count=count, length=length))


@task("rnn_backward", weight=2)
def test_backward_slopes(student, reference, rng):
    """agrees with the slope of the loss, measured by central differences"""
    grad_h, x, h0, h, Wx, Wh = passage(rng, reference, True, count=2, length=4, units=3)
    received = student.rnn_backward(grad_h, x, h0, h, Wx, Wh)
    inputs = (x, h0, Wx, Wh, np.zeros(len(Wh)))
    assert_gradients(received, reference.rnn_forward, inputs, grad_h, names=GRADIENTS, rng=rng)


def assert_clips(student, reference, drawn, max_norm):
    """Compare with the reference; PyTorch's millionth in the denominator is allowed."""
    assert_agrees(student, reference, "clip_gradients", drawn, max_norm, rtol=1e-4)


@task("clip_gradients", weight=2)
@pytest.mark.parametrize("norm, max_norm", [(4.0, 1.0), (40.0, 5.0), (1.5, 1.2)])
def test_clips(student, reference, rng, norm, max_norm):
    """scales gradients of the global norm {norm} to {max_norm}"""
    assert_clips(student, reference, gradients(rng, norm), max_norm)


@task("clip_gradients", weight=2)
@pytest.mark.parametrize("norm, max_norm", [(0.6, 1.0), (3.0, 3.5)])
def test_leaves_small_gradients(student, reference, rng, norm, max_norm):
    """scales one array that is too large, and nothing when the global norm {norm} is below {max_norm}"""
    assert_clips(student, reference, {"w": 2 * max_norm * np.ones((1, 1))}, max_norm)
    assert_clips(student, reference, gradients(rng, norm), max_norm)


@task("clip_gradients")
def test_zero_gradients(student, reference, rng):
    """scales one array that is too large, and leaves gradients of zero at zero"""
    assert_clips(student, reference, {"w": 5 * np.ones((1, 1))}, 1.0)
    assert_clips(student, reference, {"w": np.zeros((3, 2)), "b": np.zeros(2)}, 1.0)


@task("gradient_flow", weight=2)
@pytest.mark.parametrize("length, units", [(5, 3), (9, 4), (4, 1)])
def test_flow(student, reference, rng, length, units):
    """measures the gradient through {length} steps of {units} unit(s)"""
    assert_agrees(student, reference, "gradient_flow", *states(rng, length, units))


@task("gradient_flow")
@pytest.mark.parametrize("length", [1, 2])
def test_flow_of_short_sequences(student, reference, rng, length):
    """measures a sequence of length {length}; the last gradient is that of the identity"""
    assert_agrees(student, reference, "gradient_flow", *states(rng, length))


@task("gradient_flow", weight=2)
@pytest.mark.parametrize("factor", [0.5, 1.0, 1.5])
def test_flow_without_squashing(student, reference, rng, factor):
    """is sqrt(H) times {factor} to the steps, for states of zero and {factor} times a rotation"""
    rotation, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    expected = 2 * factor ** np.arange(7.0)[::-1]
    assert_close(student.gradient_flow(np.zeros((7, 4)), factor * rotation), expected, like=np.float32)


@task("make_windows", weight=2)
@pytest.mark.parametrize("part", [0, 1], ids=["X", "y"])
@pytest.mark.parametrize("size, length", [(20, 3), (31, 10), (9, 1)])
def test_windows(student, reference, rng, part, size, length):
    """cuts {size} values into windows of {length} in the order of time: item {part} of the result"""
    series = rng.normal(size=size)
    received = assert_tuple(student.make_windows(series, length), 2, hint="Return X and y.")
    expected = reference.make_windows(series, length)[part]
    assert_close(received[part], expected, like=np.float32, name=("X", "y")[part])


@task("make_windows")
def test_a_single_window(student, reference, rng):
    """finds the one window of a series that is one value longer"""
    assert_agrees(student, reference, "make_windows", rng.normal(size=6), 5)


PUBLIC, HIDDEN = load_sunspots()[1], hidden_sunspots(Path(__file__).parents[1] / "data")[1]
SEEDS = (0, 1, 2)
ADVICE = "Does the whole window reach the forecast, and does the gradient reach every step of it?"


def sunspots():
    """Return the windows of the public years, and of the hidden ones."""
    return Windows.standardized(PUBLIC, HIDDEN, 10)


def wave(rng):
    """Return the windows of the first 120 values of a wave, and of 60 later ones."""
    series = draw_wave(rng, 180)
    return Windows.standardized(series[:120], series[120:], 6)


def trainings(rnn, windows, epochs, seed, **options):
    """Train a network for each number of epochs, with one seed; return the parameters."""
    return [rnn.trained(windows, epochs=count, seed=seed, **options)[0] for count in epochs]


@pytest.fixture
def rnn(student):
    """The student's pair of functions."""
    return Forecaster(student, "train_rnn", "predict_rnn")


@task("train_rnn", weight=6)
def test_forecasts_sunspots(rnn, threshold):
    """forecasts the hidden, later sunspots better than by repeating the last number"""
    known, later = sunspots()
    best = rnn.best_forecasts(known, later, SEEDS)
    assert_error_against_baseline(best, later.y, later.last, threshold("sunspots_error"), hint=ADVICE)


@task("train_rnn", weight=3)
def test_forecasts_a_wave(rnn, rng, threshold):
    """forecasts a wave that was drawn a moment ago"""
    known, later = wave(rng)
    best = rnn.best_forecasts(known, later, SEEDS, epochs=20)
    assert_error_against_baseline(best, later.y, later.last, threshold("wave_error"), hint=ADVICE)


@task("train_rnn", weight=3)
def test_loss_falls(rnn, rng):
    """lowers the loss, computed from its forecasts, from epoch to epoch"""
    known, _ = wave(rng)

    def attempt(seed):
        assert_loss_falls([rnn.loss(network, known) for network in trainings(rnn, known, (1, 2, 4, 8, 16), seed)])

    for_some_seed(attempt)


@task("train_rnn", weight=3)
def test_reported_losses(rnn, rng):
    """reports the mean squared error of each epoch"""
    known, _ = wave(rng)

    def attempt(seed):
        early, _ = rnn.trained(known, epochs=1, seed=seed)
        late, losses = rnn.trained(known, epochs=8, seed=seed)
        assert_reported(rnn.losses(losses, 8), *(rnn.loss(network, known) for network in (early, late)))

    for_some_seed(attempt)


@task("train_rnn")
def test_windows_of_one_value(rnn, rng):
    """learns from windows of a single value"""
    values = rng.uniform(-1.5, 1.5, (48, 1, 1))
    known = Windows(values, -0.9 * values[:, 0])

    def attempt(seed):
        assert_loss_falls([rnn.loss(network, known) for network in trainings(rnn, known, (1, 2, 4, 8, 16), seed)])

    for_some_seed(attempt)


@task("train_rnn", weight=2)
def test_same_seed(rnn, rng):
    """gives the same network for the same seed"""
    known, later = wave(rng)
    networks = trainings(rnn, known, (1, 4, 4), int(rng.integers(1000)))
    early, once, again = (rnn.forecasts(network, later.X) for network in networks)
    assert_close(again, assert_trained(early, once), rtol=1e-6, like=np.float32, name="the second network's forecast")


@task("train_rnn")
def test_learning_rate_matters(rnn, rng):
    """stays where it began with a tiny learning rate, and moves with a large one"""
    known, later = wave(rng)
    settings = ((1, 1e-6), (2, 1e-6), (3, 0.05))
    networks = (rnn.trained(known, epochs=epochs, learning_rate=rate)[0] for epochs, rate in settings)
    still, longer, moved = (rnn.forecasts(network, later.X) for network in networks)
    stays, moves = np.abs(longer - still).max() < 0.01, np.abs(moved - still).max() > 0.02
    assert stays and moves, "The training does not follow learning_rate: scale every step by it."


@task("train_rnn")
def test_hidden_units_matter(rnn, rng):
    """makes a network of as many hidden units as it is asked for"""
    known, later = wave(rng)
    networks = (rnn.trained(known, hidden=hidden, epochs=2)[0] for hidden in (3, 16, 16))
    small, large, again = (rnn.forecasts(network, later.X) for network in networks)
    assert_close(again, large, rtol=1e-6, like=np.float32, name="the second network's forecast")
    assert np.abs(large - small).max() > 1e-6, "Three hidden units and sixteen forecast the same: use `hidden`."


@task("train_rnn", weight=3)
def test_each_window_alone(rnn, rng):
    """forecasts each window by that window alone"""
    known, later = wave(rng)
    early, network = trainings(rnn, known, (1, 4), 0)
    together = assert_trained(rnn.forecasts(early, later.X), rnn.forecasts(network, later.X))
    for chosen in (rng.permutation(len(together))[:20], [0], [-1]):
        received = rnn.forecasts(network, later.X[chosen])
        assert_close(received, together[chosen], rtol=1e-4, like=np.float32, name="a smaller batch's forecast")
    others = np.concatenate([later.X[:1], 3 * later.X[:0:-1]])
    received = rnn.forecasts(network, others)[:1]
    assert_close(received, together[:1], rtol=1e-4, like=np.float32, name="the forecast among other windows")


@task("train_rnn")
def test_training_leaves_its_inputs(student, rnn, rng):
    """leaves windows and targets as they were"""
    known, later = wave(rng)
    _, after = student.with_arguments.train_rnn(known.X, known.y, 8, 2)
    assert_unmodified((known.X, known.y), after[:2], ["X", "y"])
    early, network = trainings(rnn, known, (1, 4), 0)
    assert_trained(rnn.forecasts(early, later.X), rnn.forecasts(network, later.X))
    assert_unmodified((later.X,), student.with_arguments.predict_rnn(network, later.X)[1][1:], ["X"])
