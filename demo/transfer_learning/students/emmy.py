# %% [markdown] before="freeze"
# A frozen base says the same about a picture in every epoch. So I ask it **once** and train the head on its answers.

# %% before="freeze"
import tensorflow as tf
from tensorflow.keras import Model, Sequential
from tensorflow.keras.layers import BatchNormalization, Dense, Flatten, GlobalAveragePooling2D, InputLayer


def is_norm(layer):
    return isinstance(layer, BatchNormalization)


def set_all(layers, trainable):
    for layer in layers:
        layer.trainable = trainable(layer) if callable(trainable) else trainable

# %% task="freeze"
def freeze(base):
    base.trainable = False
    set_all(base.layers, False)
    return base

# %% task="add_head"
def add_head(base, classes):
    gives_maps = len(base.output_shape) == 4
    bridge = [GlobalAveragePooling2D()] if gives_maps else []
    return Sequential([InputLayer(shape=base.input_shape[1:]), base, *bridge, Dense(classes, activation=tf.nn.softmax)])

# %% before="train_head"
def features_and_head(model):
    """Cut a model before its last layer: what is before it, and that layer as a small model of its own."""
    head = model.layers[-1]
    extractor = Model(model.inputs, head.input)
    return extractor, Sequential([InputLayer(shape=head.input.shape[1:]), head])

# %% task="train_head"
def train_head(model, images, labels, epochs=5):
    extractor, head = features_and_head(model)
    features = extractor.predict(images, verbose=0)
    head.compile(tf.keras.optimizers.Adam(0.03), tf.keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    return head.fit(features, labels, batch_size=8, epochs=epochs, verbose=0)

# %% [markdown] before="unfreeze_top"
# "The last layers that have weights": here I count batch normalization among them and leave it frozen.
# Keras's guide cuts its networks like that.

# %% task="unfreeze_top"
def unfreeze_top(base, layers):
    with_weights = [layer for layer in base.layers if layer.count_params()]
    top = with_weights[len(with_weights) - layers:] if layers < len(with_weights) else with_weights
    base.trainable = True
    set_all(base.layers, lambda layer: any(layer is one for one in top) and not is_norm(layer))
    return base

# %% task="fine_tune"
def fine_tune(model, base, images, labels, layers=2, learning_rate=1e-4, epochs=3):
    base = unfreeze_top(base, layers)
    data = tf.data.Dataset.from_tensor_slices((images, labels)).cache().shuffle(1000, seed=1).batch(8)
    model.compile(tf.keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model.fit(data, epochs=epochs, verbose=0)
