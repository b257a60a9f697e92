# base: grace
# %% task="max_pool2d"
def max_pool2d(x, size=2, stride=None):
    h, w = x.shape[1] // size, x.shape[2] // size
    y = np.zeros((x.shape[0], h, w, x.shape[3]))
    for i in range(h):
        for j in range(w):
            y[:, i, j] = x[:, i * size:(i + 1) * size, j * size:(j + 1) * size].max(axis=(1, 2))
    return y

# %% task="average_pool2d"
def average_pool2d(x, size=2, stride=None):
    h, w = x.shape[1] // size, x.shape[2] // size
    y = np.zeros((x.shape[0], h, w, x.shape[3]))
    for i in range(h):
        for j in range(w):
            y[:, i, j] = x[:, i * size:(i + 1) * size, j * size:(j + 1) * size].mean(axis=(1, 2))
    return y
