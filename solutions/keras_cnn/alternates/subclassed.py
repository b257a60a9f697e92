"""Classes: models that are subclasses of keras.Model and say in ``call`` what happens to a batch."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def conv_parameters(f, c_in, c_out):
    return sum(f * f * c_in + 1 for _ in range(c_out))


def dense_parameters(n_in, n_out):
    return n_in * n_out + n_out


def prepare_images(images):
    return (images / 255.0).astype("float32")


class CircleOrSquare(keras.Model):
    """The network of the table."""

    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Conv2D(32, 3), layers.Conv2D(64, 3)
        self.pool = layers.MaxPooling2D()
        self.flatten = layers.Flatten()
        self.hidden, self.answer = layers.Dense(128, activation=keras.activations.relu), layers.Dense(1)

    def call(self, images):
        """Return probabilities `(N, 1)`."""
        maps = self.pool(ops.relu(self.first(images)))
        maps = self.pool(ops.relu(self.second(maps)))
        return ops.sigmoid(self.answer(self.hidden(self.flatten(maps))))


def build_cnn(input_shape=(64, 64, 3)):
    model = CircleOrSquare()
    model.build((None, *input_shape))
    return model


def compile_cnn(model):
    model.compile(tf.keras.optimizers.Adam(), tf.keras.losses.binary_crossentropy, metrics=["binary_accuracy"])
    return model


def train_cnn(model, images, labels, epochs=10, batch_size=32):
    data = tf.data.Dataset.from_tensor_slices((prepare_images(images), labels))
    return model.fit(data.shuffle(len(images)).batch(batch_size), epochs=epochs, verbose=0)


def predict_labels(model, images):
    probabilities = np.concatenate(
        [model(prepare_images(images[start : start + 64]), training=False) for start in range(0, len(images), 64)]
    )
    return np.round(probabilities).astype(np.int32).ravel()


class Block(layers.Layer):
    """A convolution, normalized, that halves the maps."""

    def __init__(self, filters):
        super().__init__()
        self.convolve = layers.Conv2D(filters, 3, padding="same")
        self.normalize = layers.BatchNormalization(momentum=0.8)

    def call(self, maps, training=None):
        """Return maps of half the size."""
        maps = self.normalize(self.convolve(maps), training=training)
        return ops.max_pool(ops.leaky_relu(maps), 2)


class Averaged(keras.Model):
    """Blocks, and the mean of what they see."""

    def __init__(self):
        super().__init__()
        self.blocks = [Block(filters) for filters in (16, 32, 64)]
        self.answer = layers.Dense(1, activation="sigmoid")

    def call(self, images, training=None):
        """Return probabilities `(N, 1)`."""
        for block in self.blocks:
            images = block(images, training=training)
        return self.answer(ops.mean(images, axis=(1, 2)))


def build_gap_cnn(input_shape=(64, 64, 3)):
    model = Averaged()
    model.build((None, *input_shape))
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="binary_crossentropy", metrics=["accuracy"])
    return model
