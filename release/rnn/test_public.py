"""What `check("...")` runs: worked examples whose numbers you can follow with pencil and paper.

The grade is decided by other tests of the same kind, with other inputs. A function that is right for these examples
only will not pass them.
"""

import numpy as np
import pytest

from autograder.checks import (
    assert_array,
    assert_close,
    assert_dict,
    assert_error_against_baseline,
    assert_shape,
    assert_tuple,
    assert_unmodified,
    task,
)
from autograder.checks.forecasting import Forecaster, Windows
from autograder.data import load_sunspots
from autograder.errors import CheckFailure

# One input, one unit: the network of the worked examples. It hears 1 and then silence.
INPUT, RECURRENT, NO_BIAS = np.array([[1.0]]), np.array([[0.5]]), np.zeros(1)
CLICK = np.array([[[1.0], [0.0], [0.0]]])
FIRST = np.tanh(1.0)  # 0.762
SECOND = np.tanh(0.5 * FIRST)  # 0.363
THIRD = np.tanh(0.5 * SECOND)  # 0.180
ECHO = np.array([[[FIRST], [SECOND], [THIRD]]])
SLOPES = 1 - ECHO[0, :, 0] ** 2  # of the tanh at the three steps: 0.420, 0.868, 0.968

SHIFT = np.array([[0.0, 1.0], [0.0, 0.0]])  # leads from unit 0 to unit 1, and nowhere else


@task("rnn_step")
def test_step_by_hand(student):
    """tanh(1 * 0.5 + 0.2 * 0 + 0.1) = tanh(0.6) = 0.537 is the first of two units"""
    x_t, h_prev = np.array([[1.0]]), np.array([[0.2, -0.4]])
    Wx, b = np.array([[0.5, -0.3]]), np.array([0.1, 0.0])
    hint = "SHIFT leads from unit 0 to unit 1: the second sum is 1 * (-0.3) + 0.2 * 1 = -0.1."
    assert_close(student.rnn_step(x_t, h_prev, Wx, SHIFT, b), np.tanh([[0.6, -0.1]]), hint=hint)


@task("rnn_step")
def test_step_remembers(student):
    """without an input the state comes from the one before: tanh(0.5 * 0.8) = 0.380"""
    received = student.rnn_step(np.zeros((1, 1)), np.array([[0.8]]), INPUT, RECURRENT, NO_BIAS)
    assert_close(received, [[np.tanh(0.4)]], hint="np.tanh of the whole sum; h_prev @ Wh is a part of it.")


@task("rnn_step")
def test_step_of_a_batch(student):
    """moves each sequence of a batch by itself and leaves its arguments alone"""
    x_t, h_prev = np.array([[1.0], [-1.0], [0.0]]), np.array([[0.0], [0.0], [1.0]])
    received, after = student.with_arguments.rnn_step(x_t, h_prev, INPUT, RECURRENT, NO_BIAS)
    assert_close(received, np.tanh([[1.0], [-1.0], [0.5]]), hint="Rows are sequences.")
    assert_unmodified((x_t, h_prev), after[:2], ["x_t", "h_prev"])


@task("rnn_forward")
def test_echo_of_a_click(student):
    """1, 0, 0 gives 0.762, 0.363, 0.180: an echo that fades"""
    received = student.rnn_forward(CLICK, np.zeros((1, 1)), INPUT, RECURRENT, NO_BIAS)
    assert_shape(received, (1, 3, 1), hint="One sequence, three steps, one unit: (N, T, H).")
    assert_close(received, ECHO, hint="Each step starts from the state that the one before it returned.")


@task("rnn_forward")
def test_forward_from_a_state(student):
    """begins with h0: in silence 0.8 becomes tanh(0.4) = 0.380, then tanh(0.19) = 0.188"""
    received, after = student.with_arguments.rnn_forward(
        np.zeros((1, 2, 1)), np.array([[0.8]]), INPUT, RECURRENT, NO_BIAS
    )
    assert_close(received, [[[np.tanh(0.4)], [np.tanh(0.5 * np.tanh(0.4))]]], hint="The first h_prev is h0.")
    assert_unmodified((np.array([[0.8]]),), after[1:2], ["h0"])


@task("rnn_forward")
def test_forward_axes(student):
    """keeps sequences apart: two of them, three steps, two units"""
    x = np.array([[[1.0], [0.0], [0.0]], [[0.0], [0.0], [2.0]]])
    received = student.rnn_forward(x, np.zeros((2, 2)), np.array([[1.0, 0.0]]), SHIFT, np.zeros(2))
    one, two = np.tanh(1.0), np.tanh(2.0)
    expected = [[[one, 0], [0, np.tanh(one)], [0, 0]], [[0, 0], [0, 0], [two, 0]]]
    assert_close(received, expected, hint="received[n, t] is the state of sequence n after step t.")


