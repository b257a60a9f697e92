"""A correct answer as a beginner writes it: one loop per index of the formula."""

import math

import numpy as np


def to_tensor(images):
    images = np.array(images)
    if len(images.shape) == 3:
        images = np.expand_dims(images, 3)
    return (images / 255.0).astype("float32")


def standardize(train, test):
    new_train = np.zeros_like(train)
    new_test = np.zeros_like(test)
    for c in range(train.shape[3]):
        mean = np.mean(train[:, :, :, c].astype(np.float64))
        std = np.std(train[:, :, :, c].astype(np.float64))
        if np.all(train[:, :, :, c] == train[0, 0, 0, c]):
            new_test[:, :, :, c] = test[:, :, :, c] - train[0, 0, 0, c]
        else:
            new_train[:, :, :, c] = (train[:, :, :, c] - mean) / std
            new_test[:, :, :, c] = (test[:, :, :, c] - mean) / std
    return new_train, new_test


def output_size(n, f, stride=1, padding=0):
    if stride < 1:
        raise ValueError("the stride must be at least 1")
    if n + 2 * padding < f:
        raise ValueError("the filter is larger than the padded input")
    return math.floor((n - f + 2 * padding) / stride) + 1


def conv2d(x, kernels, bias, stride=1, padding=0):
    n, h, w, _ = x.shape
    f, _, _, c_out = kernels.shape
    h_out = output_size(h, f, stride, padding)
    w_out = output_size(w, f, stride, padding)
    x_pad = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    z = np.zeros((n, h_out, w_out, c_out), dtype=np.float64)
    for image in range(n):
        for i in range(h_out):
            for j in range(w_out):
                window = x_pad[image, i * stride : i * stride + f, j * stride : j * stride + f, :]
                for c in range(c_out):
                    z[image, i, j, c] = np.sum(window * kernels[:, :, :, c]) + bias[c]
    return z


def relu(x):
    out = x.copy()
    out[out < 0] = 0
    return out


def max_pool2d(x, size=2, stride=None):
    if stride is None:
        stride = size
    n, h, w, channels = x.shape
    out = np.zeros((n, output_size(h, size, stride), output_size(w, size, stride), channels), dtype=x.dtype)
    for image in range(n):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                for c in range(channels):
                    window = x[image, i * stride : i * stride + size, j * stride : j * stride + size, c]
                    out[image, i, j, c] = np.max(window)
    return out


def average_pool2d(x, size=2, stride=None):
    if stride is None:
        stride = size
    n, h, w, channels = x.shape
    out = np.zeros((n, output_size(h, size, stride), output_size(w, size, stride), channels), dtype=np.float64)
    for image in range(n):
        for i in range(out.shape[1]):
            for j in range(out.shape[2]):
                for c in range(channels):
                    window = x[image, i * stride : i * stride + size, j * stride : j * stride + size, c]
                    out[image, i, j, c] = np.sum(window) / (size * size)
    return out


def global_average_pool(x):
    n, h, w, channels = x.shape
    out = np.zeros((n, channels))
    for image in range(n):
        for c in range(channels):
            out[image, c] = np.sum(x[image, :, :, c]) / (h * w)
    return out


def dense(x, weights, bias):
    out = np.zeros((x.shape[0], weights.shape[1]))
    for row in range(x.shape[0]):
        for k in range(weights.shape[1]):
            out[row, k] = np.sum(x[row] * weights[:, k]) + bias[k]
    return out


def softmax(logits):
    shifted = logits - np.max(logits, axis=-1, keepdims=True)
    e = np.exp(shifted)
    return e / np.sum(e, axis=-1, keepdims=True)


def cross_entropy(probabilities, labels):
    total = 0.0
    for row in range(len(labels)):
        for k in range(labels.shape[1]):
            if labels[row, k] > 0:
                total = total - labels[row, k] * math.log(probabilities[row, k] + 1e-15)
    return total / len(labels)


def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    n, h, w, _ = x.shape
    f = kernels.shape[0]
    x_pad = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    grad_x_pad = np.zeros(x_pad.shape)
    grad_kernels = np.zeros(kernels.shape)
    grad_bias = np.zeros(kernels.shape[3])
    for image in range(n):
        for i in range(grad.shape[1]):
            for j in range(grad.shape[2]):
                rows = slice(i * stride, i * stride + f)
                columns = slice(j * stride, j * stride + f)
                for c in range(kernels.shape[3]):
                    g = grad[image, i, j, c]
                    if g == 0:
                        continue
                    grad_x_pad[image, rows, columns, :] += g * kernels[:, :, :, c]
                    grad_kernels[:, :, :, c] += g * x_pad[image, rows, columns, :]
                    grad_bias[c] += g
    return grad_x_pad[:, padding : padding + h, padding : padding + w, :], grad_kernels, grad_bias


def max_pool2d_backward(grad, x, size=2, stride=None):
    if stride is None:
        stride = size
    grad_x = np.zeros(x.shape)
    for image in range(grad.shape[0]):
        for i in range(grad.shape[1]):
            for j in range(grad.shape[2]):
                for c in range(grad.shape[3]):
                    window = x[image, i * stride : i * stride + size, j * stride : j * stride + size, c]
                    row, column = divmod(int(np.argmax(window)), size)
                    grad_x[image, i * stride + row, j * stride + column, c] += grad[image, i, j, c]
    return grad_x


def sgd_step(parameters, gradients, learning_rate):
    new_parameters = {}
    for name in parameters:
        new_parameters[name] = parameters[name] - learning_rate * gradients[name]
    return new_parameters


def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    rng = np.random.default_rng(seed)
    n, h, w, channels = images.shape
    filters = 8  # more are better, but the loops are slow
    pooled = ((h - 2) // 2) * ((w - 2) // 2) * filters
    parameters = {
        "K": rng.normal(size=(3, 3, channels, filters)) * np.sqrt(2 / (9 * channels)),
        "k_bias": np.zeros(filters),
        "W": rng.normal(size=(pooled, 10)) * np.sqrt(1 / pooled),
        "b": np.zeros(10),
    }
    losses = []
    for epoch in range(epochs):
        order = rng.permutation(n)
        rate = learning_rate * (epochs - epoch) / epochs
        loss_sum = 0.0
        for start in range(0, n, 16):
            x = images[order[start : start + 16]]
            y = labels[order[start : start + 16]]
            z = conv2d(x, parameters["K"], parameters["k_bias"])
            a = relu(z)
            p = max_pool2d(a)
            flat = p.reshape(len(x), pooled)
            probabilities = softmax(dense(flat, parameters["W"], parameters["b"]))
            loss_sum += cross_entropy(probabilities, y) * len(x)
            d_logits = (probabilities - y) / len(x)
            d_flat = np.dot(d_logits, parameters["W"].T)
            d_a = max_pool2d_backward(d_flat.reshape(p.shape), a)
            d_z = np.where(z > 0, d_a, 0)
            _, d_kernels, d_k_bias = conv2d_backward(d_z, x, parameters["K"])
            gradients = {
                "K": d_kernels,
                "k_bias": d_k_bias,
                "W": np.dot(flat.T, d_logits),
                "b": np.sum(d_logits, axis=0),
            }
            parameters = sgd_step(parameters, gradients, rate)
        losses.append(loss_sum / n)
    return parameters, losses


def predict_cnn(parameters, images):
    z = conv2d(images, parameters["K"], parameters["k_bias"])
    p = max_pool2d(relu(z))
    return softmax(dense(p.reshape(len(images), -1), parameters["W"], parameters["b"]))
