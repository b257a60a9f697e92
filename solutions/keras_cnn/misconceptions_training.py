"""Known wrong answers to the Keras assignment: compiling, training, predicting, and a design of one's own.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the beginning are right.
"""

import keras
import numpy as np
from keras import layers

from autograder.misconceptions import collect, misconception


def _scaled(images):
    return images.astype(np.float32) / np.float32(255)


def _compiled(model, optimizer="adam", loss="binary_crossentropy", metrics=("accuracy",)):
    model.compile(optimizer=optimizer, loss=loss, metrics=list(metrics))
    return model


def _fitted(model, images, labels, epochs, batch_size, **options):
    return model.fit(_scaled(images), labels, epochs=epochs, batch_size=batch_size, verbose=0, **options)


def _probabilities(model, images):
    return model.predict(_scaled(images), verbose=0)


def _design(input_shape, filters=(16, 32, 64), bridge=layers.GlobalAveragePooling2D, units=1, answer="sigmoid"):
    model = keras.Sequential([keras.Input(input_shape)])
    for count in filters:
        model.add(layers.Conv2D(count, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(bridge())
    model.add(layers.Dense(units, activation=answer))
    return model


@misconception("compile_cnn")
def nothing_returned(model):
    """You returned what `model.compile` returns, and that is nothing. Compile first, then `return model`."""
    return model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])


@misconception("compile_cnn")
def plain_descent(model):
    """You compiled with plain gradient descent. Adam was asked for: `optimizer="adam"`."""
    return _compiled(model, optimizer="sgd")


@misconception("compile_cnn")
def another_optimizer(model):
    """You compiled with RMSprop, which is Keras's default. Adam was asked for: `optimizer="adam"`."""
    return _compiled(model, optimizer="rmsprop")


@misconception("compile_cnn")
def squared_error(model):
    """You compiled with the mean squared error. For a probability the loss is `"binary_crossentropy"`."""
    return _compiled(model, loss="mse")


@misconception("compile_cnn")
def categorical_loss(model):
    """Your loss is for several classes. With one unit it is always 0: take `"binary_crossentropy"`."""
    return _compiled(model, loss="categorical_crossentropy")


@misconception("compile_cnn")
def logits_expected(model):
    """You said `from_logits=True`, but the network ends in a sigmoid. It would be applied twice: leave it out."""
    return _compiled(model, loss=keras.losses.BinaryCrossentropy(from_logits=True))


@misconception("compile_cnn")
def no_metric(model):
    """You asked for no metric. A loss alone is hard to read: `metrics=["accuracy"]` adds the accuracy."""
    return _compiled(model, metrics=())


@misconception("compile_cnn")
def error_as_metric(model):
    """You measure the squared error. Asked for was the share of right answers: `metrics=["accuracy"]`."""
    return _compiled(model, metrics=("mse",))


@misconception("compile_cnn")
def another_model_compiled(model):
    """You compiled a model of your own. The one that was given has to be compiled: `model.compile(...)`."""
    return _compiled(_design((64, 64, 3)))


@misconception("train_cnn")
def trained_on_bytes(model, images, labels, epochs=10, batch_size=32):
    """You trained on raw bytes. Give the model what `prepare_images` makes of them."""
    return model.fit(images.astype(np.float32), labels, epochs=epochs, batch_size=batch_size, verbose=0)


@misconception("train_cnn")
def trained_on_black(model, images, labels, epochs=10, batch_size=32):
    """You scaled the images twice, so that all are nearly black. `prepare_images` already divides by 255."""
    return model.fit(_scaled(images) / 255, labels, epochs=epochs, batch_size=batch_size, verbose=0)


@misconception("train_cnn")
def epochs_ignored(model, images, labels, epochs=10, batch_size=32):
    """You trained for one epoch, whatever was asked for. Pass the argument on: `epochs=epochs`."""
    return _fitted(model, images, labels, 1, batch_size)


@misconception("train_cnn")
def batch_size_ignored(model, images, labels, epochs=10, batch_size=32):
    """Your batches have Keras's own length. Pass the argument on: `batch_size=batch_size`."""
    return _fitted(model, images, labels, epochs, None)


@misconception("train_cnn")
def part_held_back(model, images, labels, epochs=10, batch_size=32):
    """You trained on a part of the images. `validation_split` takes the rest away: leave it out here."""
    return _fitted(model, images, labels, epochs, batch_size, validation_split=0.25)


@misconception("train_cnn")
def images_shuffled_alone(model, images, labels, epochs=10, batch_size=32):
    """You shuffled the images without their labels. `fit` shuffles both together: leave it to it."""
    order = np.random.default_rng(1).permutation(len(images))
    return _fitted(model, images[order], labels, epochs, batch_size)


