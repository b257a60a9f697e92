"""One matrix for everything that a gate sees, products as sums of logarithms, a model inside a model.

The training forecasts how the series changes from the last value of a window, in units of what it changes on average.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def joined(*blocks):
    """Put blocks and a column of ones beside each other."""
    return np.concatenate([*blocks, np.ones_like(blocks[0][:, :1])], axis=1)


def gate(z):
    return np.exp(-np.logaddexp(0, -z))  # of the logistic function, the logarithm is the one that never overflows


def lstm_step(x_t, h_prev, c_prev, W, U, b):
    z = joined(x_t, h_prev) @ np.r_[W, U, b[None]]
    units = np.arange(len(U))
    remembered = gate(z[:, units + len(U)]) * c_prev
    learned = gate(z[:, units]) * np.tanh(z[:, units + 2 * len(U)])
    c = remembered + learned
    return gate(z[:, units + 3 * len(U)]) * np.tanh(c), c


def lstm_forward(x, h0, c0, W, U, b):
    history = np.zeros((x.shape[1] + 1, *h0.shape), np.result_type(h0, x))
    history[0], c = h0, np.copy(c0)
    for now, x_t in enumerate(np.rollaxis(x, 1)):
        history[now + 1], c = lstm_step(x_t, history[now], c, W, U, b)
    return np.swapaxes(history[1:], 0, 1), c


def gru_step(x_t, h_prev, W, U, b):
    first, last = slice(0, 2 * len(U)), slice(2 * len(U), None)
    gates = gate(joined(x_t, h_prev) @ np.r_[W[:, first], U[:, first], b[None, first]])
    z, r = gates[:, : len(U)], gates[:, len(U) :]
    candidate = np.tanh(joined(x_t, r * h_prev) @ np.r_[W[:, last], U[:, last], b[None, last]])
    return h_prev + (1 - z) * (candidate - h_prev)


def cell_gradient(forget):
    with np.errstate(divide="ignore"):  # a gate that is closed has the logarithm minus infinity, and e to that is 0
        logs = np.log(forget)
    logs = np.roll(logs, -1, axis=0)
    logs[-1] = 0
    return np.exp(np.flip(np.cumsum(np.flip(logs, 0), axis=0), 0))


def lstm_parameters(d, h):
    return np.zeros((d + h + 1, 4, h)).size


def gru_parameters(d, h):
    return np.zeros((d + h + 1, 3, h)).size


def split_series(series, fraction=0.8):
    border = int(len(series) * fraction)
    return tuple(np.array_split(series, [border]))


def build_lstm(input_shape=(10, 1), units=50):
    reader = keras.Sequential([keras.Input(input_shape), layers.LSTM(units, activation=tf.nn.relu)], name="reader")
    model = keras.Sequential([keras.Input(input_shape), reader, layers.Dense(1, kernel_initializer="he_uniform")])
    model.compile(keras.optimizers.Adam(2e-3), keras.losses.MeanSquaredError(), metrics=["mae"])
    return model


def seen_from_the_last(model, windows):
    """Return windows ``(n, w)`` relative to their last values, ``(n, w, 1)``."""
    return np.expand_dims((windows - windows[:, -1:]) / model.unit, 2)


def train_lstm(model, series, epochs=20):
    length = model.input_shape[1]
    changes = np.diff(series)
    model.unit = np.sqrt(np.mean(changes**2)).item()
    windows = np.stack([series[end - length : end] for end in range(length, len(series))])
    targets = changes[length - 1 :] / model.unit
    return model.fit(seen_from_the_last(model, windows), targets, batch_size=5, epochs=epochs, verbose=0)


def forecast(model, history):
    window = np.array(history, dtype=float)[None, -model.input_shape[1] :]
    change = model.predict_on_batch(seen_from_the_last(model, window))
    return (window[0, -1] + model.unit * change.ravel()[0]).item()
