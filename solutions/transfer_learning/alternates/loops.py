"""Step by step: a Sequential model whose base stands in a layer of its own, and loops of one's own for training."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers as kl


def freeze(base):
    for layer in base.layers:
        layer.trainable = False
    return base


class Still(kl.Layer):
    """A network that is in inference mode, whatever the model around it does."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, pictures):
        """Return its features."""
        return self.network(pictures, training=False)


def add_head(base, classes):
    model = keras.Sequential([keras.Input(base.input_shape[1:]), Still(base)])
    if len(base.output_shape) > 2:
        model.add(kl.GlobalAveragePooling2D())
    model.add(kl.Dense(classes))
    model.add(kl.Softmax())
    return model


def train_head(model, images, labels, epochs=5):
    return train(model, images, labels, keras.optimizers.Adam(0.01), epochs)


def train(model, images, labels, optimizer, epochs, batch=4):
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy())
    shuffled = np.random.default_rng(0)
    history = keras.callbacks.History()
    history.history = {"loss": []}

    @tf.function(reduce_retracing=True)
    def step(x, y):
        return one_step(model, optimizer, x, y)

    for _ in range(epochs):
        order, total = shuffled.permutation(len(images)), 0.0
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            x, y = images[chosen].astype(np.float32), labels[chosen]
            total += float(step(tf.constant(x), tf.constant(y))) * len(chosen)
        history.history["loss"].append(total / len(order))
    return history


def one_step(model, optimizer, x, y):
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(y, model(x, training=True))
        loss = tf.reduce_mean(losses)
    weights = model.trainable_weights
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
    return loss


def unfreeze_top(base, layers):
    base.trainable = True
    left = layers
    for layer in reversed(base.layers):
        counts = bool(layer.weights) and "BatchNormalization" not in type(layer).__name__
        layer.trainable = counts and left > 0
        left -= counts
    return base


def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    unfreeze_top(base, layers)
    return train(model, images, labels, keras.optimizers.Adam(learning_rate), epochs)
