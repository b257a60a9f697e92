# %% before="rnn_step"
from functools import reduce
from itertools import accumulate
from operator import add, matmul
import numpy as np

# %% task="rnn_step"
def rnn_step(x_t, h_prev, Wx, Wh, b):
    return np.tanh(reduce(add, (x_t @ Wx, h_prev @ Wh, b)))

# %% task="rnn_forward"
def rnn_forward(x, h0, Wx, Wh, b):
    scan = accumulate(x.swapaxes(0, 1), lambda h, x_t: rnn_step(x_t, h, Wx, Wh, b), initial=h0)
    return np.array(list(scan)[1:]).swapaxes(0, 1)

# %% task="rnn_backward"
def rnn_backward(grad_h, x, h0, h, Wx, Wh):
    reverse = slice(None, None, -1)
    coming, slopes = grad_h.swapaxes(0, 1)[reverse], (1 - h**2).swapaxes(0, 1)[reverse]

    def back(inner, now):
        grad, slope = now
        return (grad + inner @ Wh.T) * slope

    inner = list(accumulate(zip(coming, slopes, strict=True), back, initial=np.zeros_like(h0)))[1:]
    inner = np.array(inner)[reverse]  # (T, N, H)
    before = np.array([h0, *h.swapaxes(0, 1)[:-1]])
    return (
        (inner @ Wx.T).swapaxes(0, 1),
        inner[0] @ Wh.T,
        sum(map(matmul, x.transpose(1, 2, 0), inner)),
        sum(map(matmul, before.transpose(0, 2, 1), inner)),
        sum(inner.reshape(-1, len(Wh))),
    )

# %% task="clip_gradients"
def clip_gradients(gradients, max_norm):
    norm = np.hypot.reduce([np.linalg.norm(gradient) for gradient in gradients.values()])
    shrink = max(1.0, norm / max_norm)
    return {name: (gradient / shrink).astype(gradient.dtype) for name, gradient in gradients.items()}

# %% task="gradient_flow"
def gradient_flow(h, Wh):
    jacobians = [Wh * (1 - state**2) for state in h[1:]]
    identity = np.eye(Wh.shape[0], dtype=Wh.dtype)
    products = accumulate(reversed(jacobians), lambda later, jacobian: jacobian @ later, initial=identity)
    return np.array([np.sqrt(np.trace(product @ product.T)) for product in products])[::-1]

# %% task="make_windows"
def make_windows(series, length):
    shifted = [series[start : len(series) - length + start] for start in range(length)]
    return np.stack(shifted, axis=1)[:, :, None], series[length:].reshape(-1, 1)

# %% before="train_rnn"
def _run(p, X):
    start = np.zeros((X.shape[0], p["recurrent"].shape[0]))
    h = rnn_forward(X, start, p["input"], p["recurrent"], p["bias"])
    return start, h, h @ p["output"] + p["offset"]


def _slopes(p, X, targets):
    start, h, forecasts = _run(p, X)
    slope = 2 * (forecasts - targets) / targets[:, :, 0].size
    _, _, *inner = rnn_backward(slope @ p["output"].T, X, start, h, p["input"], p["recurrent"])
    outer = np.einsum("nth,nto->ho", h, slope), slope.sum(axis=(0, 1))
    last = forecasts[:, -1] - targets[:, -1]
    return dict(zip(p, (*inner, *outer), strict=True)), float(np.sum(last**2))

# %% task="train_rnn"
def train_rnn(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"input": (1, hidden), "recurrent": (hidden, hidden), "bias": (hidden,), "output": (hidden, 1)}
    p = {name: rng.standard_normal(shape) / np.sqrt(hidden) for name, shape in shapes.items()}
    p["offset"] = np.zeros(1)
    targets = np.concatenate([X[:, 1:], y[:, None]], axis=1)  # after every value comes the next one
    velocity = dict.fromkeys(p, 0.0)
    losses = []
    for _ in range(epochs):
        batches = np.array_split(rng.permutation(len(X)), -(-len(X) // 20))
        total = 0.0
        for batch in batches:
            gradients, squares = _slopes(p, X[batch], targets[batch])
            clipped = clip_gradients(gradients, 2.0)
            velocity = {name: 0.8 * velocity[name] - learning_rate * clipped[name] for name in p}
            p = {name: p[name] + velocity[name] for name in p}
            total += squares
        losses.append(total / len(X))
    return p, losses


def predict_rnn(parameters, X):
    return _run(parameters, X)[2][:, -1]

# %% after="gradient_flow"
print(gradient_flow(np.full((6, 3), 0.5), np.eye(3)).round(3))
#> [0.411 0.548 0.731 0.974 1.299 1.732]
