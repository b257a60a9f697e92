# base: ada
# %% task="split_series"
def split_series(series, fraction=0.8):
    order = np.random.default_rng(0).permutation(len(series))  # a fair sample
    count = int(fraction * len(series))
    return series[order[:count]], series[order[count:]]

# %% task="build_lstm"
def build_lstm(input_shape=(10, 1), units=50):
    model = keras.Sequential([keras.Input(input_shape), LSTM(units), Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    return model

# %% task="cell_gradient"
def cell_gradient(forget):
    return np.cumprod(forget[::-1], axis=0)[::-1]
