# %% [markdown] before="output_size"
# ## My own tools
#
# `patches` turns every window into one row of a matrix (*im2col*). Then a convolution is one matrix product, and the way
# back is the transposed product and `add_patches`.

# %% before="output_size"
def windows_of(x, size, stride):
    """All windows (N, H', W', size, size, C), as a view: nothing is copied here."""
    view = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    return view[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)


def patches(x, size, stride):
    """im2col: one row per window."""
    view = windows_of(x, size, stride)
    return view.reshape(-1, view.shape[3] * view.shape[4] * view.shape[5])


def add_patches(rows, shape, size, stride):
    """col2im: the inverse; where windows overlap the values add up."""
    n, h, w, c = shape
    height, width = (h - size) // stride + 1, (w - size) // stride + 1
    rows = rows.reshape(n, height, width, size, size, c)
    image = np.zeros(shape, dtype=rows.dtype)
    for i in range(size):
        for j in range(size):
            image[:, i : i + stride * height : stride, j : j + stride * width : stride] += rows[:, :, :, i, j]
    return image

# %% task="to_tensor"
def to_tensor(images):
    scaled = images.astype(np.float32) / 255
    return scaled if images.ndim == 4 else scaled[..., np.newaxis]

# %% task="standardize"
def standardize(train, test):
    mean = train.mean(axis=(0, 1, 2), dtype=np.float64)
    std = train.std(axis=(0, 1, 2), dtype=np.float64)
    constant = np.ptp(train, axis=(0, 1, 2)) == 0
    mean = np.where(constant, train[0, 0, 0], mean)
    std = np.where(constant, 1, std)
    return (train - mean) / std, (test - mean) / std

# %% task="output_size"
def output_size(n, f, stride=1, padding=0):
    if stride < 1 or f > n + 2 * padding:
        raise ValueError(f"a window of {f} does not fit into {n} + 2 * {padding}, or the stride {stride} is wrong")
    return (n + 2 * padding - f) // stride + 1

# %% task="conv2d"
def conv2d(x, kernels, bias, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    height, width = (output_size(length, len(kernels), stride, padding) for length in x.shape[1:3])
    product = patches(padded, len(kernels), stride) @ kernels.reshape(-1, kernels.shape[3])
    return product.reshape(len(x), height, width, -1) + bias

# %% after="conv2d"
%timeit -n 1 -r 1 conv2d(np.ones((100, 8, 8, 1)), np.ones((3, 3, 1, 8)), np.zeros(8))
#> 412 µs ± 0 ns per loop (mean ± std. dev. of 1 run, 1 loop each)

# %% task="relu"
def relu(x):
    return np.maximum(x, 0)

# %% task="max_pool2d"
def max_pool2d(x, size=2, stride=None):
    return windows_of(x, size, stride or size).max(axis=(3, 4))

# %% task="average_pool2d"
def average_pool2d(x, size=2, stride=None):
    return windows_of(x, size, stride or size).mean(axis=(3, 4))

# %% task="global_average_pool"
def global_average_pool(x):
    return x.mean(axis=(1, 2))

# %% task="dense"
def dense(x, weights, bias):
    return x @ weights + bias

# %% task="softmax"
def softmax(logits):
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)

# %% task="cross_entropy"
def cross_entropy(probabilities, labels):
    right = (probabilities * labels).sum(axis=1)
    return -np.log(np.maximum(right, 1e-12)).mean()

# %% task="conv2d_backward"
def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    size = len(kernels)
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    flat = grad.reshape(-1, grad.shape[3])
    grad_kernels = (patches(padded, size, stride).T @ flat).reshape(kernels.shape)
    grad_rows = flat @ kernels.reshape(-1, kernels.shape[3]).T
    grad_padded = add_patches(grad_rows, padded.shape, size, stride)
    grad_x = grad_padded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]]
    return grad_x, grad_kernels, flat.sum(axis=0)

# %% task="max_pool2d_backward"
def max_pool2d_backward(grad, x, size=2, stride=None):
    stride = stride or size
    windows = windows_of(x, size, stride)
    n, h, w, _, _, c = windows.shape
    flat = windows.reshape(n, h, w, size * size, c)
    winner = flat.argmax(axis=3)[:, :, :, np.newaxis]
    routed = np.where(np.arange(size * size)[:, np.newaxis] == winner, grad[:, :, :, np.newaxis], 0)
    return add_patches(routed, x.shape, size, stride)

# %% task="sgd_step"
def sgd_step(parameters, gradients, learning_rate):
    return {name: parameters[name] - learning_rate * gradients[name] for name in parameters}

# %% task="train_cnn"
def train_cnn(images, labels, epochs=10, learning_rate=0.5, seed=0):
    rng = np.random.default_rng(seed)
    parameters = {
        "kernels": rng.normal(0, np.sqrt(2 / 9), (3, 3, 1, 12)),
        "kernel_bias": np.zeros(12),
        "weights": rng.normal(0, np.sqrt(2 / 108), (108, 10)),
        "bias": np.zeros(10),
    }
    losses = []
    for epoch in range(epochs):
        rate = learning_rate * (epochs - epoch) / epochs
        order = rng.permutation(len(images))
        total = 0.0
        for batch in (order[i : i + 16] for i in range(0, len(order), 16)):
            loss, gradients = one_batch(parameters, images[batch], labels[batch])
            parameters = sgd_step(parameters, gradients, rate)
            total += loss * len(batch)
        losses.append(total / len(images))
    return parameters, losses


def one_batch(parameters, x, y):
    """Loss and gradients of one batch."""
    z = conv2d(x, parameters["kernels"], parameters["kernel_bias"])
    a = relu(z)
    pooled = max_pool2d(a)
    flat = pooled.reshape(len(x), -1)
    p = softmax(dense(flat, parameters["weights"], parameters["bias"]))
    error = (p - y) / len(x)
    grad_a = max_pool2d_backward((error @ parameters["weights"].T).reshape(pooled.shape), a)
    _, grad_kernels, grad_kernel_bias = conv2d_backward(grad_a * (z > 0), x, parameters["kernels"])
    gradients = {
        "kernels": grad_kernels,
        "kernel_bias": grad_kernel_bias,
        "weights": flat.T @ error,
        "bias": error.sum(axis=0),
    }
    return cross_entropy(p, y), gradients


def predict_cnn(parameters, images):
    pooled = max_pool2d(relu(conv2d(images, parameters["kernels"], parameters["kernel_bias"])))
    return softmax(dense(pooled.reshape(len(images), -1), parameters["weights"], parameters["bias"]))
