# %% before="lstm_step"
import math
import numpy as np
from keras import Input, Model
from keras.layers import LSTM, Dense


def sigmoid(z):
    if z < 0:
        return math.exp(max(z, -700.0)) / (1.0 + math.exp(max(z, -700.0)))
    return 1.0 / (1.0 + math.exp(-z))


def score(column, x, h, W, U, b):
    """Add up everything that reaches one column."""
    total = float(b[column])
    for d in range(len(x)):
        total += float(x[d]) * float(W[d, column])
    for k in range(len(h)):
        total += float(h[k]) * float(U[k, column])
    return total

# %% task="lstm_step"
def lstm_step(x_t, h_prev, c_prev, W, U, b):
    count, units = h_prev.shape
    h_new, c_new = np.zeros(h_prev.shape, x_t.dtype), np.zeros(c_prev.shape, x_t.dtype)
    for n in range(count):
        for j in range(units):
            z_i, z_f, z_c, z_o = (score(gate * units + j, x_t[n], h_prev[n], W, U, b) for gate in range(4))
            c = sigmoid(z_f) * float(c_prev[n, j]) + sigmoid(z_i) * math.tanh(z_c)
            c_new[n, j] = c
            h_new[n, j] = sigmoid(z_o) * math.tanh(c)
    return h_new, c_new

# %% task="lstm_forward"
def lstm_forward(x, h0, c0, W, U, b):
    count, steps, _ = x.shape
    h_all = np.zeros((count, steps, h0.shape[1]), x.dtype)
    h, c = h0, c0
    for t in range(steps):
        h, c = lstm_step(x[:, t, :], h, c, W, U, b)
        h_all[:, t, :] = h
    return h_all, c

# %% task="gru_step"
def gru_step(x_t, h_prev, W, U, b):
    count, units = h_prev.shape
    h_new = np.zeros(h_prev.shape, x_t.dtype)
    for n in range(count):
        z = [sigmoid(score(j, x_t[n], h_prev[n], W, U, b)) for j in range(units)]
        r = [sigmoid(score(units + j, x_t[n], h_prev[n], W, U, b)) for j in range(units)]
        seen = [r[j] * float(h_prev[n, j]) for j in range(units)]
        for j in range(units):
            candidate = math.tanh(score(2 * units + j, x_t[n], seen, W, U, b))
            h_new[n, j] = z[j] * float(h_prev[n, j]) + (1 - z[j]) * candidate
    return h_new

# %% task="cell_gradient"
def cell_gradient(forget):
    steps, units = forget.shape
    result = np.ones_like(forget)
    for t in range(steps - 2, -1, -1):
        for j in range(units):
            result[t, j] = result[t + 1, j] * forget[t + 1, j]
    return result

# %% task="lstm_parameters"
def lstm_parameters(d, h):
    total = 0
    for _gate in ("input", "forget", "candidate", "output"):
        total += d * h + h * h + h
    return total


def gru_parameters(d, h):
    total = 0
    for _gate in ("update", "reset", "candidate"):
        total += d * h + h * h + h
    return total

# %% task="split_series"
def split_series(series, fraction=0.8):
    train, test = [], []
    for index, value in enumerate(series):
        (train if index < int(fraction * len(series)) else test).append(value)
    return np.array(train), np.array(test)

# %% task="build_lstm"
def build_lstm(input_shape=(10, 1), units=50):
    window = Input(shape=input_shape)
    last = LSTM(units, activation="relu")(window)
    model = Model(window, Dense(1)(last))
    model.compile(optimizer="adam", loss="mse")
    return model

# %% task="train_lstm"
def train_lstm(model, series, epochs=20):
    model.lowest = float(min(series))
    model.highest = float(max(series))
    scaled = [(value - model.lowest) / (model.highest - model.lowest) for value in series]
    window = model.input_shape[1]
    inputs, targets = [], []
    for start in range(len(scaled) - window):
        inputs.append([[value] for value in scaled[start : start + window]])
        targets.append([scaled[start + window]])
    return model.fit(np.array(inputs), np.array(targets), batch_size=2, epochs=epochs, verbose=0)


def forecast(model, history):
    latest = list(history)[len(history) - model.input_shape[1] :]
    scaled = [[(value - model.lowest) / (model.highest - model.lowest)] for value in latest]
    answer = model.predict(np.array([scaled]), verbose=0)
    return model.lowest + float(answer[0][0]) * (model.highest - model.lowest)

# %% after="lstm_parameters"
print(lstm_parameters(1, 50), gru_parameters(1, 50))
#> 10400 7800
