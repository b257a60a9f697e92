# base: ada
# %% task="stacked_rnn"
def stacked_rnn(input_shape, units=(32, 32), cell="lstm", classes=4):
    inputs = x = Input(input_shape)
    for count in units:
        x = _LAYERS[cell](count, return_sequences=True)(x)
    return _answer(inputs, x, classes)

# %% task="bidirectional_forward"
def bidirectional_forward(x, forward, backward):
    steps = [x[:, t] for t in range(x.shape[1])]
    start = np.zeros((x.shape[0], forward[1].shape[0]), dtype=x.dtype)
    ahead = _scan(steps, start, forward)
    back = _scan(steps[::-1], start, backward)
    return np.stack([np.hstack(pair) for pair in zip(ahead, back, strict=True)], axis=1)
