"""A class of one's own, which says in ``call`` what happens to a batch; tf.keras throughout."""

import numpy as np
import tensorflow as tf


def freeze(base):
    base.trainable = False
    for layer in base.layers:
        layer.trainable = False
    return base


class Transfer(tf.keras.Model):
    """A head on a base that was trained before."""

    def __init__(self, base, classes):
        super().__init__()
        self.head = tf.keras.layers.Dense(classes, activation=tf.keras.activations.softmax)
        self.base = base

    def call(self, pictures):
        """Return probabilities `(N, classes)`."""
        features = self.base(pictures, training=False)
        if len(features.shape) == 4:
            features = tf.keras.ops.mean(features, axis=(1, 2))
        return self.head(features)


def add_head(base, classes):
    model = Transfer(base, classes)
    model.build((None, *base.input_shape[1:]))
    return model


def train_head(model, images, labels, epochs=5):
    loss = tf.keras.losses.SparseCategoricalCrossentropy()
    model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=2e-2), loss=loss, metrics=["accuracy"])
    data = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images), seed=1).batch(16)
    return model.fit(data, epochs=epochs, verbose=0)


def unfreeze_top(base, layers):
    freeze(base)
    base.trainable = True
    freezable = [index for index, layer in enumerate(base.layers) if layer.count_params() > 0]
    norms = {i for i in freezable if isinstance(base.layers[i], tf.keras.layers.BatchNormalization)}
    counted = np.array([index for index in freezable if index not in norms], dtype=int)
    chosen = set(counted[::-1][:layers].tolist())
    for index, layer in enumerate(base.layers):
        layer.trainable = index in chosen
    return base


def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    unfreeze_top(base, layers)
    model.compile(tf.keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(images, labels, batch_size=6, epochs=epochs, verbose=0)
