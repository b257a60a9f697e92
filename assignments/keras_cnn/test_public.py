"""What `check("...")` runs: examples whose numbers you can follow with pencil and paper.

The grade is decided by other tests of the same kind, with other inputs. A function that is right for these examples
only will not pass them.
"""

import numpy as np
import pytest

from autograder.checks import assert_array, assert_close, assert_int, assert_numbers, assert_unmodified, task
from autograder.checks.architecture import (
    assert_at_most_parameters,
    assert_compiled,
    assert_output_shape,
    assert_parameters,
    assert_stages,
    stages_of,
)
from autograder.checks.logistic import LOGISTIC, network
from autograder.checks.models import build, claimed, make_model, model_of
from autograder.checks.stages import conv, dense, flatten, max_pool
from autograder.data import load_shapes
from autograder.errors import CheckFailure


@task("conv_parameters")
@pytest.mark.parametrize("arguments, expected", [((3, 1, 1), 10), ((3, 3, 32), 896), ((5, 16, 8), 3208)])
def test_convolution_count(student, arguments, expected):
    """a convolution with (f, c_in, c_out) = {arguments} has {expected} parameters"""
    hint = "Each of the c_out filters has f * f * c_in weights and one bias."
    assert_int(student.conv_parameters(*arguments), expected, hint=hint, name=f"conv_parameters{arguments}")


@task("conv_parameters")
@pytest.mark.parametrize("arguments, expected", [((2, 1), 3), ((128, 10), 1290), ((5, 4), 24)])
def test_dense_count(student, arguments, expected):
    """a dense layer with (n_in, n_out) = {arguments} has {expected} parameters"""
    hint = "Each of the n_out units has n_in weights and one bias."
    assert_int(student.dense_parameters(*arguments), expected, hint=hint, name=f"dense_parameters{arguments}")


@task("prepare_images")
def test_bytes_to_floats(student):
    """0, 51, 102 and 255 become 0, 0.2, 0.4 and 1"""
    images = np.array([0, 51, 102, 255], dtype=np.uint8).reshape(1, 2, 2, 1)
    received = student.prepare_images(images)
    assert_close(received, images / 255, like=np.float32, hint="Divide by 255, after the conversion to float32.")
    assert_array(received, (1, 2, 2, 1), dtype=np.float32)


@task("prepare_images")
def test_dark_images(student):
    """a dark image stays dark: 51 becomes 0.2 even where nothing is brighter"""
    hint = "Divide by 255, the largest possible value, not by the largest that occurs."
    received = student.prepare_images(np.full((2, 3, 3, 3), 51, np.uint8))
    assert_close(received, np.full((2, 3, 3, 3), 0.2), like=np.float32, hint=hint)


@task("prepare_images")
def test_images_unmodified(student):
    """the images themselves are not changed"""
    images = np.full((1, 2, 2, 3), 102, np.uint8)
    received, after = student.with_arguments.prepare_images(images)
    assert_close(received, np.full((1, 2, 2, 3), 0.4), like=np.float32)
    assert_unmodified((images,), after, ["images"])


@task("build_cnn")
def test_layers(student):
    """the layers are those of the table"""
    expected = [conv(32, 3), max_pool(2), conv(64, 3), max_pool(2), flatten(), dense(128, "relu"), dense(1, "sigmoid")]
    assert_stages(build(student, "build_cnn"), expected, name="build_cnn")


@task("build_cnn")
@pytest.mark.parametrize("shape, expected", [((64, 64, 3), 1_625_281), ((20, 30, 1), 166_529)])
def test_network_count(student, shape, expected):
    """for images with {shape} it has {expected} parameters"""
    model = build(student, "build_cnn", shape)
    assert_parameters(model, expected, hint="Print `build_cnn().summary()` and compare.", name="build_cnn")


