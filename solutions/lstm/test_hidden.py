"""The hidden tests of LSTM and GRU: every check draws fresh inputs and compares with the reference.

A check looks at one property, so that a partly right answer gets the part that is right: biases are zero and float32
will do, except where they are what is checked. Every check also needs some right values, so no empty function passes.
"""

from pathlib import Path

import numpy as np
import pytest

from autograder.checks import (
    assert_close,
    assert_error_against_baseline,
    assert_int,
    assert_numbers,
    assert_tuple,
    assert_unmodified,
    task,
)
from autograder.checks.architecture import assert_compiled, assert_output_shape, assert_parameters, assert_stages
from autograder.checks.calls import assert_agrees, assert_keeps_precision, assert_leaves_alone
from autograder.checks.models import build
from autograder.checks.regression import rmse
from autograder.checks.series import SeriesForecaster, assert_forecast
from autograder.checks.stages import dense, recurrent
from autograder.data import draw_wave, hidden_sunspots, load_sunspots
from autograder.errors import CheckFailure

# canary: lstm-hidden-5e27d0b4


def weights(rng, gates, inputs=2, units=3):
    """Draw the weights of a cell with so many gates, none of which saturates, and biases of zero."""
    columns = gates * units
    return 0.8 * rng.normal(size=(inputs, columns)), 0.6 * rng.normal(size=(units, columns)), np.zeros(columns)


def states(rng, count, units):
    """Draw a hidden and a cell state; cells may be larger than 1."""
    return rng.uniform(-0.9, 0.9, (count, units)), 1.5 * rng.normal(size=(count, units))


def lstm(rng, count=4, inputs=2, units=3):
    """Draw the arguments of one step of an LSTM."""
    return rng.normal(size=(count, inputs)), *states(rng, count, units), *weights(rng, 4, inputs, units)


def gru(rng, count=4, inputs=2, units=3):
    """Draw the arguments of one step of a GRU."""
    return rng.normal(size=(count, inputs)), states(rng, count, units)[0], *weights(rng, 3, inputs, units)


def sequences(rng, count=3, length=5, inputs=2, units=4):
    """Draw sequences that begin in states of zeros, and the weights of an LSTM."""
    zeros = np.zeros((count, units))
    return rng.normal(size=(count, length, inputs)), zeros, zeros.copy(), *weights(rng, 4, inputs, units)


def biased(rng, args):
    """Give a cell biases that matter; they are its last argument."""
    return *args[:-1], rng.uniform(0.5, 1.5, args[-1].shape)


ORDINARY = {
    "lstm_step": lstm,
    "lstm_forward": sequences,
    "gru_step": gru,
    "cell_gradient": lambda rng: (rng.uniform(0.1, 0.99, (7, 3)),),
    "split_series": lambda rng: (rng.normal(size=31), 0.7),
}
"""Arguments of the plainest kind for each function of arrays."""


def each(names):
    """Parametrize a test over functions, each case a check of the function's own task."""
    return pytest.mark.parametrize("function", [pytest.param(name, marks=task(name)) for name in names])


@each(ORDINARY)
def test_inputs_unmodified(student, reference, rng, function):
    """leaves its arguments as they were"""
    assert_leaves_alone(student, reference, function, ORDINARY[function](rng))


@each(ORDINARY)
def test_precision(student, reference, rng, function):
    """keeps float64, and works in float32"""
    assert_keeps_precision(student, reference, function, ORDINARY[function](rng))


def agrees_in_part(student, reference, function, part, args):
    """Compare one of the two states that a function of the LSTM returns."""
    names = {"lstm_step": ("h", "c"), "lstm_forward": ("h", "c_last")}[function]
    hint = f"Return both: `return {', '.join(names)}`."
    received = assert_tuple(getattr(student, function)(*args), 2, hint=hint)
    assert_close(received[part], getattr(reference, function)(*args)[part], like=np.float32, name=names[part])


either_state = pytest.mark.parametrize("part", [0, 1], ids=["h", "c"])


@task("lstm_step", weight=2)
@either_state
@pytest.mark.parametrize("count, inputs, units", [(1, 1, 2), (4, 3, 2), (3, 2, 5)])
def test_lstm_step(student, reference, rng, part, count, inputs, units):
    """moves {count} state(s) of {units} units on by {inputs} input(s): item {part} of (h, c)"""
    agrees_in_part(student, reference, "lstm_step", part, lstm(rng, count, inputs, units))


