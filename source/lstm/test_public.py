"""What `check("...")` runs: worked examples whose numbers you can follow with pencil and paper.

The grade is decided by other tests of the same kind, with other inputs. A function that is right for these examples
only will not pass them.
"""

import numpy as np
import pytest

from autograder.checks import (
    assert_array,
    assert_close,
    assert_int,
    assert_numbers,
    assert_tuple,
    assert_unmodified,
    task,
)
from autograder.checks.architecture import assert_compiled, assert_parameters, assert_stages
from autograder.checks.models import build
from autograder.checks.series import SeriesForecaster, assert_forecast
from autograder.checks.stages import dense, recurrent
from autograder.errors import CheckFailure

LOG3 = np.log(3.0)
"""sigmoid(log 3) = 3/4, sigmoid(-log 3) = 1/4, sigmoid(0) = 1/2, tanh(log 3 / 2) = 1/2, tanh(log 3) = 4/5."""


def row(*values):
    """Return one row of numbers `(1, n)`."""
    return np.array([values], dtype=float)


@task("lstm_step")
@pytest.mark.parametrize("source", ["W", "U", "b"])
def test_lstm_step_by_hand(student, source):
    """gates 3/4, 1/2, 1/4 and the candidate 1/2, by {source}, turn the cell 2 into 1/2 * 2 + 3/4 * 1/2 = 1.375"""
    scores, nothing = row(LOG3, 0, LOG3 / 2, -LOG3), np.zeros((1, 4))
    W, U, b = (scores if source == name else nothing for name in "WUb")
    one, zero = row(1), row(0)
    x_t, h_prev = one if source == "W" else zero, one if source == "U" else zero
    h, c = assert_tuple(student.lstm_step(x_t, h_prev, row(2), W, U, b[0]), 2, hint="Return both: `return h, c`.")
    hint = "The four blocks are input, forget, candidate, output; the cell is f * c_prev + i * candidate."
    assert_close(c, [[1.375]], name="c", hint=hint)
    assert_close(h, [[np.tanh(1.375) / 4]], name="h", hint="h = o * tanh(c), with the new cell.")


@task("lstm_step")
def test_lstm_step_layout(student):
    """of 4H = 8 columns, the first two are the input gates of two units: open for one, closed for the other"""
    b = np.array([100.0, -100, -100, -100, 100, 100, 100, 100])
    args = np.zeros((3, 1)), np.zeros((3, 2)), np.full((3, 2), 7.0), np.zeros((1, 8)), np.zeros((2, 8)), b
    received, after = student.with_arguments.lstm_step(*args)
    h, c = assert_tuple(received, 2, hint="Return both: `return h, c`.")
    hint = "Cut (N, 4H) into four blocks of H columns: [:, :H], [:, H:2*H], ..."
    assert_close(c, [[1, 0]] * 3, name="c", atol=1e-6, hint=hint)
    assert_close(h, [[np.tanh(1), 0]] * 3, name="h", atol=1e-6, hint=hint)
    assert_unmodified(args, after, ["x_t", "h_prev", "c_prev", "W", "U", "b"])


@task("lstm_forward")
def test_lstm_forward_by_hand(student):
    """with i = 3/4, f = 1/2 and the candidate 1/2 at each step, the cell grows 0.375, 0.5625, 0.65625"""
    b = np.array([LOG3, 0, LOG3 / 2, -LOG3])
    zero, none = row(0), np.zeros((1, 4))
    h, c_last = assert_tuple(student.lstm_forward(np.zeros((1, 3, 1)), zero, zero, none, none, b), 2)
    assert_close(c_last, [[0.65625]], name="c_last", hint="Each step begins with the cell that the one before left.")
    expected = np.tanh([[[0.375], [0.5625], [0.65625]]]) / 4
    assert_close(h, expected, name="h", hint="Collect the h of every step: (N, T, H).")


@task("lstm_forward")
def test_lstm_forward_carries_the_state(student):
    """carries h on: it changes sign after one step, and so does the candidate; the cell goes -4, -1.5, -1.25"""
    U = row(0, 0, 1000, 0)  # gates of 1/2; the candidate is the sign of h
    args = np.zeros((1, 2, 1)), row(1), row(-4), np.zeros((1, 4)), U, np.zeros(4)
    received, after = student.with_arguments.lstm_forward(*args)
    h, c_last = assert_tuple(received, 2)
    hint = "-4/2 + 1/2 = -1.5; now h is negative, and -1.5/2 - 1/2 = -1.25."
    assert_close(c_last, [[-1.25]], name="c_last", rtol=1e-5, hint=hint)
    assert_close(h, np.tanh([[[-1.5], [-1.25]]]) / 2, name="h", rtol=1e-5)
    assert_unmodified(args, after, ["x", "h0", "c0", "W", "U", "b"])


