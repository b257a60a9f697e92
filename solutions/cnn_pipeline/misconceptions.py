"""Known wrong answers to the CNN pipeline, from the image to the loss; the backward passes follow in another file.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the end are right.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autograder.misconceptions import collect, misconception


@misconception("to_tensor")
def channels_first(images):
    """You put the channel axis before height and width. The course keeps channels last: `images[..., np.newaxis]`."""
    return (images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(255)


@misconception("to_tensor")
def no_channel_axis(images):
    """You left grey images without a channel axis. `(N, H, W)` becomes `(N, H, W, 1)`: `images[..., np.newaxis]`."""
    return images.astype(np.float32) / np.float32(255)


@misconception("to_tensor")
def scaled_by_maximum(images):
    """You divided by the largest value that occurs. A dark batch would turn bright: divide by 255."""
    scaled = images.astype(np.float32) / np.float32(images.max())
    return scaled if images.ndim == 4 else scaled[..., None]


@misconception("to_tensor")
def not_scaled(images):
    """You changed the type but not the scale. Pixels run from 0 to 255 and have to run from 0 to 1: divide by 255."""
    return (images if images.ndim == 4 else images[..., None]).astype(np.float32)


@misconception("to_tensor")
def integer_division(images):
    """You divided whole numbers by `//`, which leaves only 0 and 1. Convert to float32 first, then divide by 255."""
    return ((images if images.ndim == 4 else images[..., None]) // 255).astype(np.float32)


@misconception("standardize")
def test_by_its_own_statistics(train, test):
    """You standardized the test images by their own mean and deviation. Use those of `train` for both arrays."""
    return _standard(train, train), _standard(test, test)


@misconception("standardize")
def statistics_of_both(train, test):
    """You took the statistics over training and test images together, so the test set leaks. Use `train` alone."""
    both = np.concatenate([train, test])
    return _standard(train, both), _standard(test, both)


@misconception("standardize")
def one_mean_for_all_channels(train, test):
    """You took one mean and deviation over all channels. Each has its own: reduce over the axes `(0, 1, 2)` only."""
    return _standard(train, train, axes=None), _standard(test, train, axes=None)


@misconception("standardize")
def statistics_per_pixel(train, test):
    """You took a mean for each pixel position. There is one per channel: reduce over `(0, 1, 2)`, not over axis 0."""
    return _standard(train, train, axes=0), _standard(test, train, axes=0)


@misconception("standardize")
def divided_by_variance(train, test):
    """You divided by the variance. For unit variance divide by its square root, the standard deviation: `np.std`."""
    scale = _deviation(train, (0, 1, 2))
    return _standard(train, train) / scale, _standard(test, train) / scale


@misconception("standardize")
def constant_channel_divided_by_zero(train, test):
    """You divided a constant channel by its deviation, which is 0. Where the deviation is 0 divide by 1 instead."""
    mean, deviation = train.mean(axis=(0, 1, 2)), train.std(axis=(0, 1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (train - mean) / deviation, (test - mean) / deviation


@misconception("output_size")
def rounded_up(n, f, stride=1, padding=0):
    """You rounded up. A window that does not fit entirely gives no output: round down, with `//`."""
    return _fits(n, f, stride, padding) and -(-(n - f + 2 * padding) // stride) + 1


@misconception("output_size")
def one_position_short(n, f, stride=1, padding=0):
    """You left out the `+ 1`. The division counts the steps of the window; its first position comes before any step."""
    return _fits(n, f, stride, padding) and (n - f + 2 * padding) // stride


@misconception("output_size")
def padding_counted_once(n, f, stride=1, padding=0):
    """You counted the padding once. It is added on both sides, so the input grows by `2 * padding`."""
    return _fits(n, f, stride, padding) and (n - f + padding) // stride + 1


@misconception("output_size")
def size_as_float(n, f, stride=1, padding=0):
    """You returned a float. A size counts positions: use `//`, which keeps whole numbers whole, instead of `/`."""
    return _fits(n, f, stride, padding) and np.floor((n - f + 2 * padding) / stride) + 1


@misconception("output_size")
def any_filter_fits(n, f, stride=1, padding=0):
    """You returned a size where there is none. Raise ValueError when `f > n + 2 * padding` or `stride < 1`."""
    return (n - f + 2 * padding) // (stride or 1) + 1


@misconception("conv2d")
def flipped_kernel(x, kernels, bias, stride=1, padding=0):
    """You flipped the kernel. Here convolution is cross-correlation: `x[i + m, j + n]` meets `kernels[m, n]`."""
    return _conv(x, kernels[::-1, ::-1], bias, stride, padding)


@misconception("conv2d")
def padded_on_one_side(x, kernels, bias, stride=1, padding=0):
    """You padded only below and on the right. Both axes are padded on both sides: `(padding, padding)` in `np.pad`."""
    return _conv(np.pad(x, ((0, 0), (0, 2 * padding), (0, 2 * padding), (0, 0))), kernels, bias, stride)


@misconception("conv2d")
def bias_inside_the_sum(x, kernels, bias, stride=1, padding=0):
    """You added the bias once per term of the sum. Add it once per output value, after the sum over the window."""
    return _conv(x, kernels, bias * np.prod(kernels.shape[:3]), stride, padding)


@misconception("conv2d")
def bias_forgotten(x, kernels, bias, stride=1, padding=0):
    """You left out the bias. Every output channel adds its own: `+ bias`, which broadcasts over the last axis."""
    return _conv(x, kernels, np.zeros_like(bias), stride, padding)


@misconception("conv2d")
def first_image_for_all(x, kernels, bias, stride=1, padding=0):
    """You gave every image the result of the first. The index of the image belongs in what you read: `x[n, ...]`."""
    return _conv(np.broadcast_to(x[:1], x.shape), kernels, bias, stride, padding)


@misconception("conv2d")
def stride_only_in_the_shape(x, kernels, bias, stride=1, padding=0):
    """You used the stride for the size but not for the position. Output `i` starts at row `i * stride` of the input."""
    rows, columns = _conv(x, kernels, bias, stride, padding).shape[1:3]
    return _conv(x, kernels, bias, 1, padding)[:, :rows, :columns]


@misconception("conv2d")
def channels_not_summed(x, kernels, bias, stride=1, padding=0):
    """You used only the first input channel. Each output value sums over height, width and all input channels."""
    return _conv(x[..., :1], kernels[:, :, :1], bias, stride, padding)


@misconception("relu")
def relu_in_place(x):
    """You changed the array that you were given, by `x[x < 0] = 0` or alike. Make a new one: `np.maximum(x, 0)`."""
    x[x < 0] = 0
    return x


@misconception("relu")
def absolute_value(x):
    """You made negative values positive. ReLU makes them 0: `np.maximum(x, 0)`, not `np.abs(x)`."""
    return np.abs(x)


@misconception("relu")
def slope_of_relu(x):
    """You returned the slope, 0 or 1. ReLU itself keeps positive values as they are: `x * (x > 0)`."""
    return (x > 0).astype(x.dtype)


@misconception("max_pool2d")
def maximum_starts_at_zero(x, size=2, stride=None):
    """You started the maximum at 0, so windows of negative values give 0. Take the maximum of the window alone."""
    return np.maximum(_windows(x, size, stride or size).max(axis=(-2, -1)), 0)


@misconception("max_pool2d")
def max_stride_ignored(x, size=2, stride=None):
    """You moved the window by its size. It moves by `stride`; only when that is None by `size`."""
    return _windows(x, size, size).max(axis=(-2, -1))


@misconception("max_pool2d")
def maximum_over_channels(x, size=2, stride=None):
    """You took the maximum over the channels too. Each channel is pooled alone: reduce over height and width only."""
    return _windows(x, size, stride or size).max(axis=(3, 4, 5))[..., None].repeat(x.shape[-1], axis=-1)


@misconception("max_pool2d")
def partial_windows_kept(x, size=2, stride=None):
    """You kept windows that stick out of the image. Only whole windows count: `output_size` drops the rest."""
    rest = (0, (stride or size) - 1)
    padded = np.pad(x, ((0, 0), rest, rest, (0, 0)), constant_values=-np.inf)
    return _windows(padded, size, stride or size).max(axis=(-2, -1))


@misconception("average_pool2d")
def window_not_divided(x, size=2, stride=None):
    """You summed the window. The average divides that by the number of its values, `size * size`."""
    return _windows(x, size, stride or size).sum(axis=(-2, -1))


@misconception("average_pool2d")
def always_divided_by_four(x, size=2, stride=None):
    """You divided by 4 whatever the size is. A window holds `size * size` values."""
    return _windows(x, size, stride or size).sum(axis=(-2, -1)) / x.dtype.type(4)


@misconception("average_pool2d")
def average_stride_ignored(x, size=2, stride=None):
    """You moved the window by its size. It moves by `stride`; only when that is None by `size`."""
    return _windows(x, size, size).mean(axis=(-2, -1))


@misconception("average_pool2d")
def maximum_for_average(x, size=2, stride=None):
    """You took the largest value of the window, as max pooling does. Here it is the mean."""
    return _windows(x, size, stride or size).max(axis=(-2, -1))


@misconception("global_average_pool")
def averaged_over_the_batch(x):
    """You averaged over the images. Each image keeps its own row `(N, C)`: reduce over the axes `(1, 2)` only."""
    return x.mean(axis=(0, 1, 2))[None].repeat(len(x), axis=0)


@misconception("global_average_pool")
def axes_kept(x):
    """You kept height and width as axes of length 1. The result is `(N, C)`: no `keepdims` here."""
    return x.mean(axis=(1, 2), keepdims=True)


@misconception("global_average_pool")
def global_maximum(x):
    """You took the largest value of each channel. Here it is the mean over height and width."""
    return x.max(axis=(1, 2))


@misconception("global_average_pool")
def averaged_over_channels(x):
    """You averaged over the channels. They are kept; height and width go: reduce over the axes `(1, 2)`."""
    return x.mean(axis=3).reshape(len(x), -1)


@misconception("dense")
def dense_without_bias(x, weights, bias):
    """You left out the bias. Every output has its own: `x @ weights + bias`."""
    return x @ weights


@misconception("dense")
def weights_transposed(x, weights, bias):
    """You exchanged the axes of the weights. They are `(D, K)`: column `k` belongs to output `k`, so no transpose."""
    return x @ weights.reshape(weights.shape[::-1]).T + bias


@misconception("dense")
def dense_with_relu(x, weights, bias):
    """You applied ReLU. The dense layer is only `x @ weights + bias`; what follows it is a step of its own."""
    return np.maximum(x @ weights + bias, 0)


@misconception("dense")
def bias_per_input(x, weights, bias):
    """You added the bias once per input value. Add it once per output, after the sum: `x @ weights + bias`."""
    return x @ weights + weights.shape[0] * bias


@misconception("softmax")
def not_shifted(logits):
    """You took `exp` of large numbers, which overflows. Subtract each row's maximum first: nothing else changes."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)


