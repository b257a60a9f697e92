"""What `check("...")` runs: worked examples whose numbers you can follow with pencil and paper.

The grade is decided by other tests of the same kind, with other inputs. A function that is right for these examples
only will not pass them.
"""

import numpy as np
import pytest

from autograder.checks import (
    assert_accuracy,
    assert_array,
    assert_close,
    assert_dict,
    assert_finite,
    assert_int,
    assert_numbers,
    assert_probabilities,
    assert_raises,
    assert_shape,
    assert_tuple,
    assert_unmodified,
    task,
)
from autograder.data import load_digits
from autograder.errors import CheckFailure


def image(rows):
    """Return rows of numbers as one grey image `(1, H, W, 1)`."""
    return np.array(rows, dtype=float)[np.newaxis, :, :, np.newaxis]


def kernel(rows):
    """Return rows of numbers as one kernel `(F, F, 1, 1)`."""
    return np.array(rows, dtype=float)[:, :, np.newaxis, np.newaxis]


NO_BIAS = np.zeros(1)
ONE_TO_NINE = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
ONE_TO_SIXTEEN = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]]


@task("to_tensor")
def test_grey_image(student):
    """scales 0, 51, 102, 255 to 0, 0.2, 0.4, 1 and adds the channel axis"""
    received = student.to_tensor(np.array([[[0, 51], [102, 255]]], dtype=np.uint8))
    assert_shape(received, (1, 2, 2, 1), hint="One grey image (1, 2, 2) gains an axis at the end.")
    hint = "Convert to float32 before you divide, and divide by 255."
    assert_close(received, image([[0, 0.2], [0.4, 1]]), like=np.float32, hint=hint)
    assert_array(received, (1, 2, 2, 1), dtype=np.float32)


@task("to_tensor")
def test_color_image(student):
    """keeps the channels of a color image, even of a dark one"""
    received = student.to_tensor(np.array([[[[0, 51, 102]]]], dtype=np.uint8))
    hint = "Divide by 255, the largest possible value, not by the largest that occurs."
    assert_close(received, [[[[0, 0.2, 0.4]]]], like=np.float32, hint=hint)


@task("standardize")
def test_standardize_by_train(student):
    """train 1, 3 (mean 2, deviation 1) becomes -1, 1, and test 5 becomes 3"""
    train, test = assert_tuple(student.standardize(image([[1, 3]]), image([[5]])), 2)
    assert_close(train, image([[-1, 1]]), rtol=1e-3, hint="Subtract the mean, then divide by the standard deviation.")
    assert_close(test, image([[3]]), rtol=1e-3, hint="Use the mean and the deviation of train for test, too.")


@task("standardize")
def test_standardize_each_channel(student):
    """gives each channel its own mean and deviation"""
    train = np.array([[[[1.0, 10.0], [3.0, 50.0]]]])
    received, _ = assert_tuple(student.standardize(train, train), 2)
    hint = "Take the mean over the axes (0, 1, 2), so that one number per channel is left."
    assert_close(received, [[[[-1, -1], [1, 1]]]], rtol=1e-3, hint=hint)


@task("standardize")
def test_standardize_constant_channel(student):
    """makes a constant channel 0 and keeps test finite"""
    train, test = assert_tuple(student.standardize(image([[7, 7]]), image([[8]])), 2)
    assert_close(train, image([[0, 0]]), atol=1e-6, hint="The deviation is 0 here, and 0 / 0 is no number.")
    assert_finite(test, name="the standardized test images")


@task("output_size")
@pytest.mark.parametrize("arguments, expected", [((7, 3), 5), ((7, 3, 2), 3), ((8, 3, 2, 1), 4), ((5, 5, 1, 1), 3)])
def test_output_size_counts(student, arguments, expected):
    """the size for (n, f, stride, padding) = {arguments} is {expected}"""
    hint = "floor((n - f + 2 * padding) / stride) + 1, as an int"
    assert_int(student.output_size(*arguments), expected, hint=hint, name=f"output_size{arguments}")


@task("output_size")
@pytest.mark.parametrize("arguments", [(3, 4), (3, 6, 1, 1), (5, 3, 0)])
def test_output_size_refuses(student, arguments):
    """raises ValueError for (n, f, stride, padding) = {arguments}"""
    assert_raises(student.output_size, "ValueError", *arguments)