@task("build_cnn")
def test_not_compiled(student):
    """one number comes out for each image, and the model is not compiled"""
    model = build(student, "build_cnn", (20, 20, 3))
    assert_output_shape(model, (1,), name="build_cnn")
    assert model.describe().compiled is None, "Leave `compile` to the next task."


def ready(student):
    """Return a small model that your `compile_cnn` has compiled."""
    given = make_model(student, network((2, 2, 1), *LOGISTIC), [np.zeros((4, 1)), np.zeros(1)])
    return model_of(student, student.handle.compile_cnn(given.handle), "compile_cnn")


@task("compile_cnn")
def test_optimizer(student):
    """the optimizer is Adam"""
    assert_compiled(ready(student), optimizer="Adam", name="the model")


@task("compile_cnn")
def test_loss(student):
    """the loss is the binary cross-entropy, of probabilities"""
    description = ready(student).describe()
    assert_compiled(description, losses=["binary_crossentropy"], name="the model")
    hint = "The network already ends in a sigmoid: leave from_logits at False."
    if description.compiled.from_logits:
        raise CheckFailure("The loss expects logits, and the model gives probabilities.", hint=hint)


@task("compile_cnn")
def test_metric(student):
    """the accuracy is measured"""
    model = ready(student)
    assert_compiled(model, metrics=["accuracy", "binary_accuracy"], name="the model")
    assert_output_shape(model, (1,), hint="Compile and return the model that is given.", name="the model")
    assert_parameters(model, 5, hint="Compile and return the model that is given.", name="the model")


def trained(student, count, **options):
    """Let you train a model that starts at 0, on white pictures with the label 1, by gradient descent at a rate of 1.

    For one step on scaled pixels the slope is 0.5 - 1 = -0.5, so that every weight becomes 0.5.
    """
    layers = network((2, 2, 1), *LOGISTIC, optimizer=("SGD", 1.0))
    model = make_model(student, layers, [np.zeros((4, 1)), np.zeros(1)])
    images, labels = np.full((count, 2, 2, 1), 255, np.uint8), np.ones(count, int)
    history = student.handle.train_cnn(model.handle, images, labels, **options)
    return model, history


@task("train_cnn")
def test_one_step(student):
    """one step on a white picture moves each weight from 0 to 0.5"""
    model, _ = trained(student, 1, epochs=1)
    hint = "Train the given model on prepare_images(images), and do not compile it again."
    assert_close(model.weights()[0], np.full((4, 1), 0.5), like=np.float32, hint=hint, name="the weights")


@task("train_cnn")
@pytest.mark.parametrize("count, epochs, batch_size, steps", [(6, 3, 6, 3), (5, 1, 2, 3)])
def test_steps(student, count, epochs, batch_size, steps):
    """{count} images for {epochs} epoch(s) in batches of {batch_size} make {steps} steps"""
    model, _ = trained(student, count, epochs=epochs, batch_size=batch_size)
    weight = 0.0
    for _ in range(steps):
        weight += 1 - 1 / (1 + np.exp(-5 * weight))
    hint = "Pass epochs and batch_size on to fit, and train on all images."
    assert_close(model.weights()[0], np.full((4, 1), weight), like=np.float32, hint=hint, name="the weights")


@task("train_cnn")
def test_history(student):
    """the History is returned: its first loss is log(2) = 0.693"""
    _, history = trained(student, 1, epochs=2)
    hint = "Return what model.fit returns."
    losses = assert_numbers(claimed(student, history, "train_cnn").get("loss", ()), 2, name="losses", hint=hint)
    assert_close(losses[:1], [np.log(2)], rtol=1e-3, hint=hint, name="losses")


