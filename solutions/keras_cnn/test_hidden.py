"""The hidden tests of the Keras assignment.

Functions that take a model get one of the examiner's own, so small that NumPy can say exactly what has to become of it:
a logistic regression, on which a step of gradient descent is one line. No task depends on the model of another.
"""

import numpy as np
import pytest

from autograder.checks import (
    assert_accuracy,
    assert_array,
    assert_close,
    assert_int,
    assert_loss_falls,
    assert_numbers,
    assert_unmodified,
    task,
)
from autograder.checks.architecture import (
    assert_at_most_parameters,
    assert_compiled,
    assert_output_shape,
    assert_parameters,
    assert_stages,
    stages_of,
)
from autograder.checks.calls import assert_agrees, assert_leaves_alone
from autograder.checks.canonical import canonical
from autograder.checks.fitting import probe_loss
from autograder.checks.logistic import LOGISTIC, SIGMOID, Adam, Descent, Logistic, network, row
from autograder.checks.models import build, claimed, make_model, model_of
from autograder.checks.stages import conv, dense, difference, flatten, matches, max_pool
from autograder.checks.training import assert_claimed, for_some_seed
from autograder.data import draw_shapes
from autograder.errors import CheckFailure

# canary: keras-hidden-41d7e0c3


def pixels(rng, *shape):
    """Draw uint8 images that are nowhere white, so that their maximum is not the scale."""
    return rng.integers(0, 230, shape, dtype=np.uint8)


BRIGHTNESS = ("GlobalAveragePooling2D", {}), SIGMOID


def logistic_task(rng, count=12, shape=(5, 4, 3)):
    """Draw images and labels of both classes."""
    images = pixels(rng, count, *shape)
    return images, rng.permutation(np.arange(count) % 2)


@task("conv_parameters", weight=2)
@pytest.mark.parametrize("f", [1, 3, 5])
def test_conv_parameters(student, reference, rng, f):
    """counts the parameters of a convolution with {f}x{f} kernels"""
    for c_in, c_out in rng.integers(2, 300, (4, 2)).tolist():
        expected, call = reference.conv_parameters(f, c_in, c_out), f"conv_parameters({f}, {c_in}, {c_out})"
        assert_int(student.conv_parameters(f, c_in, c_out), expected, name=call)


@task("conv_parameters", weight=4)
def test_dense_parameters(student, reference, rng):
    """counts the parameters of a dense layer"""
    for n_in, n_out in rng.integers(2, 5000, (6, 2)).tolist():
        expected, call = reference.dense_parameters(n_in, n_out), f"dense_parameters({n_in}, {n_out})"
        assert_int(student.dense_parameters(n_in, n_out), expected, name=call)


@task("prepare_images", weight=2)
@pytest.mark.parametrize("shape", [(1, 4, 6, 3), (5, 7, 3, 3), (3, 6, 5, 1)])
def test_prepared_values(student, reference, rng, shape):
    """scales images with shape {shape} by 255"""
    assert_agrees(student, reference, "prepare_images", pixels(rng, *shape), rtol=1e-5)


@task("prepare_images")
def test_prepared_type(student, reference, rng):
    """returns float32"""
    images = pixels(rng, 2, 5, 4, 3)
    received = assert_array(student.prepare_images(images), images.shape, dtype=np.float32)
    assert_close(received, reference.prepare_images(images), rtol=1e-3)


@task("prepare_images")
def test_images_left_alone(student, reference, rng):
    """leaves the images as they were"""
    assert_leaves_alone(student, reference, "prepare_images", (pixels(rng, 2, 5, 4, 3),))


FEATURES = [conv(32, 3), max_pool(2), conv(64, 3), max_pool(2)]
HEAD = [flatten(), dense(128, "relu"), dense(1, "sigmoid")]
SHAPE_ADVICE = "Both convolutions have padding valid, both poolings size 2."


@task("build_cnn", weight=2)
@pytest.mark.parametrize("part", ["convolutions and poolings", "flattening and dense layers"])
def test_part_of_network(student, part):
    """has the right {part}"""
    stages = stages_of(build(student, "build_cnn"))
    ends = (n for n, one in enumerate(stages) if one.stage.kind in ("flatten", "dense", "global_average_pool"))
    cut = next(ends, len(stages))
    expected, received = (FEATURES, stages[:cut]) if part.startswith("conv") else (HEAD, stages[cut:])
    if not matches(expected, received):
        raise CheckFailure(f"The {part} of build_cnn are not the expected ones.\n{difference(expected, received)}")


@task("build_cnn", weight=2)
def test_network(student):
    """is the network that was asked for, from image to probability"""
    model = build(student, "build_cnn")
    assert_stages(model, [*FEATURES, *HEAD], name="build_cnn")
    assert_output_shape(model, (1,), name="build_cnn")


