"""A correct answer in large matrices: input, state and a one beside each other, one product for a whole step.

The way back writes out the sums of the derivation as `einsum`, over all Jacobians at once. The training is Adam on
batches in the order of time, and its readout sees the last value beside the last state.
"""

import numpy as np


def _beside(x_t, h):
    return np.concatenate([x_t, h, np.ones((len(h), 1), h.dtype)], axis=1)


def _stack(Wx, Wh, b):
    return np.vstack([Wx, Wh, b])


def rnn_step(x_t, h_prev, Wx, Wh, b):
    return np.tanh(_beside(x_t, h_prev).dot(_stack(Wx, Wh, b)))


def rnn_forward(x, h0, Wx, Wh, b):
    n, steps = x.shape[:2]
    h = np.empty((n, steps + 1, h0.shape[1]), dtype=np.float64)
    h[:, 0] = h0
    weights = _stack(Wx, Wh, b)
    for t in range(steps):
        np.tanh(_beside(x[:, t], h[:, t]) @ weights, out=h[:, t + 1])
    return h[:, 1:]


def rnn_backward(grad_h, x, h0, h, Wx, Wh):
    slopes = 1 - h * h
    jacobians = np.einsum("nth,kh->nthk", slopes, Wh)  # d h_t[h] / d h_{t-1}[k]
    total = grad_h.astype(np.float64)  # d loss / d h_t, through everything that comes after
    for t in range(h.shape[1] - 1, 0, -1):
        total[:, t - 1] += np.einsum("nh,nhk->nk", total[:, t], jacobians[:, t])
    inner = total * slopes
    before = np.concatenate([h0[:, None], h], axis=1)[:, :-1]
    return (
        np.einsum("nth,dh->ntd", inner, Wx),
        np.einsum("nh,nhk->nk", total[:, 0], jacobians[:, 0]),
        np.einsum("ntd,nth->dh", x, inner),
        np.einsum("ntk,nth->kh", before, inner),
        np.einsum("nth->h", inner),
    )


def clip_gradients(gradients, max_norm):
    flat = np.concatenate([gradient.ravel() for gradient in gradients.values()])
    factor = min(1.0, max_norm / (np.linalg.norm(flat) + 1e-6))
    return {name: np.multiply(gradient, factor) for name, gradient in gradients.items()}


def gradient_flow(h, Wh):
    products = [np.eye(len(Wh))]
    for jacobian in ((1 - h[:0:-1] ** 2)[:, None, :] * Wh).astype(np.float64):  # from the last step to the second
        products.append(jacobian @ products[-1])
    return np.linalg.norm(products[::-1], axis=(1, 2))


def make_windows(series, length):
    index = np.add.outer(np.arange(len(series) - length), np.arange(length + 1))
    table = series[index][:, :, None]
    return table[:, :-1], table[:, -1]


def _read(p, X):
    h = rnn_forward(X, np.zeros((len(X), p["Wh"].shape[0])), p["Wx"], p["Wh"], p["b"])
    return h, np.concatenate([h[:, -1], X[:, -1]], axis=1)


def train_rnn(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    rng = np.random.default_rng(seed)
    orthogonal, _ = np.linalg.qr(rng.normal(size=(hidden, hidden)))
    p = {
        "Wx": rng.normal(0, 0.5, (X.shape[2], hidden)),
        "Wh": 0.9 * orthogonal,
        "b": np.zeros(hidden),
        "Wy": rng.normal(0, 0.1, (hidden + X.shape[2], 1)),
        "by": np.zeros(1),
    }
    means = {name: np.zeros_like(value) for name, value in p.items()}
    squares = {name: np.zeros_like(value) for name, value in p.items()}
    losses, count = [], 0
    for _ in range(epochs):
        loss = 0.0
        for part in np.array_split(np.arange(len(X)), max(1, len(X) // 16)):
            h, features = _read(p, X[part])
            error = features @ p["Wy"] + p["by"] - y[part]
            loss += float((error**2).sum()) / len(X)
            slope = 2 * error / len(part)
            grad_h = np.zeros_like(h)
            grad_h[:, -1] = slope @ p["Wy"][:hidden].T
            back = rnn_backward(grad_h, X[part], np.zeros((len(part), hidden)), h, p["Wx"], p["Wh"])
            gradients = dict(zip(("Wx", "Wh", "b"), back[2:], strict=True))
            gradients = clip_gradients({**gradients, "Wy": features.T @ slope, "by": slope.sum(axis=0)}, 1.0)
            count += 1
            for name, gradient in gradients.items():  # Adam, at a tenth of the rate that plain steps need
                means[name] = 0.9 * means[name] + 0.1 * gradient
                squares[name] = 0.99 * squares[name] + 0.01 * gradient**2
                mean, square = means[name] / (1 - 0.9**count), squares[name] / (1 - 0.99**count)
                p[name] = p[name] - 0.1 * learning_rate * mean / (np.sqrt(square) + 1e-8)
        losses.append(loss)
    return p, losses


def predict_rnn(parameters, X):
    return _read(parameters, X)[1] @ parameters["Wy"] + parameters["by"]
