"""Cells in the general recurrent layer: stacked ones, one that waits while nothing is shown, and one of one's own.

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


class Keeping(layers.Layer):
    """A cell with a single gate, which both keeps the old state and lets it into the new one; it starts open."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = self.state_size = self.output_size = units

    def build(self, input_shape):
        """Make the weights of the gate and of the candidate."""
        self.W = self.add_weight(shape=(input_shape[-1], 2 * self.units), initializer="glorot_uniform")
        self.U = self.add_weight(shape=(self.units, 2 * self.units), initializer="orthogonal")
        self.keep_bias = self.add_weight(shape=(self.units,), initializer=keras.initializers.Constant(4.0))
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros")

    def call(self, inputs, states, training=False):
        """Move on by one step."""
        [h] = states
        gate, candidate = ops.split(ops.matmul(inputs, self.W), 2, axis=-1)
        gate = ops.sigmoid(gate + ops.matmul(h, self.U[:, : self.units]) + self.keep_bias)
        candidate = ops.tanh(candidate + ops.matmul(gate * h, self.U[:, self.units :]) + self.bias)
        h = gate * h + (1 - gate) * candidate
        return h, [h]


def build_recaller(input_shape=(40, 4), classes=4):
    sequence = keras.Input(input_shape)
    model = classifier(sequence, layers.RNN(Keeping(40))(sequence), classes)
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy", metrics=["categorical_accuracy"])
    return model
