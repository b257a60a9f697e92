"""Known wrong answers to the recurrent networks; those to the way back and to the training follow in other files.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the end are right.
"""

import numpy as np

from autograder.misconceptions import collect, misconception


@misconception("rnn_step")
def tanh_forgotten(x_t, h_prev, Wx, Wh, b):
    """You returned the sum without squashing it. The new state is `np.tanh(...)` of the whole sum."""
    return x_t @ Wx + h_prev @ Wh + b


@misconception("rnn_step")
def recurrent_weights_transposed(x_t, h_prev, Wx, Wh, b):
    """You multiplied by `Wh.T`. States are rows: `h_prev @ Wh`, so `Wh[i, j]` leads from unit `i` to unit `j`."""
    return _step(x_t, h_prev, Wx, Wh.T, b)


@misconception("rnn_step")
def bias_forgotten(x_t, h_prev, Wx, Wh, b):
    """You left out the bias. It is added once to the sum, inside the tanh: `x_t @ Wx + h_prev @ Wh + b`."""
    return _step(x_t, h_prev, Wx, Wh, 0 * b)


@misconception("rnn_step")
def state_ignored(x_t, h_prev, Wx, Wh, b):
    """You used the input alone, so nothing is remembered. Add what the state before contributes: `h_prev @ Wh`."""
    return _step(x_t, 0 * h_prev, Wx, Wh, b)


@misconception("rnn_step")
def state_without_weights(x_t, h_prev, Wx, Wh, b):
    """You added the state as it is. It goes through its own weights first: `h_prev @ Wh`."""
    return np.tanh(x_t @ Wx + h_prev + b)


@misconception("rnn_step")
def squashed_one_by_one(x_t, h_prev, Wx, Wh, b):
    """You squashed the two products one by one. Add everything first, then take one `np.tanh` of the sum."""
    return np.tanh(x_t @ Wx) + np.tanh(h_prev @ Wh + b)


@misconception("rnn_step")
def sigmoid_for_tanh(x_t, h_prev, Wx, Wh, b):
    """You squashed by the logistic function, to 0 ... 1. The states of this network come from `np.tanh`, -1 ... 1."""
    return 1 / (1 + np.exp(-(x_t @ Wx + h_prev @ Wh + b)))


@misconception("rnn_step")
def state_updated_in_place(x_t, h_prev, Wx, Wh, b):
    """You wrote the new state into the old one, by `h_prev[...] = `. Return a new array; the caller keeps the old."""
    h_prev[...] = _step(x_t, h_prev, Wx, Wh, b)
    return h_prev


@misconception("rnn_forward")
def first_state_replaced_by_zeros(x, h0, Wx, Wh, b):
    """You began with zeros. The state before the first step is the argument `h0`, which need not be zero."""
    return _forward(x, 0 * h0, Wx, Wh, b)


@misconception("rnn_forward")
def state_not_carried(x, h0, Wx, Wh, b):
    """You started every step from `h0`. Each step starts from the state that the one before it returned."""
    return np.stack([_step(x[:, t], h0, Wx, Wh, b) for t in range(x.shape[1])], axis=1)


@misconception("rnn_forward")
def states_share_a_buffer(x, h0, Wx, Wh, b):
    """You kept one array and overwrote it, so all states are the last one. Keep a new array for each step, or copy."""
    return np.repeat(_forward(x, h0, Wx, Wh, b)[:, -1:], x.shape[1], axis=1)


@misconception("rnn_forward")
def last_state_only(x, h0, Wx, Wh, b):
    """You returned the last state. Return the states of all steps, `(N, T, H)`: collect them and `np.stack`, axis 1."""
    return _forward(x, h0, Wx, Wh, b)[:, -1]


@misconception("rnn_forward")
def time_before_batch(x, h0, Wx, Wh, b):
    """You put time in front of the batch. The result is `(N, T, H)`: stack the states along axis 1."""
    return np.ascontiguousarray(_forward(x, h0, Wx, Wh, b).swapaxes(0, 1))


@misconception("rnn_forward")
def read_backwards(x, h0, Wx, Wh, b):
    """You read the sequence from its end. Step `t` reads `x[:, t]`, from the first to the last."""
    return _forward(x[:, ::-1], h0, Wx, Wh, b)[:, ::-1]


@misconception("rnn_forward")
def first_state_included(x, h0, Wx, Wh, b):
    """You began the result with `h0` and lost the last state. The result holds the states after each step."""
    return np.concatenate([h0[:, None], _forward(x, h0, Wx, Wh, b)[:, :-1]], axis=1)


@misconception("rnn_forward")
def first_state_overwritten(x, h0, Wx, Wh, b):
    """You wrote the new states into `h0`, by `h0[...] = `. Let a name point to a new array: `h = rnn_step(...)`."""
    h = _forward(x, h0, Wx, Wh, b)
    h0[...] = h[:, -1]
    return h