@task("rnn_backward")
def test_backward_by_hand(student):
    """the gradient 1 at the last step comes back as 0.968, 0.420 and 0.088"""
    grad_h = np.array([[[0.0], [0.0], [1.0]]])
    received = student.rnn_backward(grad_h, CLICK, np.zeros((1, 1)), ECHO, INPUT, RECURRENT)
    grad_x, grad_h0, grad_Wx, grad_Wh, grad_b = assert_tuple(received, 5)
    third = SLOPES[2]
    second = third * 0.5 * SLOPES[1]
    first = second * 0.5 * SLOPES[0]
    hint = "Backwards: times the slope 1 - h[:, t]**2, then through Wh.T to the step before."
    assert_close(grad_x, [[[first], [second], [third]]], name="grad_x", hint=hint)
    assert_close(grad_h0, [[0.5 * first]], name="grad_h0", hint="One more step back, through Wh.T.")
    assert_close(grad_Wx, [[first]], name="grad_Wx", hint="Sum over the steps of input times gradient; here 1, 0, 0.")
    hint = "Sum over the steps of the state BEFORE the step times the gradient: 0, 0.762, 0.363."
    assert_close(grad_Wh, [[FIRST * second + SECOND * third]], name="grad_Wh", hint=hint)
    assert_close(grad_b, [first + second + third], name="grad_b", hint="The bias took part in every step: sum.")


@task("rnn_backward")
def test_backward_adds(student):
    """a gradient at every step is added to what comes from later: 0.968, then (1 + 0.484) * 0.868"""
    received = student.rnn_backward(np.ones((1, 3, 1)), CLICK, np.zeros((1, 1)), ECHO, INPUT, RECURRENT)
    grad_x = assert_tuple(received, 5)[0]
    third = SLOPES[2]
    second = (1 + 0.5 * third) * SLOPES[1]
    first = (1 + 0.5 * second) * SLOPES[0]
    hint = "First add grad_h[:, t] and what is carried, then multiply by the slope of the tanh."
    assert_close(grad_x, [[[first], [second], [third]]], name="grad_x", hint=hint)


@task("rnn_backward")
def test_backward_of_a_batch(student):
    """sums the weights' gradients over two sequences, and goes back against the direction of Wh"""
    x, h0 = np.array([[[1.0]], [[2.0]]]), np.array([[0.5, 0.0], [1.0, 0.0]])
    h, grad_h = np.zeros((2, 1, 2)), np.array([[[0.0, 1.0]], [[0.0, 3.0]]])
    received, after = student.with_arguments.rnn_backward(grad_h, x, h0, h, np.array([[1.0, 1.0]]), SHIFT)
    _, grad_h0, grad_Wx, grad_Wh, grad_b = assert_tuple(received, 5)
    hint = "SHIFT leads from unit 0 to unit 1, so the gradient goes from 1 to 0: @ Wh.T."
    assert_close(grad_h0, [[1, 0], [3, 0]], name="grad_h0", hint=hint)
    assert_close(grad_Wx, [[0, 7]], name="grad_Wx", hint="1 * 1 + 2 * 3 = 7: a sum, no mean.")
    assert_close(grad_Wh, [[0, 3.5], [0, 0]], name="grad_Wh", hint="0.5 * 1 + 1 * 3 = 3.5: h0 is the state before.")
    assert_close(grad_b, [0, 4], name="grad_b", hint="1 + 3 = 4: a sum, no mean.")
    assert_unmodified((grad_h, x, h0, h), after[:4], ["grad_h", "x", "h0", "h"])


@task("clip_gradients")
def test_clip_by_hand(student):
    """3, 4 and 12 have the norm 13; clipped to 6.5 they become 1.5, 2 and 6"""
    gradients = {"weights": np.array([[3.0, 4.0]]), "bias": np.array([12.0])}
    received, after = student.with_arguments.clip_gradients(gradients, 6.5)
    clipped = assert_dict(received, gradients)
    hint = "One factor for all: 6.5 / sqrt(9 + 16 + 144) = 0.5."
    assert_close(clipped["weights"], [[1.5, 2]], name='"weights"', rtol=1e-4, hint=hint)
    assert_close(clipped["bias"], [6], name='"bias"', rtol=1e-4, hint=hint)
    assert_unmodified((gradients,), after[:1], ["gradients"])


@task("clip_gradients")
def test_clip_leaves_small_ones(student):
    """with the norm 13 below 20 nothing changes"""
    gradients = {"weights": np.array([[3.0, 4.0]]), "bias": np.array([12.0])}
    clipped = assert_dict(student.clip_gradients(gradients, 20.0), gradients)
    for name, gradient in gradients.items():
        assert_close(clipped[name], gradient, name=f'"{name}"', hint="Scale only when the norm exceeds max_norm.")


