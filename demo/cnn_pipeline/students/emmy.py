# %% [markdown] after="setup"
# Everything here is an Einstein sum over sliding windows. Letters: `n` image, `i j` place, `u v` place in the window,
# `c` channel in, `k` channel out.

# %% before="to_tensor"
from numpy.lib.stride_tricks import sliding_window_view


def W(x, size, stride):
    """Windows, axes n i j c u v."""
    return sliding_window_view(x, (size, size), axis=(1, 2))[:, ::stride, ::stride]

# %% task="to_tensor"
def to_tensor(images):
    if images.ndim == 3:
        images = images[..., None]
    return np.divide(images, 255, dtype=np.float32)

# %% task="standardize"
def standardize(train, test):
    count = train[..., 0].size
    mu = np.einsum("nijc->c", train, dtype=np.float64) / count
    same = (train == train[:1, :1, :1]).all(axis=(0, 1, 2))
    mu[same] = train[0, 0, 0, same]
    sigma = np.sqrt(np.einsum("nijc,nijc->c", train - mu, train - mu) / count)
    sigma[same] = 1
    return (train - mu) / sigma, (test - mu) / sigma

# %% task="output_size"
def output_size(n, f, stride=1, padding=0):
    if stride < 1:
        raise ValueError("the stride has to be at least 1")
    if n + 2 * padding < f:
        raise ValueError("the window is larger than the padded input")
    return int(np.floor((n - f + 2 * padding) / stride)) + 1

# %% task="conv2d"
def conv2d(x, kernels, bias, stride=1, padding=0):
    P = np.pad(x, ((0, 0), (padding,) * 2, (padding,) * 2, (0, 0)))
    return np.einsum("nijcuv,uvck->nijk", W(P, len(kernels), stride), kernels, optimize=True) + bias

# %% task="relu"
def relu(x):
    return np.where(x > 0, x, 0 * x)

# %% task="max_pool2d"
def max_pool2d(x, size=2, stride=None):
    return W(x, size, stride or size).max((-1, -2))

# %% task="average_pool2d"
def average_pool2d(x, size=2, stride=None):
    return np.einsum("nijcuv->nijc", W(x, size, stride or size)) / size**2

# %% task="global_average_pool"
def global_average_pool(x):
    return np.einsum("nijc->nc", x) / (x.shape[1] * x.shape[2])

# %% task="dense"
def dense(x, weights, bias):
    return np.einsum("nd,dk->nk", x, weights, optimize=True) + bias

# %% task="softmax"
def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return np.einsum("...k,...->...k", e, 1 / np.einsum("...k->...", e))

# %% task="cross_entropy"
def cross_entropy(probabilities, labels):
    return -np.einsum("nk,nk->", labels, np.log(np.clip(probabilities, 1e-12, None))) / len(labels)

# %% task="conv2d_backward"
def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    P = np.pad(x, ((0, 0), (padding,) * 2, (padding,) * 2, (0, 0)))
    grad_kernels = np.einsum("nijcuv,nijk->uvck", W(P, len(kernels), stride), grad, optimize=True)
    share = np.einsum("nijk,uvck->nijcuv", grad, kernels, optimize=True)
    grad_P = np.zeros(P.shape, share.dtype)
    for i, j in np.ndindex(*grad.shape[1:3]):
        rows, columns = slice(i * stride, i * stride + len(kernels)), slice(j * stride, j * stride + len(kernels))
        grad_P[:, rows, columns] += share[:, i, j].transpose(0, 2, 3, 1)
    H, B = x.shape[1:3]
    return grad_P[:, padding : padding + H, padding : padding + B], grad_kernels, np.einsum("nijk->k", grad)

# %% [markdown] after="conv2d_backward"
# Check by hand for a 1x1 kernel, stride 1: $\partial L / \partial X = G K^T$, a dense layer in every pixel. ✓

# %% task="max_pool2d_backward"
def max_pool2d_backward(grad, x, size=2, stride=None):
    stride = stride or size
    u, v = np.divmod(W(x, size, stride).reshape(*grad.shape, -1).argmax(-1), size)
    n, i, j, c = np.indices(grad.shape)
    grad_x = np.zeros(x.shape, np.result_type(x, grad))
    np.add.at(grad_x, (n, i * stride + u, j * stride + v, c), grad)
    return grad_x

# %% task="sgd_step"
def sgd_step(parameters, gradients, learning_rate):
    return {name: value - learning_rate * gradients[name] for name, value in parameters.items()}

# %% task="train_cnn"
def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    g = np.random.default_rng(seed)
    θ = {
        "K": g.normal(size=(3, 3, 1, 16)) * np.sqrt(2 / 9),
        "β": np.zeros(16),
        "W": g.normal(size=(144, 10)) * np.sqrt(1 / 144),
        "b": np.zeros(10),
    }
    losses = []
    for epoch in range(epochs):
        seen = []
        for batch in np.array_split(g.permutation(len(images)), -(-len(images) // 16)):
            x, y = images[batch], labels[batch]
            z = conv2d(x, θ["K"], θ["β"])
            m = average_pool2d(relu(z))
            p = softmax(dense(m.reshape(len(x), -1), θ["W"], θ["b"]))
            δ = (p - y) / len(x)
            # average pooling spreads its gradient evenly
            δm = np.einsum("nk,dk->nd", δ, θ["W"]).reshape(m.shape) / 4
            δz = np.kron(δm, np.ones((1, 2, 2, 1))) * (z > 0)
            _, dK, dβ = conv2d_backward(δz, x, θ["K"])
            d = {"K": dK, "β": dβ, "W": np.einsum("nd,nk->dk", m.reshape(len(x), -1), δ), "b": np.einsum("nk->k", δ)}
            θ = sgd_step(θ, d, learning_rate * (1 - 0.9 * epoch / epochs))
            seen.append(cross_entropy(p, y) * len(x))
        losses.append(sum(seen) / len(images))
    return θ, losses


def predict_cnn(parameters, images):
    m = average_pool2d(relu(conv2d(images, parameters["K"], parameters["β"])))
    return softmax(dense(m.reshape(len(images), -1), parameters["W"], parameters["b"]))
