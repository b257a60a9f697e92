"""The hidden implementation of six architectures, in the functional style of Keras."""

import keras
from keras import layers

INCEPTIONS = (
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    "pool",
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    "pool",
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)
"""Table 1 of Szegedy et al. 2014 from inception (3a) to (5b)."""


def _scaled(width, *channels):
    return [max(1, round(width * count)) for count in channels]


def lenet5(input_shape=(28, 28, 1), classes=10):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(6, 5, padding="same", activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def alexnet(input_shape=(227, 227, 3), classes=1000, width=1.0):
    c96, c256, c384, hidden = _scaled(width, 96, 256, 384, 4096)
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(c96, 11, strides=4, activation="relu"),
            layers.MaxPooling2D(3, strides=2),
            layers.Conv2D(c256, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(3, strides=2),
            layers.Conv2D(c384, 3, padding="same", activation="relu"),
            layers.Conv2D(c384, 3, padding="same", activation="relu"),
            layers.Conv2D(c256, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(3, strides=2),
            layers.Flatten(),
            layers.Dense(hidden, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(hidden, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def vgg_block(x, convolutions, filters):
    for _ in range(convolutions):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return layers.MaxPooling2D(2)(x)


def vgg16(input_shape=(224, 224, 3), classes=1000, width=1.0):
    *filters, hidden = _scaled(width, 64, 128, 256, 512, 512, 4096)
    x = inputs = keras.Input(input_shape)
    for convolutions, count in zip((2, 2, 3, 3, 3), filters, strict=True):
        x = vgg_block(x, convolutions, count)
    x = layers.Flatten()(x)
    for _ in range(2):
        x = layers.Dense(hidden, activation="relu")(x)
        x = layers.Dropout(0.5)(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def nin_block(x, filters, kernel_size, strides=1, padding="valid"):
    x = layers.Conv2D(filters, kernel_size, strides=strides, padding=padding, activation="relu")(x)
    x = layers.Conv2D(filters, 1, activation="relu")(x)
    return layers.Conv2D(filters, 1, activation="relu")(x)


def nin(input_shape=(227, 227, 3), classes=10, width=1.0):
    c96, c256, c384 = _scaled(width, 96, 256, 384)
    inputs = keras.Input(input_shape)
    x = nin_block(inputs, c96, 11, strides=4)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = nin_block(x, c256, 5, padding="same")
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = nin_block(x, c384, 3, padding="same")
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Dropout(0.5)(x)
    x = nin_block(x, classes, 3, padding="same")
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Softmax()(x))


def inception_block(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    def conv(inputs, filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")(inputs)

    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    branches = [
        conv(x, f1, 1),
        conv(conv(x, f3_reduce, 1), f3, 3),
        conv(conv(x, f5_reduce, 1), f5, 5),
        conv(pooled, pool_proj, 1),
    ]
    return layers.Concatenate()(branches)


def googlenet(input_shape=(224, 224, 3), classes=1000, width=1.0):
    def pool(inputs):
        return layers.MaxPooling2D(3, strides=2, padding="same")(inputs)

    c64, c192 = _scaled(width, 64, 192)
    inputs = keras.Input(input_shape)
    x = pool(layers.Conv2D(c64, 7, strides=2, padding="same", activation="relu")(inputs))
    x = layers.Conv2D(c64, 1, padding="same", activation="relu")(x)
    x = pool(layers.Conv2D(c192, 3, padding="same", activation="relu")(x))
    for channels in INCEPTIONS:
        x = pool(x) if channels == "pool" else inception_block(x, *_scaled(width, *channels))
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.4)(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def _normalized(x, filters, size, stride=1):
    x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


def residual_block(x, filters, stride=1):
    shortcut = x
    y = layers.ReLU()(_normalized(x, filters, 3, stride))
    y = _normalized(y, filters, 3)
    if stride != 1 or x.shape[-1] != filters:
        shortcut = _normalized(x, filters, 1, stride)
    return layers.ReLU()(layers.Add()([y, shortcut]))


def resnet18(input_shape=(224, 224, 3), classes=1000, width=1.0):
    stages = _scaled(width, 64, 128, 256, 512)
    inputs = keras.Input(input_shape)
    x = layers.ReLU()(_normalized(inputs, stages[0], 7, 2))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for number, filters in enumerate(stages):
        x = residual_block(x, filters, 1 if number == 0 else 2)
        x = residual_block(x, filters)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))


def deep_net(depth, residual, input_shape=(8, 8, 1), classes=10):
    inputs = keras.Input(input_shape)
    x = layers.ReLU()(_normalized(inputs, 16, 3))
    for _ in range(depth // 2):
        y = layers.ReLU()(_normalized(x, 16, 3))
        y = _normalized(y, 16, 3)
        x = layers.ReLU()(layers.Add()([x, y]) if residual else y)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model
