# %% before="stacked_rnn"
import keras
import numpy as np


def _layer(cell, units, sequences):
    if cell == "simple":
        return keras.layers.SimpleRNN(units, return_sequences=sequences)
    if cell == "gru":
        return keras.layers.RNN(keras.layers.GRUCell(units, reset_after=False), return_sequences=sequences)
    return keras.layers.LSTM(units, return_sequences=sequences)

# %% task="stacked_rnn"
def stacked_rnn(input_shape, units=(32, 32), cell="lstm", classes=4):
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=input_shape))
    for place in range(len(units)):
        model.add(_layer(cell, units[place], sequences=place + 1 < len(units)))
    model.add(keras.layers.Dense(classes))
    model.add(keras.layers.Softmax())
    return model

# %% task="bidirectional_forward"
def bidirectional_forward(x, forward, backward):
    count, length, _ = x.shape
    units = forward[1].shape[0]
    h = np.zeros((count, length, 2 * units), dtype=x.dtype)
    for first, (Wx, Wh, b), steps in ((0, forward, range(length)), (units, backward, reversed(range(length)))):
        state = np.zeros((count, units), dtype=x.dtype)
        for t in steps:
            state = np.tanh(x[:, t] @ Wx + state @ Wh + b)
            h[:, t, first : first + units] = state
    return h

# %% task="bidirectional_rnn"
def bidirectional_rnn(input_shape, units=32, cell="gru", classes=4):
    ahead = _layer(cell, units, sequences=False)
    back = _layer(cell, units, sequences=False)
    if cell == "gru":
        ahead = keras.layers.GRU(units, reset_after=False)
        back = keras.layers.GRU(units, reset_after=False, go_backwards=True)
    elif cell == "lstm":
        back = keras.layers.LSTM(units, go_backwards=True)
    else:
        back = keras.layers.SimpleRNN(units, go_backwards=True)
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=input_shape))
    model.add(keras.layers.Bidirectional(ahead, backward_layer=back))
    model.add(keras.layers.Dense(classes, activation="softmax"))
    return model

# %% task="masked_rnn"
def masked_rnn(input_shape, units=32, classes=4):
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=input_shape))
    model.add(keras.layers.Masking())
    model.add(keras.layers.SimpleRNN(units))
    model.add(keras.layers.Dense(classes, activation=keras.activations.softmax))
    return model

# %% task="build_recaller"
def build_recaller(input_shape=(40, 4), classes=4):
    units = 30
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=input_shape))
    model.add(keras.layers.GRU(units, reset_after=False))
    model.add(keras.layers.Dense(classes, activation="softmax"))
    kernel, recurrent, bias = model.layers[0].get_weights()
    bias[:units] = 4
    model.layers[0].set_weights([kernel, recurrent, bias])
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=keras.losses.CategoricalCrossentropy())
    return model
