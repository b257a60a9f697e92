"""The base is walked through, models inside it included; a queue keeps the last layers; data is repeated, not passed.

The head averages by an operation, and its rate falls while it learns.
"""

from collections import deque

import keras
import tensorflow as tf


def walk(network):
    """Yield all layers, those of models inside of the network, too."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from walk(layer)
        yield layer


def freeze(base):
    for layer in (*walk(base), base):
        layer.trainable = False
    assert sum(weight.trainable for layer in walk(base) for weight in layer.weights) == 0
    return base


def add_head(base, classes):
    _, *shape = base.input_shape
    pictures = keras.layers.Input(shape)
    features = base(pictures, training=False)
    while len(features.shape) > 2:
        features = keras.ops.mean(features, axis=(1, 2))
    scores = keras.layers.Dense(classes, kernel_initializer="glorot_normal")(features)
    return keras.Model(pictures, keras.ops.softmax(scores, axis=-1))


def endless(images, labels, size):
    """Return shuffled batches without an end, and how many of them are all pictures."""
    pairs = tf.data.Dataset.zip(tf.data.Dataset.from_tensor_slices(images), tf.data.Dataset.from_tensor_slices(labels))
    return pairs.shuffle(len(labels)).batch(size).repeat(), -(-len(labels) // size)


def train(model, optimizer, images, labels, epochs):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=False)
    model.compile(optimizer, loss, metrics=[keras.metrics.SparseCategoricalAccuracy("accuracy")])
    batches, count = endless(images, labels, 10)
    return model.fit(batches, epochs=epochs, steps_per_epoch=count, verbose=2)


def train_head(model, images, labels, epochs=5):
    steps = epochs * -(-len(labels) // 10)
    falling = keras.optimizers.schedules.PolynomialDecay(0.05, decay_steps=steps, end_learning_rate=0.005)
    return train(model, keras.optimizers.Adamax(falling), images, labels, epochs)


def unfreeze_top(base, layers):
    top = deque(maxlen=layers)  # forgets the first when the next one comes
    for layer in base.layers:
        if layer.weights and type(layer) is not keras.layers.BatchNormalization:
            top.append(layer)
    freeze(base).trainable = True
    for layer in base.layers:
        layer.trainable = any(layer is one for one in top)
    return base


def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    unfreeze_top(base, layers)
    optimizer = keras.optimizers.get({"class_name": "adam", "config": {"learning_rate": learning_rate}})
    return train(model, optimizer, images, labels, epochs)
