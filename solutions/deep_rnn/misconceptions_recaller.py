"""Known wrong answers to the network that recalls: what it is made of, and where its gates start.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the end are right.
"""

import keras
import numpy as np
from keras import layers

from autograder.misconceptions import collect, misconception


@misconception("build_recaller")
def plain_recaller(input_shape=(40, 4), classes=4):
    """You used a plain recurrent layer, which rewrites its state at every step. Take a gated one, LSTM or GRU."""
    return _compiled(input_shape, layers.SimpleRNN(48), classes)


@misconception("build_recaller")
def keeping_gate_half_open(input_shape=(40, 4), classes=4):
    """You left the keeping gate half open, and 0.5 to the 39th is nothing. Start its bias at 3 or more."""
    return _compiled(input_shape, _lstm(), classes)


@misconception("build_recaller")
def wrong_gate_opened(input_shape=(40, 4), classes=4):
    """You opened another gate than the one that keeps. It is the second block of an LSTM, the first of a GRU."""
    return _compiled(input_shape, _lstm(output=5.0), classes)


@misconception("build_recaller")
def hardly_learning(input_shape=(40, 4), classes=4):
    """Your learning rate is so small that ten epochs change little. Adam's own 0.001, or up to 0.01, is enough."""
    return _compiled(input_shape, _lstm(forget=5.0), classes, rate=1e-6)


@misconception("build_recaller")
def too_many_units(input_shape=(40, 4), classes=4):
    """You used more parameters than allowed. An LSTM of 32 units and 4 inputs has 4 * (4 + 32 + 1) * 32 already."""
    return _compiled(input_shape, _lstm(48, forget=5.0), classes)


@misconception("build_recaller")
def recaller_reads_both_ways(input_shape=(40, 4), classes=4):
    """You read from both ends, so that nothing has to be kept. Here the network reads forward only."""
    return _compiled(input_shape, layers.Bidirectional(layers.GRU(16)), classes)


@misconception("build_recaller")
def recaller_reads_backwards(input_shape=(40, 4), classes=4):
    """You read from the end, and meet the symbol last. Here the network reads forward: no `go_backwards`."""
    return _compiled(input_shape, layers.GRU(16, go_backwards=True), classes)


@misconception("build_recaller")
def first_step_cut_out(input_shape=(40, 4), classes=4):
    """You cut the first step out and recalled nothing. Let a recurrent layer read all steps, the noise included."""
    return _compiled(input_shape, layers.Cropping1D((0, input_shape[0] - 1)), classes, layers.GRU(8))


@misconception("build_recaller")
def recaller_not_compiled(input_shape=(40, 4), classes=4):
    """You did not compile the model. Call `model.compile`, with the categorical cross-entropy, before you return it."""
    return _network(input_shape, _lstm(forget=5.0), classes)


@misconception("build_recaller")
def recaller_by_squared_error(input_shape=(40, 4), classes=4):
    """You compiled with the mean squared error. Classes are learned by `loss="categorical_crossentropy"`."""
    return _compiled(input_shape, _lstm(forget=5.0), classes, loss="mse")


@misconception("build_recaller")
def recaller_without_softmax(input_shape=(40, 4), classes=4):
    """You left the last layer linear, so these are no probabilities. Give it `activation="softmax"`."""
    layer = _lstm(forget=5.0)
    model = keras.Sequential([keras.Input(input_shape), layer, layers.Dense(classes)])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.CategoricalCrossentropy(from_logits=True))
    return model


def _lstm(units=28, **biases):
    """Return an LSTM whose gates of these names start with these biases, all others with 0."""
    values = [biases.get(block, 0.0) for block in ("input", "forget", "candidate", "output")]

    def start(shape, dtype=None):
        return keras.ops.convert_to_tensor(np.repeat(values, shape[0] // 4), dtype)

    return layers.LSTM(units, bias_initializer=start, unit_forget_bias=False)


def _network(input_shape, *reading):
    *reading, classes = reading
    return keras.Sequential([keras.Input(input_shape), *reading, layers.Dense(classes, activation="softmax")])


def _compiled(input_shape, layer, classes, *more, rate=0.01, loss="categorical_crossentropy"):
    model = _network(input_shape, layer, *more, classes)
    model.compile(keras.optimizers.Adam(rate), loss=loss)
    return model


MISCONCEPTIONS = collect(vars())
