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
    assert_dict,
    assert_gradients,
    assert_int,
    assert_numbers,
    assert_probabilities,
    assert_raises,
    assert_tuple,
    assert_unmodified,
    task,
)
from autograder.checks.calls import assert_agrees, assert_keeps_precision, assert_leaves_alone, for_some_seed
from autograder.data import hidden_digits, load_digits
from autograder.data.disguised import Disguise
from autograder.errors import CheckFailure

# canary: cnn-hidden-9b41c7e2


def pixels(rng, *shape):
    """Draw uint8 images that are nowhere white, so that their maximum is not the scale."""
    return rng.integers(0, 230, shape, dtype=np.uint8)


def features(rng, count=2, channels=3):
    """Draw non-square feature maps of distinct values on both sides of zero: a maximum is never a tie."""
    values = rng.permutation(count * 8 * 7 * channels) - 70
    return values.reshape(count, 8, 7, channels) / 50


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


def pool_backward(rng, reference, size=2, stride=2):
    """Draw an upstream gradient and feature maps, followed by size and stride."""
    x = features(rng)
    return rng.normal(size=reference.max_pool2d(x, size, stride).shape), x, size, stride


def one_hot(rng, count, classes):
    """Draw one-hot labels in which no class is missing."""
    return np.eye(classes)[rng.permutation(np.arange(count) % classes)]


def probabilities(rng, count=6, classes=4):
    """Draw rows that sum to 1, every value well above zero."""
    values = rng.uniform(0.2, 1, (count, classes))
    return values / values.sum(axis=1, keepdims=True)


def parameters(rng):
    """Draw two dicts of arrays, parameters and gradients."""
    shapes = {"kernels": (3, 3, 1, 4), "bias": (4,), "weights": (6, 5)}
    return tuple({name: rng.normal(size=shape) for name, shape in shapes.items()} for _ in range(2))


