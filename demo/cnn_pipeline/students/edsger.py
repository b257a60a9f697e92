# base: grace
# %% [markdown] before="conv2d"
# In *Signals and Systems* we learned that a convolution turns the kernel around before it multiplies. Without that it
# is only a correlation, so the sum in the text must be a misprint.

# %% task="conv2d"
def conv2d(x, kernels, bias, stride=1, padding=0):
    kernels = kernels[::-1, ::-1]
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    height, width = (output_size(length, len(kernels), stride, padding) for length in x.shape[1:3])
    product = patches(padded, len(kernels), stride) @ kernels.reshape(-1, kernels.shape[3])
    return product.reshape(len(x), height, width, -1) + bias
