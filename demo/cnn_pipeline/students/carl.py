# base: emmy
# %% [markdown] before="conv2d_backward"
# On the way back everything is turned around, so the kernel has to be rotated by 180 degrees (Wikipedia).

# %% task="conv2d_backward"
def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    size = kernels.shape[0]
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    rotated = np.rot90(kernels, 2)
    grad_padded = np.zeros_like(padded)
    grad_kernels = np.zeros_like(kernels)
    for i in range(grad.shape[1]):
        for j in range(grad.shape[2]):
            rows = slice(i * stride, i * stride + size)
            columns = slice(j * stride, j * stride + size)
            g = grad[:, i, j]
            grad_kernels += np.einsum("nuvc,nk->uvck", padded[:, rows, columns], g)
            grad_padded[:, rows, columns] += np.einsum("nk,uvck->nuvc", g, rotated)
    end_h, end_w = padding + x.shape[1], padding + x.shape[2]
    return grad_padded[:, padding:end_h, padding:end_w], grad_kernels, grad.sum(axis=(0, 1, 2))

# %% task="max_pool2d_backward"
def max_pool2d_backward(grad, x, size=2, stride=None):
    # every pixel of the window gets its share
    if stride is None:
        stride = size
    grad_x = np.zeros_like(x)
    for i in range(grad.shape[1]):
        for j in range(grad.shape[2]):
            share = grad[:, i, j][:, None, None, :] / size**2
            grad_x[:, i * stride:i * stride + size, j * stride:j * stride + size] += share
    return grad_x
