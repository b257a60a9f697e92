"""A correct answer in linear algebra: every linear layer is a matrix, and its way back is the matrix transposed.

A table says for each place of the window which pixel each of its cells sees; a cell in the padding sees one more pixel
behind the last, which is zero. The table as zeros and ones turns kernels into the matrix of a convolution. Its network
has no pool: the first convolution moves by two, a second one follows, and the steps have momentum.
"""

from functools import cache

import numpy as np


def to_tensor(images):
    count, height, width, *channels = images.shape
    return np.true_divide(images, 255, dtype="f4").reshape(count, height, width, *(channels or [1]))


def standardize(train, test):
    pixels = train.reshape(-1, train.shape[3]).astype(float)
    share = np.full(len(pixels), 1 / len(pixels))
    mean = share @ pixels
    std = np.sqrt(share @ (pixels - mean) ** 2)
    return (train - mean) / (std + 1e-8), (test - mean) / (std + 1e-8)


def output_size(n, f, stride=1, padding=0):
    if stride < 1 or f > n + 2 * padding:
        raise ValueError(f"{f=} does not move through {n=} by {stride=} with {padding=}")
    return divmod(n + 2 * padding - f, stride)[0] + 1


@cache
def sight(height, width, size, stride, padding=0):
    """Return which pixel each cell sees from each place, ``(places, size * size)``; ``height * width`` is a zero."""
    numbers = np.full((height + 2 * padding, width + 2 * padding), height * width)
    numbers[padding : padding + height, padding : padding + width] = np.arange(height * width).reshape(height, width)
    corners = (
        stride * np.arange(output_size(height, size, stride, padding)),
        stride * np.arange(output_size(width, size, stride, padding)),
    )
    rows, columns = (np.add.outer(corner, np.arange(size)) for corner in corners)
    return numbers[rows[:, None, :, None], columns[None, :, None, :]].reshape(-1, size * size)


@cache
def selection(*geometry):
    """Return the table as zeros and ones, ``(places, cells, pixels)``; a cell in the padding selects nothing."""
    height, width, *_ = geometry
    return np.eye(height * width + 1, height * width)[sight(*geometry)]


def geometry_of(x, kernels, stride, padding):
    return x.shape[1], x.shape[2], kernels.shape[0], stride, padding


def matrix_of(kernels, geometry):
    """Return the matrix of a convolution, ``(pixels * C_in, places * C_out)``."""
    cells = kernels.reshape(-1, *kernels.shape[2:])
    matrix = np.tensordot(selection(*geometry), cells, axes=(1, 0))  # (places, pixels, C_in, C_out)
    return matrix.transpose(1, 2, 0, 3).reshape(-1, matrix.shape[0] * matrix.shape[3])


def conv2d(x, kernels, bias, stride=1, padding=0):
    geometry = geometry_of(x, kernels, stride, padding)
    rows, columns = (output_size(n, len(kernels), stride, padding) for n in x.shape[1:3])
    return (x.reshape(len(x), -1) @ matrix_of(kernels, geometry)).reshape(len(x), rows, columns, -1) + bias


def relu(x):
    return x.clip(min=0)


def windows_of(x, size, stride):
    """Return the windows, ``(N, H', W', cells, C)``."""
    stride = size if stride is None else stride
    n, h, w, c = x.shape
    seen = x.reshape(n, h * w, c)[:, sight(h, w, size, stride)]
    return seen.reshape(n, output_size(h, size, stride), output_size(w, size, stride), size * size, c)


def max_pool2d(x, size=2, stride=None):
    return np.sort(windows_of(x, size, stride), axis=3)[:, :, :, -1]


def average_pool2d(x, size=2, stride=None):
    return np.full(size**2, size**-2.0) @ windows_of(x, size, stride)


def global_average_pool(x):
    n, h, w, c = x.shape
    return (np.ones(h * w) @ x.reshape(n, h * w, c)) / (h * w)


def dense(x, weights, bias):
    return np.column_stack([x, np.ones(len(x))]) @ np.vstack([weights, bias])