@task("gradient_flow")
def test_flow_by_hand(student):
    """one unit: 0.5 * 0.868 * 0.5 * 0.968 = 0.210, then 0.5 * 0.968 = 0.484, then 1"""
    last = 0.5 * SLOPES[2]
    hint = "The step from t to t + 1 has the slope 1 - h[t + 1]**2; the last entry has no step in it."
    assert_close(student.gradient_flow(ECHO[0], RECURRENT), [last * 0.5 * SLOPES[1], last, 1], hint=hint)


@task("gradient_flow")
def test_flow_of_two_units(student):
    """for states of zero and Wh = [[0, 1], [0, 0]]: nothing survives two steps, one number one, two none"""
    hint = "Multiply the matrices; the norm is the root of the sum of all squares: sqrt(2) for the identity."
    assert_close(student.gradient_flow(np.zeros((3, 2)), SHIFT), [0, 1, np.sqrt(2)], hint=hint)


@task("gradient_flow")
def test_flow_direction(student):
    """a saturated unit 1 stops what flows from unit 0 into it, and nothing else"""
    h, Wh = np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[0.5, 3.0], [2.0, 7.0]])
    hint = "d h_2[j] / d h_1[i] = (1 - h_2[j]**2) * Wh[i, j]: column 1 of Wh is lost, 0.5 and 2 are left."
    assert_close(student.gradient_flow(h, Wh), [np.sqrt(4.25), np.sqrt(2)], hint=hint)


@task("make_windows")
def test_windows_by_hand(student):
    """10, 20, 30, 40, 50 in windows of 2: 10 20 -> 30, 20 30 -> 40, 30 40 -> 50"""
    received = student.make_windows(np.array([10.0, 20.0, 30.0, 40.0, 50.0]), 2)
    X, y = assert_tuple(received, 2, hint="Return X and y.")
    hint = "5 - 2 = 3 windows, oldest first; the last axis holds the one number of each year."
    assert_close(X, [[[10], [20]], [[20], [30]], [[30], [40]]], name="X", hint=hint)
    assert_close(y, [[30], [40], [50]], name="y", hint="The value after the window, as a column (n, 1).")


@task("make_windows")
def test_windows_count(student):
    """12 values have 7 windows of 5"""
    X, y = assert_tuple(student.make_windows(np.arange(12.0), 5), 2)
    assert_array(X, (7, 5, 1), name="X")
    assert_array(y, (7, 1), name="y")


@pytest.fixture(scope="module")
def years():
    """The windows that forecast 1710 to 1899, and those for 1900 to 1946, standardized by the years to 1899."""
    _, numbers = load_sunspots()
    return Windows.standardized(numbers[:200], numbers[200:], 10)


@pytest.fixture
def rnn(student):
    """Your pair of functions."""
    return Forecaster(student, "train_rnn", "predict_rnn")


@task("train_rnn")
def test_training_reports_losses(rnn, years):
    """reports one loss per epoch, and the loss falls"""
    _, losses = rnn.trained(years[0], epochs=5)
    reported = rnn.losses(losses, 5)
    if not reported[-1] < reported[0] < 10:
        hint = "Look at the sign of the step and of the gradients; divide sums by the number of windows."
        raise CheckFailure("The loss does not fall.", received=f"{reported[0]:.3g}, ..., {reported[-1]:.3g}", hint=hint)


@task("train_rnn")
def test_training_forecasts(rnn, years):
    """forecasts 1900 to 1946 better than by repeating the last number"""
    known, later = years
    parameters, _ = rnn.trained(known)
    hint = "Does the gradient of the last state reach every step of the window? Are the batches small?"
    assert_error_against_baseline(rnn.forecasts(parameters, later.X), later.y, later.last, 0.85, hint=hint)


@task("train_rnn")
def test_training_repeats(rnn, years):
    """gives the same network for the same seed, and another one with other arguments"""
    known, later = years
    plain, *others = ({"epochs": 2}, {"epochs": 4}, {"epochs": 2, "hidden": 3}, {"epochs": 2, "learning_rate": 0.01})
    once, again = (rnn.forecasts(rnn.trained(known, seed=3, **plain)[0], later.X) for _ in range(2))
    assert_close(again, once, like=np.float32, hint="Draw every random number from np.random.default_rng(seed).")
    for options in others:
        changed = rnn.forecasts(rnn.trained(known, seed=3, **options)[0], later.X)
        if np.abs(changed - once).max() < 1e-6:
            raise CheckFailure(f"{options} gives the same forecasts as {plain}.", hint="Use all arguments.")


@task("train_rnn")
def test_forecast_of_one_window(student, rnn, years):
    """forecasts a window alone as it does among others, and changes no argument"""
    known, later = years
    parameters, _ = rnn.trained(known, epochs=2)
    together, alone = (rnn.forecasts(parameters, part) for part in (later.X, later.X[5:6]))
    assert_close(alone, together[5:6], like=np.float32, hint="Begin every window with a state of zeros.")
    _, after = student.with_arguments.train_rnn(known.X, known.y, 8, 1)
    assert_unmodified((known.X, known.y), after[:2], ["X", "y"])
