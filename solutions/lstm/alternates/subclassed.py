"""A model that is a class, gates that are slices, and a scale that is an object of its own."""

import keras
import numpy as np


class Scale:
    """An affine map to numbers around zero, and back."""

    def __init__(self, values):
        self.values = np.array([np.mean(values), np.std(values)])

    def there(self, values):
        """Scale."""
        return (np.asarray(values, dtype="float64") - self.values[0]) / self.values[1]

    def back(self, values):
        """Undo it."""
        return self.values[0] + self.values[1] * values


class Forecaster(keras.Model):
    """An LSTM and what reads its last state."""

    def __init__(self, units):
        super().__init__()
        self.memory = keras.layers.LSTM(units, activation=keras.activations.relu)
        self.answer = keras.layers.Dense(1)

    def call(self, windows):
        """Answer each window by one number."""
        return self.answer(self.memory(windows))


def _sigmoid(z):
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


def lstm_step(x_t, h_prev, c_prev, W, U, b):
    units = c_prev.shape[-1]
    blocks = [slice(gate * units, (gate + 1) * units) for gate in range(4)]
    i, f, o = (_sigmoid(x_t @ W[:, at] + h_prev @ U[:, at] + b[at]) for at in (blocks[0], blocks[1], blocks[3]))
    candidate = np.tanh(x_t @ W[:, blocks[2]] + h_prev @ U[:, blocks[2]] + b[blocks[2]])
    c = c_prev * f
    c += candidate * i
    return np.tanh(c) * o, c


def lstm_forward(x, h0, c0, W, U, b):
    states = [(h0, c0)]
    for t in range(x.shape[1]):
        states.append(lstm_step(x[:, t], *states[-1], W, U, b))
    return np.array([h for h, _ in states[1:]]).transpose(1, 0, 2), states[-1][1]


def gru_step(x_t, h_prev, W, U, b):
    units = h_prev.shape[-1]
    W_z, W_r, W_c = W.T.reshape(3, units, -1)
    U_z, U_r, U_c = U.T.reshape(3, units, -1)
    b_z, b_r, b_c = b.reshape(3, units)
    z = _sigmoid(x_t @ W_z.T + h_prev @ U_z.T + b_z)
    r = _sigmoid(x_t @ W_r.T + h_prev @ U_r.T + b_r)
    candidate = np.tanh(x_t @ W_c.T + (r * h_prev) @ U_c.T + b_c)
    return candidate + z * (h_prev - candidate)


def cell_gradient(forget):
    gradient = np.ones_like(forget[0])
    rows = [gradient]
    for gate in forget[:0:-1]:
        gradient = gradient * gate
        rows.insert(0, gradient)
    return np.vstack(rows)


def lstm_parameters(d, h):
    return int(np.prod((d, 4 * h)) + np.prod((h, 4 * h)) + 4 * h)


def gru_parameters(d, h):
    return lstm_parameters(d, h) * 3 // 4


def split_series(series, fraction=0.8):
    train, test = np.split(np.array(series), [int(fraction * len(series))])
    return train, test


def build_lstm(input_shape=(10, 1), units=50):
    model = Forecaster(units)
    model(np.zeros((1, *input_shape), dtype="float32"))
    model.compile(optimizer=keras.optimizers.Adam(), loss=keras.losses.mean_squared_error)
    return model


def train_lstm(model, series, epochs=20):
    model.scale = Scale(series)
    scaled, window = model.scale.there(series), model.input_shape[1]
    rows = np.arange(len(series) - window)[:, None] + np.arange(window)
    return model.fit(scaled[rows][:, :, None], scaled[window:], epochs=epochs, batch_size=4, verbose=0)


def forecast(model, history):
    latest = model.scale.there(history[len(history) - model.input_shape[1] :])
    return model.scale.back(keras.ops.convert_to_numpy(model(latest.reshape(1, -1, 1))))[0, 0]