@task("lstm_step")
@either_state
def test_lstm_step_square(student, reference, rng, part):
    """does not confuse the axes where N, D and H are equal: item {part} of (h, c)"""
    agrees_in_part(student, reference, "lstm_step", part, lstm(rng, 3, 3, 3))


@task("lstm_step")
@either_state
def test_lstm_step_bias(student, reference, rng, part):
    """adds the bias of every gate: item {part} of (h, c)"""
    agrees_in_part(student, reference, "lstm_step", part, biased(rng, lstm(rng)))


@task("lstm_step")
def test_lstm_step_saturates(student, reference, rng):
    """stays finite and right when gates are fully open or closed"""
    x_t, h_prev, c_prev, W, U, b = lstm(rng)
    assert_agrees(student, reference, "lstm_step", 400 * x_t, h_prev, c_prev, W, U, b)


@task("lstm_forward", weight=2)
@either_state
@pytest.mark.parametrize("count, length", [(1, 4), (3, 1), (4, 9)])
def test_lstm_forward(student, reference, rng, part, count, length):
    """runs {count} sequence(s) of length {length}: item {part} of (h, c_last)"""
    agrees_in_part(student, reference, "lstm_forward", part, sequences(rng, count, length))


@task("lstm_forward")
@either_state
def test_lstm_forward_square(student, reference, rng, part):
    """does not confuse the axes where all lengths are equal: item {part} of (h, c_last)"""
    agrees_in_part(student, reference, "lstm_forward", part, sequences(rng, 3, 3, 3, 3))


@task("lstm_forward", weight=2)
@either_state
@pytest.mark.parametrize("given", ["h0", "c0"])
def test_lstm_forward_from_a_state(student, reference, rng, part, given):
    """starts from {given}: item {part} of (h, c_last)"""
    x, h0, c0, *rest = sequences(rng, 2, 3)
    hidden, cell = states(rng, *h0.shape)
    args = (x, hidden, c0, *rest) if given == "h0" else (x, h0, cell, *rest)
    agrees_in_part(student, reference, "lstm_forward", part, args)


@task("lstm_forward")
def test_lstm_forward_bias(student, reference, rng):
    """adds the biases at every step"""
    assert_agrees(student, reference, "lstm_forward", *biased(rng, sequences(rng)))


@task("gru_step", weight=2)
@pytest.mark.parametrize("count, inputs, units", [(1, 1, 2), (4, 3, 2), (3, 2, 5), (3, 3, 3)])
def test_gru_step(student, reference, rng, count, inputs, units):
    """moves {count} state(s) of {units} units on by {inputs} input(s)"""
    assert_agrees(student, reference, "gru_step", *gru(rng, count, inputs, units))


@task("gru_step", weight=2)
def test_gru_step_from_zero(student, reference, rng):
    """starts from a state of zeros, where nothing is there to keep or to reset"""
    x_t, h_prev, *rest = gru(rng)
    assert_agrees(student, reference, "gru_step", x_t, np.zeros_like(h_prev), *rest)


@task("gru_step", weight=2)
def test_gru_step_bias(student, reference, rng):
    """adds the bias of every gate"""
    assert_agrees(student, reference, "gru_step", *biased(rng, gru(rng)))


@task("gru_step")
def test_gru_step_saturates(student, reference, rng):
    """stays finite and right when gates are fully open or closed"""
    x_t, *rest = gru(rng)
    assert_agrees(student, reference, "gru_step", 400 * x_t, *rest)


@task("cell_gradient", weight=2)
@pytest.mark.parametrize("length, units", [(2, 3), (6, 1), (9, 4), (5, 5)])
def test_cell_gradient(student, reference, rng, length, units):
    """multiplies the gates after each of {length} steps, for {units} unit(s)"""
    assert_agrees(student, reference, "cell_gradient", rng.uniform(0.2, 0.95, (length, units)))


@task("cell_gradient")
def test_cell_gradient_of_one_step(student, reference, rng):
    """is 1 at the last step, the only one here"""
    assert_agrees(student, reference, "cell_gradient", rng.uniform(0.2, 0.8, (1, 4)))


@task("cell_gradient", weight=2)
def test_cell_gradient_of_a_closed_gate(student, reference, rng):
    """is 0 before a gate that closed fully, and finite everywhere"""
    forget = rng.uniform(0.2, 0.95, (8, 3))
    forget[rng.permutation(np.arange(2, 7))[:3], [0, 1, 2]] = 0
    assert_agrees(student, reference, "cell_gradient", forget)


