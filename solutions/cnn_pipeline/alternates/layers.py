"""A correct answer in objects: a network is a list of layers, each of which knows its way forward and its way back.

Convolution and pooling visit the places of the output and treat all images of the batch at once. Its network has two
convolutions, with an average pool after the first and a maximum pool after the second.
"""

import copy
from dataclasses import dataclass
from functools import reduce

import numpy as np


def to_tensor(images):
    gray_of_byte = np.linspace(0, 1, 256, dtype=np.float32)
    tensor = gray_of_byte[images]
    return np.stack([tensor], axis=-1) if tensor.ndim == 3 else tensor


def standardize(train, test):
    first = train[0, 0, 0]  # measured from a pixel, a constant channel is zero to the last bit
    shifted = (train - first).astype(np.float64)
    mean = np.average(shifted, axis=(0, 1, 2))
    std = np.average(np.square(shifted - mean), axis=(0, 1, 2)) ** 0.5
    std = np.array([deviation if deviation > 0 else 1.0 for deviation in std])
    return (shifted - mean) / std, (test - first - mean) / std


def output_size(n, f, stride=1, padding=0):
    if stride < 1:
        raise ValueError("A window that does not move never arrives.")
    places, start = 0, -padding
    while start + f <= n + padding:
        places += 1
        start += stride
    if places == 0:
        raise ValueError("The window is larger than the padded input.")
    return places


@dataclass
class Places:
    """Where a square window stops on images ``(N, H, W, C)``."""

    height: int
    width: int
    size: int
    stride: int

    @property
    def grid(self):
        """Rows and columns of the output."""
        return tuple(output_size(n, self.size, self.stride) for n in (self.height, self.width))

    def __iter__(self):
        """Yield each place of the output with the part of the image that is seen from there."""
        for i, j in np.ndindex(self.grid):
            top, left = i * self.stride, j * self.stride
            yield i, j, np.s_[:, top : top + self.size, left : left + self.size, :]


def framed(x, padding):
    """Return the images with a frame of zeros, and where in it they are."""
    n, h, w, c = x.shape
    inside = np.s_[:, padding : padding + h, padding : padding + w, :]
    frame = np.zeros_like(x, shape=(n, h + 2 * padding, w + 2 * padding, c))
    frame[inside] = x
    return frame, inside


def conv2d(x, kernels, bias, stride=1, padding=0):
    frame, _ = framed(x, padding)
    places = Places(*frame.shape[1:3], kernels.shape[0], stride)
    out = np.empty_like(frame, shape=(len(x), *places.grid, kernels.shape[3]))
    for i, j, window in places:
        out[:, i, j] = np.tensordot(frame[window], kernels, axes=3) + bias
    return out


def relu(x):
    return (x + abs(x)) / 2


def max_pool2d(x, size=2, stride=None):
    places = Places(*x.shape[1:3], size, stride or size)
    out = np.empty_like(x, shape=(len(x), *places.grid, x.shape[3]))
    for i, j, window in places:
        out[:, i, j] = np.max(x[window], axis=(1, 2))
    return out


def average_pool2d(x, size=2, stride=None):
    places = Places(*x.shape[1:3], size, stride or size)
    out = np.empty_like(x, shape=(len(x), *places.grid, x.shape[3]))
    for i, j, window in places:
        out[:, i, j] = np.average(x[window], axis=(1, 2))
    return out


def global_average_pool(x):
    return np.average(np.average(x, axis=1), axis=1)


def dense(x, weights, bias):
    return np.add(np.matmul(x, weights), bias)


def softmax(logits):
    return np.apply_along_axis(softmax_of_row, -1, logits)


def softmax_of_row(row):
    powers = np.exp(row - max(row))
    return powers / sum(powers)


def cross_entropy(probabilities, labels):
    of_the_right_class = probabilities[np.arange(len(labels)), np.argmax(labels, axis=1)]
    return np.average(-np.log(np.fmax(of_the_right_class, 1e-10)))


def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    frame, inside = framed(x, padding)
    grad_frame, grad_kernels = np.zeros_like(frame), np.zeros_like(kernels)
    for i, j, window in Places(*frame.shape[1:3], kernels.shape[0], stride):
        grad_kernels += np.tensordot(frame[window], grad[:, i, j], axes=(0, 0))
        grad_frame[window] += np.tensordot(grad[:, i, j], kernels, axes=(1, 3))
    return grad_frame[inside], grad_kernels, np.apply_over_axes(np.sum, grad, (0, 1, 2)).ravel()


