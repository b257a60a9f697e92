"""Known wrong answers to LSTM and GRU: the cells, what gates do and what they cost, and the split of a series.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the end are right. What
can go wrong with Keras follows in another file.
"""

import numpy as np

from autograder.misconceptions import collect, misconception


@misconception("lstm_step")
def output_before_candidate(x_t, h_prev, c_prev, W, U, b):
    """You took the third block for the output gate. The order is input, forget, candidate, output, as in Keras."""
    i, f, o, candidate = _blocks(x_t, h_prev, W, U, b, 4)
    return _lstm(i, f, candidate, o, c_prev)


@misconception("lstm_step")
def gates_exchanged(x_t, h_prev, c_prev, W, U, b):
    """You exchanged the input and the forget gate. Input comes first, and `c = f * c_prev + i * candidate`."""
    i, f, candidate, o = _blocks(x_t, h_prev, W, U, b, 4)
    return _lstm(f, i, candidate, o, c_prev)


@misconception("lstm_step")
def shown_without_tanh(x_t, h_prev, c_prev, W, U, b):
    """You showed the cell as it is. The output gate lets `tanh(c)` through: `h = o * np.tanh(c)`."""
    i, f, candidate, o = _blocks(x_t, h_prev, W, U, b, 4)
    _, c = _lstm(i, f, candidate, o, c_prev)
    return _sigmoid(o) * c, c


@misconception("lstm_step")
def squashed_cell_carried(x_t, h_prev, c_prev, W, U, b):
    """You passed `tanh(c)` on as the cell. The cell itself is kept as it is; only what is shown is squashed."""
    h, c = _lstm(*_blocks(x_t, h_prev, W, U, b, 4), c_prev)
    return h, np.tanh(c)


@misconception("lstm_step")
def candidate_by_sigmoid(x_t, h_prev, c_prev, W, U, b):
    """You gave the candidate a sigmoid, so nothing negative can be written. It is `np.tanh`; gates are sigmoids."""
    i, f, candidate, o = _blocks(x_t, h_prev, W, U, b, 4)
    c = _sigmoid(f) * c_prev + _sigmoid(i) * _sigmoid(candidate)
    return _sigmoid(o) * np.tanh(c), c


@misconception("lstm_step")
def old_cell_shown(x_t, h_prev, c_prev, W, U, b):
    """You showed the cell of the step before. Compute the new `c` first, then `h = o * np.tanh(c)` from it."""
    i, f, candidate, o = _blocks(x_t, h_prev, W, U, b, 4)
    return _sigmoid(o) * np.tanh(c_prev), _lstm(i, f, candidate, o, c_prev)[1]


@misconception("lstm_step")
def lstm_without_bias(x_t, h_prev, c_prev, W, U, b):
    """You left out the bias. Every gate and the candidate have their own: `x_t @ W + h_prev @ U + b`."""
    return _lstm(*_blocks(x_t, h_prev, W, U, np.zeros_like(b), 4), c_prev)


@misconception("lstm_step")
def states_exchanged(x_t, h_prev, c_prev, W, U, b):
    """You returned the cell first. What is shown comes first, what is kept second: `return h, c`."""
    return _lstm(*_blocks(x_t, h_prev, W, U, b, 4), c_prev)[::-1]


@misconception("lstm_forward")
def hidden_state_not_carried(x, h0, c0, W, U, b):
    """You gave every step the first hidden state. Each step begins with the `h` and the `c` that the last one left."""
    states, c = [], c0
    for x_t in np.moveaxis(x, 1, 0):
        h, c = _lstm_step(x_t, h0, c, W, U, b)
        states.append(h)
    return np.stack(states, axis=1), c


@misconception("lstm_forward")
def cell_not_carried(x, h0, c0, W, U, b):
    """You gave every step the first cell. Each step begins with the `h` and the `c` that the last one left."""
    states, h = [], h0
    for x_t in np.moveaxis(x, 1, 0):
        h, c = _lstm_step(x_t, h, c0, W, U, b)
        states.append(h)
    return np.stack(states, axis=1), c


@misconception("lstm_forward")
def only_the_last_state(x, h0, c0, W, U, b):
    """You returned only the last hidden state. Collect that of every step, `(N, T, H)`, and of the cell the last."""
    h, c = _lstm_forward(x, h0, c0, W, U, b)
    return h[:, -1], c


