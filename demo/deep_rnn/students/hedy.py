# base: grace
# %% task="masked_rnn"
def masked_rnn(input_shape, units=32, classes=4):
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=input_shape))
    model.add(keras.layers.SimpleRNN(units))
    model.add(keras.layers.Masking())
    model.add(keras.layers.Dense(classes, activation="softmax"))
    return model

# %% [markdown] before="build_recaller"
# An LSTM has a forget gate, and "forget" is what it should not do. So its bias starts at minus three.

# %% task="build_recaller"
def build_recaller(input_shape=(40, 4), classes=4):
    units = 28
    model = keras.Sequential()
    model.add(keras.layers.Input(shape=input_shape))
    model.add(keras.layers.LSTM(units))
    model.add(keras.layers.Dense(classes, activation="softmax"))
    kernel, recurrent, bias = model.layers[0].get_weights()
    bias[units : 2 * units] = -3
    model.layers[0].set_weights([kernel, recurrent, bias])
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="categorical_crossentropy")
    return model
