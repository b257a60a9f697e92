"""Layers in a dict with names of one's own, a model that is a class made from a functional one, and functools.

The design takes maxima and averages by turns, and narrows its maps before the last mean.
"""

import math
from functools import partial, reduce
from operator import mul

import keras
import numpy as np
from keras import Input, Model, layers, ops

PLAN = {
    "eyes": layers.Conv2D,
    "blink": layers.MaxPooling2D,
    "eyes_again": layers.Conv2D,
    "blink_again": layers.MaxPooling2D,
    "unroll": layers.Reshape,
    "think": layers.Dense,
    "decide": layers.Dense,
}
SETTINGS = {
    "eyes": {"filters": 32, "kernel_size": 3},
    "eyes_again": {"filters": 64, "kernel_size": 3},
    "unroll": {"target_shape": (-1,)},
    "think": {"units": 128},
    "decide": {"units": 1},
}


def conv_parameters(f, c_in, c_out):
    return reduce(mul, (f, f, c_in), 1) * c_out + sum([1] * c_out)


def dense_parameters(n_in, n_out):
    total = 0
    for _unit in range(n_out):
        total += n_in + 1
    return total


def prepare_images(images):
    return ops.convert_to_numpy(layers.Rescaling(1 / 255)(images))


class Judge(Model):
    """A functional model under a name of its own."""


def build_cnn(input_shape=(64, 64, 3)):
    image = Input(input_shape, name="world")
    x = image
    for name, kind in PLAN.items():
        x = kind(name=name, **SETTINGS.get(name, {}))(x)
        if name.startswith("eyes") or name == "think":
            x = layers.Lambda(keras.activations.relu, name=name + "_wake")(x)
    return Judge(inputs=image, outputs=ops.sigmoid(x))


def compile_cnn(model):
    bce = keras.losses.BinaryCrossentropy(label_smoothing=0.0)
    model.compile(keras.optimizers.Adam(epsilon=1e-7), bce, metrics=["accuracy"], run_eagerly=False)
    return model


class Feed(keras.utils.PyDataset):
    """Batches that are prepared when they are needed."""

    def __init__(self, images, labels, batch_size):
        super().__init__()
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.order = np.random.permutation(len(images))  # noqa: NPY002 - keras.utils.set_random_seed seeds this one

    def __len__(self):
        return math.ceil(len(self.images) / self.batch_size)

    def __getitem__(self, index):
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return prepare_images(self.images[chosen]), self.labels[chosen].reshape(-1, 1)

    def on_epoch_end(self):
        """Shuffle."""
        self.order = np.random.permutation(self.order)  # noqa: NPY002


def train_cnn(model, images, labels, epochs=10, batch_size=32):
    model.fit(Feed(images, labels, batch_size), epochs=epochs, verbose=0)
    return model.history


def predict_labels(model, images):
    sure = model(prepare_images(images))
    return np.array([int(probability > 0.5) for probability in ops.convert_to_numpy(sure).ravel()])


def build_gap_cnn(input_shape=(64, 64, 3)):
    convolve = partial(layers.Conv2D, padding="same", activation="elu", kernel_initializer="lecun_uniform")
    model = keras.Sequential([Input(input_shape), convolve(24, 5)])
    for filters, pool in ((48, layers.MaxPooling2D), (64, layers.AveragePooling2D), (16, layers.MaxPooling2D)):
        model.add(pool(2))
        model.add(convolve(filters, 3))
    model.add(layers.GlobalAveragePooling2D(keepdims=True))
    model.add(layers.Reshape((16,)))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(optimizer=keras.optimizers.RMSprop(1e-3), loss="bce", metrics=["acc"])
    return model
