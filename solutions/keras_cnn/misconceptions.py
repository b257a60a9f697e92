"""Known wrong answers to the Keras assignment: counting, scaling, building the network.

The other tasks follow in another file.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the end are right.
"""

import keras
import numpy as np
from keras import layers

from autograder.misconceptions import collect, misconception


def _conv(f, c_in, c_out):
    return (f * f * c_in + 1) * c_out


def _dense(n_in, n_out):
    return (n_in + 1) * n_out


@misconception("conv_parameters", dense_parameters=lambda n_in, n_out: n_in * n_out)
def biases_forgotten(f, c_in, c_out):
    """You left out the biases. Every filter and every unit has one of its own: add `c_out`, or `n_out`."""
    return f * f * c_in * c_out


@misconception("conv_parameters")
def one_bias_for_all(f, c_in, c_out):
    """You counted one bias for the whole layer. Every filter has its own, so there are `c_out` of them."""
    return f * f * c_in * c_out + 1


@misconception("conv_parameters")
def bias_in_every_channel(f, c_in, c_out):
    """You gave a filter a bias for each channel it reads. It has one: `f * f * c_in + 1`."""
    return (f * f + 1) * c_in * c_out


@misconception("conv_parameters")
def flat_filters(f, c_in, c_out):
    """You counted filters of depth 1. A filter is as deep as the image that it reads: `f * f * c_in` weights."""
    return (f * f + 1) * c_out


@misconception("conv_parameters")
def one_side_only(f, c_in, c_out):
    """You counted one side of the window. A filter covers `f * f` pixels: square the side."""
    return (f * c_in + 1) * c_out


@misconception("conv_parameters", function="dense_parameters")
def one_unit_only(n_in, n_out):
    """You counted one unit and the biases of all. Each of the `n_out` units has a weight for each input."""
    return n_in + n_out


@misconception("conv_parameters", function="dense_parameters")
def bias_of_the_inputs(n_in, n_out):
    """You gave every input a bias. A bias belongs to a unit of this layer: there are `n_out`, not `n_in`."""
    return n_in * n_out + n_in


@misconception("conv_parameters")
def count_as_float(f, c_in, c_out):
    """You returned a float. A count is a whole number: use `**` or `*` on integers, or convert with `int(...)`."""
    return np.power(float(f), 2) * c_in * c_out + c_out


@misconception("prepare_images")
def not_scaled(images):
    """You changed the type but not the scale. Pixels run from 0 to 255 and have to run from 0 to 1: divide by 255."""
    return images.astype(np.float32)


@misconception("prepare_images")
def integer_division(images):
    """You divided whole numbers by `//`, which leaves only 0 and 1. Convert to float32 first, then divide by 255."""
    return (images // 255).astype(np.float32)


@misconception("prepare_images")
def scaled_by_maximum(images):
    """You divided by the largest value that occurs. A dark batch would turn bright: divide by 255."""
    return images.astype(np.float32) / np.float32(images.max())


@misconception("prepare_images")
def double_precision(images):
    """Your array is float64. Dividing bytes by a number gives that: convert with `.astype(np.float32)`."""
    return images / 255


@misconception("prepare_images")
def centered(images):
    """You scaled to -1..1, as some networks want it. Here the range is 0 to 1: divide by 255, and no more."""
    return images.astype(np.float32) / np.float32(127.5) - 1


@misconception("prepare_images")
def scaled_twice(images):
    """You divided by 255 twice. Everything is nearly black then: divide once."""
    return images.astype(np.float32) / np.float32(255) / np.float32(255)


@misconception("prepare_images")
def divided_by_256(images):
    """You divided by 256. The largest byte is 255, and white has to become exactly 1: divide by 255."""
    return images.astype(np.float32) / np.float32(256)


@misconception("build_cnn")
def padded_convolutions(input_shape=(64, 64, 3)):
    """Your convolutions pad the image. Keras's default, `padding="valid"`, is what was asked for: 64 becomes 62."""
    return _network(input_shape, padding="same")


@misconception("build_cnn")
def convolutions_without_activation(input_shape=(64, 64, 3)):
    """Your convolutions have no activation. Without ReLU two layers are no more than one: `activation="relu"`."""
    return _network(input_shape, activation=None)


@misconception("build_cnn")
def hidden_layer_without_activation(input_shape=(64, 64, 3)):
    """Your dense layer of 128 has no activation. Say `activation="relu"`: the default of Keras is none."""
    return _network(input_shape, hidden=None)


@misconception("build_cnn")
def softmax_of_one_unit(input_shape=(64, 64, 3)):
    """Your single unit ends in softmax. Softmax of one number is always 1: one unit wants `activation="sigmoid"`."""
    return _network(input_shape, answer="softmax")


@misconception("build_cnn")
def no_sigmoid(input_shape=(64, 64, 3)):
    """Your network ends in a bare number. To be a probability it has to pass through a sigmoid."""
    return _network(input_shape, answer=None)


@misconception("build_cnn")
def averaged_instead_of_flattened(input_shape=(64, 64, 3)):
    """You averaged the feature maps. Global average pooling comes later: here `Flatten` keeps every value."""
    return _network(input_shape, bridge=layers.GlobalAveragePooling2D)


@misconception("build_cnn")
def never_flattened(input_shape=(64, 64, 3)):
    """You never flattened the maps. Dense then works on each pixel alone: put `Flatten()` before it."""
    return _network(input_shape, bridge=layers.Identity)


@misconception("build_cnn")
def two_units(input_shape=(64, 64, 3)):
    """You ended in two units. One probability decides between two classes: one unit with a sigmoid."""
    return _network(input_shape, units=2)


@misconception("build_cnn")
def filters_swapped(input_shape=(64, 64, 3)):
    """You put 64 filters first and 32 second. First come 32; deeper layers see less area and more channels."""
    return _network(input_shape, filters=(64, 32))


@misconception("build_cnn")
def one_pooling_missing(input_shape=(64, 64, 3)):
    """You pooled only once. Each of the two convolutions is followed by a pooling of size 2."""
    model = _network(input_shape)
    return keras.Sequential([keras.Input(input_shape), *(model.layers[i] for i in (0, 1, 2)), *_head()])


@misconception("build_cnn")
def shape_fixed(input_shape=(64, 64, 3)):
    """You built it for 64x64 pixels only. Use the argument: `keras.Input(shape=input_shape)`."""
    return _network((64, 64, 3))


@misconception("build_cnn")
def compiled_already(input_shape=(64, 64, 3)):
    """You compiled the network. The task asks for an uncompiled model; `compile_cnn` does the rest."""
    model = _network(input_shape)
    model.compile("adam", "binary_crossentropy")
    return model


@misconception("build_cnn")
def layers_returned(input_shape=(64, 64, 3)):
    """You returned a list of layers. A model is made of them: `keras.Sequential([...])`."""
    return _network(input_shape).layers


def _network(input_shape, filters=(32, 64), padding="valid", activation="relu", **head):
    features = []
    for count in filters:
        features += [layers.Conv2D(count, 3, padding=padding, activation=activation), layers.MaxPooling2D(2)]
    return keras.Sequential([keras.Input(input_shape), *features, *_head(**head)])


def _head(hidden="relu", answer="sigmoid", bridge=layers.Flatten, units=1):
    return [bridge(), layers.Dense(128, activation=hidden), layers.Dense(units, activation=answer)]


MISCONCEPTIONS = collect(vars())