@task("lstm_parameters")
@pytest.mark.parametrize("function", ["lstm_parameters", "gru_parameters"])
@pytest.mark.parametrize("most", [1, 9, 300])
def test_parameters(student, reference, rng, function, most):
    """counts the parameters by {function} for sizes up to {most}"""
    for d, h in rng.integers(1, most + 1, (3, 2)).tolist():
        expected = getattr(reference, function)(d, h)
        assert_int(getattr(student, function)(d, h), expected, name=f"{function}({d}, {h})")


@task("split_series", weight=2)
@pytest.mark.parametrize("fraction", [0.5, 0.7, 0.9])
def test_split(student, reference, rng, fraction):
    """puts the first {fraction} of a series into train and the rest, in order, into test"""
    assert_agrees(student, reference, "split_series", rng.normal(size=10 * int(rng.integers(2, 6))), fraction)


@task("split_series")
def test_split_rounds_down(student, reference, rng):
    """counts by int(...), which rounds down, where the fraction is no whole number of values"""
    for length, fraction in ((9, 0.7), (9, 0.75), (13, 0.6), (7, 0.4), (11, 0.9)):
        assert_agrees(student, reference, "split_series", rng.normal(size=length), fraction)


@task("split_series")
def test_split_default(student, reference, rng):
    """puts 0.8 of the series into train when no fraction is given"""
    series = rng.normal(size=5 * int(rng.integers(3, 9)))
    parts = assert_tuple(student.split_series(series), 2)
    for name, received, expected in zip(("train", "test"), parts, reference.split_series(series), strict=True):
        assert_close(received, expected, like=np.float32, name=name)


SIZES = pytest.mark.parametrize("shape, units", [((10, 1), 50), ((7, 3), 12)])


def built(student, shape, units):
    """Build a model; its defaults have the first of the sizes."""
    return build(student, "build_lstm", *(() if units == 50 else (shape, units)))


@task("build_lstm", weight=2)
@SIZES
def test_stages(student, shape, units):
    """builds an LSTM of {units} units for windows of {shape}, and a dense layer of one"""
    model = built(student, shape, units).describe(shape)
    assert_stages(model, [recurrent("lstm", units), dense(1)])
    assert_output_shape(model, (1,))
    assert_parameters(model, 4 * units * (shape[1] + units + 1) + units + 1)


@task("build_lstm")
@SIZES
def test_compiled(student, shape, units):
    """compiles it with Adam and the mean squared error: {units} units"""
    model = built(student, shape, units).describe(shape)
    assert_stages(model, [recurrent("lstm", units), dense(1)])
    assert_compiled(model, optimizer="Adam", losses=("mean_squared_error",))


@task("build_lstm", weight=2)
def test_activation(student, rng):
    """uses ReLU where an LSTM has tanh by default, and sigmoid in its gates"""
    model, windows = build(student, "build_lstm", (6, 2), 5), rng.normal(size=(8, 6, 2))
    W, U, b = biased(rng, weights(rng, 4, 2, 5))
    W, U, V, d = 0.6 * W, 0.6 * U, rng.normal(size=(5, 1)), rng.normal(size=1)
    numbers = {weight.shape: weight.number for weight in model.describe((6, 2)).weights}
    if set(numbers) != {array.shape for array in (W, U, b, V, d)}:
        raise CheckFailure("The weights are not those of an LSTM of 5 units with biases, and of one dense unit.")
    model.set_weights({numbers[array.shape]: array for array in (W, U, b, V, d)})
    hint = 'The layer has two activations: `activation="relu"`, and `recurrent_activation` as it is.'
    assert_close(model.predict(windows, (1,)), relu_lstm(windows, W, U, b) @ V + d, rtol=1e-3, like="f4", hint=hint)


def relu_lstm(x, W, U, b):
    """Return the last state ``(N, H)`` of an LSTM with ReLU, which Keras's own layer confirms."""
    h = c = np.zeros((len(x), len(U)))
    for x_t in np.moveaxis(x, 1, 0):
        z = np.split(x_t @ W + h @ U + b, 4, axis=1)
        i, f, o = (1 / (1 + np.exp(-z[gate])) for gate in (0, 1, 3))
        c = f * c + i * np.maximum(z[2], 0)
        h = o * np.maximum(c, 0)
    return h


