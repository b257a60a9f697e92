# base: emmy
# %% task="make_windows"
def make_windows(series, length):
    starts = range(0, len(series) - length, length)  # no value twice
    X = np.array([series[start : start + length] for start in starts])
    y = np.array([series[start + length] for start in starts])
    return X[:, :, None], y[:, None]

# %% [markdown] before="train_rnn"
# The last value says the most, so the network gets that one alone. That is ten times as fast.

# %% task="train_rnn"
def train_rnn(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"input": (1, hidden), "recurrent": (hidden, hidden), "bias": (hidden,), "output": (hidden, 1)}
    p = {name: rng.standard_normal(shape) / np.sqrt(hidden) for name, shape in shapes.items()}
    p["offset"] = np.zeros(1)
    losses = []
    for _ in range(epochs):
        gradients, squares = _slopes(p, X[:, -1:], y[:, None])
        clipped = clip_gradients(gradients, 2.0)
        p = {name: p[name] - learning_rate * clipped[name] for name in p}
        losses.append(squares / len(X))
    return p, losses


def predict_rnn(parameters, X):
    return _run(parameters, X[:, -1:])[2][:, -1]
