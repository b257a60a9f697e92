"""Wrong answers of students in the first five architectures, each the solution with one mistake in it.

A wrong block stands for the block alone: the solution's network, which calls a right one, is not touched. A wrong
network keeps the right block. ``misconceptions_residual.py`` goes on with the residual networks.
"""

import keras
from keras import layers

from autograder.misconceptions import collect, misconception

INCEPTIONS = (
    ((64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64)),
    (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    ((256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128)),
)


def _scale(width, count):
    return max(1, round(width * count))


def _conv(x, filters, size, strides=1, padding="same", activation="relu"):
    return layers.Conv2D(filters, size, strides, padding, activation=activation)(x)


def _lenet(
    input_shape, classes, padding="same", pool=layers.AveragePooling2D, functions=("tanh",) * 4, units=(120, 84)
):
    x = inputs = keras.Input(input_shape)
    x = pool(2)(_conv(x, 6, 5, padding=padding, activation=functions[0]))
    x = pool(2)(_conv(x, 16, 5, padding="valid", activation=functions[1]))
    x = layers.Flatten()(x)
    x = layers.Dense(units[0], functions[2])(x)
    x = layers.Dense(units[1], functions[3])(x)
    return keras.Model(inputs, layers.Dense(classes, "softmax")(x))


@misconception("lenet5")
def first_convolution_valid(input_shape=(28, 28, 1), classes=10):
    """You left out the padding of the first convolution. It has `padding="same"`; only the second is valid."""
    return _lenet(input_shape, classes, padding="valid")


@misconception("lenet5")
def maximum_pooled(input_shape=(28, 28, 1), classes=10):
    """You took max pooling, which came later. LeNet averages each 2x2 window: use `AveragePooling2D(2)`."""
    return _lenet(input_shape, classes, pool=layers.MaxPooling2D)


@misconception("lenet5")
def no_non_linearity(input_shape=(28, 28, 1), classes=10):
    """You left out the non-linearity, so all layers are one linear map. Give each hidden layer an `activation`."""
    return _lenet(input_shape, classes, functions=(None,) * 4)


@misconception("lenet5")
def convolutions_linear(input_shape=(28, 28, 1), classes=10):
    """You gave the dense layers an activation, the convolutions none. Each convolution needs the same `activation`."""
    return _lenet(input_shape, classes, functions=(None, None, "tanh", "tanh"))


@misconception("lenet5")
def logits_returned(input_shape=(28, 28, 1), classes=10):
    """You returned logits. The network ends in probabilities: give the last dense layer `activation="softmax"`."""
    whole = _lenet(input_shape, classes)
    return keras.Model(whole.input, layers.Dense(classes)(whole.layers[-2].output))


def _alexnet(input_shape, classes, width, first="valid", pool=(3, 2), hidden=None, activation="relu"):
    inputs = keras.Input(input_shape)
    x = _conv(inputs, _scale(width, 96), 11, 4, first, activation)
    x = layers.MaxPooling2D(*pool)(x)
    x = layers.MaxPooling2D(*pool)(_conv(x, _scale(width, 256), 5, activation=activation))
    for count in (384, 384, 256):
        x = _conv(x, _scale(width, count), 3, activation=activation)
    x = layers.Flatten()(layers.MaxPooling2D(*pool)(x))
    for _ in range(2):
        x = layers.Dense(_scale(hidden or width, 4096), "relu")(x)
    return keras.Model(inputs, layers.Dense(classes, "softmax")(x))


@misconception("alexnet")
def first_convolution_padded(input_shape=(227, 227, 3), classes=1000, width=1.0):
    """You padded the first convolution. It is valid: (227 - 11) / 4 + 1 = 55, while "same" would give 57."""
    return _alexnet(input_shape, classes, width, first="same")


@misconception("alexnet")
def windows_side_by_side(input_shape=(227, 227, 3), classes=1000, width=1.0):
    """You pooled windows side by side. Those of AlexNet overlap: 3x3 that move by 2, `MaxPooling2D(3, strides=2)`."""
    return _alexnet(input_shape, classes, width, pool=(2, 2))


@misconception("alexnet")
def pooled_by_threes(input_shape=(227, 227, 3), classes=1000, width=1.0):
    """You left out the stride of the pooling, so it is the window's size. Write `MaxPooling2D(3, strides=2)`."""
    return _alexnet(input_shape, classes, width, pool=(3, 3))


@misconception("alexnet")
def saturating_activation(input_shape=(227, 227, 3), classes=1000, width=1.0):
    """You used tanh in the convolutions, as LeNet did. AlexNet learned fast because of ReLU: `activation="relu"`."""
    return _alexnet(input_shape, classes, width, activation="tanh")


@misconception("alexnet")
def hidden_units_not_scaled(input_shape=(227, 227, 3), classes=1000, width=1.0):
    """You scaled the convolutions only. `width` also scales the 4096 units of both hidden dense layers."""
    return _alexnet(input_shape, classes, width, hidden=1.0)


@misconception("alexnet")
def classes_scaled(input_shape=(227, 227, 3), classes=1000, width=1.0):
    """You scaled the number of classes, too. The output always has `classes` units, whatever `width` is."""
    return _alexnet(input_shape, _scale(width, classes), width)


def _vgg_block(x, convolutions, filters):
    for _ in range(convolutions):
        x = _conv(x, filters, 3)
    return layers.MaxPooling2D(2)(x)


def _vgg(input_shape, classes, width, counts=(2, 2, 3, 3, 3), filters=(64, 128, 256, 512, 512), hidden=2, scale=_scale):
    x = inputs = keras.Input(input_shape)
    for count, channels in zip(counts, filters, strict=True):
        x = _vgg_block(x, count, scale(width, channels))
    x = layers.Flatten()(x)
    for _ in range(hidden):
        x = layers.Dense(scale(width, 4096), "relu")(x)
    return keras.Model(inputs, layers.Dense(classes, "softmax")(x))


@misconception("vgg_block")
def block_without_pooling(x, convolutions, filters):
    """You left the pooling out of the block. After its convolutions a block halves the image: `MaxPooling2D(2)`."""
    for _ in range(convolutions):
        x = _conv(x, filters, 3)
    return x


@misconception("vgg_block")
def one_convolution_too_many(x, convolutions, filters):
    """You made one convolution more than was asked for. One before the loop counts, too: make `convolutions`."""
    return _vgg_block(x, convolutions + 1, filters)


@misconception("vgg_block")
def pooled_after_each(x, convolutions, filters):
    """You pooled after each convolution. A block pools once, at its end: put the pooling behind the loop."""
    for _ in range(convolutions):
        x = layers.MaxPooling2D(2, padding="same")(_conv(x, filters, 3))
    return x


@misconception("vgg_block")
def block_shrinks(x, convolutions, filters):
    """You left out the padding, so each convolution takes off a border. In VGG every one is `padding="same"`."""
    for _ in range(convolutions):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
    return layers.MaxPooling2D(2, padding="same")(x)


@misconception("vgg_block", function="vgg16")
def nineteen_layers(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You built VGG-19, with four convolutions in each of the last three blocks. VGG-16 has 2, 2, 3, 3, 3."""
    return _vgg(input_shape, classes, width, counts=(2, 2, 4, 4, 4))


@misconception("vgg_block", function="vgg16")
def channels_doubled_to_the_end(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You doubled the channels in the last block again. They stop at 512: 64, 128, 256, 512, 512."""
    return _vgg(input_shape, classes, width, filters=(64, 128, 256, 512, 1024))


@misconception("vgg_block", function="vgg16")
def width_rounded_down(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You cut the scaled counts off. Round them, and keep at least one channel: `max(1, round(width * c))`."""
    return _vgg(input_shape, classes, width, scale=lambda width, count: max(1, int(width * count)))


def _nin_block(x, filters, kernel_size, strides=1, padding="valid", small=1, functions=("relu", "relu")):
    x = _conv(x, filters, kernel_size, strides, padding)
    for function in functions:
        x = _conv(x, filters, small, activation=function)
    return x


def _nin(input_shape, classes, width, pools=3, ending=None, last=None):
    inputs = keras.Input(input_shape)
    x = _nin_block(inputs, _scale(width, 96), 11, 4)
    x = layers.MaxPooling2D(3, 2)(x)
    x = _nin_block(x, _scale(width, 256), 5, padding="same")
    x = layers.MaxPooling2D(3, 2)(x)
    x = _nin_block(x, _scale(width, 384), 3, padding="same")
    x = layers.MaxPooling2D(3, 2)(x) if pools == 3 else x
    x = _nin_block(x, last or classes, 3, padding="same")
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Softmax()(x) if ending is None else ending(classes)(x))


@misconception("nin_block")
def small_convolutions_linear(x, filters, kernel_size, strides=1, padding="valid"):
    """You left out the ReLU of the 1x1 convolutions, which then change nothing. All three need `activation="relu"`."""
    return _nin_block(x, filters, kernel_size, strides, padding, functions=(None, None))


@misconception("nin_block")
def small_convolutions_of_three(x, filters, kernel_size, strides=1, padding="valid"):
    """You took 3x3 in place of the 1x1 convolutions. They mix the channels of one pixel: their kernel size is 1."""
    return _nin_block(x, filters, kernel_size, strides, padding, small=3)


@misconception("nin_block")
def one_small_convolution(x, filters, kernel_size, strides=1, padding="valid"):
    """You made only one 1x1 convolution. Two of them follow the first: together a small network at each pixel."""
    return _nin_block(x, filters, kernel_size, strides, padding, functions=("relu",))


@misconception("nin_block")
def block_ignores_padding(x, filters, kernel_size, strides=1, padding="valid"):
    """You did not pass the padding on. The first convolution takes `padding=padding`, and the strides likewise."""
    return _nin_block(x, filters, kernel_size, strides)


@misconception("nin_block", function="nin")
def dense_classifier(input_shape=(227, 227, 3), classes=10, width=1.0):
    """You put a dense layer at the end. The last block has one channel for each class: their means go into softmax."""
    return _nin(input_shape, classes, width, ending=lambda classes: layers.Dense(classes, "softmax"))


@misconception("nin_block", function="nin")
def last_pooling_missing(input_shape=(227, 227, 3), classes=10, width=1.0):
    """You left out the pooling before the last block. There is one between any two blocks, three in all."""
    return _nin(input_shape, classes, width, pools=2)


@misconception("nin_block", function="nin")
def last_block_scaled(input_shape=(227, 227, 3), classes=10, width=1.0):
    """You scaled the channels of the last block. They are the classes, which `width` leaves alone."""
    return _nin(input_shape, classes, width, last=_scale(width, classes))


def _inception(x, channels, order=(0, 1, 2, 3)):
    f1, f3_reduce, f3, f5_reduce, f5, pool_proj = channels
    pooled = layers.MaxPooling2D(3, 1, padding="same")(x)
    three, five = _conv(_conv(x, f3_reduce, 1), f3, 3), _conv(_conv(x, f5_reduce, 1), f5, 5)
    branches = [_conv(x, f1, 1), three, five, _conv(pooled, pool_proj, 1)]
    return layers.Concatenate()([branches[place] for place in order])


def _googlenet(input_shape, classes, width, table=INCEPTIONS, padding="same", middle=True):
    inputs = keras.Input(input_shape)
    x = layers.MaxPooling2D(3, 2, padding=padding)(_conv(inputs, _scale(width, 64), 7, 2))
    x = _conv(x, _scale(width, 64), 1) if middle else x
    x = _conv(x, _scale(width, 192), 3)
    for group in table:
        x = layers.MaxPooling2D(3, 2, padding=padding)(x)
        for counts in group:
            x = _inception(x, [_scale(width, count) for count in counts])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, "softmax")(x))


@misconception("inception_block")
def branches_out_of_order(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    """You concatenated the branches in another order. It is 1x1, 3x3, 5x5, pooling, as in the arguments."""
    return _inception(x, (f1, f3_reduce, f3, f5_reduce, f5, pool_proj), order=(3, 0, 1, 2))


@misconception("inception_block")
def no_reduction(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    """You left out the 1x1 convolutions before 3x3 and 5x5. They make it cheap: reduce to `f3_reduce` channels."""
    pooled = _conv(layers.MaxPooling2D(3, 1, padding="same")(x), pool_proj, 1)
    return layers.Concatenate()([_conv(x, f1, 1), _conv(x, f3, 3), _conv(x, f5, 5), pooled])


@misconception("inception_block")
def pooling_not_projected(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    """You left out the projection after the pooling, so all channels pass. Add a 1x1 convolution of `pool_proj`."""
    three, five = _conv(_conv(x, f3_reduce, 1), f3, 3), _conv(_conv(x, f5_reduce, 1), f5, 5)
    return layers.Concatenate()([_conv(x, f1, 1), three, five, layers.MaxPooling2D(3, 1, padding="same")(x)])


@misconception("inception_block")
def projected_before_pooling(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    """You projected first and pooled then. In the fourth branch the pooling comes before its 1x1 convolution."""
    three, five = _conv(_conv(x, f3_reduce, 1), f3, 3), _conv(_conv(x, f5_reduce, 1), f5, 5)
    pooled = layers.MaxPooling2D(3, 1, padding="same")(_conv(x, pool_proj, 1))
    return layers.Concatenate()([_conv(x, f1, 1), three, five, pooled])


@misconception("inception_block")
def reductions_linear(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    """You left out the ReLU after the reductions. Each of the six convolutions of the block is followed by one."""
    three = _conv(_conv(x, f3_reduce, 1, activation=None), f3, 3)
    five = _conv(_conv(x, f5_reduce, 1, activation=None), f5, 5)
    pooled = _conv(layers.MaxPooling2D(3, 1, padding="same")(x), pool_proj, 1)
    return layers.Concatenate()([_conv(x, f1, 1), three, five, pooled])


@misconception("inception_block", function="googlenet")
def pooling_unpadded(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You pooled without padding, which gives 55 in place of 56. In GoogLeNet the pooling is `padding="same"`, too."""
    return _googlenet(input_shape, classes, width, padding="valid")


@misconception("inception_block", function="googlenet")
def stem_without_reduction(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You left out the 1x1 convolution of 64 channels in the stem. In Table 1 it is the column "#3x3 reduce"."""
    return _googlenet(input_shape, classes, width, middle=False)


@misconception("inception_block", function="googlenet")
def one_inception_short(input_shape=(224, 224, 3), classes=1000, width=1.0):
    """You left out one of the nine Inception blocks. There are two, five and two of them: 3a-3b, 4a-4e, 5a-5b."""
    return _googlenet(input_shape, classes, width, table=(INCEPTIONS[0], INCEPTIONS[1][:-1], INCEPTIONS[2]))


MISCONCEPTIONS = collect(vars())