@task("conv2d")
def test_convolution_by_hand(student):
    """1*1 + 2*2 + 4*3 + 5*4 = 37 is the first value of 1..9 under the kernel 1..4"""
    received = student.conv2d(image(ONE_TO_NINE), kernel([[1, 2], [3, 4]]), NO_BIAS)
    assert_shape(received, (1, 2, 2, 1), hint="3 - 2 + 1 = 2 rows and columns.")
    hint = "23 in place of 37 means that the kernel was flipped."
    assert_close(received, image([[37, 47], [67, 77]]), hint=hint)


@task("conv2d")
def test_convolution_channels(student):
    """sums over input channels: 2*1 + 3*100 = 302 and 2*10 + 3*1000 = 3020, then adds the biases 1 and 2"""
    x, kernels = np.array([[[[2.0, 3.0]]]]), np.array([[[[1.0, 10.0], [100.0, 1000.0]]]])
    hint = "kernels[m, n, c, k] leads from input channel c to output channel k; bias[k] is added once."
    assert_close(student.conv2d(x, kernels, np.array([1.0, 2.0])), [[[[303, 3022]]]], hint=hint)


@task("conv2d")
def test_convolution_of_two_images(student):
    """gives each image of a batch its own result"""
    x = np.array([1.0, 2.0]).reshape(2, 1, 1, 1)
    assert_close(student.conv2d(x, kernel([[3]]), NO_BIAS), 3 * x, hint="The first index is the image's.")


@task("conv2d")
def test_convolution_padding(student):
    """pads the image 5 by zeros on every side: the middle of the kernel 1..9 meets it, 5*5 = 25"""
    received = student.conv2d(image([[5]]), kernel(ONE_TO_NINE), NO_BIAS, padding=1)
    assert_close(received, image([[25]]), hint="Pad height and width, before and after, by zeros.")


@task("conv2d")
def test_convolution_stride(student):
    """takes every second position at stride 2"""
    received = student.conv2d(image(ONE_TO_SIXTEEN), kernel([[1]]), NO_BIAS, stride=2)
    assert_close(received, image([[1, 3], [9, 11]]), hint="Output (i, j) begins at row i * stride, column j * stride.")


@task("relu")
def test_relu_values(student):
    """-2, 0, 3 becomes 0, 0, 3, and the argument stays as it was"""
    x = np.array([[-2.0, 0.0, 3.0]])
    received, after = student.with_arguments.relu(x)
    assert_close(received, [[0, 0, 3]])
    assert_unmodified((x,), after, ["x"])


@task("max_pool2d")
def test_max_pool_by_hand(student):
    """keeps the largest of each 2x2 block of 1..16: 6, 8, 14, 16"""
    assert_close(student.max_pool2d(image(ONE_TO_SIXTEEN)), image([[6, 8], [14, 16]]))


@task("max_pool2d")
def test_max_pool_overlapping(student):
    """moves by stride, not by size: windows of 2x2 in 1..9 at stride 1 give 5, 6, 8, 9"""
    received = student.max_pool2d(image(ONE_TO_NINE), 2, 1)
    assert_close(received, image([[5, 6], [8, 9]]), hint="(3 - 2) / 1 + 1 = 2 rows and columns.")


@task("max_pool2d")
def test_max_pool_channels(student):
    """pools each channel alone, and negative values too"""
    x = np.array([[[[1.0, -5.0], [4.0, -6.0]], [[2.0, -7.0], [3.0, -8.0]]]])
    assert_close(student.max_pool2d(x), [[[[4, -5]]]], hint="The channels are the last axis; they stay apart.")


@task("average_pool2d")
def test_average_pool_by_hand(student):
    """averages each 2x2 block of 1..16: (1 + 2 + 5 + 6) / 4 = 3.5 is the first"""
    assert_close(student.average_pool2d(image(ONE_TO_SIXTEEN)), image([[3.5, 5.5], [11.5, 13.5]]))


@task("average_pool2d")
def test_average_pool_of_three(student):
    """divides a 3x3 window by 9: 1..9 gives 5"""
    assert_close(student.average_pool2d(image(ONE_TO_NINE), 3), image([[5]]), hint="Divide by size * size.")


@task("average_pool2d")
def test_average_pool_overlapping(student):
    """moves by stride, not by size: windows of 2x2 in 1..9 at stride 1 give 3, 4, 6, 7"""
    assert_close(student.average_pool2d(image(ONE_TO_NINE), 2, 1), image([[3, 4], [6, 7]]))