@misconception("softmax")
def softmax_over_the_batch(logits):
    """You normalized over the images. Each row sums to 1: use `axis=-1`, not `axis=0`."""
    return _softmax(logits, axis=0)


@misconception("softmax")
def softmax_over_everything(logits):
    """You divided by the sum of the whole array. Each row has its own sum: `axis=-1, keepdims=True`."""
    return _softmax(logits, axis=None)


@misconception("softmax")
def softmax_in_place(logits):
    """You changed the logits that you were given, by `logits -= ...`. Write `logits - ...`, which makes a new array."""
    logits -= logits.max(axis=-1, keepdims=True)
    return _softmax(logits)


@misconception("cross_entropy")
def summed_over_the_batch(probabilities, labels):
    """You summed over the batch. The loss is the mean: divide by the number of images."""
    return -np.sum(labels * np.log(probabilities + 1e-12))


@misconception("cross_entropy")
def mean_over_classes_too(probabilities, labels):
    """You averaged over the classes too. Sum over the classes, then take the mean over the images."""
    return -np.mean(labels * np.log(probabilities + 1e-12))


@misconception("cross_entropy")
def log_of_zero(probabilities, labels):
    """You took the logarithm of 0. Keep the probabilities away from it: `np.maximum(probabilities, 1e-12)`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.mean(np.sum(labels * np.log(probabilities), axis=-1))


@misconception("cross_entropy")
def sign_forgotten(probabilities, labels):
    """You left out the minus sign. Logarithms of probabilities are negative, and a loss is not."""
    return np.mean(np.sum(labels * np.log(probabilities + 1e-12), axis=-1))


@misconception("cross_entropy")
def logarithm_of_base_two(probabilities, labels):
    """You used the logarithm of base 2. The cross-entropy of the course uses the natural one: `np.log`."""
    return -np.mean(np.sum(labels * np.log2(probabilities + 1e-12), axis=-1))


def _deviation(x, axes):
    deviation = x.std(axis=axes)
    return np.where(deviation == 0, 1, deviation).astype(x.dtype)


def _standard(x, source, axes=(0, 1, 2)):
    return (x - source.mean(axis=axes)) / _deviation(source, axes)


def _fits(n, f, stride, padding):
    """Return True, or raise as ``output_size`` has to."""
    if f > n + 2 * padding or stride < 1:
        raise ValueError("the filter does not fit")
    return True


def _pad(x, padding):
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def _windows(x, size, stride):
    """Return every window of an image: ``(N, H', W', C, size, size)``."""
    return sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def _conv(x, kernels, bias, stride=1, padding=0):
    return np.einsum("nhwcij,ijck->nhwk", _windows(_pad(x, padding), len(kernels), stride), kernels) + bias


def _softmax(logits, axis=-1):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


MISCONCEPTIONS = collect(vars())
