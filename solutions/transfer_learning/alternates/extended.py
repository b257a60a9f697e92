"""The graph of the base, continued: no model within a model. A loss of one's own, and one call of ``fit`` per epoch."""

import keras
import numpy as np
from keras import ops
from keras.layers import BatchNormalization, Dense, GlobalAveragePooling2D


def freeze(base):
    base.trainable = True
    for layer in base.layers[::-1]:
        layer.trainable = False
    base.trainable = False
    return base


def add_head(base, classes):
    x = base.outputs[0]
    if len(x.shape) == 4:
        x = GlobalAveragePooling2D(keepdims=False, name="mean_of_each_map")(x)
    probabilities = Dense(classes, activation=ops.softmax, kernel_initializer="zeros", name="new_head")(x)
    return keras.Model(base.inputs, probabilities)


def surprise(labels, probabilities):
    """Return minus the logarithm of the probability of the right class, for each picture."""
    of_the_right = ops.take_along_axis(probabilities, ops.cast(ops.reshape(labels, (-1, 1)), "int32"), axis=1)
    return -ops.log(ops.maximum(of_the_right[:, 0], keras.config.epsilon()))


def fit(model, optimizer, images, labels, epochs):
    model.compile(optimizer=optimizer, loss=surprise)
    history = None
    for epoch in range(epochs):
        latest = model.fit(images, labels, batch_size=6, initial_epoch=epoch, epochs=epoch + 1, verbose=0)
        if history is None:
            history = latest.history
        else:
            history["loss"] += latest.history["loss"]
    latest.history = history
    return latest


def train_head(model, images, labels, epochs=5):
    return fit(model, keras.optimizers.Adagrad(0.1), images, labels, epochs)


def unfreeze_top(base, layers):
    base.trainable = True
    counts = np.array([len(layer.weights) > 0 and not isinstance(layer, BatchNormalization) for layer in base.layers])
    place_from_the_end = np.cumsum(counts[::-1])[::-1]
    for layer, counted, place in zip(base.layers, counts, place_from_the_end, strict=True):
        layer.trainable = bool(counted and place <= layers)
    return base


def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    unfreeze_top(base, layers)
    return fit(model, keras.optimizers.Adam(learning_rate, clipnorm=10.0), images, labels, epochs)
