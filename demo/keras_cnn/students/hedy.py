# base: grace
# %% task="prepare_images"
def prepare_images(images):
    return images.astype(np.float32)  # Keras wants floats

# %% task="conv_parameters"
def conv_parameters(f, c_in, c_out):
    return f * f * c_in * c_out


def dense_parameters(n_in, n_out):
    return n_in * n_out