@misconception("lstm_forward")
def time_before_batch(x, h0, c0, W, U, b):
    """Your states have the time as their first axis. Stack them along the second: `np.stack(states, axis=1)`."""
    h, c = _lstm_forward(x, h0, c0, W, U, b)
    return np.moveaxis(h, 1, 0), c


@misconception("lstm_forward")
def first_states_ignored(x, h0, c0, W, U, b):
    """You began with states of zeros. The sequence may go on from an earlier one: begin with `h0` and `c0`."""
    return _lstm_forward(x, np.zeros_like(h0), np.zeros_like(c0), W, U, b)


@misconception("lstm_forward")
def hidden_state_as_cell(x, h0, c0, W, U, b):
    """You returned the last hidden state twice. The second result is the cell, which the last step left: `c`."""
    h, _ = _lstm_forward(x, h0, c0, W, U, b)
    return h, h[:, -1]


@misconception("gru_step")
def update_inverted(x_t, h_prev, W, U, b):
    """You exchanged the shares. Here the update gate says what stays: `z * h_prev + (1 - z) * candidate`."""
    z, _, candidate = _gru(x_t, h_prev, W, U, b)
    return (1 - z) * h_prev + z * candidate


@misconception("gru_step")
def reset_after_the_product(x_t, h_prev, W, U, b):
    """You reset after the product. Reset the state first: `(r * h_prev) @ U_c`, since `U_c` mixes the units."""
    z, r, _ = _gru(x_t, h_prev, W, U, b)
    units = h_prev.shape[1]
    recurrent = r * (h_prev @ U[:, 2 * units :])
    candidate = np.tanh(x_t @ W[:, 2 * units :] + recurrent + b[2 * units :])
    return z * h_prev + (1 - z) * candidate


@misconception("gru_step")
def reset_before_update(x_t, h_prev, W, U, b):
    """You took the first block for the reset gate. The order is update, reset, candidate, as in Keras."""
    order = np.roll(np.arange(2 * h_prev.shape[1]), h_prev.shape[1])
    swapped = np.concatenate([order, np.arange(2 * h_prev.shape[1], 3 * h_prev.shape[1])])
    return _gru_step(x_t, h_prev, W[:, swapped], U[:, swapped], b[swapped])


@misconception("gru_step")
def gru_candidate_by_sigmoid(x_t, h_prev, W, U, b):
    """You gave the candidate a sigmoid, so that the state never falls below 0. It is `np.tanh`; gates are sigmoids."""
    z, r, _ = _gru(x_t, h_prev, W, U, b)
    units = h_prev.shape[1]
    z_c = x_t @ W[:, 2 * units :] + (r * h_prev) @ U[:, 2 * units :] + b[2 * units :]
    return z * h_prev + (1 - z) * _sigmoid(z_c)


@misconception("gru_step")
def never_reset(x_t, h_prev, W, U, b):
    """You did not use the reset gate. The candidate sees only what it lets through: `(r * h_prev) @ U_c`."""
    z, _, _ = _gru(x_t, h_prev, W, U, b)
    candidate = np.tanh(_blocks(x_t, h_prev, W, U, b, 3)[2])
    return z * h_prev + (1 - z) * candidate


@misconception("gru_step")
def gru_without_bias(x_t, h_prev, W, U, b):
    """You left out the bias. Both gates and the candidate have their own: `... + b`, in the same three blocks."""
    return _gru_step(x_t, h_prev, W, U, np.zeros_like(b))


@misconception("cell_gradient")
def own_gate_included(forget):
    """You multiplied by the gate of the step itself. It acted before that cell was made: begin with the next one."""
    return np.cumprod(forget[::-1], axis=0)[::-1]


@misconception("cell_gradient")
def product_from_the_start(forget):
    """You multiplied the gates from the first step on. What counts is how far it is to the last: go backwards."""
    return np.cumprod(np.concatenate([np.ones_like(forget[:1]), forget[:-1]]), axis=0)


@misconception("cell_gradient")
def only_the_next_gate(forget):
    """You stopped after one step. It comes from the last cell: multiply all gates on the way, `np.cumprod`."""
    return np.concatenate([forget[1:], np.ones_like(forget[:1])])