@task("global_average_pool")
def test_global_average(student):
    """gives one mean per image and channel: 2.5 and 25, then 1 and 0"""
    x = np.array([[[[1, 10], [2, 20]], [[3, 30], [4, 40]]], [[[1, 0], [1, 0]], [[1, 0], [1, 0]]]], dtype=float)
    received = student.global_average_pool(x)
    assert_close(received, [[2.5, 25], [1, 0]], hint="Average over height and width, the axes 1 and 2.")


@task("dense")
def test_dense_by_hand(student):
    """1*1 + 2*4 + 10 = 19 is the first of three outputs"""
    weights = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    received = student.dense(np.array([[1.0, 2.0], [0.0, 0.0]]), weights, np.array([10.0, 20.0, -30.0]))
    assert_close(received, [[19, 32, -15], [10, 20, -30]], hint="x @ weights + bias")


@task("softmax")
def test_softmax_by_hand(student):
    """the logits 0 and log(3) give 1/4 and 3/4, in every row by itself"""
    received = student.softmax(np.array([[0.0, np.log(3.0)], [np.log(3.0), 0.0], [2.0, 2.0]]))
    assert_close(received, [[0.25, 0.75], [0.75, 0.25], [0.5, 0.5]], hint="Divide each row by its own sum.")


@task("softmax")
def test_softmax_large(student):
    """stays finite for 1000 and -1000"""
    received = student.softmax(np.array([[1000.0, 1000.0], [-1000.0, 0.0]]))
    assert_close(
        received, [[0.5, 0.5], [0, 1]], hint="Subtract each row's maximum before exp: the result stays the same."
    )


