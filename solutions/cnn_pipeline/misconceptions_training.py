"""Known wrong answers to the CNN pipeline: the backward passes, the step and the training.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the top are right, and
so are ``_train`` and ``_predict``: what a misconception changes about them is the mistake.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autograder.misconceptions import collect, misconception


def _pad(x, padding):
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def _windows(x, size, stride):
    """Return every window of an image: ``(N, H', W', C, size, size)``."""
    return sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def _put(target, top, left, window, overwrite):
    """Add a window ``(N, size, size, C)`` into an image, or overwrite what is there."""
    place = target[:, top : top + window.shape[1], left : left + window.shape[2]]
    place[...] = window if overwrite else place + window


def _conv_backward(grad, x, kernels, stride, padding, step=None, overwrite=False):
    """Differentiate ``conv2d``; ``step`` is the stride that the backward pass uses, by default the forward one's."""
    size, step, padded = len(kernels), step or stride, _pad(x, padding)
    rows, columns = grad.shape[1:3]
    seen = _windows(padded, size, step)[:, :rows, :columns]
    grad_padded = np.zeros_like(padded)
    for i, j in np.ndindex(rows, columns):
        window = np.einsum("nk,abck->nabc", grad[:, i, j], kernels)
        _put(grad_padded, i * step, j * step, window, overwrite)
    grad_x = grad_padded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]]
    return grad_x, np.einsum("nhwcij,nhwk->ijck", seen, grad), grad.sum(axis=(0, 1, 2))


def _pool_backward(grad, x, size, stride, share, overwrite=False):
    """Differentiate a pool; ``share`` tells what part of its gradient a window's pixels receive."""
    shares = share(_windows(x, size, stride)).transpose(0, 1, 2, 4, 5, 3)  # (N, H', W', size, size, C)
    grad_x = np.zeros_like(x)
    for i, j in np.ndindex(*shares.shape[1:3]):
        received = grad[:, i, j, None, None] * shares[:, i, j]
        before = grad_x[:, i * stride : i * stride + size, j * stride : j * stride + size]
        _put(grad_x, i * stride, j * stride, np.where(shares[:, i, j], received, before if overwrite else 0), overwrite)
    return grad_x


def _is_maximum(windows):
    return windows == windows.max(axis=(-2, -1), keepdims=True)


def _descend(parameters, gradients, learning_rate):
    return {name: value - learning_rate * gradients[name] for name, value in parameters.items()}


