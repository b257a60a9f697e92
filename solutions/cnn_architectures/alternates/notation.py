"""The architectures in a notation of one's own: a network is a line of words, and one function reads them all.

A word is a kind, channels, ``:`` size, ``/`` stride, and ``v`` where nothing is padded: ``conv96:11/4v``.
"""

import re

import keras
from keras import layers

LENET = "conv6:5 avg:2/2v conv16:5v avg:2/2v flat dense120 dense84 out"
ALEXNET = """conv96:11/4v max:3/2v conv256:5 max:3/2v conv384:3 conv384:3 conv256:3 max:3/2v
             flat drop dense4096 drop dense4096 out"""
VGG = "vgg64:2 vgg128:2 vgg256:3 vgg512:3 vgg512:3 flat dense4096 dense4096 drop out"
NIN = "nin96:11/4v max:3/2v nin256:5 max:3/2v nin384:3 max:3/2v drop nin:3 mean softmax"
GOOGLENET = """conv64:7/2 max:3/2 conv64:1 conv192:3 max:3/2
               mix64,96,128,16,32,32 mix128,128,192,32,96,64 max:3/2
               mix192,96,208,16,48,64 mix160,112,224,24,64,64 mix128,128,256,24,64,64
               mix112,144,288,32,64,64 mix256,160,320,32,128,128 max:3/2
               mix256,160,320,32,128,128 mix384,192,384,48,128,128 mean drop out"""
RESNET = """norm64:7/2 max:3/2 res64/1 res64/1 res128/2 res128/1 res256/2 res256/1 res512/2 res512/1
            mean out"""

WORD = re.compile(r"([a-z]+)([\d,]*)(?::(\d+))?(?:/(\d))?(v?)")


def network(line, input_shape, classes, width=1.0, function="relu"):
    inputs = keras.Input(input_shape)
    x = inputs
    for kind, counts, size, stride, valid in (WORD.fullmatch(word).groups() for word in line.split()):
        channels = [max(1, round(width * int(count))) for count in counts.split(",") if count] or [classes]
        padding = "valid" if valid else "same"
        x = KINDS[kind](x, channels, int(size or 1), int(stride or 1), padding, function)
    return keras.Model(inputs, x)


def mean(x, *_):
    """Average by one pool as large as the maps."""
    return layers.Flatten()(layers.AveragePooling2D(pool_size=x.shape[1:3])(x))


def convolved(x, channels, size, stride, padding, function):
    """Apply a convolution and a function."""
    x = layers.Conv2D(channels[0], size, stride, padding=padding, kernel_initializer="lecun_normal")(x)
    return layers.Activation(function)(x)


def normalized(x, channels, size, stride, padding, function):
    """Apply a convolution, batch normalization and a function."""
    x = layers.Conv2D(channels[0], (size, size), (stride, stride), padding, use_bias=False)(x)
    return layers.Activation(function)(layers.BatchNormalization(epsilon=1e-5, momentum=0.95)(x))


KINDS = {
    "conv": convolved,
    "norm": normalized,
    "max": lambda x, _, size, stride, padding, __: layers.MaxPooling2D(size, stride, padding)(x),
    "avg": lambda x, _, size, stride, padding, __: layers.AveragePooling2D(size, stride, padding)(x),
    "mean": mean,
    "flat": lambda x, *_: layers.Flatten()(x),
    "drop": lambda x, *_: layers.Dropout(0.4)(x),
    "dense": lambda x, units, *rest: layers.Dense(units[0], activation=rest[-1])(x),
    "out": lambda x, classes, *_: layers.Softmax()(layers.Dense(classes[0])(x)),
    "softmax": lambda x, *_: layers.Activation("softmax")(x),
    "vgg": lambda x, filters, count, *_: vgg_block(x, count, filters[0]),
    "nin": lambda x, filters, size, stride, padding, _: nin_block(x, filters[0], size, stride, padding),
    "mix": lambda x, channels, *_: inception_block(x, *channels),
    "res": lambda x, filters, _, stride, *__: residual_block(x, filters[0], stride),
}


def lenet5(input_shape=(28, 28, 1), classes=10):
    return network(LENET, input_shape, classes, function="silu")


def alexnet(input_shape=(227, 227, 3), classes=1000, width=1.0):
    return network(ALEXNET, input_shape, classes, width)


def vgg_block(x, convolutions, filters):
    if convolutions == 0:
        return layers.MaxPooling2D(pool_size=2, strides=2, padding="valid")(x)
    return vgg_block(convolved(x, [filters], 3, 1, "same", "relu"), convolutions - 1, filters)


def vgg16(input_shape=(224, 224, 3), classes=1000, width=1.0):
    return network(VGG, input_shape, classes, width)


def nin_block(x, filters, kernel_size, strides=1, padding="valid"):
    for size, stride in ((kernel_size, strides), (1, 1), (1, 1)):
        x = convolved(x, [filters], size, stride, padding, "relu")
    return x


def nin(input_shape=(227, 227, 3), classes=10, width=1.0):
    return network(NIN, input_shape, classes, width)


def inception_block(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    plans = ((f1, 1), ((f3_reduce, 1), (f3, 3)), ((f5_reduce, 1), (f5, 5)), (pool_proj, 1))
    ends = []
    for number, plan in enumerate(plans):
        end = layers.MaxPooling2D(3, 1, padding="same")(x) if number == 3 else x
        for filters, size in plan if isinstance(plan[0], tuple) else [plan]:
            end = convolved(end, [filters], size, 1, "same", "relu")
        ends.append(end)
    return keras.ops.concatenate(ends, axis=3)


def googlenet(input_shape=(224, 224, 3), classes=1000, width=1.0):
    return network(GOOGLENET, input_shape, classes, width)


def residual_block(x, filters, stride=1):
    path = normalized(x, [filters], 3, stride, "same", "relu")
    path = normalized(path, [filters], 3, 1, "same", "linear")
    if (stride, x.shape[3]) != (1, filters):
        x = normalized(x, [filters], 1, stride, "same", "linear")
    return layers.Activation("relu")(keras.ops.add(path, x))


def resnet18(input_shape=(224, 224, 3), classes=1000, width=1.0):
    return network(RESNET, input_shape, classes, width)


def deep_net(depth, residual, input_shape=(8, 8, 1), classes=10):
    block = "res16/1" if residual else "norm16:3 norm16:3"
    line = " ".join(["norm16:3", *[block] * ((depth - 1) // 2), "mean out"])
    model = network(line, input_shape, classes)
    model.compile(keras.optimizers.Adam(amsgrad=True), keras.losses.CategoricalCrossentropy())
    return model
