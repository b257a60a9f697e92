# base: grace
# %% before="lstm_step"
def sigmoid(z):
    return 0.5 * (1 + np.tanh(0.5 * z))

# %% task="lstm_step"
def lstm_step(x_t, h_prev, c_prev, W, U, b):
    f, i, c, o = np.split(x_t @ W + h_prev @ U + b, 4, axis=1)  # as in the drawing: forget, input, candidate, output
    c = sigmoid(f) * c_prev + sigmoid(i) * np.tanh(c)
    return sigmoid(o) * np.tanh(c), c

# %% task="gru_step"
def gru_step(x_t, h_prev, W, U, b):
    units = h_prev.shape[1]
    (Wz, Wr, Wc), (Uz, Ur, Uc), (bz, br, bc) = (np.split(part, 3, axis=-1) for part in (W, U, b))
    z = sigmoid(x_t @ Wz + h_prev @ Uz + bz)
    r = sigmoid(x_t @ Wr + h_prev @ Ur + br)
    new = np.tanh(x_t @ Wc + (r * h_prev) @ Uc + bc)
    assert new.shape[1] == units
    return (1 - z) * h_prev + z * new
