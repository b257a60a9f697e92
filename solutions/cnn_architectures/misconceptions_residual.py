"""Wrong answers of students in the residual networks, each the solution with one mistake in it."""

import keras
from keras import layers

from autograder.misconceptions import collect, misconception


def _scale(width, count):
    return max(1, round(width * count))


def _norm(x, filters, size, stride=1):
    return layers.BatchNormalization()(layers.Conv2D(filters, size, stride, "same", use_bias=False)(x))


def _block(x, filters, stride=1, *, late_stride=False, project=None, normalize=_norm):
    """Make a right residual block; ``project`` None means when it is needed."""
    changes = stride != 1 or x.shape[-1] != filters
    y = layers.ReLU()(normalize(x, filters, 3, 1 if late_stride else stride))
    y = normalize(y, filters, 3, stride if late_stride else 1)
    if changes if project is None else project:
        x = normalize(x, filters, 1, stride)
    return layers.ReLU()(layers.Add()([y, x]))


def _resnet(input_shape, classes, width, *, pool=True, blocks=2, strides=(1, 2, 2, 2)):
    inputs = keras.Input(input_shape)
    x = layers.ReLU()(_norm(inputs, _scale(width, 64), 7, 2))
    x = layers.MaxPooling2D(3, 2, padding="same")(x) if pool else x
    for count, stride in zip((64, 128, 256, 512), strides, strict=True):
        for number in range(blocks):
            x = _block(x, _scale(width, count), 1 if number else stride)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, "softmax")(x))


@misconception("residual_block")
def no_final_activation(x, filters, stride=1):
    """You left out the ReLU after the addition. The sum can be negative, and the block ends in ReLU."""
    return _block(x, filters, stride)._keras_history.operation.input


@misconception("residual_block")
def activated_before_addition(x, filters, stride=1):
    """You applied ReLU before the addition, so the path can only add. The second one belongs behind the addition."""
    y = layers.ReLU()(_norm(x, filters, 3, stride))
    y = layers.ReLU()(_norm(y, filters, 3))
    if stride != 1 or x.shape[-1] != filters:
        x = _norm(x, filters, 1, stride)
    return layers.Add()([y, x])


@misconception("residual_block")
def stride_in_the_second(x, filters, stride=1):
    """You put the stride into the second convolution. The first one has it, and then both work on the smaller image."""
    return _block(x, filters, stride, late_stride=True)


@misconception("residual_block")
def always_projected(x, filters, stride=1):
    """You projected even where the shapes agree. There the shortcut is the input itself: project only where not."""
    return _block(x, filters, stride, project=True)


@misconception("residual_block")
def never_projected(x, filters, stride=1):
    """You never projected, so the shapes do not fit at a stride or with new channels. Then add a 1x1 convolution."""
    return _block(x, filters, stride, project=False)


@misconception("residual_block")
def shortcut_forgotten(x, filters, stride=1):
    """You left out the shortcut. Keep the block's input, and add it to what its two convolutions made."""
    return layers.ReLU()(_norm(layers.ReLU()(_norm(x, filters, 3, stride)), filters, 3))


@misconception("residual_block")
def not_normalized(x, filters, stride=1):
    """You left out batch normalization. It comes after each convolution of the path, before ReLU or the addition."""
    return _block(x, filters, stride, normalize=lambda x, *args: layers.Conv2D(*args, padding="same")(x))


@misconception("residual_block", function="resnet18")
def first_pooling_missing(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You left out the pooling after the first convolution. It is 3x3 with stride 2, and halves the image again."""
    return _resnet(input_shape, classes, width, pool=False)


@misconception("residual_block", function="resnet18")
def one_block_per_stage(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You made one block per stage, which gives 10 layers. ResNet-18 has two per stage: 1 + 4 * 2 * 2 + 1 = 18."""
    return _resnet(input_shape, classes, width, blocks=1)


@misconception("residual_block", function="resnet18")
def first_stage_strided(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You gave the first stage a stride of 2. The pooling before it has halved the image: only later ones do."""
    return _resnet(input_shape, classes, width, strides=(2, 2, 2, 2))


@misconception("residual_block", function="resnet18")
def resnet_not_scaled(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You left the channels as they are, whatever `width` is. Every count is scaled: `max(1, round(width * c))`."""
    return _resnet(input_shape, classes, 1.0)


def _deep(depth, classes, input_shape, shortcut, loss="categorical_crossentropy", normalize=_norm):
    """Make a deep net; ``shortcut(number, y, before)`` joins the output of a convolution with the earlier stages."""
    inputs = keras.Input(input_shape)
    before = [layers.ReLU()(normalize(inputs, 16, 3))]
    for number in range(2, depth + 1):
        y = shortcut(number, normalize(before[-1], 16, 3), before)
        before.append(layers.ReLU()(y))
    x = layers.GlobalAveragePooling2D()(before[-1])
    model = keras.Model(inputs, layers.Dense(classes, "softmax")(x))
    model.compile("adam", loss)
    return model


def _plain(_number, y, _before):
    return y


def _second(number, y, before):
    return layers.Add()([y, before[-2]]) if number % 2 else y


def _first(number, y, before):
    return layers.Add()([y, before[-1]])


@misconception("deep_net")
def residual_ignored(depth, residual, input_shape=(8, 8, 1), classes=10):
    """You built the plain net, whatever `residual` is. When it is true, add the input of each pair to its output."""
    return _deep(depth, classes, input_shape, _plain)


@misconception("deep_net")
def always_residual(depth, residual, input_shape=(8, 8, 1), classes=10):
    """You built the shortcuts, whatever `residual` is. When it is false the same layers stand in a row, without any."""
    return _deep(depth, classes, input_shape, _second)


@misconception("deep_net")
def shortcut_around_each(depth, residual, input_shape=(8, 8, 1), classes=10):
    """You put a shortcut around every convolution. Each one spans two of them: keep the input of the pair."""
    return _deep(depth, classes, input_shape, _first if residual else _plain)


@misconception("deep_net")
def deep_net_not_normalized(depth, residual, input_shape=(8, 8, 1), classes=10):
    """You left out batch normalization. Each of the `depth` convolutions is followed by it, and by ReLU."""

    def normalize(x, filters, size):
        return layers.Conv2D(filters, size, padding="same")(x)

    return _deep(depth, classes, input_shape, _second if residual else _plain, normalize=normalize)


@misconception("deep_net")
def one_layer_short(depth, residual, input_shape=(8, 8, 1), classes=10):
    """You counted a pair of convolutions too few or too many. The first convolution counts: 1 + 2 * pairs = depth."""
    return _deep(depth - 2, classes, input_shape, _second if residual else _plain)


@misconception("deep_net")
def loss_of_integers(depth, residual, input_shape=(8, 8, 1), classes=10):
    """You compiled the loss for integer labels. The labels here are one-hot: `loss="categorical_crossentropy"`."""
    loss = "sparse_categorical_crossentropy"
    return _deep(depth, classes, input_shape, _second if residual else _plain, loss)


MISCONCEPTIONS = collect(vars())