@task("lstm_forward")
def test_lstm_forward_batch(student):
    """keeps two sequences apart, first index, and two steps, second index"""
    x = np.array([[[0.0], [0.0]], [[1000.0], [-1000.0]]])  # the candidate is 0, 0 and then 1, -1; gates of 1/2
    zeros, none = np.zeros((2, 1)), np.zeros((1, 4))
    h, c_last = assert_tuple(student.lstm_forward(x, zeros, zeros, row(0, 0, 1, 0), none, np.zeros(4)), 2)
    assert_array(h, (2, 2, 1), name="h", hint="(N, T, H): step t reads x[:, t].")
    assert_close(c_last, [[0], [-0.25]], name="c_last", hint="0 + 1/2, and then 1/2 * 1/2 - 1/2.")
    assert_close(h, np.tanh([[[0], [0]], [[0.5], [-0.25]]]) / 2, name="h", hint="(N, T, H): step t reads x[:, t].")


@task("gru_step")
def test_gru_step_by_hand(student):
    """with z = 3/4, r = 1/2 and the candidate 1/2, the state 0.4 becomes 3/4 * 0.4 + 1/4 * 1/2 = 0.425"""
    received = student.gru_step(row(1), row(0.4), row(LOG3, 0, 0), row(0, 0, 2.5 * LOG3), np.zeros(3))
    hint = "0.475: z keeps the old state. 0.5: the candidate reads r * h_prev, here 1/2 * 0.4."
    assert_close(received, [[0.425]], hint=hint)


@task("gru_step")
def test_gru_step_bias(student):
    """adds the biases: z = 1/2, r anything, the candidate 4/5, and the state 0 becomes 0.4"""
    args = np.zeros((2, 1)), np.zeros((2, 1)), np.zeros((1, 3)), np.zeros((1, 3)), np.array([0, 5.0, LOG3])
    received, after = student.with_arguments.gru_step(*args)
    assert_close(received, [[0.4], [0.4]], hint="The candidate is a tanh, not a sigmoid.")
    assert_unmodified(args, after, ["x_t", "h_prev", "W", "U", "b"])


@task("gru_step")
def test_gru_step_resets_before(student):
    """r = (1, 0) lets the second unit's candidate read the first unit's state: (0, 1/2), halved by z = 1/2"""
    U = np.zeros((2, 6))
    U[0, 5], U[1, 4] = LOG3 / 2, 50  # unit 1 -> candidate 2, and unit 2, which is reset, -> candidate 1
    b = np.array([0, 0, 1000.0, -1000, 0, 0])
    received = student.gru_step(np.zeros((1, 1)), np.ones((1, 2)), np.zeros((1, 6)), U, b)
    hint = "Reset the state first, then multiply: (r * h_prev) @ U, not r * (h_prev @ U)."
    assert_close(received, [[0.5, 0.75]], hint=hint)


@task("cell_gradient")
def test_cell_gradient_by_hand(student):
    """the gates 0.9, 0.5, 0.8 give 0.5 * 0.8 = 0.4, 0.8 and 1"""
    forget = np.array([[0.9], [0.5], [0.8]])
    received, after = student.with_arguments.cell_gradient(forget)
    hint = "From c_t on, only the later gates act: f_(t+1) * ... * f_T. After the last step there is none."
    assert_close(received, [[0.4], [0.8], [1]], hint=hint)
    assert_unmodified((forget,), after, ["forget"])


@task("cell_gradient")
def test_cell_gradient_of_units(student):
    """each unit has its own product, and a closed gate makes it 0"""
    received = student.cell_gradient(np.array([[0.5, 0.5], [1, 0], [0.5, 0.5], [0.2, 1]]))
    hint = "Multiply along time, axis 0; do not divide, a gate may be 0."
    assert_close(received, [[0.1, 0], [0.1, 0.5], [0.2, 1], [1, 1]], hint=hint)