@task("build_cnn")
@pytest.mark.parametrize("height, width, channels", [(64, 64, 3), (26, 37, 1)])
def test_network_parameters(student, reference, height, width, channels):
    """has the right number of parameters for images of {height}x{width}x{channels}"""
    rows, columns = (((n - 2) // 2 - 2) // 2 for n in (height, width))
    expected = (
        reference.conv_parameters(3, channels, 32)
        + reference.conv_parameters(3, 32, 64)
        + reference.dense_parameters(rows * columns * 64, 128)
        + reference.dense_parameters(128, 1)
    )
    model = build(student, "build_cnn", (height, width, channels))
    assert_parameters(model, expected, hint=SHAPE_ADVICE, name="build_cnn")


@task("build_cnn", weight=3)
def test_network_computes(student, rng):
    """computes what these layers compute, with weights of our choice"""
    model = build(student, "build_cnn", (14, 18, 3))  # 2 x 3 x 64 features
    images = rng.uniform(0, 1, (3, 14, 18, 3)).astype(np.float32)
    weights = [rng.normal(0, 1.4 / np.sqrt(np.prod(shape[:-1])), shape) for shape in SHAPES]
    by_shape = {weight.shape: weight.number for weight in model.describe().weights}
    assert sorted(by_shape) == sorted(SHAPES), f"Expected weights of the shapes {SHAPES}, received {list(by_shape)}."
    model.set_weights({by_shape[weight.shape]: weight for weight in weights})
    assert_close(model.predict(images, (1,)), forward(images, weights), rtol=1e-3, like=np.float32)


SHAPES = [(3, 3, 3, 32), (32,), (3, 3, 32, 64), (64,), (384, 128), (128,), (128, 1), (1,)]
"""Of all weights for images of 14x18x3, each of a shape of its own."""


def forward(x, weights):
    """Compute the network in NumPy."""
    for kernel, bias in (weights[:2], weights[2:4]):
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
        x = np.maximum(np.einsum("nijcab,abck->nijk", windows, kernel) + bias, 0)
        rows, columns = (length - length % 2 for length in x.shape[1:3])
        x = x[:, :rows, :columns].reshape(len(x), rows // 2, 2, columns // 2, 2, -1).max(axis=(2, 4))
    hidden = np.maximum(x.reshape(len(x), -1) @ weights[4] + weights[5], 0)
    return 1 / (1 + np.exp(-(hidden @ weights[6] + weights[7])))


@task("build_cnn")
def test_network_is_not_compiled(student):
    """is not compiled yet, and gives one number for each image"""
    description = build(student, "build_cnn", (20, 20, 3)).describe()
    assert_output_shape(description, (1,), name="build_cnn")
    assert description.compiled is None, "build_cnn returned a compiled model: leave that to compile_cnn."


def compiled(student, rng):
    """Let the student compile a logistic regression of the examiner's; return the model, and what NumPy knows of it."""
    images, labels = logistic_task(rng)
    known = Logistic.draw(rng, images / 255, labels)
    given = make_model(student, network(images.shape[1:], *LOGISTIC), known.start)
    return model_of(student, student.handle.compile_cnn(given.handle), "compile_cnn"), known


@task("compile_cnn", weight=2)
@pytest.mark.parametrize("what", ["optimizer", "loss", "metrics"])
def test_compiled_with(student, rng, what):
    """chooses the right {what}"""
    description = compiled(student, rng)[0].describe()
    wanted = {
        "optimizer": {"optimizer": "Adam"},
        "loss": {"losses": ["binary_crossentropy"]},
        "metrics": {"metrics": ["accuracy", "binary_accuracy"]},
    }
    assert_compiled(description, **wanted[what], name="the model of compile_cnn")
    from_logits = description.compiled is not None and description.compiled.from_logits
    if what == "loss" and from_logits:
        hint = "The network ends in a sigmoid: leave from_logits at False."
        raise CheckFailure("The loss expects logits, and the model gives probabilities.", hint=hint)


@task("compile_cnn", weight=3)
def test_compiled_steps(student, rng):
    """makes the steps that Adam makes on the binary cross-entropy, and measures the accuracy"""
    model, known = compiled(student, rng)
    images = known.inputs.reshape(len(known.inputs), 5, 4, 3).astype(np.float32)
    description = model.describe()
    assert_compiled(description, name="the model of compile_cnn")
    training = model.fit(images, known.labels, images[:1], epochs=STEPS, batch_size=len(images), shuffle=False, seed=0)
    rate = description.compiled.learning_rate
    assert rate > 0, "The learning rate of the optimizer is not above 0."
    weights, _, right = known.after(STEPS, Adam(rate))
    movement = (row(model.weights()) - weights[0]) / rate
    hint = 'Leave the optimizer as `"adam"` and the loss as `"binary_crossentropy"`.'
    name = "the way of the weights, in learning rates,"
    assert_close(movement, (weights[-1] - weights[0]) / rate, rtol=0.02, like=np.float32, hint=hint, name=name)
    accuracy = next((values for key, values in training.claims.items() if "acc" in key), ())
    accuracies = assert_numbers(accuracy, STEPS, name="the measured accuracies", hint='metrics=["accuracy"]')
    assert_close(accuracies, right, rtol=1e-3, name="the measured accuracies")


STEPS = 8


RATE = 0.5


def trained(student, rng, images, labels, steps, **options):
    """Let the student train a logistic regression; compare its weights with ``steps`` steps on all images."""
    known = Logistic.draw(rng, images / 255, labels)
    model = make_model(student, network(images.shape[1:], *LOGISTIC, optimizer=("SGD", RATE)), known.start)
    history = student.handle.train_cnn(model.handle, images, labels, **options)
    weights, losses, _ = known.after(steps, Descent(RATE))
    hint = "Train the given model on the prepared images, epochs times, and do not compile it again."
    name = "the way of the model's weights"
    way = row(model.weights()) - weights[0]
    assert_close(way, weights[-1] - weights[0], rtol=2e-3, like=np.float32, hint=hint, name=name)
    return history, losses


@task("train_cnn", weight=2)
@pytest.mark.parametrize("epochs", [1, 4])
def test_training_steps(student, rng, epochs):
    """makes the right steps on raw images, for {epochs} epoch(s)"""
    images, labels = logistic_task(rng)
    trained(student, rng, images, labels, epochs, epochs=epochs, batch_size=len(images))


def repeated(rng, count):
    """Draw one image, so many times, of one label: then the order and the length of batches do not matter."""
    return np.repeat(pixels(rng, 1, 5, 4, 3), count, axis=0), np.ones(count, int)


@task("train_cnn")
def test_training_batches(student, rng):
    """makes one step for each batch of batch_size images"""
    images, labels = repeated(rng, 10)
    trained(student, rng, images, labels, 6, epochs=2, batch_size=4)


@task("train_cnn")
def test_training_defaults(student, rng):
    """trains for 10 epochs in batches of 32 if nothing else is said"""
    images, labels = repeated(rng, 40)
    trained(student, rng, images, labels, 20)


@task("train_cnn", weight=2)
def test_training_history(student, rng):
    """returns the History of the training, whose losses are those of the network"""
    images, labels = logistic_task(rng)
    history, expected = trained(student, rng, images, labels, 3, epochs=3, batch_size=len(images))
    losses = assert_numbers(claimed(student, history, "train_cnn").get("loss", ()), 3, name="the losses of the History")
    assert_claimed(losses, expected)


EPOCHS = 8
CONVOLUTION = ("Conv2D", {"filters": 4, "kernel_size": [3, 3], "activation": "relu"})


def stripes(rng, count):
    """Draw images of stripes, upright ones with the label 1 and level ones with 0."""
    labels = rng.permutation(np.arange(count) % 2)
    waves = 1 + np.sin(rng.uniform(0, 6, (count, 1, 1)) + rng.uniform(1.5, 2, (count, 1, 1)) * np.arange(12)[:, None])
    level = np.broadcast_to(60 * waves, (count, 12, 12))
    images = np.where(labels[:, None, None] == 1, level.transpose(0, 2, 1), level)
    return (images[..., np.newaxis] + rng.uniform(0, 100, (count, 12, 12, 3))).astype(np.uint8), labels


@task("train_cnn", weight=2)
def test_training_learns(student, rng):
    """lowers the loss on images that it has not seen, epoch by epoch"""
    (images, labels), (probe, truth) = stripes(rng, 160), stripes(rng, 60)

    def attempt(_seed):
        weights = rng.normal(0, 0.3, (3, 3, 3, 4)), np.zeros(4), rng.normal(0, 1, (4, 1)), np.zeros(1)
        layers = CONVOLUTION, *BRIGHTNESS
        model = make_model(student, network(images.shape[1:], *layers, optimizer=("Adam", 0.03)), weights)
        losses = []
        for _ in range(EPOCHS):
            student.handle.train_cnn(model.handle, images, labels, epochs=1, batch_size=16)
            predictions = model.predict(probe.astype(np.float32) / np.float32(255), (1,))
            losses.append(probe_loss(predictions, truth, "binary_crossentropy"))
        assert_loss_falls(losses)

    for_some_seed(attempt)


@task("train_cnn")
def test_training_leaves_its_inputs(student, rng):
    """leaves images and labels as they were"""
    images, labels = logistic_task(rng)
    known = Logistic.draw(rng, images / 255, labels)
    model = make_model(student, network(images.shape[1:], *LOGISTIC, optimizer=("SGD", RATE)), known.start)
    _, after = student.with_arguments.train_cnn(model.handle, images, labels, epochs=1)
    assert np.any(row(model.weights()) != row(known.start).astype(np.float32)), "The model has not moved."
    assert_unmodified((images, labels), after[1:3], ["images", "labels"])


def predicted(student, rng, count, low=0.2, high=0.8):
    """Let the student label images whose brightness decides; check the labels, return images before and after."""
    levels = np.linspace(40, 200, count + count % 2)[:count] if count > 1 else rng.choice([60.0, 180.0], 1)
    levels = rng.permutation(levels)
    images = (levels[:, None, None, None] + rng.integers(-20, 20, (count, 4, 5, 3))).astype(np.uint8)
    steep = (np.log(high / (1 - high)) - np.log(low / (1 - low))) / (160 / 255)
    weights = np.full((3, 1), steep / 3), np.array([-steep * 120.5 / 255])
    model = make_model(student, network(images.shape[1:], *BRIGHTNESS), weights)
    scores = images.mean(axis=(1, 2)) / 255 @ weights[0] + weights[1]
    received, after = student.with_arguments.predict_labels(model.handle, images)
    are_truth_values = type(received) is np.ndarray and received.dtype == bool  # only their type is wrong
    labels = assert_array(
        received.astype(int) if are_truth_values else received, (count,), like=None, name="your labels"
    )
    clear = np.abs(scores[:, 0]) > 1e-3
    assert_close(labels[clear], (scores[clear, 0] > 0).astype(int), like=None, hint=LABEL_ADVICE)
    return received, images, after


LABEL_ADVICE = "The label is 1 where the probability for the prepared image is above 0.5."


@task("predict_labels", weight=2)
@pytest.mark.parametrize("count", [1, 2, 70])
def test_labels(student, rng, count):
    """labels {count} raw image(s)"""
    predicted(student, rng, count)


@task("predict_labels", weight=2)
@pytest.mark.parametrize("low, high", [(0.4, 0.6), (0.02, 0.98)])
def test_label_threshold(student, rng, low, high):
    """puts the threshold at 0.5, with probabilities from {low} to {high}"""
    predicted(student, rng, 24, low, high)


@task("predict_labels", weight=2)
def test_label_type(student, rng):
    """gives integers"""
    labels, _, _ = predicted(student, rng, 6)
    assert labels.dtype.kind in "iu", f"Expected integers, received {labels.dtype}: convert with `.astype(int)`."


@task("predict_labels")
def test_labels_leave_images(student, rng):
    """leaves the images as they were"""
    _, images, after = predicted(student, rng, 5)
    assert_unmodified((images,), after[1:], ["images"])


MOST_PARAMETERS = 60_000
GAP_ADVICE = "Average the last feature maps, in the place of Flatten; in a class of your own, by a layer or keras.ops."


@task("build_gap_cnn", weight=2)
def test_design(student):
    """averages over each feature map, with no flattened map, and at most 60,000 parameters"""
    description = build(student, "build_gap_cnn").describe()
    kinds = [stage.kind for stage in canonical(description).stages]
    if "global_average_pool" not in kinds or "flatten" in kinds:
        raise CheckFailure("build_gap_cnn does not end in global average pooling.", hint=GAP_ADVICE)
    assert_at_most_parameters(description, MOST_PARAMETERS, name="build_gap_cnn")


@task("build_gap_cnn")
@pytest.mark.parametrize("height, width, channels", [(64, 64, 3), (48, 40, 1)])
def test_design_is_ready(student, rng, height, width, channels):
    """is compiled, and gives one probability for each image of {height}x{width}x{channels}"""
    model = build(student, "build_gap_cnn", (height, width, channels))
    assert_compiled(model, name="build_gap_cnn")
    received = model.predict(rng.uniform(0, 1, (2, height, width, channels)).astype(np.float32), (1,))
    assert np.all((received > 0) & (received < 1)), "Expected probabilities between 0 and 1: end in a sigmoid."


@task("build_gap_cnn", weight=7)
def test_design_learns(student, rng, threshold):
    """tells circles from squares on pictures that it has not seen, after ten epochs"""
    accuracy = threshold("shapes_accuracy")
    images, labels = draw_shapes(rng, 800)
    others, truth = draw_shapes(rng, 300)

    def attempt(seed):
        model = build(student, "build_gap_cnn")
        assert_at_most_parameters(model, MOST_PARAMETERS, name="build_gap_cnn")
        scaled, probe = (part.astype(np.float32) / np.float32(255) for part in (images, others))
        model.fit(scaled, labels, probe[:1], epochs=10, batch_size=16, seed=seed)
        assert_accuracy((model.predict(probe, (1,))[:, 0] > 0.5).astype(int), truth, accuracy)

    for_some_seed(attempt, seeds=(0, 1))
