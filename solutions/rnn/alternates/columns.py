"""A correct answer in the textbook's manner: sequences are columns, weights stand left, and a cell keeps a cache.

Between the last state and the forecast lies a dense layer of its own. The steps are Nesterov's.
"""

import math

import numpy as np


class Cell:
    """A recurrent cell in columns: ``a = tanh(Waa a_prev + Wax x + ba)``."""

    def __init__(self, Waa, Wax, ba=None):
        self.Waa, self.Wax = Waa, Wax
        self.ba = np.zeros((len(Waa), 1), Waa.dtype) if ba is None else ba[:, None]
        self.cache = []

    def forward(self, x, a_prev):
        """Move the states ``(H, N)`` on by the inputs ``(D, N)``."""
        a = np.tanh(self.Waa @ a_prev + self.Wax @ x + self.ba)
        self.remember(x, a_prev, a)
        return a

    def remember(self, x, a_prev, a):
        """Keep what the way back needs."""
        self.cache.append((x, a_prev, a))

    def backward(self, da):
        """Undo the latest step that is not undone yet; return the gradients of its inputs and weights."""
        x, a_prev, a = self.cache.pop()
        dz = da - da * a * a
        return self.Wax.T @ dz, self.Waa.T @ dz, dz @ x.T, dz @ a_prev.T, dz.sum(axis=1)


def rnn_step(x_t, h_prev, Wx, Wh, b):
    return Cell(Wh.T, Wx.T, b).forward(x_t.T, h_prev.T).T


def rnn_forward(x, h0, Wx, Wh, b):
    cell, a = Cell(Wh.T, Wx.T, b), h0.T
    h = []
    for t in range(x.shape[1]):
        a = cell.forward(x[:, t].T, a)
        h += [a.T]
    return np.concatenate([np.expand_dims(state, 1) for state in h], axis=1)


def rnn_backward(grad_h, x, h0, h, Wx, Wh):
    cell, a_prev = Cell(Wh.T, Wx.T), h0.T
    for t in range(h.shape[1]):
        cell.remember(x[:, t].T, a_prev, h[:, t].T)
        a_prev = h[:, t].T
    grad_x, da_prev = np.zeros_like(x), np.zeros_like(h0.T)
    dWax, dWaa, dba = np.zeros_like(cell.Wax), np.zeros_like(cell.Waa), np.zeros_like(cell.ba[:, 0])
    while cell.cache:
        t = len(cell.cache) - 1
        dx, da_prev, *weights = cell.backward(grad_h[:, t].T + da_prev)
        grad_x[:, t] = dx.T
        dWax, dWaa, dba = dWax + weights[0], dWaa + weights[1], dba + weights[2]
    return grad_x, da_prev.T, dWax.T, dWaa.T, dba


def clip_gradients(gradients, max_norm):
    norm = math.sqrt(math.fsum(np.vdot(gradient, gradient) for gradient in gradients.values()))
    return {name: np.divide(gradient * max_norm, max(norm, max_norm)) for name, gradient in gradients.items()}


def gradient_flow(h, Wh):
    result = []
    jacobian = np.identity(Wh.shape[0])  # row j, column i: d h_T[j] / d h_t[i]
    for t in range(len(h) - 1, -1, -1):
        result.append(np.sqrt(np.sum(jacobian * jacobian)))
        jacobian = jacobian @ np.diag(1 - np.square(h[t])) @ Wh.T
    result.reverse()
    return np.array(result)


def make_windows(series, length):
    examples = [(series[i : i + length], series[i + length]) for i in range(len(series) - length)]
    windows, targets = zip(*examples, strict=True)
    return np.vstack(windows)[..., None], np.vstack(targets)


def initialize(rng, hidden):
    def uniform(rows, columns):
        return rng.uniform(-1, 1, (rows, columns)) * math.sqrt(3 / columns)

    middle = max(4, hidden // 2)
    return {
        "Wax": uniform(hidden, 1) / 2,
        "Waa": uniform(hidden, hidden) / 2,
        "ba": np.zeros(hidden),
        "Wma": uniform(middle, hidden),
        "bm": np.zeros((middle, 1)),
        "Wym": uniform(1, middle),
        "by": np.zeros((1, 1)),
    }


def forward(p, X):
    start = np.zeros((len(X), len(p["ba"])))
    h = rnn_forward(X, start, p["Wax"].T, p["Waa"].T, p["ba"])
    m = np.tanh(p["Wma"] @ h[:, -1].T + p["bm"])
    return start, h, m, p["Wym"] @ m + p["by"]


def backward(p, X, y):
    start, h, m, answer = forward(p, X)
    error = answer - y.T  # (1, N)
    d_answer = error * 2 / len(X)
    dm = (p["Wym"].T @ d_answer) * (1 - m**2)
    grad_h = np.zeros(h.shape)
    grad_h[:, -1] = (p["Wma"].T @ dm).T
    _, _, grad_Wx, grad_Wh, grad_b = rnn_backward(grad_h, X, start, h, p["Wax"].T, p["Waa"].T)
    gradients = {
        "Wax": grad_Wx.T,
        "Waa": grad_Wh.T,
        "ba": grad_b,
        "Wma": dm @ h[:, -1],
        "bm": dm.sum(axis=1, keepdims=True),
        "Wym": d_answer @ m.T,
        "by": d_answer.sum(axis=1, keepdims=True),
    }
    return float(np.sum(error**2)), gradients


def train_rnn(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    rng = np.random.default_rng(seed)
    p = initialize(rng, hidden)
    velocity = {key: np.zeros_like(value) for key, value in p.items()}
    losses = []
    for epoch in range(1, epochs + 1):
        remaining = list(rng.permutation(len(X)))
        squares = 0.0
        while remaining:
            batch, remaining = remaining[:12], remaining[12:]
            ahead = {key: p[key] + 0.7 * velocity[key] for key in p}
            part, gradients = backward(ahead, X[batch], y[batch])
            gradients = clip_gradients(gradients, 3)
            rate = learning_rate if epoch <= epochs / 2 else learning_rate / 3
            velocity = {key: 0.7 * velocity[key] - 0.7 * rate * gradients[key] for key in p}
            p = {key: p[key] + velocity[key] for key in p}
            squares += part
        losses.append(squares / len(X))
    return p, losses


def predict_rnn(parameters, X):
    return forward(parameters, X)[-1].T
