# base: grace
# %% [markdown] before="build_cnn"
# Without padding the maps lose their border, so I keep it: `padding="same"` everywhere.

# %% task="build_cnn"
def build_cnn(input_shape=(64, 64, 3)):
    model = keras.Sequential()
    model.add(keras.Input(shape=input_shape))
    model.add(keras.layers.Conv2D(32, 3, padding="same", activation="relu"))
    model.add(keras.layers.MaxPooling2D(2))
    model.add(keras.layers.Conv2D(64, 3, padding="same", activation="relu"))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(128))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    return model

# %% after="build_cnn"
build_cnn().count_params()
