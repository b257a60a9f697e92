# base: grace
# %% task="max_pool2d_backward"
def max_pool2d_backward(grad, x, size=2, stride=None):
    if stride is None:
        stride = size
    grad_x = np.zeros_like(x)
    images, channels = np.indices((x.shape[0], x.shape[3]))
    for i in range(grad.shape[1]):
        for j in range(grad.shape[2]):
            window = x[:, i * stride:i * stride + size, j * stride:j * stride + size]
            best = window.reshape(len(x), -1, x.shape[3]).argmax(axis=1)
            grad_x[images, i * stride + best // size, j * stride + best % size, channels] = grad[:, i, j]
    return grad_x