SUNSPOTS = load_sunspots()[1], hidden_sunspots(Path(__file__).parents[1] / "data")[1]


@pytest.fixture
def forecaster(student):
    """The student's pair of functions, with models of ours."""
    return SeriesForecaster(student, "train_lstm", "forecast")


def wave(rng, count=60):
    """Draw a series far from zero, so that its scale matters."""
    return rng.uniform(250, 350) + rng.uniform(30, 50) * draw_wave(rng, count)


@task("train_lstm", weight=6)
def test_forecasts_sunspots(forecaster, threshold):
    """forecasts hidden years of the sunspots better than by repeating the last number"""
    known, later = SUNSPOTS
    networks = [forecaster.trained(known, seed) for seed in (0, 1, 2)]
    best = min(forecaster.forecasts(networks, known, later), key=lambda forecasts: rmse(forecasts, later))
    repeated = np.concatenate([known[-1:], later[:-1]])
    hint = "Scale the series, take batches of about 4 windows, and pass `epochs` on."
    at_most = threshold("sunspots_error")
    assert_error_against_baseline(best, later, repeated, at_most, hint=hint, name="your forecasts")


@task("train_lstm", weight=3)
def test_units(forecaster, rng):
    """forecasts 1,000 times as much for a series in units 1,000 times as large"""
    series, seed = wave(rng), int(rng.integers(1000))
    small, large = (
        assert_forecast(forecaster, forecaster.trained(factor * series, seed, epochs=3), factor * series) / factor
        for factor in (1.0, 1000.0)
    )
    hint = "Scale by what `series` holds, not by fixed numbers, and undo it in `forecast`."
    assert_close(large, small, atol=0.1 * series.std(), hint=hint, name="a thousandth of the second forecast")


@task("train_lstm", weight=2)
def test_scales_stay_with_the_model(forecaster, rng):
    """keeps the scale on the model: a second model that is trained on another series changes nothing"""
    series, seed = wave(rng), int(rng.integers(1000))
    network = forecaster.trained(series, seed, epochs=1)
    before = assert_forecast(forecaster, network, series)
    forecaster.trained(20 * series + 5000, seed, epochs=1)
    hint = "Store the scale as an attribute, `model.scale = ...`, and read it there."
    after = forecaster.next_value(network, series)
    assert_close(after, before, rtol=1e-3, hint=hint, name="the first model's forecast afterwards")


@task("train_lstm", weight=2)
def test_latest_values(forecaster, rng):
    """forecasts by the latest values, as many as the model's window has: 7 here"""
    series = wave(rng) + np.linspace(-100, 100, 60)
    network = forecaster.trained(series, int(rng.integers(1000)), window=7, epochs=1)
    expected = assert_forecast(forecaster, network, series[-7:], series)
    hint = "Take `history[-window:]`, scaled as in the training, with `window = model.input_shape[1]`."
    received = forecaster.next_value(network, series)
    assert_close(received, expected, rtol=1e-3, hint=hint, name="the forecast from a longer history")


@task("train_lstm", weight=3)
def test_epochs(forecaster, rng):
    """trains for as many epochs as it is told, returns the History of them, and gets better"""
    series, seed = wave(rng, 90), int(rng.integers(1000))
    networks = [forecaster.trained(series, seed, epochs=epochs) for epochs in (1, 8)]
    for network, epochs in zip(networks, (1, 8), strict=True):
        hint = "Pass `epochs` on to `model.fit`, and return what that returns."
        assert_numbers(network.claims().get("loss", ()), epochs, hint=hint, name="the losses in the History")
    early, late = (
        rmse(forecasts, series[60:]) for forecasts in forecaster.forecasts(networks, series[:60], series[60:])
    )
    if not late < early:
        message = "Eight epochs forecast the training series no better than one."
        raise CheckFailure(message, received=f"an RMSE of {early:.4g} after one epoch, {late:.4g} after eight")


@task("train_lstm", weight=2)
def test_series_unmodified(student, forecaster, rng):
    """leaves series and history as they were"""
    series = wave(rng, 40)
    network = forecaster.trained(series, int(rng.integers(1000)), epochs=1)
    assert_forecast(forecaster, network, series)
    model = network.model.handle
    _, after = student.with_arguments.train_lstm(model, series, 1)
    assert_unmodified((series,), after[1:2], ["series"])
    _, after = student.with_arguments.forecast(model, series)
    assert_unmodified((series,), after[1:2], ["history"])
