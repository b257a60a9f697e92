"""The hidden solution of LSTM and GRU: the cells in NumPy, then a network of Keras that forecasts a series.

``train_lstm`` leaves the mean and the deviation of its series on the model, where ``forecast`` finds them.
"""

import keras
import numpy as np


def lstm_step(x_t, h_prev, c_prev, W, U, b):
    i, f, candidate, o = np.split(x_t @ W + h_prev @ U + b, 4, axis=1)  # (N, H) each
    c = _sigmoid(f) * c_prev + _sigmoid(i) * np.tanh(candidate)
    return _sigmoid(o) * np.tanh(c), c


def lstm_forward(x, h0, c0, W, U, b):
    h, c = h0, c0
    states = []
    for x_t in np.moveaxis(x, 1, 0):  # (N, D)
        h, c = lstm_step(x_t, h, c, W, U, b)
        states.append(h)
    return np.stack(states, axis=1), c


def gru_step(x_t, h_prev, W, U, b):
    units = h_prev.shape[1]
    gates = _sigmoid(x_t @ W[:, : 2 * units] + h_prev @ U[:, : 2 * units] + b[: 2 * units])
    update, reset = np.split(gates, 2, axis=1)  # (N, H) each
    candidate = np.tanh(x_t @ W[:, 2 * units :] + (reset * h_prev) @ U[:, 2 * units :] + b[2 * units :])
    return update * h_prev + (1 - update) * candidate


def cell_gradient(forget):
    later = np.concatenate([forget[1:], np.ones_like(forget[:1])])  # the gates that act after step t
    return np.cumprod(later[::-1], axis=0)[::-1]


def lstm_parameters(d, h):
    return 4 * (d + h + 1) * h


def gru_parameters(d, h):
    return 3 * (d + h + 1) * h


def split_series(series, fraction=0.8):
    count = int(fraction * len(series))
    return series[:count], series[count:]


def build_lstm(input_shape=(10, 1), units=50):
    layers = [keras.Input(input_shape), keras.layers.LSTM(units, activation="relu"), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(optimizer="adam", loss="mean_squared_error")
    return model


def train_lstm(model, series, epochs=20):
    model.center, model.spread = float(np.mean(series)), float(np.std(series)) or 1.0
    scaled = (np.asarray(series) - model.center) / model.spread
    window = model.input_shape[1]
    windows = np.lib.stride_tricks.sliding_window_view(scaled[:-1], window)[..., np.newaxis]  # (L - window, window, 1)
    return model.fit(windows, scaled[window:, np.newaxis], epochs=epochs, batch_size=4, verbose=0)


def forecast(model, history):
    latest = np.asarray(history)[-model.input_shape[1] :]
    scaled = (latest - model.center) / model.spread
    return float(model(scaled[np.newaxis, :, np.newaxis])[0, 0]) * model.spread + model.center


def _sigmoid(z):
    return (1 + np.tanh(z / 2)) / 2  # never overflows