@misconception("train_cnn")
def model_returned(model, images, labels, epochs=10, batch_size=32):
    """You returned the model. Whoever calls has that; return the `History` that `model.fit` gives."""
    _fitted(model, images, labels, epochs, batch_size)
    return model


@misconception("train_cnn")
def compiled_again(model, images, labels, epochs=10, batch_size=32):
    """You compiled the model again. It comes compiled, and its optimizer remembers things: only call `fit`."""
    return _fitted(_compiled(model), images, labels, epochs, batch_size)


@misconception("train_cnn")
def copy_trained(model, images, labels, epochs=10, batch_size=32):
    """You trained a copy. The model that was given is the one that has to learn: call `model.fit`."""
    copy = keras.models.clone_model(model)
    return _fitted(_compiled(copy, optimizer="sgd"), images, labels, epochs, batch_size)


@misconception("predict_labels")
def bytes_predicted(model, images):
    """You predicted raw bytes. Give the model what `prepare_images` makes of them, as in the training."""
    return (model.predict(images.astype(np.float32), verbose=0)[:, 0] > 0.5).astype(int)


@misconception("predict_labels")
def probabilities_returned(model, images):
    """You returned the probabilities. A label is 0 or 1: compare with 0.5, then convert with `.astype(int)`."""
    return _probabilities(model, images)[:, 0]


@misconception("predict_labels")
def argmax_of_one_unit(model, images):
    """You took the argmax. Over a single unit it is always 0: compare the probability with 0.5."""
    return _probabilities(model, images).argmax(axis=1)


@misconception("predict_labels")
def a_column_of_labels(model, images):
    """Your labels have the shape `(N, 1)`. `(N,)` was asked for: take the column, `[:, 0]`, or `.ravel()`."""
    return (_probabilities(model, images) > 0.5).astype(int)


@misconception("predict_labels")
def float_labels(model, images):
    """Your labels are floats. Rounding keeps the type: convert with `.astype(int)`."""
    return np.round(_probabilities(model, images)[:, 0])


@misconception("predict_labels")
def truth_values(model, images):
    """Your labels are True and False. Asked for were the integers 1 and 0: convert with `.astype(int)`."""
    return _probabilities(model, images)[:, 0] > 0.5


@misconception("predict_labels")
def threshold_at_zero(model, images):
    """You compared with 0, the threshold of logits. A probability is always above it: compare with 0.5."""
    return (_probabilities(model, images)[:, 0] > 0).astype(int)


@misconception("predict_labels")
def cut_off(model, images):
    """You converted to int at once. That cuts off, and 0.9 becomes 0: compare with 0.5 first."""
    return _probabilities(model, images)[:, 0].astype(int)


@misconception("predict_labels")
def threshold_at_the_mean(model, images):
    """You compared with the mean of the batch. Then an image's label depends on the others: compare with 0.5."""
    probabilities = _probabilities(model, images)[:, 0]
    return (probabilities > probabilities.mean() + 0.1).astype(int)


@misconception("build_gap_cnn")
def flattened(input_shape=(64, 64, 3)):
    """You flattened the feature maps. Global average pooling leaves one number for each map: use that instead."""
    return _compiled(_design(input_shape, bridge=layers.Flatten))


@misconception("build_gap_cnn")
def too_large(input_shape=(64, 64, 3)):
    """Your design has more than 60,000 parameters. Most are in the last convolution: give it fewer filters."""
    return _compiled(_design(input_shape, filters=(32, 64, 128)))


@misconception("build_gap_cnn")
def never_compiled(input_shape=(64, 64, 3)):
    """You did not compile your design. Call `model.compile(...)` before you return the model."""
    return _design(input_shape)


@misconception("build_gap_cnn")
def always_one(input_shape=(64, 64, 3)):
    """Your single unit ends in softmax. Softmax of one number is always 1: one unit wants a sigmoid."""
    return _compiled(_design(input_shape, answer="softmax"))


@misconception("build_gap_cnn")
def hardly_any_steps(input_shape=(64, 64, 3)):
    """Your learning rate is far too small. Ten epochs are 500 steps: for Adam 0.001 is a good start."""
    return _compiled(_design(input_shape), optimizer=keras.optimizers.Adam(1e-6))


@misconception("build_gap_cnn")
def single_pixels(input_shape=(64, 64, 3)):
    """Your first layer looks at single pixels. One color says nothing of a shape: use 3x3 filters."""
    model = keras.Sequential([keras.Input(input_shape)])
    for count in (16, 32):
        model.add(layers.Conv2D(count, 1, activation="relu"))
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(1, activation="sigmoid"))
    return _compiled(model)


@misconception("build_gap_cnn")
def size_of_pictures_fixed(input_shape=(64, 64, 3)):
    """You built it for 64x64 pixels in color only. Use the argument: `keras.Input(shape=input_shape)`."""
    return _compiled(_design((64, 64, 3)))


MISCONCEPTIONS = collect(vars())
