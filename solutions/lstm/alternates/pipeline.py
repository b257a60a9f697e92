"""Objects for gates, a state that is read off at the end, a pipeline of tf.data, and a scale kept as two functions.

The rate of the training falls over its epochs.
"""

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf


@dataclass
class Gate:
    """One block of the columns of a cell."""

    W: np.ndarray
    U: np.ndarray
    b: np.ndarray

    def __call__(self, x, h):
        """Return what the gate is told."""
        return x.dot(self.W) + h.dot(self.U) + self.b

    def opened(self, x, h):
        """Return how far it opens."""
        return 0.5 + 0.5 * np.tanh(0.5 * self(x, h))


def gates_of(W, U, b):
    count = b.size // len(U)
    blocks = (np.split(weights, count, axis=-1) for weights in (W, U, b))
    return [Gate(*block) for block in zip(*blocks, strict=True)]


def lstm_step(x_t, h_prev, c_prev, W, U, b):
    write, keep, content, show = gates_of(W, U, b)
    cell = keep.opened(x_t, h_prev) * c_prev + write.opened(x_t, h_prev) * np.tanh(content(x_t, h_prev))
    return show.opened(x_t, h_prev) * np.tanh(cell), cell


def steps_of(x, h, c, W, U, b):
    """Yield both states after each step."""
    for t in range(x.shape[1]):
        h, c = lstm_step(x[:, t, :], h, c, W, U, b)
        yield h, c


def lstm_forward(x, h0, c0, W, U, b):
    hidden, cells = zip(*steps_of(x, h0, c0, W, U, b), strict=True)
    return np.stack(hidden, axis=-2), cells[-1]


def gru_step(x_t, h_prev, W, U, b):
    keep, look, content = gates_of(W, U, b)
    seen = look.opened(x_t, h_prev) * h_prev
    kept = keep.opened(x_t, h_prev)
    return kept * h_prev + (1 - kept) * np.tanh(content(x_t, seen))


def cell_gradient(forget):
    steps, units = forget.shape
    later = np.tri(steps, k=-1, dtype=bool)[:, :, None]  # [s, t]: step s comes after step t
    return np.where(later, forget[:, None, :], 1).prod(axis=0).reshape(steps, units)


def lstm_parameters(d, h):
    total = 0
    for shape in ((d, h), (h, h), (h,)):
        size = 1
        for length in shape:
            size *= length
        total += 4 * size
    return total


def gru_parameters(d, h):
    return 3 * h * d + 3 * h * h + 3 * h


def split_series(series, fraction=0.8):
    test = list(series)
    train = [test.pop(0) for _ in range(int(fraction * len(series)))]
    return np.asarray(train), np.asarray(test)


def build_lstm(input_shape=(10, 1), units=50):
    steps, features = input_shape
    seen = keras.layers.Input((steps, features), name="window")
    states = keras.layers.LSTM(units, activation=keras.layers.ReLU(), return_sequences=True)(seen)
    answer = keras.layers.Dense(1, name="next_value")(states[:, -1])
    model = keras.models.Model(inputs=[seen], outputs=answer)
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(clipnorm=1.0))
    return model


def train_lstm(model, series, epochs=20):
    low, high = np.min(series), np.max(series)
    model.there = lambda values: 2 * (np.asarray(values) - low) / (high - low) - 1
    model.back = lambda scaled: low + (high - low) * (scaled + 1) / 2
    length = model.input_shape[1]
    values = tf.data.Dataset.from_tensor_slices(model.there(series).astype("float32"))
    pieces = values.window(length + 1, shift=1, drop_remainder=True).flat_map(lambda piece: piece.batch(length + 1))
    pairs = pieces.map(lambda piece: (piece[:-1, tf.newaxis], piece[-1:]))
    batches = pairs.cache().shuffle(len(series), reshuffle_each_iteration=True).batch(3).prefetch(1)
    slower = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch < epochs * 0.7 else rate * 0.8)
    return model.fit(batches, epochs=epochs, callbacks=[slower], verbose=2)


def forecast(model, history):
    length = model.input_shape[1]
    latest = np.array([model.there(history[len(history) - length + step]) for step in range(length)])
    return float(model.back(model(latest.reshape(1, length, 1)).numpy().squeeze()))
