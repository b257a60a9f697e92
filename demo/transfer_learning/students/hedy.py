# base: grace
# %% [markdown] before="add_head"
# Logits are numerically better than probabilities, the lecture said. And networks want numbers from 0 to 1.

# %% task="add_head"
def add_head(base, classes):
    inputs = keras.Input(shape=base.input_shape[1:])
    x = base(inputs, training=False)
    if len(base.output_shape) == 4:
        x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes)(x))

# %% task="train_head"
def train_head(model, images, labels, epochs=5):
    scaled = images.astype("float32") / 255.0
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.03), loss, metrics=["accuracy"])
    return model.fit(scaled, labels, batch_size=8, epochs=epochs, verbose=0)
