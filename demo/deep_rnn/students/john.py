# base: ada
# %% task="bidirectional_rnn"
def bidirectional_rnn(input_shape, units=32, cell="gru", classes=4):
    inputs = Input(input_shape)
    both = layers.Bidirectional(_LAYERS[cell](units), merge_mode="sum")(inputs)
    return _answer(inputs, both, classes)

# %% [markdown] before="build_recaller"
# Reading from the end, the symbol comes last. Then nothing has to be kept.

# %% task="build_recaller"
def build_recaller(input_shape=(40, 4), classes=4):
    inputs = Input(input_shape)
    model = _answer(inputs, layers.GRU(28, go_backwards=True)(inputs), classes)
    model.compile(optimizer="adam", loss="categorical_crossentropy")
    return model
