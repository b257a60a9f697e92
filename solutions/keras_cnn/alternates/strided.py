"""Padding drawn out as layers, pools as strides, arithmetic in place of helpers; the answer is a 1x1 convolution.

The design halves its maps by convolutions that move by two, and averages the answers of all places, not their features.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers as kl


def conv_parameters(f, c_in, c_out):
    return len(np.ravel(np.empty((f, f, c_in, c_out)))) + c_out


def dense_parameters(n_in, n_out):
    return n_out + n_out * n_in


def prepare_images(images):
    return np.linspace(0, 1, 256).astype("float32")[images]


def build_cnn(input_shape=(64, 64, 3)):
    height, width, channels = input_shape
    features = keras.Sequential(name="features")
    features.add(kl.Input((height, width, channels)))
    for filters in 32, 64:
        features.add(kl.Convolution2D(filters, 3, activation=keras.layers.ReLU(), bias_initializer="zeros"))
        features.add(kl.MaxPool2D((2, 2), strides=(2, 2), padding="valid"))
    head = keras.Sequential([kl.Flatten(), kl.Dense(128, "relu"), kl.Dense(1, "sigmoid")], name="head")
    return keras.Sequential([kl.Input(input_shape), features, head])


def compile_cnn(model):
    settings = {"optimizer": keras.optimizers.get("adam"), "metrics": [keras.metrics.BinaryAccuracy()]}
    model.compile(loss=[keras.losses.BinaryCrossentropy()], **settings)
    return model


def train_cnn(model, images, labels, epochs=10, batch_size=32):
    raw = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(4096, seed=1)
    batches = raw.batch(batch_size).map(lambda x, y: (tf.cast(x, tf.float32) / 255.0, y)).prefetch(tf.data.AUTOTUNE)
    return model.fit(batches, epochs=epochs, verbose=2)


def predict_labels(model, images):
    answers = model.predict_on_batch(prepare_images(images))
    return np.greater(answers, 0.5).squeeze(axis=1).astype(np.uint8)


def build_gap_cnn(input_shape=(64, 64, 3)):
    x = pictures = kl.Input(input_shape)
    for filters, size in ((16, 5), (32, 3), (48, 3)):
        x = kl.ZeroPadding2D(size // 2)(x)
        x = kl.Conv2D(filters, size, strides=2, kernel_initializer="he_normal")(x)
        x = kl.LeakyReLU(negative_slope=0.1)(x)
    x = kl.Conv2D(48, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)
    x = kl.Conv2D(1, 1)(x)  # one opinion for each place
    x = kl.GlobalAveragePooling2D()(x)
    model = keras.Model(pictures, kl.Activation("sigmoid")(x))
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, decay_steps=500, alpha=0.1)
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Nadam(schedule), metrics=["accuracy"])
    return model
