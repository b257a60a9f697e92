"""The hidden solution of the deep recurrent networks: stacked, read both ways, masked, and one that does not forget."""

import keras
import numpy as np
from keras import layers

_CELLS = {"simple": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}


def stacked_rnn(input_shape, units=(32, 32), cell="lstm", classes=4):
    model = keras.Sequential([keras.Input(input_shape)])
    for count in units[:-1]:
        model.add(_CELLS[cell](count, return_sequences=True))
    model.add(_CELLS[cell](units[-1]))
    model.add(layers.Dense(classes, activation="softmax"))
    return model


def bidirectional_forward(x, forward, backward):
    ahead = _states(x, *forward)
    back = _states(x[:, ::-1], *backward)[:, ::-1]
    return np.concatenate([ahead, back], axis=2)  # (N, T, 2H)


def bidirectional_rnn(input_shape, units=32, cell="gru", classes=4):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Bidirectional(_CELLS[cell](units)),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def masked_rnn(input_shape, units=32, classes=4):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Masking(mask_value=0.0),
            layers.GRU(units),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def build_recaller(input_shape=(40, 4), classes=4):
    units = 28
    recurrent = layers.LSTM(units, bias_initializer=_kept, unit_forget_bias=False)
    model = keras.Sequential([keras.Input(input_shape), recurrent, layers.Dense(classes, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.01), loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def _states(x, Wx, Wh, b):
    """Return the states of a plain layer after each step ``(N, T, H)``."""
    h = np.zeros((len(x), len(Wh)), dtype=x.dtype)
    states = []
    for x_t in np.moveaxis(x, 1, 0):  # (N, D)
        h = np.tanh(x_t @ Wx + h @ Wh + b)
        states.append(h)
    return np.stack(states, axis=1)


def _kept(shape, dtype=None):
    """Begin with forget gates that are open: of the blocks input, forget, candidate, output, the second."""
    bias = np.zeros((4, shape[0] // 4))
    bias[1] = 5
    return keras.ops.convert_to_tensor(bias.reshape(shape), dtype)
