"""Known wrong answers to the transfer-learning assignment: training the head, fine-tuning.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the beginning are right.
"""

import keras
import numpy as np
from keras import layers as kl

from autograder.misconceptions import collect, misconception


def _fitted(model, images, labels, rate, epochs, loss="sparse_categorical_crossentropy"):
    model.compile(keras.optimizers.Adam(rate), loss=loss, metrics=["accuracy"])
    return model.fit(images, labels, batch_size=8, epochs=epochs, verbose=0)


def _unfreeze(base, layers):
    counted = [layer for layer in base.layers if layer.weights and not isinstance(layer, kl.BatchNormalization)]
    top = counted[max(0, len(counted) - layers) :]
    base.trainable = True
    for layer in base.layers:
        layer.trainable = layer in top


def _thawed(model):
    for layer in model.layers:
        layer.trainable = False
        layer.trainable = True


def _drawn_anew(layer):
    """Give a layer the weights that it would start with."""
    fresh = type(layer).from_config(layer.get_config())
    fresh.build(layer.get_build_config()["input_shape"])
    layer.set_weights(fresh.get_weights())


@misconception("train_head")
def whole_network_trained(model, images, labels, epochs=5):
    """You trained the whole network. The base comes frozen so that a fresh head cannot spoil it: leave it so."""
    _thawed(model)
    return _fitted(model, images, labels, 0.01, epochs)


@misconception("train_head")
def norms_trained_with_the_head(model, images, labels, epochs=5):
    """You let batch normalization adapt to your few pictures. Nothing of the base may move, statistics included."""
    base = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    base.trainable = True
    for layer in base.layers:
        layer.trainable = isinstance(layer, kl.BatchNormalization)
    return _fitted(model, images, labels, 0.03, epochs)


@misconception("train_head")
def never_compiled(model, images, labels, epochs=5):
    """You did not compile the model. It comes uncompiled: choose an optimizer and a loss before you fit."""
    return model.fit(images, labels, batch_size=8, epochs=epochs, verbose=0)


@misconception("train_head")
def one_hot_expected(model, images, labels, epochs=5):
    """Your loss expects one-hot labels. They are whole numbers here: use `"sparse_categorical_crossentropy"`."""
    return _fitted(model, images, labels, 0.03, epochs, loss="categorical_crossentropy")


@misconception("train_head")
def labels_as_numbers(model, images, labels, epochs=5):
    """Your loss takes labels for quantities. They name classes: use `"sparse_categorical_crossentropy"`."""
    return _fitted(model, images, labels[:, np.newaxis], 0.03, epochs, loss="mse")


@misconception("train_head")
def hardly_any_step(model, images, labels, epochs=5):
    """Your steps are far too small for a fresh head. Few pictures make few steps: try a learning rate of 0.01."""
    return _fitted(model, images, labels, 1e-5, epochs)


@misconception("train_head")
def epochs_ignored(model, images, labels, epochs=5):
    """You trained for as long as you liked. Pass the argument on: `epochs=epochs`."""
    return _fitted(model, images, labels, 0.03, 5)


@misconception("train_head")
def images_shuffled_alone(model, images, labels, epochs=5):
    """You shuffled the pictures without their labels. `fit` shuffles both together: leave it to it."""
    order = np.random.default_rng(1).permutation(len(images))
    return _fitted(model, images[order], labels, 0.03, epochs)


@misconception("train_head")
def model_returned(model, images, labels, epochs=5):
    """You returned the model. Whoever calls has that; return the `History` that `model.fit` gives."""
    _fitted(model, images, labels, 0.03, epochs)
    return model


@misconception("train_head")
def copy_trained(model, images, labels, epochs=5):
    """You trained a copy. The model that is given is the one that has to learn: compile and fit that."""
    return _fitted(keras.models.clone_model(model), images, labels, 0.03, epochs)


@misconception("fine_tune")
def never_compiled_anew(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You unfroze layers and did not compile again. A compiled model goes on training what it did: compile anew."""
    _unfreeze(base, layers)
    return model.fit(images, labels, batch_size=8, epochs=epochs, verbose=0)


@misconception("fine_tune")
def never_unfrozen(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You trained the head for longer. Fine-tuning moves the top of the base: unfreeze it before you compile."""
    return _fitted(model, images, labels, learning_rate, epochs)


@misconception("fine_tune")
def everything_tuned(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You unfroze the whole base. Only the last `layers` layers may move: call `unfreeze_top(base, layers)`."""
    base.trainable = True
    return _fitted(model, images, labels, learning_rate, epochs)


@misconception("fine_tune")
def norms_tuned(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You tuned batch normalization as well. Its statistics come from thousands of pictures: leave it frozen."""
    _unfreeze(base, layers)
    for layer in base.layers:
        if isinstance(layer, kl.BatchNormalization):
            layer.trainable = True
    return _fitted(model, images, labels, learning_rate, epochs)


@misconception("fine_tune")
def bottom_tuned(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You tuned the first layers. What all pictures share is in those: tune the last ones of the base."""
    _unfreeze(base, 99)
    for layer in [layer for layer in base.layers if layer.trainable][layers:]:
        layer.trainable = False
    return _fitted(model, images, labels, learning_rate, epochs)


@misconception("fine_tune")
def layers_ignored(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You unfroze two layers, whatever was asked for. Pass the argument on: `unfreeze_top(base, layers)`."""
    _unfreeze(base, 2)
    return _fitted(model, images, labels, learning_rate, epochs)


@misconception("fine_tune")
def usual_rate(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You trained at the usual rate of the optimizer. Pass yours on: `keras.optimizers.Adam(learning_rate)`."""
    _unfreeze(base, layers)
    return _fitted(model, images, labels, 0.001, epochs)


@misconception("fine_tune")
def rate_of_the_head(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """Your steps are many times too long. What the base has learned is lost in a few of them: use `learning_rate`."""
    _unfreeze(base, layers)
    return _fitted(model, images, labels, 300 * learning_rate, epochs)


@misconception("fine_tune")
def head_forgotten(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You gave the head fresh weights. Its large errors would spoil the base: go on with the head that is trained."""
    _unfreeze(base, layers)
    _drawn_anew(model.layers[-1])
    return _fitted(model, images, labels, learning_rate, epochs)


@misconception("fine_tune")
def from_scratch(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You trained the network from scratch. A few pictures are too few for that: keep the weights and go on."""
    base.trainable = True
    for layer in [*base.layers, model.layers[-1]]:
        if layer.weights:
            layer.trainable = True
            _drawn_anew(layer)
    return _fitted(model, images, labels, learning_rate, epochs)


@misconception("fine_tune")
def epochs_ignored_in_tuning(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You trained for three epochs, whatever was asked for. Pass the argument on: `epochs=epochs`."""
    _unfreeze(base, layers)
    return _fitted(model, images, labels, learning_rate, 3)


@misconception("fine_tune")
def tuned_model_returned(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    """You returned the model. Whoever calls has that; return the `History` that `model.fit` gives."""
    _unfreeze(base, layers)
    _fitted(model, images, labels, learning_rate, epochs)
    return model


MISCONCEPTIONS = collect(vars())
