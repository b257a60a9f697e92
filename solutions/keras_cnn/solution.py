"""The hidden solution of the Keras assignment."""

import keras
import numpy as np


def conv_parameters(f, c_in, c_out):
    return (f * f * c_in + 1) * c_out


def dense_parameters(n_in, n_out):
    return (n_in + 1) * n_out


def prepare_images(images):
    return images.astype(np.float32) / np.float32(255)


def build_cnn(input_shape=(64, 64, 3)):
    return keras.Sequential(
        [
            keras.Input(shape=input_shape),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


def compile_cnn(model):
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def train_cnn(model, images, labels, epochs=10, batch_size=32):
    return model.fit(prepare_images(images), labels, epochs=epochs, batch_size=batch_size, verbose=0)


def predict_labels(model, images):
    probabilities = model.predict(prepare_images(images), verbose=0)  # (N, 1)
    return (probabilities[:, 0] > 0.5).astype(int)


def build_gap_cnn(input_shape=(64, 64, 3)):
    model = keras.Sequential(
        [
            keras.Input(shape=input_shape),
            keras.layers.Conv2D(16, 3, activation="relu", padding="same"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(32, 3, activation="relu", padding="same"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(64, 3, activation="relu", padding="same"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(48, 3, activation="relu", padding="same"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    return model
