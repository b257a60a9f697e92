"""The hidden tests of the CNN pipeline: every check draws fresh inputs and compares with the reference.

A check looks at one property, so that a partly right answer gets the part that is right: biases are zero and float32
will do, except where they are what is checked. Every check also needs some right values, so no empty function passes.
"""

import numpy as np
import pytest

from autograder.checks import (
    assert_accuracy,
    assert_array,
    assert_close,
    assert_gradients,
    assert_int,
    assert_raises,
    assert_tuple,
    assert_unmodified,
    task,
)
from autograder.checks.calls import assert_agrees, assert_keeps_precision, assert_leaves_alone
from autograder.checks.training import Classifier, assert_learning, assert_reported, assert_varied, for_some_seed
from autograder.data import hidden_digits, load_digits
from autograder.data.disguised import lesson

# canary: cnn-hidden-9b41c7e2


def pixels(rng, *shape):
    """Draw uint8 images that are nowhere white, so that their maximum is not the scale."""
    return rng.integers(0, 230, shape, dtype=np.uint8)


def features(rng, count=2, channels=3):
    """Draw non-square feature maps of distinct values on both sides of zero: a maximum is never a tie."""
    size = count * 8 * 7 * channels
    return (rng.permutation(size) - size // 3).reshape(count, 8, 7, channels) / 50


def photographs(rng, count=40):
    """Draw images whose three channels differ in mean and deviation."""
    return rng.normal([120.0, -3.0, 40.0], [30.0, 0.5, 5.0], (count, 7, 5, 3))


def convolution(rng, count=2, channels=(3, 2), size=3):
    """Draw images, kernels, and a bias of zeros."""
    kernels = rng.normal(size=(size, size, *channels))
    return rng.normal(size=(count, 9, 7, channels[0])), kernels, np.zeros(channels[1])


def backward(rng, reference, size=3, stride=1, padding=0):
    """Draw an upstream gradient, images and kernels, followed by stride and padding."""
    x, kernels, bias = convolution(rng, size=size)
    grad = rng.normal(size=reference.conv2d(x, kernels, bias, stride, padding).shape)
    return grad, x, kernels, stride, padding


def predictions(rng, count=6, classes=4):
    """Draw probabilities well above zero, and one-hot labels in which no class is missing."""
    values = rng.uniform(0.2, 1, (count, classes))
    labels = np.eye(classes)[rng.permutation(np.arange(count) % classes)]
    return values / values.sum(axis=1, keepdims=True), labels


def parameters(rng):
    """Draw two dicts of arrays, parameters and gradients."""
    shapes = {"kernels": (3, 3, 1, 4), "bias": (4,), "weights": (6, 5)}
    return tuple({name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(2))


ORDINARY = {
    "to_tensor": lambda rng, _: (pixels(rng, 3, 5, 4),),
    "standardize": lambda rng, _: (photographs(rng), photographs(rng, 4)),
    "conv2d": lambda rng, _: convolution(rng),
    **dict.fromkeys(("relu", "max_pool2d", "average_pool2d", "global_average_pool"), lambda rng, _: (features(rng),)),
    "dense": lambda rng, _: (rng.normal(size=(4, 6)), rng.normal(size=(6, 3)), np.zeros(3)),
    "softmax": lambda rng, _: (rng.normal(size=(5, 4)),),
    "cross_entropy": lambda rng, _: predictions(rng),
    "conv2d_backward": backward,
    "max_pool2d_backward": lambda rng, _: (rng.normal(size=(2, 4, 3, 3)), features(rng)),
    "sgd_step": lambda rng, _: (*parameters(rng), 0.25),
}
"""Arguments of the plainest kind for each function of arrays."""


def each(names):
    """Parametrize a test over functions, each case a check of the function's own task."""
    return pytest.mark.parametrize("function", [pytest.param(name, marks=task(name)) for name in names])


@each(ORDINARY)
def test_inputs_unmodified(student, reference, rng, function):
    """leaves its arguments as they were"""
    assert_leaves_alone(student, reference, function, ORDINARY[function](rng, reference))


@each([name for name in ORDINARY if name != "to_tensor"])
def test_precision(student, reference, rng, function):
    """keeps float64, and works in float32"""
    assert_keeps_precision(student, reference, function, ORDINARY[function](rng, reference))


@task("to_tensor", weight=2)
@pytest.mark.parametrize("shape", [(1, 6, 3), (4, 5, 7), (3, 5, 7, 1), (2, 4, 6, 3)])
def test_to_tensor(student, reference, rng, shape):
    """scales images with shape {shape} by 255; grey ones gain a channel axis"""
    assert_agrees(student, reference, "to_tensor", pixels(rng, *shape))


@task("to_tensor")
def test_tensor_is_float32(student, reference, rng):
    """returns float32, 0 for black and 1 for white"""
    images = rng.choice(np.array([0, 51, 255], dtype=np.uint8), (3, 4, 5))
    assert_array(student.to_tensor(images), (3, 4, 5, 1), dtype=np.float32)
    assert_agrees(student, reference, "to_tensor", images)


@task("standardize", weight=2)
@pytest.mark.parametrize("part", [0, 1], ids=["train", "test"])
def test_standardize(student, reference, rng, part):
    """standardizes each channel by the statistics of train alone: item {part} of the result"""
    # 1,400 values per channel and a wide tolerance: room for an epsilon, and for n - 1 in the variance
    arrays = photographs(rng), 1.5 * photographs(rng, 9) + 4
    received = assert_tuple(student.standardize(*arrays), 2)
    assert_close(received[part], reference.standardize(*arrays)[part], rtol=1e-3, like=np.float32)


@task("standardize")
def test_constant_channel(student, reference, rng):
    """turns a constant channel of the training images into zeros and keeps the test images finite"""
    train, test = photographs(rng), photographs(rng, 3)
    train[..., 2] = 0.5
    received, received_test = assert_tuple(student.standardize(train, test), 2)
    assert_close(received, reference.standardize(train, test)[0], rtol=1e-3, like=np.float32)
    assert_array(received_test, test.shape, like=np.float32, name="your standardized test images")


def left_out(options, **defaults):
    """Leave out the options if all of them are the defaults, which are part of the signature."""
    return {} if options == defaults else options


@task("output_size")
@pytest.mark.parametrize("stride, padding", [(1, 0), (1, 2), (2, 0), (3, 1)])
def test_output_size(student, reference, rng, stride, padding):
    """counts the positions of a filter at stride {stride} and padding {padding}"""
    start, options = int(rng.integers(9, 40)), {"stride": stride, "padding": padding}
    for n in range(start, start + 2 * stride):
        f = int(rng.integers(1, 9))
        expected, call = reference.output_size(n, f, stride, padding), f"output_size({n}, {f}, {stride}, {padding})"
        assert_int(student.output_size(n, f, **left_out(options, stride=1, padding=0)), expected, name=call)


@task("output_size", weight=0.5)
@pytest.mark.parametrize(
    "valid, refused", [((6, 6), (6, 7)), ((4, 8, 1, 2), (4, 9, 1, 2)), ((9, 3, 1), (9, 3, 0)), ((9, 3, 2), (9, 3, -1))]
)
def test_output_size_refuses(student, reference, valid, refused):
    """gives a size for (n, f, stride, padding) = {valid} and raises ValueError for {refused}"""
    assert_int(student.output_size(*valid), reference.output_size(*valid), name=f"output_size{valid}")
    assert_raises(student.output_size, "ValueError", *refused)


@task("conv2d", weight=2)
@pytest.mark.parametrize("count, channels, biased", [(1, (1, 1), False), (3, (3, 4), False), (2, (3, 2), True)])
def test_conv2d(student, reference, rng, count, channels, biased):
    """convolves {count} image(s), with {channels} channels before and after; with biases: {biased}"""
    x, kernels, bias = convolution(rng, count, channels)
    assert_agrees(student, reference, "conv2d", x, kernels, rng.uniform(1, 2, bias.shape) if biased else bias)


@task("conv2d")
@pytest.mark.parametrize("size, stride, padding", [(3, 1, 1), (2, 1, 2), (1, 2, 0), (3, 3, 0), (3, 3, 1), (5, 2, 1)])
def test_conv2d_stride_and_padding(student, reference, rng, size, stride, padding):
    """convolves by a {size}x{size} kernel at stride {stride} and padding {padding}"""
    assert_agrees(student, reference, "conv2d", *convolution(rng, size=size), stride, padding)


@task("relu", weight=2)
@pytest.mark.parametrize("shape", [(4, 6), (2, 3, 5, 2)])
def test_relu(student, reference, rng, shape):
    """keeps positive values and makes negative ones 0, for an array with {shape}"""
    assert_agrees(student, reference, "relu", rng.normal(size=shape))


@each(["max_pool2d", "average_pool2d"])
@pytest.mark.parametrize("size, stride", [(2, None), (3, None), (3, 2), (2, 1), (2, 3)])
def test_pool(student, reference, rng, function, size, stride):
    """pools windows of {size}x{size} that move by {stride}; None means by their size"""
    assert_agrees(student, reference, function, features(rng, 3, 2), size, stride)


@task("max_pool2d")
def test_max_pool_of_negative_values(student, reference, rng):
    """finds the largest of negative values"""
    assert_agrees(student, reference, "max_pool2d", features(rng) - 10)


@task("average_pool2d")
def test_average_pool_of_large_windows(student, reference, rng):
    """divides by the number of values in the window"""
    assert_agrees(student, reference, "average_pool2d", features(rng), 4)


@task("global_average_pool")
@pytest.mark.parametrize("count, channels", [(1, 1), (4, 3), (3, 4)])
def test_global_average_pool(student, reference, rng, count, channels):
    """averages height and width of {count} image(s) with {channels} channel(s)"""
    assert_agrees(student, reference, "global_average_pool", features(rng, count, channels))


@task("dense")
@pytest.mark.parametrize("count, biased", [(1, False), (5, False), (3, True), (4, True)])
def test_dense(student, reference, rng, count, biased):
    """multiplies {count} row(s) by the weights; with biases: {biased}"""
    x, weights, bias = rng.normal(size=(count, 6)), rng.normal(size=(6, 4)), np.zeros(4)
    assert_agrees(student, reference, "dense", x, weights, rng.uniform(1, 2, 4) if biased else bias)


@task("softmax", weight=2)
@pytest.mark.parametrize("shape", [(1, 3), (6, 4), (2, 3, 5)])
def test_softmax(student, reference, rng, shape):
    """normalizes over the last axis of logits with shape {shape}"""
    assert_agrees(student, reference, "softmax", 2 * rng.normal(size=shape))


@task("softmax", weight=3)
def test_softmax_of_large_logits(student, reference, rng):
    """stays finite for logits of 1000 and -1000"""
    logits = rng.choice([-1000.0, 0.0, 1000.0], (5, 4)) + rng.normal(size=(5, 4))
    assert_agrees(
        student, reference, "softmax", np.concatenate([logits, 1000 + logits[:1] / 1000, logits[:1] / 1000 - 1000])
    )


@task("cross_entropy", weight=2)
@pytest.mark.parametrize("count", [1, 7])
def test_cross_entropy(student, reference, rng, count):
    """averages the loss over {count} image(s)"""
    assert_agrees(student, reference, "cross_entropy", *predictions(rng, count), rtol=1e-4)


@task("cross_entropy", weight=2)
def test_cross_entropy_of_zero(student, reference, rng):
    """is finite when a probability is 0, and large when it is that of the label"""
    _, labels = predictions(rng, 6, 3)
    sure = 0.3 * labels + 0.7 * np.roll(labels, 1, axis=1)
    assert_agrees(student, reference, "cross_entropy", sure, labels, rtol=1e-3)
    wrong = assert_array(student.cross_entropy(labels, np.roll(labels, 1, axis=1)), (), like=None)
    assert wrong > 5, "The loss of certain and wrong predictions is small."


GRADIENTS = ("grad_x", "grad_kernels", "grad_bias")


def agrees_in_part(student, reference, name, args):
    """Compare one of the three gradients with the reference's."""
    grad, x, kernels, stride, padding = args
    options = left_out({"stride": stride, "padding": padding}, stride=1, padding=0)
    received = student.conv2d_backward(grad, x, kernels, **options)
    received = assert_tuple(received, 3, hint=f"Return {', '.join(GRADIENTS)}.")
    part = GRADIENTS.index(name)
    assert_close(received[part], reference.conv2d_backward(*args)[part], like=np.float32, name=name)


@task("conv2d_backward", weight=2)
@pytest.mark.parametrize("name", GRADIENTS)
def test_conv2d_backward(student, reference, rng, name):
    """computes {name} at stride 1 without padding"""
    agrees_in_part(student, reference, name, backward(rng, reference))


@task("conv2d_backward")
@pytest.mark.parametrize("size, stride, padding", [(2, 1, 1), (3, 2, 0), (3, 3, 1), (5, 2, 2)])
@pytest.mark.parametrize("name", GRADIENTS[:2])
def test_conv2d_backward_moves(student, reference, rng, name, size, stride, padding):
    """computes {name} for a {size}x{size} kernel at stride {stride} and padding {padding}"""
    agrees_in_part(student, reference, name, backward(rng, reference, size, stride, padding))


@task("conv2d_backward")
def test_conv2d_slopes(student, reference, rng):
    """agrees with the slope of the loss, measured by central differences"""
    grad, x, kernels, stride, padding = backward(rng, reference, 2, 3, 1)
    received = student.conv2d_backward(grad, x, kernels, stride, padding)
    inputs = (x, kernels, np.zeros(kernels.shape[-1]))
    assert_gradients(
        received, lambda *moved: reference.conv2d(*moved, stride, padding), inputs, grad, names=GRADIENTS, rng=rng
    )


@task("max_pool2d_backward", weight=2)
@pytest.mark.parametrize("size, stride", [(2, None), (3, None), (3, 2), (2, 1), (2, 3)])
def test_max_pool2d_backward(student, reference, rng, size, stride):
    """routes the gradient through windows of {size}x{size} that move by {stride}; None means by their size"""
    x = features(rng)
    grad = rng.normal(size=reference.max_pool2d(x, size, stride).shape)
    assert_agrees(student, reference, "max_pool2d_backward", grad, x, size, stride)


@task("sgd_step")
@pytest.mark.parametrize("learning_rate", [0.01, 0.5, 2.0])
def test_sgd_step(student, reference, rng, learning_rate):
    """descends by the learning rate {learning_rate} in every array"""
    assert_agrees(student, reference, "sgd_step", *parameters(rng), learning_rate)


DIGITS = load_digits(), hidden_digits()


@pytest.fixture
def cnn(student):
    """The student's pair of functions."""
    return Classifier(student, "train_cnn", "predict_cnn")


@task("train_cnn", weight=6)
def test_learns_digits(cnn, rng, threshold):
    """classifies digits that it has not seen"""
    images, labels, others, truth = lesson(DIGITS, 300, rng)
    accuracy = threshold("digits_accuracy")

    def attempt(seed):
        assert_accuracy(cnn.predicted(cnn.trained(images, labels, seed=seed)[0], others), truth, accuracy)

    for_some_seed(attempt)


@task("train_cnn", weight=3)
def test_loss_falls(cnn, rng):
    """lowers the loss, epoch by epoch"""
    images, labels, _, _ = lesson(DIGITS, 190, rng)

    def attempt(seed):
        networks = (cnn.trained(images, labels, epochs=epochs, seed=seed)[0] for epochs in (1, 10))
        assert_learning(*(cnn.loss(network, images, labels) for network in networks))

    for_some_seed(attempt)


@task("train_cnn", weight=3)
def test_reported_losses(cnn, rng):
    """reports the mean loss of each epoch"""
    images, labels, _, _ = lesson(DIGITS, 190, rng)

    def attempt(seed):
        early, _ = cnn.trained(images, labels, epochs=1, seed=seed)
        late, losses = cnn.trained(images, labels, epochs=4, seed=seed)
        computed = (cnn.loss(network, images, labels) for network in (early, late))
        assert_reported(cnn.losses(losses, 4), *computed)

    for_some_seed(attempt)
    cnn.losses(cnn.trained(images[:40], labels[:40])[1], 10)


@task("train_cnn", weight=2)
def test_same_seed(cnn, rng):
    """gives the same network for the same seed"""
    images, labels, probe, _ = lesson(DIGITS, 120, rng)
    seed = int(rng.integers(1000))
    for first, second in (({"seed": seed}, {"seed": seed}), ({}, {"seed": 0})):
        networks = (cnn.trained(images, labels, epochs=2, **options)[0] for options in (first, second))
        once, again = (assert_varied(cnn.predicted(network, probe)) for network in networks)
        assert_close(again, once, rtol=1e-6, like=np.float32, name="the second network's prediction")


@task("train_cnn")
def test_learning_rate_matters(cnn, rng):
    """stays where it began with a tiny learning rate, and moves with a large one"""
    images, labels, probe, _ = lesson(DIGITS, 120, rng)
    settings = ((1, 1e-6), (3, 1e-6), (6, 0.5))
    networks = (cnn.trained(images, labels, epochs=epochs, learning_rate=rate)[0] for epochs, rate in settings)
    still, later, moved = (cnn.predicted(network, probe) for network in networks)
    stays, moves = np.abs(later - still).max() < 0.01, np.abs(moved - still).max() > 0.02
    assert stays and moves, "The training does not follow learning_rate: pass it on to sgd_step."


@task("train_cnn", weight=2)
def test_predictions(cnn, rng):
    """predicts probabilities for each image by that image alone"""
    images, labels, probe, _ = lesson(DIGITS, 120, rng)
    network, _ = cnn.trained(images, labels, epochs=1)
    received = assert_varied(cnn.predicted(network, probe))
    for chosen in (rng.permutation(len(probe))[:30], [0]):
        alone = cnn.predicted(network, probe[chosen])
        assert_close(alone, received[chosen], rtol=1e-3, like=np.float32, name="a smaller batch's prediction")


@task("train_cnn")
def test_training_leaves_its_inputs(student, cnn, rng):
    """leaves images and labels as they were"""
    images, labels, probe, _ = lesson(DIGITS, 70, rng)
    _, after = student.with_arguments.train_cnn(images, labels, 1)
    assert_unmodified((images, labels), after[:2], ["images", "labels"])
    network, _ = cnn.trained(images, labels, epochs=1)
    assert_varied(cnn.predicted(network, probe))
    assert_unmodified((probe,), student.with_arguments.predict_cnn(network, probe)[1][1:], ["images"])
