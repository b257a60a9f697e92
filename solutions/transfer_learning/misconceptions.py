"""Known wrong answers to the transfer-learning assignment: freezing, the head, unfreezing.

The trainings follow in another file.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the end are right.
"""

import keras
from keras import layers as kl

from autograder.misconceptions import collect, misconception


@misconception("freeze")
def nothing_frozen(base):
    """You set an attribute that Keras does not know. What freezes a model, with all its layers, is `trainable`."""
    base.frozen = True
    return base


@misconception("freeze")
def frozen_without_return(base):
    """You froze the base and returned nothing. Whoever calls wants to go on with it: end with `return base`."""
    base.trainable = False


@misconception("freeze")
def last_layer_left_out(base):
    """You left the last layer trainable. The base ends before its old head, so all of its layers are to be frozen."""
    for layer in base.layers[:-1]:
        layer.trainable = False
    return base


@misconception("freeze")
def convolutions_only(base):
    """You froze the convolutions only. Dense layers and batch normalization learn as well: freeze the whole model."""
    for layer in base.layers:
        if isinstance(layer, kl.Conv2D):
            layer.trainable = False
    return base


@misconception("freeze")
def norms_left_out(base):
    """You left batch normalization trainable. Then its statistics move in training mode: freeze it, too."""
    for layer in base.layers:
        layer.trainable = isinstance(layer, kl.BatchNormalization)
    return base


@misconception("freeze")
def weights_one_by_one(base):
    """You froze weights, not layers. Batch normalization goes on collecting statistics then: freeze the model."""
    for weight in base.weights:
        weight.trainable = False
    return base


@misconception("freeze")
def copy_frozen(base):
    """You froze a copy that starts from random weights. What the base has learned is in the model you are given."""
    copy = keras.models.clone_model(base)
    copy.trainable = False
    return copy


@misconception("add_head")
def flattened(base, classes):
    """You flattened the maps. Then the head needs a weight for each place: average them, by GlobalAveragePooling2D."""
    return _with_head(base, classes, bridge=kl.Flatten)


@misconception("add_head")
def never_averaged(base, classes):
    """You put the head on maps. Then it answers for each place by itself: average the maps first."""
    return _with_head(base, classes, bridge=kl.Identity)


@misconception("add_head")
def always_averaged(base, classes):
    """You averaged whatever the base gives. Vectors have no places to average over: look at the rank of the output."""
    pictures = keras.Input(base.input_shape[1:])
    features = kl.GlobalAveragePooling2D()(base(pictures, training=False))
    return keras.Model(pictures, kl.Dense(classes, activation="softmax")(features))


@misconception("add_head")
def maximum_taken(base, classes):
    """You took the maximum of each map. Asked for was its mean, which is GlobalAveragePooling2D."""
    return _with_head(base, classes, bridge=kl.GlobalMaxPooling2D)


@misconception("add_head")
def no_softmax(base, classes):
    """Your head ends in bare numbers. Probabilities of several classes come from a softmax: `activation="softmax"`."""
    return _with_head(base, classes, activation=None)


@misconception("add_head")
def sigmoid_for_each_class(base, classes):
    """Your head ends in sigmoids. Exactly one class is right, so probabilities have to sum to 1: use a softmax."""
    return _with_head(base, classes, activation="sigmoid")


@misconception("add_head")
def classes_ignored(base, classes):
    """Your head has a fixed number of units. One belongs to each class: `Dense(classes, ...)`."""
    return _with_head(base, 10)


@misconception("add_head")
def base_thawed(base, classes):
    """You made the base trainable again. Its statistics move then, and its weights too: leave it frozen."""
    base.trainable = True
    return _with_head(base, classes)


@misconception("add_head")
def norms_thawed_with_the_head(base, classes):
    """You let batch normalization adapt. Few pictures give poor statistics, and all features shift: leave it frozen."""
    base.trainable = True
    for layer in base.layers:
        layer.trainable = isinstance(layer, kl.BatchNormalization)
    return _with_head(base, classes)


