# %% before="stacked_rnn"
from functools import reduce
import keras
import numpy as np
from keras import Input, Model, layers, ops


_LAYERS = {"simple": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}


def _answer(inputs, features, classes):
    return Model(inputs, layers.Dense(classes, activation="softmax", name="answer")(features))

# %% task="stacked_rnn"
def stacked_rnn(input_shape, units=(32, 32), cell="lstm", classes=4):
    inputs = Input(input_shape)
    *below, last = units
    states = reduce(lambda x, count: _LAYERS[cell](count, return_sequences=True)(x), below, inputs)
    return _answer(inputs, _LAYERS[cell](last)(states), classes)

# %% before="bidirectional_forward"
def _scan(steps, state, layer):
    """Return the states after each step; the steps and the states are lists."""
    if not steps:
        return []
    Wx, Wh, b = layer
    state = np.tanh(np.concatenate([steps[0], state], axis=1) @ np.concatenate([Wx, Wh]) + b)
    return [state, *_scan(steps[1:], state, layer)]

# %% task="bidirectional_forward"
def bidirectional_forward(x, forward, backward):
    steps = [x[:, t] for t in range(x.shape[1])]
    start = np.zeros((x.shape[0], forward[1].shape[0]), dtype=x.dtype)
    ahead = _scan(steps, start, forward)
    back = _scan(steps[::-1], start, backward)[::-1]
    return np.stack([np.hstack(pair) for pair in zip(ahead, back, strict=True)], axis=1)

# %% task="bidirectional_rnn"
def bidirectional_rnn(input_shape, units=32, cell="gru", classes=4):
    inputs = Input(input_shape)
    back = _LAYERS[cell](units, go_backwards=True)(inputs)
    ahead = _LAYERS[cell](units)(inputs)
    return _answer(inputs, layers.concatenate([ahead, back]), classes)

# %% task="masked_rnn"
def masked_rnn(input_shape, units=32, classes=4):
    inputs = Input(input_shape)
    shown = ops.any(ops.not_equal(inputs, 0.0), axis=-1)
    return _answer(inputs, layers.LSTM(units)(inputs, mask=shown), classes)

# %% before="build_recaller"
class _Kept(keras.initializers.Initializer):
    """Zeros, but for the first third of each row, which is the update gates of a GRU: together 4."""

    def __call__(self, shape, dtype=None):
        bias = np.zeros(shape)
        bias[..., : shape[-1] // 3] = 2.0
        return ops.convert_to_tensor(bias, dtype)

# %% task="build_recaller"
def build_recaller(input_shape=(40, 4), classes=4):
    inputs = Input(input_shape)
    model = _answer(inputs, layers.GRU(28, bias_initializer=_Kept())(inputs), classes)
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="categorical_crossentropy")
    return model

# %% after="bidirectional_rnn"
bidirectional_rnn((7, 2)).summary(line_length=80)