def max_pool2d_backward(grad, x, size=2, stride=None):
    grad_x = np.zeros_like(x)
    images, channels = np.ogrid[: x.shape[0], : x.shape[3]]
    for i, j, window in Places(*x.shape[1:3], size, stride or size):
        best = x[window].reshape(len(x), size * size, -1).argmax(axis=1)  # (N, C)
        grad_x[window][images, best // size, best % size, channels] += grad[:, i, j]
    return grad_x


def sgd_step(parameters, gradients, learning_rate):
    moved = copy.deepcopy(parameters)
    for name in moved:
        moved[name] -= learning_rate * gradients[name]
    return moved


class Convolution:
    """A convolution that keeps the size of the image."""

    def __init__(self, name, parameters):
        self.weights, self.bias = name + " kernels", name + " bias"
        self.parameters = parameters

    def forward(self, x):
        """Return the feature maps of a batch of images."""
        self.x = x
        return conv2d(x, self.parameters[self.weights], self.parameters[self.bias], padding=1)

    def backward(self, grad, gradients):
        """Note the gradients of the parameters and return that of the images."""
        result = conv2d_backward(grad, self.x, self.parameters[self.weights], padding=1)
        grad_x, gradients[self.weights], gradients[self.bias] = result
        return grad_x


class Dense(Convolution):
    """A fully connected layer, which flattens what it is given."""

    def forward(self, x):
        """Return the logits."""
        self.x = x
        return dense(x.reshape(len(x), -1), self.parameters[self.weights], self.parameters[self.bias])

    def backward(self, grad, gradients):
        """Note the gradients of the parameters and return that of the features."""
        gradients[self.weights] = self.x.reshape(len(self.x), -1).T @ grad
        gradients[self.bias] = grad.sum(0)
        return (grad @ self.parameters[self.weights].T).reshape(self.x.shape)


class Rectifier:
    """ReLU."""

    def forward(self, x):
        """Return what is positive."""
        self.positive = x > 0
        return relu(x)

    def backward(self, grad, gradients):
        """Stop the gradient where nothing passed."""
        return grad * self.positive


class AveragePool:
    """The mean of two by two."""

    def forward(self, x):
        """Return images of half the size."""
        return average_pool2d(x)

    def backward(self, grad, gradients):
        """Share each gradient among four."""
        return np.kron(grad, np.full((1, 2, 2, 1), 0.25))


class MaxPool:
    """The largest of two by two."""

    def forward(self, x):
        """Return images of half the size."""
        self.x = x
        return max_pool2d(x)

    def backward(self, grad, gradients):
        """Give each gradient to the winner."""
        return max_pool2d_backward(grad, self.x)


def network(parameters):
    """Return the layers in order."""
    first, second = Convolution("first", parameters), Convolution("second", parameters)
    return [first, Rectifier(), AveragePool(), second, Rectifier(), MaxPool(), Dense("last", parameters)]


def glorot(rng, *shape):
    """Draw weights whose last two axes are inputs and outputs of a unit."""
    bound = np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1])))
    return rng.uniform(-bound, bound, shape)


def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    rng = np.random.default_rng([seed, 8])
    parameters = {"first kernels": glorot(rng, 3, 3, 1, 8), "first bias": np.zeros(8)}
    parameters |= {"second kernels": glorot(rng, 3, 3, 8, 16), "second bias": np.zeros(16)}
    parameters |= {"last kernels": glorot(rng, 2 * 2 * 16, 10), "last bias": np.zeros(10)}
    history = []
    for epoch in range(epochs):
        order = rng.permutation(len(images))
        seen = 0.0
        for batch in np.split(order, range(10, len(order), 10)):
            layers, gradients = network(parameters), {}
            logits = reduce(lambda x, layer: layer.forward(x), layers, images[batch])
            probabilities = softmax(logits)
            seen += cross_entropy(probabilities, labels[batch]) * len(batch)
            error = (probabilities - labels[batch]) / len(batch)
            reduce(lambda grad, layer: layer.backward(grad, gradients), reversed(layers), error)
            parameters = sgd_step(parameters, gradients, learning_rate / (2 + epoch / 2))
        history.append(seen / len(images))
    return parameters, history


def predict_cnn(parameters, images):
    return softmax(reduce(lambda x, layer: layer.forward(x), network(parameters), images))