@misconception("clip_gradients")
def clipped_one_by_one(gradients, max_norm):
    """You clipped each array by its own norm, which turns the step. Scale all by the norm of all of them together."""
    return {name: _scaled(gradient, _norm([gradient]), max_norm) for name, gradient in gradients.items()}


@misconception("clip_gradients")
def clipped_by_value(gradients, max_norm):
    """You clipped every number, which turns the step. Multiply all gradients by one factor: `max_norm / norm`."""
    return {name: np.clip(gradient, -max_norm, max_norm) for name, gradient in gradients.items()}


@misconception("clip_gradients")
def always_scaled(gradients, max_norm):
    """You scaled small gradients up to `max_norm` as well. Scale only when the global norm is larger than it."""
    norm = _norm(gradients.values()) or 1
    return {name: gradient * gradient.dtype.type(max_norm / norm) for name, gradient in gradients.items()}


@misconception("clip_gradients")
def root_forgotten(gradients, max_norm):
    """You used the sum of squares as the norm. The norm is its square root: `np.sqrt(...)`."""
    square = _norm(gradients.values()) ** 2
    return {name: _scaled(gradient, square, max_norm) for name, gradient in gradients.items()}


@misconception("clip_gradients")
def norms_added(gradients, max_norm):
    """You added the norms of the arrays. Squares add up, norms do not: take the root of the sum of all squares."""
    total = sum(_norm([gradient]) for gradient in gradients.values())
    return {name: _scaled(gradient, total, max_norm) for name, gradient in gradients.items()}


@misconception("clip_gradients")
def scaled_to_one(gradients, max_norm):
    """You divided by the norm alone, so the step has length 1. Its length shall be `max_norm`: `max_norm / norm`."""
    norm = _norm(gradients.values())
    return {name: gradient / norm if norm > max_norm else gradient for name, gradient in gradients.items()}


@misconception("clip_gradients")
def clipped_in_place(gradients, max_norm):
    """You scaled the arrays that you were given, by `*=`. Build a new dict of new arrays."""
    norm = _norm(gradients.values())
    for name, gradient in gradients.items():
        gradients[name][...] = _scaled(gradient, norm, max_norm)
    return gradients


@misconception("make_windows")
def newest_window_first(series, length):
    """You listed the windows backwards. They stand in the order of time: window `i` begins at `series[i]`."""
    X, y = _windows(series, length)
    return X[::-1].copy(), y[::-1].copy()


@misconception("make_windows")
def windows_shuffled(series, length):
    """You shuffled the windows. They stay in the order of time, so that a split keeps the future apart."""
    X, y = _windows(series, length)
    order = np.random.default_rng(0).permutation(len(X))
    return X[order], y[order]


@misconception("make_windows")
def values_reversed(series, length):
    """You turned each window around. Its values run from the oldest to the newest: `series[i : i + length]`."""
    X, y = _windows(series, length)
    return X[:, ::-1].copy(), y


@misconception("make_windows")
def last_value_as_target(series, length):
    """Your target is the last value of the window itself. What has to be forecast comes after: `series[i + length]`."""
    X, _ = _windows(series, length)
    return X, X[:, -1].copy()


@misconception("make_windows")
def one_window_short(series, length):
    """You left out the last window. A series of `L` values has `L - length` windows that something follows."""
    X, y = _windows(np.concatenate([series, series[:1]]), length)
    return X[:-2], y[:-2]


@misconception("make_windows")
def windows_side_by_side(series, length):
    """You moved on by a whole window. Each window begins one value after the one before it."""
    X, y = _windows(series, length)
    return X[::length].copy(), y[::length].copy()


@misconception("make_windows")
def no_feature_axis(series, length):
    """You left out the axis of the inputs. The shapes are `(n, length, 1)` and `(n, 1)`: add `np.newaxis`."""
    X, y = _windows(series, length)
    return X[..., 0], y[:, 0]


def _step(x_t, h_prev, Wx, Wh, b):
    return np.tanh(x_t @ Wx + h_prev @ Wh + b)


def _forward(x, h0, Wx, Wh, b):
    states = [h0]
    for t in range(x.shape[1]):
        states.append(_step(x[:, t], states[-1], Wx, Wh, b))
    return np.stack(states[1:], axis=1)


def _norm(arrays):
    return np.sqrt(sum(np.sum(array**2) for array in arrays))


def _scaled(gradient, norm, max_norm):
    return gradient * gradient.dtype.type(min(1, max_norm / norm) if norm else 1)


def _windows(series, length):
    starts = np.arange(len(series) - length)
    return series[starts[:, None] + np.arange(length)][..., None], series[length:, None].copy()


MISCONCEPTIONS = collect(vars())