def softmax(logits):
    return np.exp(logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True))


def cross_entropy(probabilities, labels):
    surprise = -np.log(probabilities + 1e-12)
    return np.trace(labels @ surprise.T) / len(labels)


def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    geometry = geometry_of(x, kernels, stride, padding)
    flat = grad.reshape(len(grad), -1)
    grad_x = flat @ matrix_of(kernels, geometry).T
    places = grad.reshape(len(grad), -1, grad.shape[3])  # (N, places, C_out)
    pixels = x.reshape(len(x), -1, x.shape[3])  # (N, pixels, C_in)
    pairs = np.tensordot(pixels, places, axes=(0, 0))  # (pixels, C_in, places, C_out)
    grad_kernels = np.tensordot(selection(*geometry), pairs, axes=((0, 2), (2, 0)))
    return grad_x.reshape(x.shape), grad_kernels.reshape(kernels.shape), places.sum(1).sum(0)


def max_pool2d_backward(grad, x, size=2, stride=None):
    n, h, w, c = x.shape
    winner = windows_of(x, size, stride).argmax(axis=3).reshape(n, -1, c)  # (N, places, C)
    table = sight(h, w, size, size if stride is None else stride)
    pixel = table[np.arange(len(table))[:, None], winner]
    image, _, channel = np.indices(winner.shape)
    number = np.ravel_multi_index((image, pixel, channel), (n, h * w, c))
    return np.bincount(number.ravel(), grad.ravel(), minlength=x.size).reshape(x.shape)


def sgd_step(parameters, gradients, learning_rate):
    names = list(parameters)
    return dict(zip(names, [parameters[name] + -learning_rate * gradients[name] for name in names], strict=True))


def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    random = np.random.default_rng(seed)
    weights = start(random, images.shape[3], labels.shape[1])
    velocity, losses = {name: 0 * weight for name, weight in weights.items()}, []
    batches = int(np.ceil(len(images) / 25))
    for epoch in range(epochs):
        rate = 0.04 * learning_rate * (1 + np.cos(np.pi * epoch / epochs))
        parts = []
        for batch in np.array_split(random.permutation(len(images)), batches):
            loss, slope = slopes(weights, images[batch], labels[batch])
            velocity = sgd_step(slope, velocity, -0.9)  # 0.9 times what it was, plus the slope
            weights = sgd_step(weights, velocity, rate)
            parts.append((loss, len(batch)))
        losses.append(np.dot(*np.transpose(parts)) / len(images))
    return weights, losses


def predict_cnn(parameters, images):
    return run(parameters, images)[-1]


def start(random, channels, classes):
    shapes = {"K1": (3, 3, channels, 16), "K2": (3, 3, 16, 32), "W": (128, classes)}
    weights = {}
    for name, shape in shapes.items():
        inputs = np.prod(shape[:-1])
        weights[name] = random.uniform(-1, 1, shape) * np.sqrt(6 / inputs)
        weights["b" + name] = np.full(shape[-1], 0.01)
    return weights


def run(w, x):
    first = relu(conv2d(x, w["K1"], w["bK1"], stride=2, padding=1))  # (N, 4, 4, 16)
    second = relu(conv2d(first, w["K2"], w["bK2"]))  # (N, 2, 2, 32)
    flat = second.reshape(len(x), -1)
    return first, second, flat, softmax(dense(flat, w["W"], w["bW"]))


def slopes(w, x, y):
    first, second, flat, probabilities = run(w, x)
    slope = {}
    wrong = (probabilities - y) / len(y)
    slope["W"], slope["bW"] = flat.T @ wrong, wrong.sum(axis=0)
    back = np.sign(second) * (wrong @ w["W"].T).reshape(second.shape)
    back, slope["K2"], slope["bK2"] = conv2d_backward(back, first, w["K2"])
    _, slope["K1"], slope["bK1"] = conv2d_backward(np.sign(first) * back, x, w["K1"], stride=2, padding=1)
    return cross_entropy(probabilities, y), slope