@task("cross_entropy")
def test_cross_entropy_by_hand(student):
    """probabilities 1/2 and 1/4 of the right classes give (log 2 + log 4) / 2 = 1.04"""
    probabilities = np.array([[0.5, 0.5], [0.75, 0.25]])
    received = student.cross_entropy(probabilities, np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert_close(received, 1.5 * np.log(2), rtol=1e-3, hint="Natural logarithm, minus sign, mean over the images.")


@task("cross_entropy")
def test_cross_entropy_certain(student):
    """is 0 for certain and right predictions, and finite for a wrong one"""
    certain = np.eye(2)
    assert_close(student.cross_entropy(certain, certain), 0.0, atol=1e-2)
    assert_finite(student.cross_entropy(certain, certain[::-1]), hint="log(0) is infinite: keep away from it.")


@task("conv2d_backward")
def test_convolution_backward_by_hand(student):
    """an upstream gradient of ones sums kernels into grad_x, windows into grad_kernels, and 4 into grad_bias"""
    x, kernels, grad = image(ONE_TO_NINE), kernel([[1, 2], [3, 4]]), np.ones((1, 2, 2, 1))
    grad_x, grad_kernels, grad_bias = assert_tuple(student.conv2d_backward(grad, x, kernels), 3)
    assert_close(grad_bias, [4], name="grad_bias", hint="Sum grad over images, rows and columns.")
    hint = "kernels[m, n] met x[i + m, j + n] at each (i, j): for m = n = 0 those are 1 + 2 + 4 + 5 = 12."
    assert_close(grad_kernels, kernel([[12, 16], [24, 28]]), name="grad_kernels", hint=hint)
    hint = "The middle pixel was seen by all four windows: 1 + 2 + 3 + 4 = 10. Add with +=."
    assert_close(grad_x, image([[1, 3, 2], [4, 10, 6], [3, 7, 4]]), name="grad_x", hint=hint)


@task("conv2d_backward")
def test_convolution_backward_padding(student):
    """with padding, only the middle of the kernel met the image"""
    x, kernels, grad = image([[5]]), kernel(ONE_TO_NINE), image([[2]])
    grad_x, grad_kernels, _ = assert_tuple(student.conv2d_backward(grad, x, kernels, padding=1), 3)
    assert_close(grad_x, image([[10]]), name="grad_x", hint="Cut the padding off: grad_x has the shape of x.")
    assert_close(grad_kernels, kernel([[0, 0, 0], [0, 10, 0], [0, 0, 0]]), name="grad_kernels")


@task("conv2d_backward")
def test_convolution_backward_stride(student):
    """at stride 2, each 2x2 block of grad_x receives from its own window"""
    x, kernels, grad = image(ONE_TO_SIXTEEN), kernel([[1, 0], [0, 1]]), image([[1, 2], [3, 4]])
    grad_x, _, _ = assert_tuple(student.conv2d_backward(grad, x, kernels, stride=2), 3)
    expected = image([[1, 0, 2, 0], [0, 1, 0, 2], [3, 0, 4, 0], [0, 3, 0, 4]])
    assert_close(grad_x, expected, name="grad_x", hint="grad[i, j] belongs to the window at i * stride, j * stride.")


@task("max_pool2d_backward")
def test_pool_backward_by_hand(student):
    """sends each gradient to the largest value of its block: 6, 8, 14 and 16"""
    received = student.max_pool2d_backward(image([[1, 2], [3, 4]]), image(ONE_TO_SIXTEEN))
    assert_close(received, image([[0, 0, 0, 0], [0, 1, 0, 2], [0, 0, 0, 0], [0, 3, 0, 4]]))


@task("max_pool2d_backward")
def test_pool_backward_overlapping(student):
    """the 9 wins all four overlapping windows: 1 + 2 + 3 + 4 = 10"""
    x = image([[1, 2, 3], [4, 9, 5], [6, 7, 8]])
    received = student.max_pool2d_backward(image([[1, 2], [3, 4]]), x, 2, 1)
    assert_close(received, image([[0, 0, 0], [0, 10, 0], [0, 0, 0]]), hint="Windows overlap: add with +=.")


@task("sgd_step")
def test_sgd_by_hand(student):
    """1 - 0.1 * 10 = 0 and 2 - 0.1 * (-10) = 3, in a new dict"""
    parameters = {"weights": np.array([1.0, 2.0]), "bias": np.array([0.5])}
    gradients = {"weights": np.array([10.0, -10.0]), "bias": np.array([0.0])}
    received, after = student.with_arguments.sgd_step(parameters, gradients, 0.1)
    updated = assert_dict(received, parameters)
    assert_close(updated["weights"], [0, 3], atol=1e-9, hint="value - learning_rate * gradient")
    assert_close(updated["bias"], [0.5])
    assert_unmodified((parameters, gradients), after[:2], ["parameters", "gradients"])


@pytest.fixture(scope="module")
def digits():
    """200 images with one-hot labels, and 100 others with theirs."""
    (images, labels), (others, other_labels) = load_digits("train"), load_digits("validation")
    scaled = [(part[..., np.newaxis] / 255).astype(np.float32) for part in (images[:200], others[:100])]
    return scaled[0], np.eye(10)[labels[:200]], scaled[1], other_labels[:100]


def trained(student, images, labels, **options):
    """Train, and return what stands for the parameters and the losses."""
    received = student.handle.train_cnn(images, labels, **options)
    return assert_tuple(received, 2, hint="Return parameters and losses.", name="train_cnn's result")


def predicted(student, parameters, images):
    """Return the probabilities of the ten classes for each image."""
    received = student.predict_cnn(parameters, images)
    return assert_probabilities(received, (len(images), 10), name="predict_cnn's result")


@task("train_cnn")
def test_training_reports_losses(student, digits):
    """reports one loss per epoch, and the loss falls"""
    images, labels, _, _ = digits
    _, losses = trained(student, images, labels, epochs=4)
    reported = assert_numbers(student.value(losses), 4, name="losses", hint="Append the mean loss of each epoch.")
    if not reported[-1] < reported[0]:
        hint = "Look at the sign of the step and of the gradients, one by one."
        raise CheckFailure("The loss does not fall.", received=f"{reported[0]:.3g}, ..., {reported[-1]:.3g}", hint=hint)


@task("train_cnn")
def test_training_recognizes_digits(student, digits):
    """recognizes most of 100 digits that it was not trained on"""
    images, labels, others, other_labels = digits
    parameters, _ = trained(student, images, labels)
    probabilities = predicted(student, parameters, others)
    assert_accuracy(probabilities, other_labels, 0.7, hint="Guessing gives 10 %: do the gradients agree with task 12?")


@task("train_cnn")
def test_training_repeats(student, digits):
    """gives the same network for the same seed"""
    images, labels, others, _ = digits
    networks = (trained(student, images[:64], labels[:64], epochs=1, seed=3)[0] for _ in range(2))
    once, again = (predicted(student, network, others) for network in networks)
    assert_close(again, once, like=np.float32, hint="Draw every random number from np.random.default_rng(seed).")