@misconception("add_head")
def built_on_a_copy(base, classes):
    """You built the model on a copy of the base. A clone starts from random weights: call the base that is given."""
    copy = keras.models.clone_model(base)
    copy.trainable = False
    return _with_head(copy, classes)


@misconception("add_head")
def hidden_layer_added(base, classes):
    """You added a hidden layer. With few pictures it learns them by heart: one dense layer with softmax is all."""
    pictures = keras.Input(base.input_shape[1:])
    features = base(pictures, training=False)
    if len(features.shape) == 4:
        features = kl.GlobalAveragePooling2D()(features)
    hidden = kl.Dense(32, activation="relu")(features)
    return keras.Model(pictures, kl.Dense(classes, activation="softmax")(hidden))


@misconception("unfreeze_top")
def norms_unfrozen(base, layers):
    """You unfroze batch normalization as well. With few pictures its statistics get worse: leave it frozen."""
    _unfreeze(base, layers)
    first = next((place for place, layer in enumerate(base.layers) if layer.trainable), len(base.layers))
    for layer in base.layers[first:]:
        layer.trainable = True
    return base


@misconception("unfreeze_top")
def weightless_counted(base, layers):
    """You counted pooling and activations. They have nothing to train: count only layers that have weights."""
    base.trainable = True
    top = base.layers[-layers:] if layers else []
    for layer in base.layers:
        layer.trainable = layer in top and not _is_norm(layer)
    return base


@misconception("unfreeze_top")
def first_layers(base, layers):
    """You unfroze the first layers. Those know edges and colors, which all pictures share: the last ones adapt."""
    return _chosen(base, _countable(base)[:layers])


@misconception("unfreeze_top")
def one_layer_only(base, layers):
    """You unfroze one layer, the one at that place. All of the last `layers` are to be trained: take a slice."""
    return _chosen(base, _countable(base)[-layers:][:1] if layers else [])


@misconception("unfreeze_top")
def all_unfrozen(base, layers):
    """You unfroze the whole base. Only its last `layers` layers may move: freeze those below again."""
    base.trainable = True
    return base


@misconception("unfreeze_top")
def base_itself_left_frozen(base, layers):
    """You unfroze layers in a base that is frozen itself. Set `base.trainable = True` first, then choose the layers."""
    _unfreeze(base, layers)
    chosen = [layer.trainable for layer in base.layers]
    base.trainable = False
    for layer, is_chosen in zip(base.layers, chosen, strict=True):
        layer.trainable = is_chosen
    return base


@misconception("unfreeze_top")
def others_left_as_they_were(base, layers):
    """You never froze the layers below. A base may come with more of them trainable: decide about every layer."""
    before = [layer.trainable for layer in base.layers]
    _unfreeze(base, layers)
    for layer, was_trainable in zip(base.layers, before, strict=True):
        layer.trainable = layer.trainable or (was_trainable and not _is_norm(layer))
    return base


@misconception("unfreeze_top")
def zero_means_all(base, layers):
    """Your slice takes all layers when none is asked for. In Python `[-0:]` is the whole list: count from the front."""
    return _chosen(base, _countable(base)[-layers:])


@misconception("unfreeze_top")
def unfrozen_without_return(base, layers):
    """You unfroze the layers and returned nothing. Whoever calls wants the base: end with `return base`."""
    _unfreeze(base, layers)


def _with_head(base, classes, bridge=kl.GlobalAveragePooling2D, activation="softmax"):
    pictures = keras.Input(base.input_shape[1:])
    features = base(pictures, training=False)
    if len(features.shape) == 4:
        features = bridge()(features)
    return keras.Model(pictures, kl.Dense(classes, activation=activation)(features))


def _is_norm(layer):
    return isinstance(layer, kl.BatchNormalization)


def _countable(base):
    return [layer for layer in base.layers if layer.weights and not _is_norm(layer)]


def _chosen(base, top):
    base.trainable = True
    for layer in base.layers:
        layer.trainable = layer in top
    return base


def _unfreeze(base, layers):
    counted = _countable(base)
    return _chosen(base, counted[max(0, len(counted) - layers) :])


MISCONCEPTIONS = collect(vars())
