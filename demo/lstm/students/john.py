# base: grace
# %% [markdown] before="train_lstm"
# The sunspots reach 190, so I divide by 200.

# %% task="train_lstm"
def train_lstm(model, series, epochs=20):
    window = model.input_shape[1]
    scaled = series / 200
    X = np.array([scaled[i : i + window] for i in range(len(scaled) - window)])[..., None]
    return model.fit(X, scaled[window:], epochs=epochs, batch_size=4, verbose=0)


def forecast(model, history):
    window = model.input_shape[1]
    latest = history[-window:].reshape(1, window, 1) / 200
    return float(model.predict(latest, verbose=0)[0, 0])  # in units of 200
