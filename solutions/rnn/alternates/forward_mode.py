"""A correct answer that never walks back: it carries along how the state depends on everything that came before.

This is real-time recurrent learning. Norms are kept as logarithms. The network forecasts by how much the series will
change, in steps whose length RMSprop decides.
"""

import numpy as np


def tanh(a):
    grown = np.expm1(-2 * np.abs(a))  # from -1 to 0, never too large
    return -np.sign(a) * grown / (2 + grown)


def rnn_step(x_t, h_prev, Wx, Wh, b):
    return tanh(np.block([x_t, h_prev]) @ np.block([[Wx], [Wh]]) + b)


def rnn_forward(x, h0, Wx, Wh, b):
    count, length, _ = x.shape
    h = np.empty((count, length + 1, len(Wh)), np.result_type(x, h0, Wx))
    h[:, -1] = h0  # what stands before row 0, if one counts in a circle
    for t in range(length):
        h[:, t] = rnn_step(x[:, t], h[:, t - 1], Wx, Wh, b)
    return h[:, :-1]


def rnn_backward(grad_h, x, h0, h, Wx, Wh):
    count, length, units = h.shape
    dtype = np.result_type(grad_h, h, Wh)
    # Row s of `moved` says how the present state moves with the sum inside the tanh of step s, (N, T, H, H).
    moved, inner = np.zeros((count, length, units, units), dtype), np.zeros((count, length, units), dtype)
    from_start = np.tile(np.eye(units, dtype=dtype), (count, 1, 1))
    grad_h0 = np.zeros((count, units), dtype)
    for t in range(length):
        slope = 1 - h[:, t] ** 2
        moved[:, :t] = moved[:, :t] @ Wh * slope[:, None, None]
        moved[:, t] = np.eye(units) * slope[:, None]
        inner += (moved @ grad_h[:, t, None, :, None])[..., 0]
        from_start = from_start @ Wh * slope[:, None]
        grad_h0 += (from_start @ grad_h[:, t, :, None])[..., 0]
    before = np.roll(h, 1, axis=1)
    before[:, 0] = h0
    flat = inner.reshape(-1, units)
    grad_Wx, grad_Wh = (values.reshape(len(flat), -1).T @ flat for values in (x, before))
    return inner @ Wx.T, grad_h0, grad_Wx, grad_Wh, np.ones(len(flat), dtype) @ flat


def log_norm(arrays):
    with np.errstate(divide="ignore"):  # the logarithm of zero is minus infinity, and that is meant
        logs = [2 * np.log(np.abs(array)).ravel() for array in arrays]
    return np.logaddexp.reduce(np.concatenate(logs)) / 2


def clip_gradients(gradients, max_norm):
    excess = log_norm(gradients.values()) - np.log(max_norm)
    return {name: gradient * np.exp(-np.fmax(excess, 0)) for name, gradient in gradients.items()}


def gradient_flow(h, Wh):
    logs, direction = [np.log(len(Wh)) / 2], np.eye(len(Wh)) / np.sqrt(len(Wh))
    for state in h[:0:-1]:
        direction = np.einsum("ij,j,jk->ik", Wh, 1 - state**2, direction)
        size = np.linalg.norm(direction)
        logs.insert(0, logs[0] + np.log(size))
        direction = direction / size
    return np.exp(logs)


def make_windows(series, length):
    table = np.stack([np.roll(series, -ahead) for ahead in range(length + 1)], axis=-1)[:-length]
    return table[:, :length, np.newaxis], table[:, length:]


def train_rnn(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    rng = np.random.default_rng(seed)
    p = {
        "Wx": rng.uniform(-1, 1, (1, hidden)),
        "Wh": 0.8 * np.eye(hidden) + rng.normal(0, 0.05, (hidden, hidden)),
        "b": rng.normal(0, 0.1, hidden),
        "change": np.zeros((hidden, 1)),
    }
    squares = {name: np.ones_like(value) for name, value in p.items()}
    history = np.zeros(epochs)
    for epoch in range(epochs):
        shuffled = rng.permutation(len(X))
        for batch in np.split(shuffled, range(24, len(X), 24)):
            error, gradients = compare(p, X[batch], y[batch])
            history[epoch] += np.sum(error**2) / len(X)
            gradients = clip_gradients(gradients, 1.0)
            squares = {name: 0.95 * squares[name] + 0.05 * gradients[name] ** 2 for name in p}
            rate = 0.15 * learning_rate / (1 + 0.05 * epoch)
            p = {name: p[name] - rate * gradients[name] / np.sqrt(squares[name] + 1e-8) for name in p}
    return p, list(history)


def compare(p, X, y):
    start = np.zeros((len(X), len(p["Wh"])))
    h = rnn_forward(X, start, p["Wx"], p["Wh"], p["b"])
    error = X[:, -1] + h[:, -1] @ p["change"] - y
    upstream = 2 * error / len(X)
    grad_h = np.zeros_like(h)
    grad_h[:, -1] = upstream @ p["change"].T
    _, _, *gradients = rnn_backward(grad_h, X, start, h, p["Wx"], p["Wh"])
    return error, dict(zip(p, [*gradients, h[:, -1].T @ upstream], strict=True))


def predict_rnn(parameters, X):
    return compare(parameters, X, np.zeros((len(X), 1)))[0]
