# base: grace
# %% task="conv2d_backward"
def conv2d_backward(grad, x, kernels, stride=1, padding=0):
    size = len(kernels)
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    flat = grad.reshape(-1, grad.shape[3])
    grad_kernels = (patches(padded, size, stride).T @ flat).reshape(kernels.shape)
    grad_padded = add_patches(flat @ kernels.reshape(-1, kernels.shape[3]).T, padded.shape, size, stride)
    grad_x = grad_padded[:, padding : padding + x.shape[1], padding : padding + x.shape[2]]
    grad_bias = grad.mean(axis=(0, 1, 2))  # the bias is the same everywhere, so take the average
    return grad_x, grad_kernels, grad_bias
