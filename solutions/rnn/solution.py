"""The hidden solution of the recurrent networks.

Rows are sequences and columns are units, so a state of shape ``(N, H)`` moves on by ``h @ Wh`` and a gradient moves
back by ``grad @ Wh.T``. ``rnn_backward`` and ``gradient_flow`` walk the same way through time; the first carries one
vector per sequence, the second the whole Jacobian.
"""

import numpy as np


def rnn_step(x_t, h_prev, Wx, Wh, b):
    return np.tanh(x_t @ Wx + h_prev @ Wh + b)


def rnn_forward(x, h0, Wx, Wh, b):
    states, h = [], h0
    for t in range(x.shape[1]):
        h = rnn_step(x[:, t], h, Wx, Wh, b)
        states.append(h)
    return np.stack(states, axis=1)  # (N, T, H)


def rnn_backward(grad_h, x, h0, h, Wx, Wh):
    before = np.concatenate([h0[:, np.newaxis], h[:, :-1]], axis=1)  # the state that each step started from
    inner = np.empty(h.shape, np.result_type(grad_h, h, Wh))  # gradients before the tanh, (N, T, H)
    carried = np.zeros_like(inner[:, 0])
    for t in reversed(range(h.shape[1])):
        inner[:, t] = (grad_h[:, t] + carried) * (1 - h[:, t] ** 2)
        carried = inner[:, t] @ Wh.T
    grad_Wx = np.tensordot(x, inner, axes=([0, 1], [0, 1]))
    grad_Wh = np.tensordot(before, inner, axes=([0, 1], [0, 1]))
    return inner @ Wx.T, carried, grad_Wx, grad_Wh, inner.sum(axis=(0, 1))


def clip_gradients(gradients, max_norm):
    norm = np.sqrt(sum(np.sum(np.square(gradient)) for gradient in gradients.values()))
    factor = max_norm / norm if norm > max_norm else 1.0
    return {name: gradient * gradient.dtype.type(factor) for name, gradient in gradients.items()}


def gradient_flow(h, Wh):
    flow = np.empty(len(h), np.result_type(h, Wh))
    jacobian = np.eye(len(Wh), dtype=flow.dtype)  # [i, j] is d h_T[j] / d h_t[i]
    for t in reversed(range(len(h))):
        flow[t] = np.linalg.norm(jacobian)
        jacobian = (Wh * (1 - h[t] ** 2)) @ jacobian
    return flow


def make_windows(series, length):
    windows = np.lib.stride_tricks.sliding_window_view(series[:-1], length)
    return windows[..., np.newaxis].copy(), series[length:, np.newaxis].copy()


def train_rnn(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    rng = np.random.default_rng(seed)
    parameters = _initial(rng, X.shape[2], hidden)
    losses = []
    for epoch in range(epochs):
        step = learning_rate * (1 - epoch / epochs)  # large steps to get there, small ones to settle
        order, total = rng.permutation(len(X)), 0.0
        for start in range(0, len(X), 16):
            batch = order[start : start + 16]
            loss, gradients = _loss_and_gradients(parameters, X[batch], y[batch])
            gradients = clip_gradients(gradients, 1.0)
            parameters = {name: value - step * gradients[name] for name, value in parameters.items()}
            total += loss * len(batch)
        losses.append(total / len(X))
    return parameters, losses


def predict_rnn(parameters, X):
    return _states(parameters, X)[:, -1] @ parameters["Wy"] + parameters["by"]


def _initial(rng, inputs, hidden):
    return {
        "Wx": rng.normal(0, 1 / np.sqrt(inputs), (inputs, hidden)),
        "Wh": rng.normal(0, 1 / np.sqrt(hidden), (hidden, hidden)),
        "b": np.zeros(hidden),
        "Wy": rng.normal(0, 1 / np.sqrt(hidden), (hidden, 1)),
        "by": np.zeros(1),
    }


def _zero_state(parameters, X):
    return np.zeros((len(X), len(parameters["b"])))


def _states(parameters, X):
    return rnn_forward(X, _zero_state(parameters, X), parameters["Wx"], parameters["Wh"], parameters["b"])


def _loss_and_gradients(parameters, X, y):
    h = _states(parameters, X)
    error = h[:, -1] @ parameters["Wy"] + parameters["by"] - y
    grad_forecast = 2 * error / len(X)
    grad_h = np.zeros_like(h)
    grad_h[:, -1] = grad_forecast @ parameters["Wy"].T  # only the last state is read
    start = _zero_state(parameters, X)
    _, _, grad_Wx, grad_Wh, grad_b = rnn_backward(grad_h, X, start, h, parameters["Wx"], parameters["Wh"])
    gradients = {
        "Wx": grad_Wx,
        "Wh": grad_Wh,
        "b": grad_b,
        "Wy": h[:, -1].T @ grad_forecast,
        "by": grad_forecast.sum(axis=0),
    }
    return float(np.mean(np.square(error))), gradients
