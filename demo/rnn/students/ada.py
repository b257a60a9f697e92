# %% before="rnn_step"
import math
import numpy as np

# %% task="rnn_step"
def rnn_step(x_t, h_prev, Wx, Wh, b):
    h = np.zeros_like(h_prev)
    for n in range(len(h_prev)):
        h[n] = np.tanh(np.dot(x_t[n], Wx) + np.dot(h_prev[n], Wh) + b)
    return h

# %% task="rnn_forward"
def rnn_forward(x, h0, Wx, Wh, b):
    n, steps, _ = x.shape
    h = np.zeros((n, steps, Wh.shape[0]), dtype=x.dtype)
    for i in range(n):
        state = h0[i]
        for t in range(steps):
            state = np.tanh(np.dot(x[i, t], Wx) + np.dot(state, Wh) + b)
            h[i, t] = state
    return h

# %% task="rnn_backward"
def rnn_backward(grad_h, x, h0, h, Wx, Wh):
    n, steps, _ = h.shape
    grad_x = np.zeros_like(x)
    grad_h0 = np.zeros_like(h0)
    grad_Wx = np.zeros_like(Wx)
    grad_Wh = np.zeros_like(Wh)
    grad_b = np.zeros(Wh.shape[0], dtype=Wh.dtype)
    for i in range(n):
        from_the_future = np.zeros_like(h0[i])
        for t in range(steps - 1, -1, -1):
            dh = grad_h[i, t] + from_the_future
            da = dh * (1 - h[i, t] * h[i, t])
            previous = h[i, t - 1] if t > 0 else h0[i]
            grad_Wx += x[i, t][:, None] * da
            grad_Wh += previous[:, None] * da
            grad_b += da
            grad_x[i, t] = np.dot(Wx, da)
            from_the_future = np.dot(Wh, da)
        grad_h0[i] = from_the_future
    return grad_x, grad_h0, grad_Wx, grad_Wh, grad_b

# %% task="clip_gradients"
def clip_gradients(gradients, max_norm):
    total = 0.0
    for name in gradients:
        for value in gradients[name].flatten():
            total += float(value) ** 2
    norm = math.sqrt(total)
    clipped = {}
    for name in gradients:
        if norm > max_norm:
            clipped[name] = gradients[name] / norm * max_norm
        else:
            clipped[name] = gradients[name].copy()
    return clipped

# %% task="gradient_flow"
def gradient_flow(h, Wh):
    steps, units = h.shape
    norms = []
    for t in range(steps):
        jacobian = np.identity(units)  # built forwards in time: row j is d h_k[j] / d h_t
        for k in range(t + 1, steps):
            jacobian = np.dot(np.dot(np.diag(1 - h[k] ** 2), Wh.T), jacobian)
        total = 0.0
        for i in range(units):
            for j in range(units):
                total += jacobian[i, j] ** 2
        norms.append(math.sqrt(total))
    return np.array(norms)

# %% task="make_windows"
def make_windows(series, length):
    X, y = [], []
    for start in range(len(series) - length):
        X.append([[value] for value in series[start : start + length]])
        y.append([series[start + length]])
    return np.array(X), np.array(y)

# %% [markdown] before="train_rnn"
# Loops everywhere: slow, but I can follow every number. Twenty seconds for the sunspots are all right.

# %% task="train_rnn"
def train_rnn(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    random = np.random.RandomState(seed)
    p = {
        "Wx": random.uniform(-0.5, 0.5, (X.shape[2], hidden)),
        "Wh": random.uniform(-0.2, 0.2, (hidden, hidden)),
        "b": np.zeros(hidden),
        "V": random.uniform(-0.2, 0.2, (hidden, 1)),
        "c": np.zeros(1),
    }
    losses = []
    for _epoch in range(epochs):
        indices = list(range(len(X)))
        random.shuffle(indices)
        squares = []
        for start in range(0, len(indices), 8):
            chosen = indices[start : start + 8]
            h0 = np.zeros((len(chosen), hidden))
            h = rnn_forward(X[chosen], h0, p["Wx"], p["Wh"], p["b"])
            grad_h = np.zeros_like(h)
            grad_V = np.zeros((hidden, 1))
            grad_c = np.zeros(1)
            for k in range(len(chosen)):
                difference = h[k, -1] @ p["V"] + p["c"] - y[chosen[k]]
                squares.append(difference[0] ** 2)
                slope = 2 * difference[0] / len(chosen)
                grad_h[k, -1] = slope * p["V"][:, 0]
                grad_V[:, 0] += slope * h[k, -1]
                grad_c += slope
            _, _, grad_Wx, grad_Wh, grad_b = rnn_backward(grad_h, X[chosen], h0, h, p["Wx"], p["Wh"])
            gradients = {"Wx": grad_Wx, "Wh": grad_Wh, "b": grad_b, "V": grad_V, "c": grad_c}
            gradients = clip_gradients(gradients, 5.0)
            for name, value in p.items():
                p[name] = value - learning_rate * gradients[name]
        losses.append(sum(squares) / len(squares))
    return p, losses


def predict_rnn(parameters, X):
    forecasts = np.zeros((len(X), 1))
    for n in range(len(X)):
        h = np.zeros((1, parameters["Wh"].shape[0]))
        for t in range(X.shape[1]):
            h = rnn_step(X[n : n + 1, t], h, parameters["Wx"], parameters["Wh"], parameters["b"])
        forecasts[n] = h[0] @ parameters["V"] + parameters["c"]
    return forecasts
