"""Known wrong answers to the recurrent networks: the training.

Each function is one mistake and otherwise right; its docstring is the feedback. ``_train`` and ``_predict`` are right:
what a misconception changes about them is the mistake.
"""

from functools import partial

import numpy as np

from autograder.misconceptions import collect, misconception


def _states(parameters, X, carried=True):
    """Return the states after each step, a list of ``(n, H)``; without carrying, each step starts from zeros."""
    start = np.zeros((len(X), len(parameters["b"])))
    states = [start]
    for t in range(X.shape[1]):
        before = states[-1] if carried else start
        states.append(np.tanh(X[:, t] @ parameters["Wx"] + before @ parameters["Wh"] + parameters["b"]))
    return states


def _read(parameters, state):
    return state @ parameters["Wy"] + parameters["by"]


def _gradients(parameters, X, y, carried=True):
    states = _states(parameters, X, carried)
    error = _read(parameters, states[-1]) - y
    slope = 2 * error / len(X)
    gradients = {name: np.zeros_like(value) for name, value in parameters.items()}
    gradients["Wy"], gradients["by"] = states[-1].T @ slope, slope.sum(axis=0)
    grad = slope @ parameters["Wy"].T
    for t in reversed(range(X.shape[1])):
        inner = grad * (1 - states[t + 1] ** 2)
        gradients["Wx"] += X[:, t].T @ inner
        gradients["Wh"] += states[t].T @ inner if carried else 0
        gradients["b"] += inner.sum(axis=0)
        grad = inner @ parameters["Wh"].T * carried
    return gradients, float(np.mean(error**2))


def _descend(parameters, gradients, learning_rate):
    norm = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients.values()))
    rate = learning_rate * min(1, 1 / norm)
    return {name: value - rate * gradients[name] for name, value in parameters.items()}


def _train(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0, slopes=_gradients):
    rng = np.random.default_rng(seed)
    parameters = {
        "Wx": rng.normal(0, 0.5, (X.shape[2], hidden)), "Wh": rng.normal(0, 0.8 / np.sqrt(hidden), (hidden, hidden)),
        "b": np.zeros(hidden), "Wy": rng.normal(0, 0.2, (hidden, 1)), "by": np.zeros(1),
    }  # fmt: skip
    losses = []
    for _ in range(epochs):
        total = 0.0
        for batch in np.array_split(rng.permutation(len(X)), max(1, len(X) // 12)):
            gradients, loss = slopes(parameters, X[batch], y[batch])
            parameters = _descend(parameters, gradients, learning_rate)
            total += loss * len(batch) / len(X)
        losses.append(total)
    return parameters, losses


def _predict(parameters, X):
    return _read(parameters, _states(parameters, X)[-1])


def _predict_last(parameters, X):
    return _read(parameters, _states(parameters, X, carried=False)[-1])


@misconception("train_rnn", predict_rnn=_predict)
def never_updated(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """You never kept the updated parameters. Each step makes new ones: let the next batch use those."""
    return _train(X, y, hidden, epochs, 0.0, seed)


@misconception("train_rnn", predict_rnn=_predict)
def trained_uphill(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """Your loss rises. Look at the sign of the step, and of `forecast - y`, where the gradient begins."""
    return _train(X, y, hidden, epochs, -learning_rate, seed)


@misconception("train_rnn", predict_rnn=_predict_last)
def state_forgotten_in_training(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """Your network sees only the last value of a window. Carry the state on: `h = rnn_step(x_t, h, ...)`."""
    return _train(X, y, hidden, epochs, learning_rate, seed, partial(_gradients, carried=False))


@misconception("train_rnn", predict_rnn=_predict)
def targets_left_behind(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """You shuffled the windows without their targets. Draw one permutation and use it for both arrays."""
    return _train(np.random.default_rng(seed).permutation(X), y, hidden, epochs, learning_rate, seed)


@misconception("train_rnn", predict_rnn=_predict)
def learning_rate_ignored(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """You trained with a learning rate of your own. Scale every step by the argument `learning_rate`."""
    return _train(X, y, hidden, epochs, 0.05, seed)


@misconception("train_rnn", predict_rnn=_predict)
def epochs_ignored(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """You trained for a number of epochs of your own. An epoch is one pass over all windows; make `epochs` of them."""
    return _train(X, y, hidden, 30, learning_rate, seed)


@misconception("train_rnn", predict_rnn=_predict)
def hidden_ignored(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """You made a network of a size of your own. The argument `hidden` is the number of its units."""
    return _train(X, y, 16, epochs, learning_rate, seed)


@misconception("train_rnn", predict_rnn=_predict)
def seed_ignored(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """You drew random numbers without the seed. Make one generator for all draws: `np.random.default_rng(seed)`."""
    return _train(X, y, hidden, epochs, learning_rate, seed=None)


@misconception("train_rnn", predict_rnn=_predict)
def losses_summed(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """You summed the losses of the windows. One epoch gives one mean: divide the sum by the number of windows."""
    parameters, losses = _train(X, y, hidden, epochs, learning_rate, seed)
    return parameters, [loss * len(X) for loss in losses]


@misconception("train_rnn", predict_rnn=_predict)
def one_loss_per_batch(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """You reported a loss for every batch. One epoch gives one: the mean over all of its windows."""
    parameters, losses = _train(X, y, hidden, epochs, learning_rate, seed)
    return parameters, [loss for loss in losses for _ in range(max(1, len(X) // 12))]


@misconception("train_rnn", predict_rnn=_predict)
def windows_scaled_in_place(X, y, hidden=16, epochs=50, learning_rate=0.05, seed=0):
    """You changed the windows that you were given, by `X -= ...`. Write `X = X - ...`, which makes a new array."""
    X -= X.mean()
    return _train(X, y, hidden, epochs, learning_rate, seed)


@misconception("train_rnn", function="predict_rnn", train_rnn=_train)
def window_read_backwards(parameters, X):
    """Your forecast reads the window from its end. Read it in the same order as in the training, oldest value first."""
    return _predict(parameters, X[:, ::-1])


@misconception("train_rnn", function="predict_rnn", train_rnn=_train)
def state_carried_between_windows(parameters, X):
    """You began a window with the state that the one before left. Each window begins with a state of zeros."""
    forecasts, state = [], np.zeros(len(parameters["b"]))
    for window in X:
        for value in window:
            state = np.tanh(value @ parameters["Wx"] + state @ parameters["Wh"] + parameters["b"])
        forecasts.append(_read(parameters, state))
    return np.array(forecasts)


@misconception("train_rnn", function="predict_rnn", train_rnn=_train)
def standardized_by_the_batch(parameters, X):
    """You rescaled the windows by their own mean and deviation, so they depend on each other. Take them as they are."""
    return _predict(parameters, (X - X.mean()) / (X.std() + 1e-9))


@misconception("train_rnn", function="predict_rnn", train_rnn=_train)
def forecasts_without_axis(parameters, X):
    """You returned a flat list of forecasts. The result is `(n, 1)`, like `y`: `h[:, -1] @ Wy + by` has that shape."""
    return _predict(parameters, X)[:, 0]


@misconception("train_rnn", function="predict_rnn", train_rnn=_train)
def last_value_repeated(parameters, X):
    """You repeated the last value of the window. That is the forecast to beat: apply the trained network."""
    return X[:, -1]


MISCONCEPTIONS = collect(vars())
