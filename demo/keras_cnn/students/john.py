# base: ada
# %% task="compile_cnn"
def compile_cnn(model):
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model

# %% task="predict_labels"
def predict_labels(model, images):
    probabilities = model.predict(prepare_images(images), verbose=0)
    return probabilities.argmax(axis=1)

# %% task="build_gap_cnn"
def build_gap_cnn(input_shape=(64, 64, 3)):
    model = keras.Sequential([keras.Input(input_shape)])
    for filters in (8, 16, 16):
        model.add(Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(MaxPool2D())
    model.add(Flatten())
    model.add(Dense(32, activation="relu"))
    model.add(Dense(1, activation="sigmoid"))
    return compile_cnn(model)
