"""The hidden solution of the CNN pipeline.

One idea carries convolution and pooling: ``_taps`` gives, for each position of the window, the strided view of the
image that this position sees. Stacked, the views are what a pool reduces; side by side, they are the rows that a
convolution multiplies; and writing into them is the backward pass of both.
"""

from collections.abc import Iterator

import numpy as np


def to_tensor(images):
    scaled = images.astype(np.float32) / np.float32(255)
    return scaled if images.ndim == 4 else scaled[..., np.newaxis]


def standardize(train, test):
    axes = tuple(range(train.ndim - 1))
    low, high = train.min(axis=axes), train.max(axis=axes)
    constant = low == high  # decided exactly: rounding would leave a constant channel a tiny deviation to divide by
    center = np.where(constant, low, train.mean(axis=axes, dtype=np.float64))
    scale = np.where(constant, 1.0, train.std(axis=axes, dtype=np.float64))
    return ((train - center) / scale).astype(train.dtype), ((test - center) / scale).astype(test.dtype)


def output_size(n, f, stride=1, padding=0):
    if stride < 1:
        raise ValueError(f"expected a stride of at least 1, received {stride}")
    if f > n + 2 * padding:
        raise ValueError(f"a filter of size {f} does not fit into {n} + 2 * {padding}")
    return (n - f + 2 * padding) // stride + 1


def conv2d(x, kernels, bias, stride=1, padding=0):
    columns = _columns(_pad(x, padding), kernels.shape[0], stride)  # (N, H', W', F * F * C_in)
    return np.tensordot(columns, kernels.reshape(-1, kernels.shape[-1]), axes=1) + bias


def relu(x):
    return np.maximum(x, 0)


def max_pool2d(x, size=2, stride=None):
    return np.max(list(_taps(x, size, stride or size)), axis=0)


def average_pool2d(x, size=2, stride=None):
    return np.mean(list(_taps(x, size, stride or size)), axis=0)


def global_average_pool(x):
    return x.mean(axis=(1, 2))


def dense(x, weights, bias):
    return x @ weights + bias


def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def cross_entropy(probabilities, labels):
    return float(-np.sum(labels * np.log(np.maximum(probabilities, 1e-12))) / len(labels))


def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    size, c_out = kernels.shape[0], kernels.shape[-1]
    padded = _pad(x, padding)
    columns = _columns(padded, size, stride)
    grad_kernels = np.tensordot(columns, grad, axes=([0, 1, 2], [0, 1, 2])).reshape(kernels.shape)
    grad_padded = np.zeros(padded.shape, np.result_type(grad, kernels))
    for tap, kernel in zip(_taps(grad_padded, size, stride), kernels.reshape(size * size, -1, c_out), strict=True):
        tap[...] += np.tensordot(grad, kernel.T, axes=1)
    height, width = x.shape[1:3]
    grad_x = grad_padded[:, padding : padding + height, padding : padding + width]
    return grad_x, grad_kernels, grad.sum(axis=(0, 1, 2))


def max_pool2d_backward(grad, x, size=2, stride=None):
    stride = stride or size
    winner = np.argmax(list(_taps(x, size, stride)), axis=0)  # the first of equals takes the gradient
    grad_x = np.zeros(x.shape, np.result_type(grad, x))
    for index, tap in enumerate(_taps(grad_x, size, stride)):
        tap[...] += grad * (winner == index)
    return grad_x


def sgd_step(parameters, gradients, learning_rate):
    return {name: value - learning_rate * gradients[name] for name, value in parameters.items()}


def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    rng = np.random.default_rng(seed)
    parameters = _initial(rng, images.shape[1:], filters=16, classes=labels.shape[1])
    losses = []
    for epoch in range(epochs):
        step = learning_rate * (1 - epoch / epochs)  # large steps to get there, small ones to settle
        order, total = rng.permutation(len(images)), 0.0
        for start in range(0, len(images), 16):
            batch = order[start : start + 16]
            loss, gradients = _loss_and_gradients(parameters, images[batch], labels[batch])
            parameters = sgd_step(parameters, gradients, step)
            total += loss * len(batch)
        losses.append(total / len(images))
    return parameters, losses


def predict_cnn(parameters, images):
    features = relu(conv2d(images, parameters["kernels"], parameters["kernel_bias"]))
    flat = max_pool2d(features).reshape(len(images), -1)
    return softmax(dense(flat, parameters["weights"], parameters["weight_bias"]))


def _pad(x, padding):
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))


def _taps(x, size, stride) -> Iterator[np.ndarray]:
    """Yield the ``size * size`` views ``(N, H', W', C)`` of ``x``, one per position of the window."""
    rows, columns = output_size(x.shape[1], size, stride), output_size(x.shape[2], size, stride)
    for top in range(size):
        for left in range(size):
            yield x[:, top : top + stride * rows : stride, left : left + stride * columns : stride]


def _columns(x, size, stride):
    return np.concatenate(list(_taps(x, size, stride)), axis=-1)


def _initial(rng, shape, filters, classes):
    height, width, channels = shape
    flat = ((height - 2) // 2) * ((width - 2) // 2) * filters
    return {
        "kernels": rng.normal(0, np.sqrt(2 / (9 * channels)), (3, 3, channels, filters)),
        "kernel_bias": np.zeros(filters),
        "weights": rng.normal(0, np.sqrt(1 / flat), (flat, classes)),
        "weight_bias": np.zeros(classes),
    }


def _loss_and_gradients(parameters, images, labels):
    z = conv2d(images, parameters["kernels"], parameters["kernel_bias"])
    features = relu(z)
    pooled = max_pool2d(features)
    flat = pooled.reshape(len(images), -1)
    probabilities = softmax(dense(flat, parameters["weights"], parameters["weight_bias"]))
    grad_logits = (probabilities - labels) / len(images)
    grad_pooled = (grad_logits @ parameters["weights"].T).reshape(pooled.shape)
    grad_z = max_pool2d_backward(grad_pooled, features) * (z > 0)
    _, grad_kernels, grad_kernel_bias = conv2d_backward(grad_z, images, parameters["kernels"])
    gradients = {
        "kernels": grad_kernels,
        "kernel_bias": grad_kernel_bias,
        "weights": flat.T @ grad_logits,
        "weight_bias": grad_logits.sum(axis=0),
    }
    return cross_entropy(probabilities, labels), gradients
