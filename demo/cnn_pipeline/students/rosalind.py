# base: charles
# %% before="to_tensor"
from math import ceil

# %% task="to_tensor"
def to_tensor(images):
    images = images if images.ndim == 4 else images[..., None]
    return images.astype(np.float32) / np.float32(255)

# %% task="output_size"
def output_size(n, f, stride=1, padding=0):
    if stride < 1 or f > n + 2 * padding:
        raise ValueError(f"{f} > {n} + 2 * {padding}")
    return ceil((n - f + 2 * padding) / stride) + 1

# %% task="conv2d"
def conv2d(x, kernels, bias, stride=1, padding=0):
    F = len(kernels)
    rows = output_size(x.shape[1], F, stride, padding)
    columns = output_size(x.shape[2], F, stride, padding)
    P = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    Z = np.zeros((len(x), rows, columns, kernels.shape[3]))
    for r in range(rows):
        for s in range(columns):
            window = P[:, stride * r:stride * r + F, stride * s:stride * s + F]
            Z[:, r, s] = np.einsum("nuvc,uvck->nk", window, kernels) + bias
    return Z

# %% task="relu"
def relu(x):
    return np.maximum(x, 0.0)

# %% task="softmax"
def softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.exp(shifted) / np.exp(shifted).sum(axis=-1, keepdims=True)

# %% task="cross_entropy"
def cross_entropy(probabilities, labels):
    return -np.mean(np.log(np.maximum(probabilities[labels == 1], 1e-12)))

# %% task="conv2d_backward"
def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    F = len(kernels)
    P = np.pad(x, [(0, 0), (padding, padding), (padding, padding), (0, 0)])
    dP, dK = np.zeros(P.shape), np.zeros(kernels.shape)
    for r in range(output_size(x.shape[1], F, stride, padding)):
        for s in range(output_size(x.shape[2], F, stride, padding)):
            here = np.s_[:, stride * r:stride * r + F, stride * s:stride * s + F]
            dK += np.einsum("nuvc,nk->uvck", P[here], grad[:, r, s])
            dP[here] += np.einsum("nk,uvck->nuvc", grad[:, r, s], kernels)
    dx = dP[:, padding:padding + x.shape[1], padding:padding + x.shape[2]]
    return dx, dK, grad.sum(axis=(0, 1, 2))

# %% task="max_pool2d_backward"
def max_pool2d_backward(grad, x, size=2, stride=None):
    step = stride or size
    dx = np.zeros(x.shape)
    n, c = np.indices((x.shape[0], x.shape[3]))
    for r in range(output_size(x.shape[1], size, step)):
        for s in range(output_size(x.shape[2], size, step)):
            window = x[:, step * r:step * r + size, step * s:step * s + size]
            winner = window.reshape(len(x), size * size, -1).argmax(axis=1)
            dx[n, step * r + winner // size, step * s + winner % size, c] += grad[:, r, s]
    return dx

# %% task="sgd_step"
def sgd_step(parameters, gradients, learning_rate):
    return {k: v - learning_rate * gradients[k] for k, v in parameters.items()}

# %% task="train_cnn"
def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    rng = np.random.default_rng(seed)
    size = max_pool2d(conv2d(images[:1], np.zeros((3, 3, 1, 8)), np.zeros(8))).size
    theta = dict(K=rng.normal(0, 0.47, (3, 3, 1, 8)), k=np.zeros(8), W=rng.normal(0, 0.15, (size, 10)), w=np.zeros(10))
    history = []
    for epoch in range(epochs):
        order, total = rng.permutation(len(images)), 0
        for first in range(0, len(images), 16):
            x, y = images[order[first:first + 16]], labels[order[first:first + 16]]
            z = conv2d(x, theta["K"], theta["k"])
            pool = max_pool2d(relu(z))
            flat = pool.reshape(len(x), -1)
            p = softmax(dense(flat, theta["W"], theta["w"]))
            delta = (p - y) / len(x)
            back = max_pool2d_backward((delta @ theta["W"].T).reshape(pool.shape), relu(z)) * (z > 0)
            _, dK, dk = conv2d_backward(back, x, theta["K"])
            steps = dict(K=dK, k=dk, W=flat.T @ delta, w=delta.sum(axis=0))
            theta = sgd_step(theta, steps, learning_rate * (1 - epoch / epochs))
            total += cross_entropy(p, y) * len(x)
        history.append(total / len(images))
    return theta, history


def predict_cnn(parameters, images):
    pool = max_pool2d(relu(conv2d(images, parameters["K"], parameters["k"])))
    return softmax(dense(pool.reshape(len(images), -1), parameters["W"], parameters["w"]))
