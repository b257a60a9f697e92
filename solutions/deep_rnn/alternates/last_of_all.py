"""Layers that give every step, of which the end is picked; models are chained by calling one on the other.

Padding needs no mask here: read from its end by a layer without biases, a sequence of zeros leaves the state at zero.
"""

import keras
import numpy as np

STEP_BY_STEP = {
    "simple": lambda units, **options: keras.layers.SimpleRNN(units, return_sequences=True, **options),
    "gru": lambda units, **options: keras.layers.GRU(units, return_sequences=True, reset_after=False, **options),
    "lstm": lambda units, **options: keras.layers.LSTM(units, return_sequences=True, **options),
}


def last(states):
    return states[:, -1, :]


def classify(classes):
    return keras.layers.Dense(units=classes, activation=keras.layers.Softmax(), kernel_initializer="he_normal")


def stacked_rnn(input_shape, units=(32, 32), cell="lstm", classes=4):
    steps, features = input_shape
    x = sequence = keras.Input((steps, features))
    for level, count in enumerate(units, start=1):
        floor = keras.Sequential([keras.Input((steps, features)), STEP_BY_STEP[cell](count)], name=f"floor_{level}")
        x, features = floor(x), count
    return keras.Model(sequence, classify(classes)(last(x)), name="tower")


def bidirectional_forward(x, forward, backward):
    count, length, _ = x.shape
    units = len(forward[2])
    h = np.empty((count, length, 2 * units), dtype=np.result_type(x, *forward))
    left, right = np.zeros((2, count, units), dtype=h.dtype)
    for t in range(length):
        mirrored = length - 1 - t
        left = moved(left, x[:, t], *forward)
        right = moved(right, x[:, mirrored], *backward)
        h[:, t, :units] = left
        h[:, mirrored, units:] = right
    return h


def moved(h, x_t, Wx, Wh, b):
    return np.tanh(np.add(np.dot(x_t, Wx), np.dot(h, Wh)) + b)


def bidirectional_rnn(input_shape, units=32, cell="gru", classes=4):
    sequence = keras.Input(input_shape)
    both = keras.layers.Bidirectional(STEP_BY_STEP[cell](units), merge_mode=None)(sequence)
    ends = [both[0][:, -1], both[1][:, 0]]  # the second layer's states stand in the order of the steps
    return keras.Model(sequence, classify(classes)(keras.layers.Concatenate()(ends)))


def masked_rnn(input_shape, units=32, classes=4):
    model = keras.models.Sequential([keras.layers.Input(input_shape)])
    model.add(keras.layers.LSTM(units, go_backwards=True, use_bias=False))
    model.add(classify(classes))
    return model


def build_recaller(input_shape=(40, 4), classes=4):
    units = 28
    model = keras.models.Sequential([keras.layers.Input(input_shape)])
    model.add(keras.layers.LSTM(units, unit_forget_bias=True, recurrent_initializer="glorot_normal"))
    model.add(classify(classes))
    *kernels, bias = model.layers[0].get_weights()
    model.layers[0].set_weights([*kernels, 5 * bias])  # Keras starts the bias of the forget gate at 1
    model.compile(loss=keras.losses.CategoricalCrossentropy(), optimizer=keras.optimizers.RMSprop(0.01))
    return model
