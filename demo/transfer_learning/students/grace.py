# %% before="freeze"
from keras import layers

# %% task="freeze"
def freeze(base):
    base.trainable = False
    return base

# %% task="add_head"
def add_head(base, classes):
    inputs = keras.Input(shape=base.input_shape[1:])
    x = base(inputs, training=False)
    if len(base.output_shape) == 4:
        x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(classes, activation="softmax")(x)
    return keras.Model(inputs, outputs)

# %% task="train_head"
def train_head(model, images, labels, epochs=5):
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(images, labels, batch_size=4, epochs=epochs, verbose=2)

# %% before="unfreeze_top"
def counts(layer):
    return len(layer.weights) > 0 and not isinstance(layer, layers.BatchNormalization)

# %% task="unfreeze_top"
def unfreeze_top(base, layers):
    candidates = list(filter(counts, base.layers))
    start = max(len(candidates) - layers, 0)
    base.trainable = True
    for layer in base.layers:
        layer.trainable = False
    for layer in candidates[start:]:
        layer.trainable = True
    return base

# %% after="unfreeze_top"
print([weight.path for weight in unfreeze_top(load_base(), 2).trainable_weights])
#> ['conv2d_38/kernel', 'conv2d_39/kernel']

# %% task="fine_tune"
def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    unfreeze_top(base, layers)
    model.compile(keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(images, labels, batch_size=8, epochs=epochs, verbose=0)
