"""Cells in the general recurrent layer: several on top of each other, and one that waits while nothing is shown.

In NumPy both directions are read at once, as a batch of two.
"""

import keras
import numpy as np
from keras import layers, ops

CELLS = {"simple": layers.SimpleRNNCell, "gru": layers.GRUCell, "lstm": layers.LSTMCell}


def classifier(sequence, features, classes):
    return keras.Model(sequence, layers.Softmax()(layers.Dense(classes)(features)))


def stacked_rnn(input_shape, units=(32, 32), cell="lstm", classes=4):
    sequence = keras.Input(input_shape)
    stack = layers.RNN([CELLS[cell](count) for count in units])
    return classifier(sequence, stack(sequence), classes)


def bidirectional_forward(x, forward, backward):
    Wx, Wh, b = (np.stack(pair) for pair in zip(forward, backward, strict=True))
    both = np.stack([x, np.flip(x, axis=1)])  # (2, N, T, D)
    inputs = np.einsum("sntd,sdh->tsnh", both, Wx) + b[:, None]
    h = np.zeros_like(inputs[0])
    states = np.array([h := np.tanh(inputs_t + h @ Wh) for inputs_t in inputs])  # (T, 2, N, H)
    return np.concatenate([states[:, 0], states[::-1, 1]], axis=2).transpose(1, 0, 2)


def bidirectional_rnn(input_shape, units=32, cell="gru", classes=4):
    sequence = keras.Input(input_shape)
    from_start = layers.RNN(CELLS[cell](units), name="from_start")(sequence)
    from_end = layers.RNN(CELLS[cell](units), name="from_end", go_backwards=True)(sequence)
    return classifier(sequence, ops.concatenate([from_start, from_end], axis=-1), classes)


class Waiting(layers.SimpleRNNCell):
    """A plain cell that stays where it is as long as nothing is shown to it."""

    def call(self, inputs, states, training=False):
        """Move on, or not."""
        output, _ = super().call(inputs, states, training=training)
        shown = ops.any(ops.not_equal(inputs, 0), axis=-1, keepdims=True)
        kept = ops.where(shown, output, states[0])
        return kept, [kept]


def masked_rnn(input_shape, units=32, classes=4):
    sequence = keras.Input(input_shape)
    return classifier(sequence, layers.RNN(Waiting(units))(sequence), classes)


def open_update(shape, dtype=None):
    """Return biases of a GRU whose state is mostly kept at first; the other two blocks are zero."""
    units = shape[-1] // 3
    return ops.concatenate([ops.full((units,), 4.0, dtype), ops.zeros((2 * units,), dtype)])


def build_recaller(input_shape=(40, 4), classes=4):
    sequence = keras.Input(input_shape)
    pair = [layers.GRUCell(18, reset_after=False, bias_initializer=open_update) for _ in range(2)]
    model = classifier(sequence, layers.RNN(pair)(sequence), classes)
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy", metrics=["categorical_accuracy"])
    return model
