# %% [markdown] before="conv_parameters"
# I write every model in the functional way: a tensor goes in, a tensor comes out, and nothing is hidden.

# %% before="conv_parameters"
import keras
import numpy as np
from keras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    MaxPool2D,
    ReLU,
    Rescaling,
)

# %% task="conv_parameters"
def conv_parameters(f, c_in, c_out):
    weights = f**2 * c_in * c_out
    biases = c_out
    return weights + biases


def dense_parameters(n_in, n_out):
    return int(np.prod([n_in, n_out]) + n_out)

# %% task="prepare_images"
def prepare_images(images):
    return np.divide(images, 255, dtype=np.float32)

# %% task="build_cnn"
def build_cnn(input_shape=(64, 64, 3)):
    picture = x = keras.Input(input_shape, name="picture")
    for filters in (32, 64):
        x = Conv2D(filters, (3, 3), strides=(1, 1), padding="valid", kernel_initializer="he_normal")(x)
        x = ReLU()(x)
        x = MaxPool2D(pool_size=(2, 2), strides=2)(x)
    x = Activation("relu")(Dense(128)(Flatten()(x)))
    return keras.Model(inputs=picture, outputs=Activation("sigmoid")(Dense(1)(x)), name="circle_or_square")

# %% task="compile_cnn"
def compile_cnn(model):
    model.compile(
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy")],
        optimizer=keras.optimizers.Adam(learning_rate=3e-4),
    )
    return model

# %% task="train_cnn"
def train_cnn(model, images, labels, epochs=10, batch_size=32):
    x, y = prepare_images(images), np.asarray(labels, dtype=np.float32)[:, np.newaxis]
    return model.fit(x=x, y=y, batch_size=batch_size, epochs=epochs, verbose=2)

# %% task="predict_labels"
def predict_labels(model, images):
    return np.where(model.predict(prepare_images(images)) >= 0.5, 1, 0).reshape(len(images))

# %% before="build_gap_cnn"
def compile_with_speed(model, learning_rate):
    model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy", metrics=["accuracy"])
    return model

# %% task="build_gap_cnn"
def build_gap_cnn(input_shape=(64, 64, 3)):
    picture = keras.Input(input_shape)
    x = Rescaling(2.0, offset=-1.0)(picture)  # from [0, 1] to [-1, 1]
    for filters in (16, 32, 48):
        x = Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = BatchNormalization(momentum=0.8)(x)
        x = MaxPool2D()(ReLU()(x))
    x = GlobalAveragePooling2D()(x)
    x = Dropout(0.1)(x)
    model = keras.Model(picture, Dense(1, activation="sigmoid")(x))
    return compile_with_speed(model, 2e-3)

# %% after="build_cnn"
print(build_cnn().count_params(), "=", conv_parameters(3, 3, 32) + conv_parameters(3, 32, 64), "+", dense_parameters(14 * 14 * 64, 128), "+ 129")
#> 1625281 = 19392 + 1605760 + 129
