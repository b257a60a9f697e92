"""Models in models: each block is a network of its own with an input and a name, and functions make functions.

What comes after what is said by ``then``, what stands beside what by ``beside``.
"""

import itertools

import keras
from keras.layers import (
    AvgPool2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Identity,
    Input,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    add,
)

NUMBERS = itertools.count()


def then(*steps):
    """Return the function that takes these steps one after the other."""

    def taken(x):
        for step in steps:
            x = step(x)
        return x

    return taken


def beside(join, *paths):
    """Return the function that joins what the paths give."""
    return lambda x: join([path(x) for path in paths])


def as_model(step, shape, name):
    inputs = Input(shape)
    return keras.Model(inputs, step(inputs), name=f"{name}_{next(NUMBERS)}")


def boxed(step, x, name):
    """Apply a step as one model inside of the network."""
    return as_model(step, x.shape[1:], name)(x)


def conv(filters, size, strides=1, padding="same"):
    return Conv2D(filters, size, strides=strides, padding=padding, activation=ReLU(), kernel_initializer="he_uniform")


def norm(filters, size, strides=1):
    return then(Conv2D(filters, size, strides=strides, padding="same"), BatchNormalization(momentum=0.9))


def narrowed(width):
    return lambda channels: max(1, round(channels * width))


def head(*units, classes):
    hidden = [layer for count in units for layer in (Dense(count, activation="relu"), Dropout(rate=0.5))]
    return keras.Sequential([Flatten(), *hidden, Dense(classes, activation="softmax")], name="head")


def average(x):
    return Flatten()(GlobalAveragePooling2D(keepdims=True)(x))


def lenet5(input_shape=(28, 28, 1), classes=10):
    features = keras.Sequential([Input(input_shape)], name="features")
    for filters, padding in ((6, "same"), (16, "valid")):
        features.add(Conv2D(filters, kernel_size=5, padding=padding, activation=LeakyReLU(0.2)))
        features.add(AvgPool2D(2))
    classifier = keras.Sequential([Flatten()], name="classifier")
    for units in (120, 84):
        classifier.add(Dense(units))
        classifier.add(LeakyReLU(0.2))
    classifier.add(Dense(classes, activation=keras.activations.softmax))
    return keras.Sequential([Input(input_shape), features, classifier])


def alexnet(input_shape=(227, 227, 3), classes=1000, width=1.0):
    c = narrowed(width)
    pool = MaxPool2D(pool_size=(3, 3), strides=(2, 2))
    eye = then(conv(c(96), 11, 4, "valid"), pool, conv(c(256), 5), pool)
    mind = then(conv(c(384), 3), conv(c(384), 3), conv(c(256), 3), pool)
    return as_model(then(eye, mind, head(c(4096), c(4096), classes=classes)), input_shape, "alexnet")


def vgg_block(x, convolutions, filters):
    return boxed(then(*(conv(filters, 3) for _ in range(convolutions)), MaxPool2D()), x, "vgg")


def vgg16(input_shape=(224, 224, 3), classes=1000, width=1.0):
    c = narrowed(width)
    plan = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
    stages = [lambda x, n=count, f=filters: vgg_block(x, n, c(f)) for count, filters in plan]
    return as_model(then(*stages, head(c(4096), c(4096), classes=classes)), input_shape, "vgg16")


def nin_block(x, filters, kernel_size, strides=1, padding="valid"):
    first = conv(filters, kernel_size, strides, padding)
    return boxed(then(first, conv(filters, 1, padding="valid"), conv(filters, 1, padding="valid")), x, "nin")


def nin(input_shape=(227, 227, 3), classes=10, width=1.0):
    c = narrowed(width)
    x = inputs = Input(input_shape)
    x = MaxPool2D(3, 2)(nin_block(x, c(96), 11, strides=4))
    x = MaxPool2D(3, 2)(nin_block(x, c(256), 5, padding="same"))
    x = MaxPool2D(3, 2)(nin_block(x, c(384), 3, padding="same"))
    x = average(nin_block(x, classes, 3, padding="same"))
    return keras.Model(inputs, keras.activations.softmax(x))


def inception_block(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    branches = beside(
        Concatenate(),
        conv(f1, 1),
        then(conv(f3_reduce, 1), conv(f3, 3)),
        then(conv(f5_reduce, 1), conv(f5, 5)),
        then(MaxPool2D(3, strides=1, padding="same"), conv(pool_proj, 1)),
    )
    return boxed(branches, x, "inception")


def googlenet(input_shape=(224, 224, 3), classes=1000, width=1.0):
    c = narrowed(width)

    def pool(x):
        return MaxPool2D(3, strides=2, padding="same")(x)

    def mix(*channels):
        return lambda x: inception_block(x, *map(c, channels))

    stem = then(conv(c(64), 7, 2), pool, conv(c(64), 1), conv(c(192), 3), pool)
    third = then(mix(64, 96, 128, 16, 32, 32), mix(128, 128, 192, 32, 96, 64), pool)
    fourth = then(
        mix(192, 96, 208, 16, 48, 64),
        mix(160, 112, 224, 24, 64, 64),
        mix(128, 128, 256, 24, 64, 64),
        mix(112, 144, 288, 32, 64, 64),
        mix(256, 160, 320, 32, 128, 128),
        pool,
    )
    fifth = then(mix(256, 160, 320, 32, 128, 128), mix(384, 192, 384, 48, 128, 128))
    last = Dense(classes, activation="softmax")
    return as_model(then(stem, third, fourth, fifth, average, last), input_shape, "googlenet")


def residual_block(x, filters, stride=1):
    path = then(norm(filters, 3, stride), ReLU(), norm(filters, 3))
    changes = stride != 1 or x.shape[-1] != filters
    shortcut = norm(filters, 1, stride) if changes else Identity()
    return boxed(then(beside(add, path, shortcut), ReLU()), x, "residual")


def resnet18(input_shape=(224, 224, 3), classes=1000, width=1.0):
    c = narrowed(width)
    stem = then(norm(c(64), 7, 2), ReLU(), MaxPool2D(3, strides=2, padding="same"))
    plan = [(c(64 * 2**level), 2 if level and not half else 1) for level in range(4) for half in range(2)]
    blocks = [lambda x, f=filters, s=stride: residual_block(x, f, s) for filters, stride in plan]
    return as_model(then(stem, *blocks, average, Dense(classes, "softmax")), input_shape, "resnet18")


def deep_net(depth, residual, input_shape=(8, 8, 1), classes=10):
    def pair(x):
        if residual:
            return residual_block(x, 16)
        return boxed(then(norm(16, 3), ReLU(), norm(16, 3), ReLU()), x, "plain")

    body = then(norm(16, 3), ReLU(), *[pair] * (depth // 2))
    model = as_model(then(body, average, Dense(classes, "softmax")), input_shape, "deep")
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="categorical_crossentropy")
    return model