ORDINARY = {
    "to_tensor": lambda rng, _: (pixels(rng, 3, 5, 4),),
    "standardize": lambda rng, _: (photographs(rng), photographs(rng, 4)),
    "conv2d": lambda rng, _: convolution(rng),
    "relu": lambda rng, _: (features(rng),),
    "max_pool2d": lambda rng, _: (features(rng),),
    "average_pool2d": lambda rng, _: (features(rng),),
    "global_average_pool": lambda rng, _: (features(rng),),
    "dense": lambda rng, _: (rng.normal(size=(4, 6)), rng.normal(size=(6, 3)), np.zeros(3)),
    "softmax": lambda rng, _: (rng.normal(size=(5, 4)),),
    "cross_entropy": lambda rng, _: (probabilities(rng), one_hot(rng, 6, 4)),
    "conv2d_backward": backward,
    "max_pool2d_backward": pool_backward,
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


@task("to_tensor")
@pytest.mark.parametrize("count", [1, 4])
def test_grey_images(student, reference, rng, count):
    """scales {count} grey image(s) by 255 and adds a channel axis"""
    assert_agrees(student, reference, "to_tensor", pixels(rng, count, 6, 3))


@task("to_tensor", weight=2)
@pytest.mark.parametrize("channels", [1, 3])
def test_images_with_channels(student, reference, rng, channels):
    """scales images with {channels} channel(s) by 255"""
    assert_agrees(student, reference, "to_tensor", pixels(rng, 3, 5, 7, channels))


@task("to_tensor")
def test_tensor_is_float32(student, reference, rng):
    """returns float32, 0 for black and 1 for white"""
    images = rng.choice(np.array([0, 51, 255], dtype=np.uint8), (3, 4, 5))
    assert_array(student.to_tensor(images), (3, 4, 5, 1), dtype=np.float32)
    assert_agrees(student, reference, "to_tensor", images)


STANDARD = {"rtol": 1e-3, "like": np.float32}
"""How close standardized values have to be, 1,400 per channel: room for an epsilon, and for n - 1 in the variance."""


@task("standardize", weight=2)
def test_train_becomes_standard(student, reference, rng):
    """gives every channel of the training images zero mean and unit variance"""
    train, test = photographs(rng), photographs(rng, 3)
    received, _ = assert_tuple(student.standardize(train, test), 2)
    assert_close(received, reference.standardize(train, test)[0], **STANDARD)


@task("standardize", weight=3)
def test_test_by_statistics_of_train(student, reference, rng):
    """standardizes the test images by the statistics of the training images"""
    train, test = photographs(rng), 1.5 * photographs(rng, 9) + 4
    _, received = assert_tuple(student.standardize(train, test), 2)
    assert_close(received, reference.standardize(train, test)[1], **STANDARD)


@task("standardize")
def test_constant_channel(student, reference, rng):
    """turns a constant channel of the training images into zeros and keeps the test images finite"""
    train, test = photographs(rng), photographs(rng, 3)
    train[..., 1] = 0.5
    received, received_test = assert_tuple(student.standardize(train, test), 2)
    assert_close(received, reference.standardize(train, test)[0], **STANDARD)
    assert_array(received_test, test.shape, like=np.float32, name="your standardized test images")


@task("output_size")
@pytest.mark.parametrize("stride, padding", [(1, 0), (1, 2), (2, 0), (3, 1)])
def test_output_size(student, reference, rng, stride, padding):
    """counts the positions of a filter at stride {stride} and padding {padding}"""
    start = int(rng.integers(9, 40))
    for n in range(start, start + 2 * stride):
        f = int(rng.integers(1, 9))
        expected = reference.output_size(n, f, stride, padding)
        call = f"output_size({n}, {f}, {stride}, {padding})"
        assert_int(student.output_size(n, f, stride=stride, padding=padding), expected, name=call)


@task("output_size")
def test_filter_too_large(student, rng):
    """raises ValueError for a filter larger than the padded input, and only then"""
    n, padding = int(rng.integers(3, 9)), int(rng.integers(1, 3))
    for fitting, arguments in ((n, ()), (n + 2 * padding, (1, padding))):
        call = f"output_size{(n, fitting, *arguments)}"
        assert_int(student.output_size(n, fitting, *arguments), 1, name=call)
        assert_raises(student.output_size, "ValueError", n, fitting + 1, *arguments)


@task("output_size")
def test_stride_too_small(student, rng):
    """raises ValueError for a stride below 1, and only then"""
    n = int(rng.integers(5, 30))
    assert_int(student.output_size(n, 3, 1), n - 2, name=f"output_size({n}, 3, 1)")
    for stride in (0, -1):
        assert_raises(student.output_size, "ValueError", n, 3, stride)


@task("conv2d")
@pytest.mark.parametrize("size", [2, 3])
def test_conv2d_of_one_image(student, reference, rng, size):
    """convolves one grey image by one {size}x{size} kernel"""
    assert_agrees(student, reference, "conv2d", *convolution(rng, 1, (1, 1), size))


@task("conv2d", weight=2)
def test_conv2d_channels(student, reference, rng):
    """sums over the input channels and keeps images and output channels apart"""
    assert_agrees(student, reference, "conv2d", *convolution(rng, 3, (3, 4)))


@task("conv2d", weight=2)
def test_conv2d_bias(student, reference, rng):
    """adds the bias of each output channel once"""
    x, kernels, bias = convolution(rng)
    assert_agrees(student, reference, "conv2d", x, kernels, bias + rng.uniform(1, 2, bias.shape))


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
def test_pool_by_default(student, reference, rng, function):
    """pools windows of 2x2 that move by 2"""
    assert_agrees(student, reference, function, features(rng))


@each(["max_pool2d", "average_pool2d"])
@pytest.mark.parametrize("size, stride", [(3, None), (3, 2), (2, 1), (2, 3)])
def test_pool_by_size_and_stride(student, reference, rng, function, size, stride):
    """pools windows of {size}x{size} that move by {stride}; None means by their size"""
    assert_agrees(student, reference, function, features(rng, 3, 2), size, stride)


@task("max_pool2d")
def test_max_pool_of_negative_values(student, reference, rng):
    """finds the largest of negative values"""
    assert_agrees(student, reference, "max_pool2d", features(rng) - 10)


@task("average_pool2d")
def test_average_pool_by_one(student, reference, rng):
    """divides by the size of the window, 1 included"""
    for size in (1, 4):
        assert_agrees(student, reference, "average_pool2d", features(rng), size)


@task("global_average_pool")
@pytest.mark.parametrize("count, channels", [(1, 1), (4, 3), (3, 4)])
def test_global_average_pool(student, reference, rng, count, channels):
    """averages height and width of {count} image(s) with {channels} channel(s)"""
    assert_agrees(student, reference, "global_average_pool", features(rng, count, channels))


@task("dense")
@pytest.mark.parametrize("count", [1, 5])
def test_dense_products(student, reference, rng, count):
    """multiplies {count} row(s) by the weights"""
    assert_agrees(student, reference, "dense", rng.normal(size=(count, 6)), rng.normal(size=(6, 4)), np.zeros(4))


@task("dense", weight=2)
def test_dense_bias(student, reference, rng):
    """adds each output's bias once"""
    assert_agrees(student, reference, "dense", rng.normal(size=(3, 5)), rng.normal(size=(5, 4)), rng.normal(size=4) + 2)


@task("softmax", weight=2)
@pytest.mark.parametrize("shape", [(1, 3), (6, 4), (2, 3, 5)])
def test_softmax(student, reference, rng, shape):
    """normalizes over the last axis of logits with shape {shape}"""
    assert_agrees(student, reference, "softmax", 2 * rng.normal(size=shape))


@task("softmax", weight=2)
def test_softmax_unmoved_by_constant(student, reference, rng):
    """gives the same when a constant is added to a row"""
    logits = rng.normal(size=(4, 5))
    shifted = logits + rng.uniform(-9, 9, (4, 1))
    assert_close(student.softmax(shifted), reference.softmax(logits), like=np.float32)


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
    assert_agrees(student, reference, "cross_entropy", probabilities(rng, count), one_hot(rng, count, 4), rtol=1e-4)


@task("cross_entropy", weight=2)
def test_cross_entropy_of_zero(student, reference, rng):
    """is finite when a probability is 0, and large when it is that of the label"""
    labels, certain = one_hot(rng, 6, 3), np.eye(3)[[0, 0, 0, 1, 1, 2]]
    sure = 0.3 * labels + 0.7 * np.roll(labels, 1, axis=1)
    assert_agrees(student, reference, "cross_entropy", sure, labels, rtol=1e-3)
    wrong = assert_array(student.cross_entropy(certain, np.roll(certain, 1, axis=1)), (), like=None)
    if not wrong > 5:
        raise CheckFailure("The loss of certain and wrong predictions is small.", expected="> 5", received=f"{wrong:g}")


GRADIENTS = ("grad_x", "grad_kernels", "grad_bias")


def agrees_in_part(student, reference, name, args):
    """Compare one of the three gradients with the reference's."""
    received = assert_tuple(student.conv2d_backward(*args), 3, hint=f"Return {', '.join(GRADIENTS)}.")
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
    grad, x, _, _ = pool_backward(rng, reference, size, stride)
    assert_agrees(student, reference, "max_pool2d_backward", grad, x, size, stride)


@task("sgd_step")
@pytest.mark.parametrize("learning_rate", [0.01, 0.5, 2.0])
def test_sgd_step(student, reference, rng, learning_rate):
    """descends by the learning rate {learning_rate} in every array"""
    values, gradients = parameters(rng)
    received = assert_dict(student.sgd_step(values, gradients, learning_rate), values)
    for name, expected in reference.sgd_step(values, gradients, learning_rate).items():
        assert_close(received[name], expected, like=np.float32, name=name)


PUBLIC, HIDDEN = load_digits(), hidden_digits()
CHANCE = np.log(10)
"""Cross-entropy of ten equal probabilities."""

ACCURACY = 0.7


def lesson(rng, count):
    """Draw images and one-hot labels to train on, and 200 hidden images with their integer labels."""
    disguise = Disguise.draw(rng)
    images, labels = disguise.sample(PUBLIC, count, rng)
    return images, np.eye(10)[labels], *disguise.sample(HIDDEN, 200, rng)


def trained(student, images, labels, **options):
    """Train in the subject; return handles of the parameters and of the losses."""
    hint = "Return parameters and losses: `return parameters, losses`."
    return assert_tuple(student.handle.train_cnn(images, labels, **options), 2, name="train_cnn's result", hint=hint)


def predicted(student, network, images):
    """Return the probabilities of images, checked."""
    name = "predict_cnn's result"
    return assert_probabilities(student.predict_cnn(network, images), (len(images), 10), name=name)


def differing(probabilities):
    """Return predictions that are not the same for every image, which nobody calls predictions."""
    if np.ptp(probabilities, axis=0).max() < 1e-6:
        raise CheckFailure("predict_cnn gives the same probabilities for every image.")
    return probabilities


def loss_of(student, network, images, labels):
    """Compute the loss of a network from its predictions."""
    chosen = np.sum(predicted(student, network, images) * labels, axis=1)
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


@task("train_cnn", weight=6)
def test_learns_digits(student, rng):
    """classifies digits that it has not seen"""
    images, labels, hidden_images, hidden_labels = lesson(rng, 300)

    def attempt(seed):
        network, _ = trained(student, images, labels, seed=seed)
        assert_accuracy(predicted(student, network, hidden_images), hidden_labels, ACCURACY)

    for_some_seed(attempt)


@task("train_cnn", weight=3)
def test_loss_falls(student, rng):
    """lowers the loss, epoch by epoch"""
    images, labels, _, _ = lesson(rng, 190)

    def attempt(seed):
        networks = (trained(student, images, labels, epochs=epochs, seed=seed)[0] for epochs in (1, 10))
        early, late = (loss_of(student, network, images, labels) for network in networks)
        if not late < min(early, 0.9 * CHANCE):
            raise CheckFailure(
                "The loss, computed from your predictions, does not fall.",
                expected=f"falling, and at last well below {CHANCE:.3g}, the loss of guessing",
                received=f"{early:.3g} after 1 epoch, {late:.3g} after 10",
            )

    for_some_seed(attempt)


@task("train_cnn", weight=3)
def test_reported_losses(student, rng):
    """reports the mean loss of each epoch"""
    images, labels, _, _ = lesson(rng, 190)

    def attempt(seed):
        early, _ = trained(student, images, labels, epochs=1, seed=seed)
        late, losses = trained(student, images, labels, epochs=4, seed=seed)
        reported = assert_numbers(student.value(losses), 4, name="losses", hint="Append one mean loss per epoch.")
        low, high = (loss_of(student, network, images, labels) for network in (late, early))
        if not (reported[-1] < reported[0] and 0.4 * low - 0.1 < reported[-1] < 2 * high + 0.5):
            raise CheckFailure(
                "The reported losses are not those of the network.",
                expected=f"falling, the last one near {low:.3g}, the loss of its predictions",
                received=", ".join(f"{loss:.3g}" for loss in reported),
                hint="Average the loss over the images of an epoch: weigh each batch by its length.",
            )

    for_some_seed(attempt)


@task("train_cnn", weight=2)
def test_same_seed(student, rng):
    """gives the same network for the same seed"""
    images, labels, probe, _ = lesson(rng, 120)
    seed = int(rng.integers(1000))
    networks = (trained(student, images, labels, epochs=2, seed=seed)[0] for _ in range(2))
    once, again = (differing(predicted(student, network, probe)) for network in networks)
    assert_close(again, once, rtol=1e-6, like=np.float32, name="the second network's prediction")


@task("train_cnn")
def test_learning_rate_matters(student, rng):
    """stays where it began with a tiny learning rate, and moves with a large one"""
    images, labels, probe, _ = lesson(rng, 120)
    settings = ((1, 1e-6), (3, 1e-6), (6, 0.5))
    networks = (trained(student, images, labels, epochs=epochs, learning_rate=rate)[0] for epochs, rate in settings)
    still, later, moved = (predicted(student, network, probe) for network in networks)
    if np.abs(later - still).max() > 0.01 or np.abs(moved - still).max() < 0.02:
        raise CheckFailure("Training does not follow learning_rate.", hint="Pass it on to sgd_step.")


@task("train_cnn", weight=2)
def test_predictions(student, rng):
    """predicts probabilities for each image by that image alone"""
    images, labels, probe, _ = lesson(rng, 120)
    network, _ = trained(student, images, labels, epochs=1)
    received = differing(predicted(student, network, probe))
    for chosen in (rng.permutation(len(probe))[:30], [0]):
        alone = predicted(student, network, probe[chosen])
        assert_close(alone, received[chosen], rtol=1e-3, like=np.float32, name="a smaller batch's prediction")


@task("train_cnn")
def test_training_leaves_its_inputs(student, rng):
    """leaves images and labels as they were"""
    images, labels, probe, _ = lesson(rng, 70)
    _, after = student.with_arguments.train_cnn(images, labels, 1)
    assert_unmodified((images, labels), after[:2], ["images", "labels"])
    network, _ = trained(student, images, labels, epochs=1)
    differing(predicted(student, network, probe))
    assert_unmodified((probe,), student.with_arguments.predict_cnn(network, probe)[1][1:], ["images"])
