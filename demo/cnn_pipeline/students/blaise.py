# %% task="to_tensor"
def to_tensor(images):
    X = images.astype(np.float32)
    if X.ndim == 3:
        X = X.reshape(X.shape[0], X.shape[1], X.shape[2], 1)
    return X / 255

# %% task="standardize"
def standardize(train, test):
    m = train.mean(axis=(0, 1, 2))
    s = train.std(axis=(0, 1, 2))
    return (train - m) / s, (test - m) / s

# %% [markdown] after="standardize"
# TODO: the trap with the constant channel

# %% task="output_size"
def output_size(n, f, stride=1, padding=0):
    if f > n + 2 * padding or stride < 1:
        raise ValueError("impossible")
    return (n - f + 2 * padding) // stride + 1

# %% task="conv2d"
def conv2d(x, kernels, bias, stride=1, padding=0):
    N, H, W, C = x.shape
    F = kernels.shape[0]
    P = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    H2 = output_size(H, F, stride, padding)
    W2 = output_size(W, F, stride, padding)
    Z = np.zeros((N, H2, W2, kernels.shape[3]))
    for i in range(H2):
        for j in range(W2):
            window = P[:, i * stride:i * stride + F, j * stride:j * stride + F, :]
            Z[:, i, j, :] = np.tensordot(window, kernels, axes=3)
    return Z + bias

# %% task="relu"
def relu(x):
    return (x > 0) * x

# %% [markdown] after="relu"
# Sorry, exam in another course on Friday. This is as far as I got.
