"""A correct answer that writes each formula as an Einstein sum over sliding windows.

Its network differs from the suggested one: a padded convolution, average pooling, and momentum.
Letters: n image, i j position in the output, c channel, u v position in the window, k channel of the output.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def to_tensor(images):
    tensor = images.astype(np.float32)
    tensor /= 255
    return tensor[..., None] if tensor.ndim == 3 else tensor


def standardize(train, test):
    mean = train.mean((0, 1, 2), keepdims=True, dtype=np.float64)
    std = np.sqrt(np.einsum("nijc->c", (train - mean) ** 2) / train[..., 0].size)
    varies = (train != train[:1, :1, :1]).any((0, 1, 2))
    inverse = np.divide(1, std, out=np.zeros_like(std), where=varies)
    return np.einsum("nijc,c->nijc", train - mean, inverse), np.einsum("nijc,c->nijc", test - mean, inverse)


def output_size(n, f, stride=1, padding=0):
    starts = range(0, n + 2 * padding - f + 1, stride) if stride > 0 else ()
    if len(starts) == 0:
        raise ValueError("the window must fit at least once, and move")
    return len(starts)


def windows_of(x, size, stride):
    """Return every ``stride``-th window, ``(n, i, j, c, u, v)``."""
    return sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]


def padded_by(x, padding):
    return np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)], mode="constant")


def conv2d(x, kernels, bias, stride=1, padding=0):
    windows = windows_of(padded_by(x, padding), kernels.shape[0], stride)
    return np.einsum("nijcuv,uvck->nijk", windows, kernels, optimize=True) + bias


def relu(x):
    return np.where(x > 0, x, np.zeros_like(x))


def max_pool2d(x, size=2, stride=None):
    return np.amax(windows_of(x, size, size if stride is None else stride), axis=(-2, -1))


def average_pool2d(x, size=2, stride=None):
    return np.einsum("nijcuv->nijc", windows_of(x, size, size if stride is None else stride)) / size**2


def global_average_pool(x):
    return np.einsum("nijc->nc", x) / (x.shape[1] * x.shape[2])


def dense(x, weights, bias):
    return np.einsum("nd,dk->nk", x, weights, optimize=True) + bias


def softmax(logits):
    scores = np.exp(logits - np.amax(logits, axis=-1, keepdims=True))
    return np.einsum("...k,...->...k", scores, 1 / np.einsum("...k->...", scores))


def cross_entropy(probabilities, labels):
    tiny = np.finfo(probabilities.dtype).tiny
    return -np.einsum("nk,nk->", labels, np.log(probabilities + tiny)) / probabilities.shape[0]


def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    size = kernels.shape[0]
    padded = padded_by(x, padding)
    grad_kernels = np.einsum("nijcuv,nijk->uvck", windows_of(padded, size, stride), grad, optimize=True)
    # The gradient of the input is a full convolution of the spread-out gradient with the turned kernels.
    spread = np.zeros((len(x), padded.shape[1] + size - 1, padded.shape[2] + size - 1, grad.shape[3]), grad.dtype)
    rows, columns = (size - 1 + stride * np.arange(count) for count in grad.shape[1:3])
    spread[:, rows[:, None], columns] = grad
    grad_padded = np.einsum("nijkuv,uvck->nijc", windows_of(spread, size, 1), kernels[::-1, ::-1], optimize=True)
    grad_x = grad_padded[:, padding : grad_padded.shape[1] - padding, padding : grad_padded.shape[2] - padding]
    return grad_x, grad_kernels, np.einsum("nijk->k", grad)


def max_pool2d_backward(grad, x, size=2, stride=None):
    stride = size if stride is None else stride
    grad_x = np.zeros(x.shape, np.result_type(x, grad))
    windows = windows_of(x, size, stride)
    n, i, j, c = np.indices(grad.shape)
    u, v = np.unravel_index(windows.reshape(*grad.shape, -1).argmax(-1), (size, size))
    np.add.at(grad_x, (n, i * stride + u, j * stride + v, c), grad)
    return grad_x


def sgd_step(parameters, gradients, learning_rate):
    return {name: np.subtract(parameters[name], learning_rate * gradients[name]) for name in parameters}


def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    generator = np.random.Generator(np.random.PCG64(seed))
    height, width, channels = images.shape[1:]
    features = (height // 2) * (width // 2) * 12
    parameters = {
        "kernels": generator.normal(size=(3, 3, channels, 12)) * (2 / (9 * channels)) ** 0.5,
        "bias": np.zeros(12),
        "weights": generator.normal(size=(features, labels.shape[1])) * (1 / features) ** 0.5,
        "offset": np.zeros(labels.shape[1]),
    }
    velocity = {name: np.zeros_like(value) for name, value in parameters.items()}
    losses = []
    for epoch in range(epochs):
        order = generator.permutation(len(images))
        total = 0.0
        for batch in (order[start : start + 32] for start in range(0, len(order), 32)):
            loss, gradients = gradients_of(parameters, images[batch], labels[batch])
            velocity = {name: 0.8 * velocity[name] + gradients[name] for name in velocity}
            parameters = sgd_step(parameters, velocity, learning_rate / 3 * (1 - epoch / epochs))
            total += float(loss) * len(batch)
        losses.append(total / len(images))
    return parameters, losses


def predict_cnn(parameters, images):
    return network(parameters, images)[2]


def network(parameters, x):
    z = conv2d(x, parameters["kernels"], parameters["bias"], padding=1)
    pooled = average_pool2d(relu(z))
    logits = dense(pooled.reshape(pooled.shape[0], -1), parameters["weights"], parameters["offset"])
    return z, pooled, softmax(logits)


def gradients_of(parameters, x, y):
    z, pooled, probabilities = network(parameters, x)
    error = (probabilities - y) / len(y)
    share = np.einsum("nk,dk->nd", error, parameters["weights"]).reshape(pooled.shape) / 4
    upstream = np.where(z > 0, share.repeat(2, axis=1).repeat(2, axis=2), 0)
    _, kernels, bias = conv2d_backward(upstream, x, parameters["kernels"], padding=1)
    weights = np.einsum("nd,nk->dk", pooled.reshape(len(y), -1), error)
    gradients = {"kernels": kernels, "bias": bias, "weights": weights, "offset": np.einsum("nk->k", error)}
    return cross_entropy(probabilities, y), gradients
