# %% [markdown] before="lenet5"
# Six networks, and always the same three things: convolve, normalize, classify. So these come first.

# %% before="lenet5"
import keras
from keras import layers


def conv(x, filters, size, strides=1, padding="same", **options):
    options = {"activation": "relu", "kernel_initializer": "he_normal", **options}
    return layers.Conv2D(filters, size, strides, padding, **options)(x)


def conv_norm(x, filters, size, strides=1):
    return layers.BatchNormalization(momentum=0.9)(conv(x, filters, size, strides, activation=None))


def relu(x):
    return keras.activations.relu(x)


def channels(width, *counts):
    return tuple(max(1, round(count * width)) for count in counts)


def classifier(x, hidden, classes):
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    x = layers.Dropout(0.5)(layers.Dense(hidden, "relu")(x))
    x = layers.Dense(hidden, "relu")(x)
    return layers.Dense(classes, "softmax")(x)

# %% task="lenet5"
def lenet5(input_shape=(28, 28, 1), classes=10):
    inputs = keras.Input(input_shape)
    x = layers.AveragePooling2D(2)(conv(inputs, 6, 5, activation="elu"))
    x = layers.AveragePooling2D(2)(conv(x, 16, 5, padding="valid", activation="elu"))
    x = layers.Flatten()(x)
    x = layers.Dropout(0.2)(layers.Dense(120, "elu")(x))
    x = layers.Dense(84, "elu")(x)
    return keras.Model(inputs, layers.Dense(classes, "softmax")(x))

# %% task="alexnet"
def alexnet(input_shape=(227, 227, 3), classes=1000, width=1.0):
    first, second, third, hidden = channels(width, 96, 256, 384, 4096)
    inputs = keras.Input(input_shape)
    x = layers.MaxPooling2D(3, 2)(conv(inputs, first, 11, 4, "valid"))
    x = layers.MaxPooling2D(3, 2)(conv(x, second, 5))
    x = conv(conv(conv(x, third, 3), third, 3), second, 3)
    return keras.Model(inputs, classifier(layers.MaxPooling2D(3, 2)(x), hidden, classes))

# %% task="vgg_block"
def vgg_block(x, convolutions, filters):
    for _ in range(convolutions):
        x = conv(x, filters, 3)
    return layers.MaxPooling2D()(x)


def vgg16(input_shape=(224, 224, 3), classes=1000, width=1.0):
    *groups, hidden = channels(width, 64, 128, 256, 512, 512, 4096)
    x = inputs = keras.Input(input_shape)
    for number, filters in enumerate(groups):
        x = vgg_block(x, 2 if number < 2 else 3, filters)
    return keras.Model(inputs, classifier(x, hidden, classes))

# %% task="nin_block"
def nin_block(x, filters, kernel_size, strides=1, padding="valid"):
    x = conv(x, filters, kernel_size, strides, padding)
    return conv(conv(x, filters, (1, 1)), filters, (1, 1))


def nin(input_shape=(227, 227, 3), classes=10, width=1.0):
    counts = channels(width, 96, 256, 384)
    x = inputs = keras.Input(input_shape)
    for filters, size, strides, padding in zip(counts, (11, 5, 3), (4, 1, 1), ("valid", "same", "same"), strict=True):
        x = layers.MaxPooling2D(3, 2)(nin_block(x, filters, size, strides, padding))
    x = nin_block(x, classes, 3, 1, "same")
    return keras.Model(inputs, keras.ops.softmax(keras.ops.mean(x, axis=[1, 2])))

# %% task="inception_block"
def inception_block(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    pooled = layers.MaxPooling2D(3, 1, "same")(x)
    return layers.concatenate(
        [
            conv(x, f1, 1),
            conv(conv(x, f3_reduce, 1), f3, 3),
            conv(conv(x, f5_reduce, 1), f5, 5),
            conv(pooled, pool_proj, 1),
        ]
    )


def googlenet(input_shape=(224, 224, 3), classes=1000, width=1.0):
    table = {
        "3": ["64 96 128 16 32 32", "128 128 192 32 96 64"],
        "4": [
            "192 96 208 16 48 64",
            "160 112 224 24 64 64",
            "128 128 256 24 64 64",
            "112 144 288 32 64 64",
            "256 160 320 32 128 128",
        ],
        "5": ["256 160 320 32 128 128", "384 192 384 48 128 128"],
    }
    c64, c192 = channels(width, 64, 192)
    inputs = keras.Input(input_shape)
    x = layers.MaxPooling2D(3, 2, "same")(conv(inputs, c64, 7, 2))
    x = conv(conv(x, c64, 1), c192, 3)
    for rows in table.values():
        x = layers.MaxPooling2D(3, 2, "same")(x)
        for row in rows:
            x = inception_block(x, *channels(width, *map(int, row.split())))
    x = layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(classes, "softmax")(x))

# %% task="residual_block"
def residual_block(x, filters, stride=1):
    path = conv_norm(relu(conv_norm(x, filters, 3, stride)), filters, 3)
    if stride > 1 or x.shape[-1] != filters:
        x = conv_norm(x, filters, 1, stride)
    return relu(x + path)


def resnet18(input_shape=(224, 224, 3), classes=1000, width=1.0):
    inputs = keras.Input(input_shape)
    counts = channels(width, 64, 128, 256, 512)
    x = layers.MaxPooling2D(3, 2, "same")(relu(conv_norm(inputs, counts[0], 7, 2)))
    for stage, filters in enumerate(counts):
        for number in range(2):
            x = residual_block(x, filters, stride=2 if stage and not number else 1)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, "softmax")(x))

# %% task="deep_net"
def deep_net(depth, residual, input_shape=(8, 8, 1), classes=10):
    inputs = keras.Input(input_shape)
    x = relu(conv_norm(inputs, 16, 3))
    for _ in range((depth - 1) // 2):
        path = conv_norm(relu(conv_norm(x, 16, 3)), 16, 3)
        x = relu(x + path) if residual else relu(path)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(classes, "softmax")(x))
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return model