def _train(images, labels, epochs=10, learning_rate=0.5, seed=0, update=_descend):
    rng = np.random.default_rng(seed)
    parameters = {
        "kernels": rng.normal(0, 0.3, (3, 3, 1, 8)), "bias": np.zeros(8),
        "weights": rng.normal(0, 0.05, (288, 10)), "offset": np.zeros(10),
    }  # fmt: skip
    losses = []
    for _ in range(epochs):
        batches = np.array_split(rng.permutation(len(images)), max(1, len(images) // 32))
        total = 0.0
        for batch in batches:
            gradients, loss = _gradients(parameters, images[batch], labels[batch])
            parameters = update(parameters, gradients, learning_rate)
            total += loss * len(batch) / len(images)
        losses.append(total)
    return parameters, losses


def _features(parameters, images):
    kernels = parameters["kernels"]
    z = np.einsum("nhwcij,ijck->nhwk", _windows(images, 3, 1), kernels, optimize=True) + parameters["bias"]
    return np.maximum(z, 0)  # (N, 6, 6, 8)


def _logits(parameters, images):
    return _features(parameters, images).reshape(len(images), -1) @ parameters["weights"] + parameters["offset"]


def _softmax(logits, axis=-1):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def _predict(parameters, images):
    return _softmax(_logits(parameters, images))


def _gradients(parameters, images, labels):
    features = _features(parameters, images)
    probabilities = _predict(parameters, images)
    grad = (probabilities - labels) / len(images)
    grad_z = (grad @ parameters["weights"].T).reshape(features.shape) * (features > 0)
    gradients = {
        "kernels": np.einsum("nhwcij,nhwk->ijck", _windows(images, 3, 1), grad_z, optimize=True),
        "bias": grad_z.sum(axis=(0, 1, 2)),
        "weights": features.reshape(len(images), -1).T @ grad,
        "offset": grad.sum(axis=0),
    }
    return gradients, -np.log(np.sum(probabilities * labels, axis=-1) + 1e-12).mean()


@misconception("conv2d_backward")
def bias_gradient_averaged(grad, x, kernels, stride=1, padding=0):
    """You averaged the bias gradient. Each output position adds to it: sum `grad` over images, height and width."""
    grad_x, grad_kernels, _ = _conv_backward(grad, x, kernels, stride, padding)
    return grad_x, grad_kernels, grad.mean(axis=(0, 1, 2))


@misconception("conv2d_backward")
def gradient_through_flipped_kernel(grad, x, kernels, stride=1, padding=0):
    """You flipped the kernel in `grad_x`. `grad[i, j]` goes back to `x[i + m, j + n]` through `kernels[m, n]`."""
    _, grad_kernels, grad_bias = _conv_backward(grad, x, kernels, stride, padding)
    return _conv_backward(grad, x, kernels[::-1, ::-1], stride, padding)[0], grad_kernels, grad_bias


@misconception("conv2d_backward")
def backward_without_stride(grad, x, kernels, stride=1, padding=0):
    """You left the stride out of the backward pass. `grad[i, j]` belongs to the window that starts at `i * stride`."""
    return _conv_backward(grad, x, kernels, stride, padding, step=1)


@misconception("conv2d_backward")
def padding_cut_at_zero(grad, x, kernels, stride=1, padding=0):
    """You cut the padding off by `[padding:-padding]`, which is empty at padding 0. Use `[padding : padding + H]`."""
    grad_padded, grad_kernels, grad_bias = _conv_backward(grad, _pad(x, padding), kernels, stride, 0)
    return grad_padded[:, padding:-padding, padding:-padding], grad_kernels, grad_bias


@misconception("conv2d_backward")
def padding_not_removed(grad, x, kernels, stride=1, padding=0):
    """You returned the gradient of the padded image. Cut the padding off: `grad_x` has the shape of `x`."""
    return _conv_backward(grad, _pad(x, padding), kernels, stride, 0)


@misconception("conv2d_backward")
def overlaps_overwritten(grad, x, kernels, stride=1, padding=0):
    """You set the gradient where windows overlap. A pixel that several windows saw collects from all: `+=`, not `=`."""
    _, grad_kernels, grad_bias = _conv_backward(grad, x, kernels, stride, padding)
    return _conv_backward(grad, x, kernels, stride, padding, overwrite=True)[0], grad_kernels, grad_bias


@misconception("conv2d_backward")
def kernel_gradient_averaged(grad, x, kernels, stride=1, padding=0):
    """You divided the kernel gradient by the batch size. The mean is already in `grad`: sum over the images."""
    grad_x, grad_kernels, grad_bias = _conv_backward(grad, x, kernels, stride, padding)
    return grad_x, grad_kernels / len(x), grad_bias


@misconception("max_pool2d_backward")
def gradient_spread_evenly(grad, x, size=2, stride=None):
    """You spread the gradient over the window, as average pooling does. Only the largest value receives it."""
    return _pool_backward(grad, x, size, stride or size, lambda windows: np.full_like(windows, 1 / size**2))


@misconception("max_pool2d_backward")
def pool_overlaps_overwritten(grad, x, size=2, stride=None):
    """You set the gradient where windows overlap. A value that wins in several windows collects from all: `+=`."""
    return _pool_backward(grad, x, size, stride or size, _is_maximum, overwrite=True)


@misconception("max_pool2d_backward")
def backward_stride_ignored(grad, x, size=2, stride=None):
    """You moved the window by its size. It moves by `stride`, as in `max_pool2d`; only when that is None by `size`."""
    return _pool_backward(grad, x, size, size, _is_maximum)


@misconception("max_pool2d_backward")
def upstream_gradient_ignored(grad, x, size=2, stride=None):
    """You marked the winners by 1. Each passes on the gradient that arrives at its window: multiply by `grad`."""
    return _pool_backward(np.ones_like(grad), x, size, stride or size, _is_maximum)


@misconception("sgd_step")
def climbed(parameters, gradients, learning_rate):
    """You added the gradient, which climbs. To descend, subtract it: `value - learning_rate * gradient`."""
    return {name: value + learning_rate * gradients[name] for name, value in parameters.items()}


@misconception("sgd_step")
def learning_rate_forgotten(parameters, gradients, learning_rate):
    """You subtracted the whole gradient. The learning rate scales the step: `value - learning_rate * gradient`."""
    return {name: value - gradients[name] for name, value in parameters.items()}


@misconception("sgd_step")
def updated_in_place(parameters, gradients, learning_rate):
    """You changed the arrays that you were given, by `-=`. Build a new dict of new arrays."""
    for name, gradient in gradients.items():
        parameters[name] -= learning_rate * gradient
    return parameters


@misconception("train_cnn", predict_cnn=_predict)
def never_updated(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """You never kept the updated parameters. `sgd_step` returns new ones: `parameters = sgd_step(...)`."""
    return _train(images, labels, epochs, learning_rate, seed, update=lambda parameters, *_: parameters)


@misconception("train_cnn", predict_cnn=_predict)
def trained_uphill(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """Your loss rises. Look at the sign of the step, and of `probabilities - labels`, where the gradient begins."""
    return _train(images, labels, epochs, -learning_rate, seed)


@misconception("train_cnn", predict_cnn=_predict)
def labels_left_behind(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """You shuffled the images without their labels. Draw one permutation and use it for both arrays."""
    return _train(np.random.default_rng(seed).permutation(images), labels, epochs, learning_rate, seed)


@misconception("train_cnn", predict_cnn=_predict)
def learning_rate_ignored(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """You trained with a learning rate of your own. Pass the argument on: `sgd_step(..., learning_rate)`."""
    return _train(images, labels, epochs, 0.5, seed)


@misconception("train_cnn", predict_cnn=_predict)
def epochs_ignored(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """You trained for a number of epochs of your own. An epoch is one pass over all images; make `epochs` of them."""
    return _train(images, labels, 5, learning_rate, seed)


@misconception("train_cnn", predict_cnn=_predict)
def seed_ignored(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """You drew random numbers without the seed. Make one generator for all draws: `np.random.default_rng(seed)`."""
    return _train(images, labels, epochs, learning_rate, seed=None)


@misconception("train_cnn", predict_cnn=_predict)
def losses_summed(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """You summed the losses of the batches. One epoch gives one mean: divide the sum by the number of images."""
    parameters, losses = _train(images, labels, epochs, learning_rate, seed)
    return parameters, [loss * len(images) for loss in losses]


@misconception("train_cnn", predict_cnn=_predict)
def last_loss_only(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """You returned only the last loss. Append one mean loss per epoch to a list, and return the list."""
    parameters, losses = _train(images, labels, epochs, learning_rate, seed)
    return parameters, losses[-1:]


@misconception("train_cnn", predict_cnn=_predict)
def images_centered_in_place(images, labels, epochs=10, learning_rate=0.5, seed=0):
    """You changed the images that you were given, by `images -= ...`. Write `images = images - ...`."""
    images -= images.mean()
    return _train(images, labels, epochs, learning_rate, seed)


@misconception("train_cnn", function="predict_cnn", train_cnn=_train)
def logits_for_probabilities(parameters, images):
    """You returned the logits. `predict_cnn` returns probabilities: apply `softmax` at the end."""
    return _logits(parameters, images)


@misconception("train_cnn", function="predict_cnn", train_cnn=_train)
def labels_for_probabilities(parameters, images):
    """You returned the predicted classes. `predict_cnn` returns all ten probabilities of each image, `(N, 10)`."""
    return _logits(parameters, images).argmax(axis=-1)


@misconception("train_cnn", function="predict_cnn", train_cnn=_train)
def probabilities_over_the_batch(parameters, images):
    """You normalized over the images. The ten probabilities of each image sum to 1: `axis=-1`."""
    return _softmax(_logits(parameters, images), axis=0)


MISCONCEPTIONS = collect(vars())
