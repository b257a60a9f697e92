"""The hidden solution of the transfer-learning assignment."""

import keras


def freeze(base):
    base.trainable = False
    return base


def add_head(base, classes):
    pictures = keras.Input(shape=base.input_shape[1:])
    features = base(pictures, training=False)
    if len(features.shape) == 4:  # maps (N, H, W, C)
        features = keras.layers.GlobalAveragePooling2D()(features)
    return keras.Model(pictures, keras.layers.Dense(classes, activation="softmax")(features))


def train_head(model, images, labels, epochs=5):
    return _fitted(model, images, labels, learning_rate=0.03, epochs=epochs)


def unfreeze_top(base, layers):
    weighted = [one for one in base.layers if one.weights and not isinstance(one, keras.layers.BatchNormalization)]
    top = weighted[max(0, len(weighted) - layers) :]
    base.trainable = True  # with all its layers, or it would count as frozen itself
    for layer in base.layers:
        layer.trainable = layer in top
    return base


def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    unfreeze_top(base, layers)
    return _fitted(model, images, labels, learning_rate, epochs)


def _fitted(model, images, labels, learning_rate, epochs):
    optimizer = keras.optimizers.Adam(learning_rate)
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(images, labels, batch_size=8, epochs=epochs, verbose=0)