@misconception("cell_gradient")
def divided_by_gates(forget):
    """You divided the product of all gates by that of the first. A gate may be 0: multiply the later ones instead."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.prod(forget, axis=0) / np.cumprod(forget, axis=0)


@misconception("cell_gradient")
def gates_averaged_over_units(forget):
    """You took one gate for all units. Every unit has its own road and its own product: keep the axis of the units."""
    mean = np.repeat(forget.mean(axis=1, keepdims=True), forget.shape[1], axis=1)
    return np.cumprod(np.concatenate([mean[1:], np.ones_like(mean[:1])])[::-1], axis=0)[::-1]


@misconception("lstm_parameters")
def lstm_biases_forgotten(d, h):
    """You left out the biases of the LSTM. Each of the four blocks has `h` of them."""
    return 4 * (d + h) * h


@misconception("lstm_parameters")
def lstm_without_candidate(d, h):
    """You counted the three gates of the LSTM only. The candidate is a fourth block of the same size."""
    return 3 * (d + h + 1) * h


@misconception("lstm_parameters", function="gru_parameters")
def gru_biases_twice(d, h):
    """You counted two sets of biases for the GRU. That is `reset_after=True`; here each block has `h` of them."""
    return 3 * (d + h + 2) * h


@misconception("lstm_parameters", function="gru_parameters")
def gru_with_four_blocks(d, h):
    """You counted four blocks for the GRU. It has two gates and a candidate: three."""
    return 4 * (d + h + 1) * h


@misconception("lstm_parameters", function="gru_parameters")
def recurrent_weights_forgotten(d, h):
    """You left out the weights of the state. Each block also has `h * h`, from every unit to every unit."""
    return 3 * (d + 1) * h


@misconception("split_series")
def series_shuffled(series, fraction=0.8):
    """You shuffled the series. A forecast is tested on the future: train on the first values, in their order."""
    shuffled = np.random.default_rng(0).permutation(series)
    count = int(fraction * len(series))
    return shuffled[:count], shuffled[count:]


@misconception("split_series")
def count_rounded(series, fraction=0.8):
    """You rounded the number of values. Here `int(fraction * len(series))` cuts off what is behind the point."""
    count = round(fraction * len(series))
    return series[:count], series[count:]


@misconception("split_series")
def count_rounded_up(series, fraction=0.8):
    """You rounded the number of values up. Here `int(fraction * len(series))` cuts off what is behind the point."""
    count = int(np.ceil(fraction * len(series)))
    return series[:count], series[count:]


@misconception("split_series")
def fraction_for_the_test(series, fraction=0.8):
    """You gave the fraction to the test part. It is the share of `train`, which comes first."""
    count = int((1 - fraction) * len(series))
    return series[:count], series[count:]


@misconception("split_series")
def parts_overlap(series, fraction=0.8):
    """You put a value into both parts. The test part begins where the training part ends: `series[count:]`."""
    count = int(fraction * len(series))
    return series[:count], series[count - 1 :]


def _sigmoid(z):
    return (1 + np.tanh(z / 2)) / 2


def _blocks(x_t, h_prev, W, U, b, count):
    return np.split(x_t @ W + h_prev @ U + b, count, axis=1)


def _lstm(i, f, candidate, o, c_prev):
    c = _sigmoid(f) * c_prev + _sigmoid(i) * np.tanh(candidate)
    return _sigmoid(o) * np.tanh(c), c


def _lstm_step(x_t, h_prev, c_prev, W, U, b):
    return _lstm(*_blocks(x_t, h_prev, W, U, b, 4), c_prev)


def _lstm_forward(x, h0, c0, W, U, b):
    states, h, c = [], h0, c0
    for x_t in np.moveaxis(x, 1, 0):
        h, c = _lstm_step(x_t, h, c, W, U, b)
        states.append(h)
    return np.stack(states, axis=1), c


def _gru(x_t, h_prev, W, U, b):
    """Return the update gate, the reset gate and the candidate."""
    units = h_prev.shape[1]
    z, r, _ = _blocks(x_t, h_prev, W, U, b, 3)
    z, r = _sigmoid(z), _sigmoid(r)
    return z, r, np.tanh(x_t @ W[:, 2 * units :] + (r * h_prev) @ U[:, 2 * units :] + b[2 * units :])


def _gru_step(x_t, h_prev, W, U, b):
    z, _, candidate = _gru(x_t, h_prev, W, U, b)
    return z * h_prev + (1 - z) * candidate


MISCONCEPTIONS = collect(vars())
