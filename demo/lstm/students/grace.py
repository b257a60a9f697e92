# %% before="lstm_step"
import numpy as np
import tensorflow as tf
from tensorflow import keras

# %% task="lstm_step"
def lstm_step(x_t, h_prev, c_prev, W, U, b):
    units = h_prev.shape[1]
    z = np.einsum("nd,dgh->gnh", x_t, W.reshape(-1, 4, units)) + np.einsum(
        "nk,kgh->gnh", h_prev, U.reshape(-1, 4, units)
    )
    z = z + b.reshape(4, 1, units)
    with np.errstate(over="ignore"):
        i, f, _, o = 1 / (1 + np.exp(-z))
    c = np.sum([f * c_prev, i * np.tanh(z[2])], axis=0)
    return o * np.tanh(c), c

# %% task="lstm_forward"
def lstm_forward(x, h0, c0, W, U, b):
    h_all = np.empty((*x.shape[:2], h0.shape[1]), dtype=np.result_type(x, h0))

    def read(t, h, c):
        if t == x.shape[1]:
            return c
        h_all[:, t], c = lstm_step(x[:, t], h, c, W, U, b)
        return read(t + 1, h_all[:, t], c)

    return h_all, read(0, h0, c0)

# %% task="gru_step"
def gru_step(x_t, h_prev, W, U, b):
    size = h_prev.shape[1]
    from_input = np.hsplit(x_t @ W + b, [size, 2 * size])
    with np.errstate(over="ignore"):
        keep = 1 / (1 + np.exp(-from_input[0] - h_prev @ U[:, :size]))
        let_in = 1 / (1 + np.exp(-from_input[1] - h_prev @ U[:, size : 2 * size]))
    new = np.tanh(from_input[2] + np.multiply(let_in, h_prev) @ U[:, 2 * size :])
    return new * (1 - keep) + h_prev * keep

# %% task="cell_gradient"
def cell_gradient(forget):
    return np.stack([np.prod(forget[t + 1 :], axis=0) for t in range(len(forget))])

# %% before="lstm_parameters"
def _block(d, h):
    return h * (d + h) + h

# %% task="lstm_parameters"
def lstm_parameters(d, h):
    return _block(d, h) * 4


def gru_parameters(d, h):
    return sum(_block(d, h) for _ in range(3))

# %% task="split_series"
def split_series(series, fraction=0.8):
    is_early = np.arange(len(series)) < int(len(series) * fraction)
    return series[is_early], series[~is_early]

# %% task="build_lstm"
def build_lstm(input_shape=(10, 1), units=50):
    model = keras.models.Sequential()
    model.add(keras.layers.InputLayer(shape=input_shape))
    model.add(keras.layers.RNN(keras.layers.LSTMCell(units, activation="relu")))
    model.add(keras.layers.Dense(units=1, activation="linear"))
    model.compile(loss=keras.losses.MeanSquaredError(), optimizer=keras.optimizers.Adam(learning_rate=0.001))
    return model

# %% [markdown] before="train_lstm"
# `timeseries_dataset_from_array` cuts the windows for me; the targets begin one window later.

# %% task="train_lstm"
def train_lstm(model, series, epochs=20):
    window = model.inputs[0].shape[1]
    model.notes = {"mean": float(series.mean()), "deviation": float(series.std()), "window": window}
    scaled = tf.constant((series - series.mean()) / series.std(), tf.float32)[:, tf.newaxis]
    windows = keras.utils.timeseries_dataset_from_array(
        scaled[:-1], scaled[window:], window, batch_size=3, shuffle=True, seed=7
    )
    return model.fit(windows, epochs=epochs, verbose=0)


def forecast(model, history):
    notes = model.notes
    latest = np.reshape((history[-notes["window"] :] - notes["mean"]) / notes["deviation"], (1, -1, 1))
    return np.float64(tf.squeeze(model(latest, training=False)).numpy() * notes["deviation"] + notes["mean"])