@task("lstm_parameters")
def test_parameters_by_hand(student):
    """3 inputs and 5 units: each block has 3*5 + 5*5 + 5 = 45 parameters; an LSTM has 4 blocks, a GRU 3"""
    assert_int(student.lstm_parameters(3, 5), 180, name="lstm_parameters(3, 5)", hint="W, U and b, four times.")
    hint = "W, U and b, three times; with `reset_after=False` there is one bias per column."
    assert_int(student.gru_parameters(3, 5), 135, name="gru_parameters(3, 5)", hint=hint)


@task("lstm_parameters")
def test_parameters_of_the_smallest(student):
    """1 input and 1 unit: 12 and 9"""
    assert_int(student.lstm_parameters(1, 1), 12, name="lstm_parameters(1, 1)")
    assert_int(student.gru_parameters(1, 1), 9, name="gru_parameters(1, 1)")


@task("split_series")
@pytest.mark.parametrize("length, fraction, count", [(10, 0.8, 8), (10, 0.5, 5), (7, 0.8, 5)])
def test_split_by_hand(student, length, fraction, count):
    """{fraction} of {length} values: the first {count} are train, the others test"""
    series = np.arange(float(length)) ** 2
    train, test = assert_tuple(student.split_series(series, fraction), 2, hint="Return both: `return train, test`.")
    assert_close(train, series[:count], name="train", hint="In the order of time; int(...) rounds down.")
    assert_close(test, series[count:], name="test", hint="Everything after train, in the order of time.")


@task("build_lstm")
def test_model(student):
    """has an LSTM of 50 units with ReLU, and a dense layer of 1: 10,451 parameters"""
    model = build(student, "build_lstm").describe((10, 1))
    hint = 'Write `activation="relu"`, and leave `recurrent_activation` as it is.'
    assert_stages(model, [recurrent("lstm", 50, function="relu"), dense(1)], hint=hint)
    assert_parameters(model, 10_451)


@task("build_lstm")
def test_model_of_another_size(student):
    """heeds input_shape and units, and is compiled with Adam and the mean squared error"""
    model = build(student, "build_lstm", (6, 2), 8).describe((6, 2))
    assert_stages(model, [recurrent("lstm", 8), dense(1)])
    assert_compiled(model, optimizer="Adam", losses=("mean_squared_error",))


@pytest.fixture
def forecaster(student):
    """Your two functions, with a fresh small model for each training."""
    return SeriesForecaster(student, "train_lstm", "forecast")


SERIES = 300 + 40 * np.sin(np.arange(50) * 2 * np.pi / 9) + np.linspace(-30, 30, 50)


@task("train_lstm")
def test_training(student, forecaster):
    """returns a History of 4 epochs whose loss falls, and forecasts in the units of the series"""
    network = forecaster.trained(SERIES, 0, units=8, epochs=4)
    hint = "Pass `epochs` on, and return what `model.fit` returns."
    losses = assert_numbers(network.claims().get("loss", ()), 4, hint=hint, name="the losses in the History")
    if not losses[-1] < losses[0]:
        raise CheckFailure("The loss does not fall.", hint="Are targets and windows scaled, and in step?")
    assert_forecast(forecaster, network, SERIES)
    _, after = student.with_arguments.forecast(network.model.handle, SERIES)
    assert_unmodified((SERIES,), after[1:], ["history"])
    _, after = student.with_arguments.train_lstm(network.model.handle, SERIES, 1)
    assert_unmodified((SERIES,), after[1:2], ["series"])


@task("train_lstm")
def test_units(forecaster):
    """forecasts 1,000 times as much for a series in units 1,000 times as large"""
    networks = [forecaster.trained(factor * SERIES, 0, units=8, epochs=2) for factor in (1, 1000)]
    small, large = (assert_forecast(forecaster, networks[n], factor * SERIES) for n, factor in ((0, 1), (1, 1000)))
    hint = "Each model keeps its own scale, from its own series: an attribute such as `model.scale`."
    assert_close(large / 1000, small, atol=4, hint=hint, name="a thousandth of the second forecast")


@task("train_lstm")
def test_window(forecaster):
    """reads as many of the latest values as the model's window has, here 6"""
    network = forecaster.trained(SERIES, 0, units=8, window=6, epochs=1)
    expected = assert_forecast(forecaster, network, SERIES[-6:], SERIES)
    received = forecaster.next_value(network, SERIES)
    hint = "The window is `model.input_shape[1]`; the scale is that of the training, whatever the history is."
    assert_close(received, expected, rtol=1e-4, hint=hint, name="the forecast from a longer history")