@task("train_cnn")
def test_labels_stay_with_images(student):
    """each image keeps its label: white ones 1, black ones 0"""
    layers = network((2, 2, 1), *LOGISTIC, optimizer=("SGD", 1.0))
    model = make_model(student, layers, [np.zeros((4, 1)), np.zeros(1)])
    labels = np.array([0, 1, 1, 0, 1, 0, 0, 0])
    images = (255 * labels).astype(np.uint8).reshape(8, 1, 1, 1) * np.ones((1, 2, 2, 1), np.uint8)
    student.handle.train_cnn(model.handle, images, labels, epochs=1, batch_size=8)
    hint = "fit shuffles images and labels together; you need not."
    assert_close(model.weights()[0], np.full((4, 1), 0.1875), like=np.float32, hint=hint, name="the weights")


@task("predict_labels")
def test_labels(student):
    """probabilities of 0.3, 0.4, 0.6 and 0.7 give the labels 0, 0, 1 and 1"""
    received, _ = labels_of(student, [0.3, 0.4, 0.6, 0.7])
    hint = "The label is 1 where the probability for the prepared image is above 0.5."
    assert_close(assert_array(received, (4,), like=None), [0, 0, 1, 1], like=None, hint=hint)


@task("predict_labels")
def test_labels_alone(student):
    """an image's label does not depend on the other images"""
    for probability, label in ((0.9, 1), (0.8, 1), (0.2, 0)):
        received, _ = labels_of(student, [probability])
        assert_close(assert_array(received, (1,), like=None), [label], like=None)


@task("predict_labels")
def test_integers(student):
    """the labels are integers, one for each image"""
    received, images = labels_of(student, [0.1, 0.9, 0.8])
    array = assert_array(received, (len(images),), like=None, hint="One number for each image: take the column [:, 0].")
    assert array.dtype.kind in "iu", f"Expected integers, received {array.dtype}: convert with `.astype(int)`."


def labels_of(student, probabilities):
    """Let you label images of one pixel, for which a model has these probabilities."""
    wanted = np.log(np.array(probabilities) / (1 - np.array(probabilities)))
    images = np.round(255 * (wanted + 3) / 6).astype(np.uint8).reshape(-1, 1, 1, 1)
    model = make_model(student, network((1, 1, 1), *LOGISTIC), [np.full((1, 1), 6.0), np.full(1, -3.0)])
    return student.predict_labels(model.handle, images), images


@task("build_gap_cnn")
def test_design(student):
    """feature maps are averaged, and there are at most 60,000 parameters"""
    model = build(student, "build_gap_cnn")
    kinds = [each.stage.kind for each in stages_of(model)]
    hint = "After the last convolution comes GlobalAveragePooling2D, in the place of Flatten."
    if "global_average_pool" not in kinds or "flatten" in kinds:
        raise CheckFailure("build_gap_cnn does not end in global average pooling.", hint=hint)
    assert_at_most_parameters(model, 60_000, name="build_gap_cnn")


@task("build_gap_cnn")
@pytest.mark.parametrize("shape", [(64, 64, 3), (40, 32, 1)])
def test_design_ready(student, shape):
    """it is compiled and gives one probability for each image with {shape}"""
    model = build(student, "build_gap_cnn", shape)
    assert_compiled(model, name="build_gap_cnn")
    received = model.predict(np.full((2, *shape), 0.5, np.float32), (1,))
    assert np.all((received > 0) & (received < 1)), "Expected probabilities between 0 and 1: end in a sigmoid."


@task("build_gap_cnn")
def test_design_moves(student):
    """twenty steps on 32 pictures move it towards their labels; in the grade there are 500, on 800 pictures"""
    images, labels = load_shapes("train", seed=5, count=32)
    model = build(student, "build_gap_cnn")
    scaled = images.astype(np.float32) / np.float32(255)
    model.predict(scaled[:1], (1,))  # a network of one's own class has its weights from here on
    before = model.weights()
    model.fit(scaled, labels, scaled[:1], epochs=10, batch_size=16, seed=0)
    change = max(float(np.abs(new - old).max()) for old, new in zip(before, model.weights(), strict=True))
    assert change > 1e-3, "The weights hardly move: is the learning rate too small? For Adam 0.001 is a good start."
