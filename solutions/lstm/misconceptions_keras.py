"""Known wrong answers to the network that forecasts: how it is built, trained and asked.

Each function is one mistake and otherwise right; its docstring is the feedback. The helpers at the end are right, and
keep the scale of a series on the model, as a pair of numbers.
"""

import keras
import numpy as np

from autograder.misconceptions import collect, misconception


@misconception("build_lstm")
def tanh_kept(input_shape=(10, 1), units=50):
    """You left the LSTM its default activation, tanh. Ask for ReLU: `LSTM(units, activation="relu")`."""
    return _compiled(input_shape, keras.layers.LSTM(units))


@misconception("build_lstm")
def gates_by_relu(input_shape=(10, 1), units=50):
    """You gave the gates ReLU as well. They stay sigmoids: set `activation`, and leave `recurrent_activation` alone."""
    return _compiled(input_shape, keras.layers.LSTM(units, activation="relu", recurrent_activation="relu"))


@misconception("build_lstm")
def answer_at_every_step(input_shape=(10, 1), units=50):
    """You let the LSTM return every step. Only the last state goes on: leave out `return_sequences=True`."""
    return _compiled(input_shape, keras.layers.LSTM(units, activation="relu", return_sequences=True))


@misconception("build_lstm")
def units_fixed(input_shape=(10, 1), units=50):
    """You built 50 units whatever is asked for. Use the arguments: `LSTM(units, ...)` and `input_shape`."""
    return _compiled(input_shape, keras.layers.LSTM(50, activation="relu"))


@misconception("build_lstm")
def answer_by_relu(input_shape=(10, 1), units=50):
    """You gave the last layer an activation. A forecast may be any number, negative ones too: `Dense(1)` alone."""
    return _compiled(input_shape, keras.layers.LSTM(units, activation="relu"), activation="relu")


@misconception("build_lstm")
def compiled_with_absolute_error(input_shape=(10, 1), units=50):
    """You compiled with the mean absolute error. The course trains with the mean squared one: `loss="mse"`."""
    return _compiled(input_shape, keras.layers.LSTM(units, activation="relu"), loss="mae")


@misconception("build_lstm")
def not_compiled(input_shape=(10, 1), units=50):
    """You did not compile the model. Call `model.compile(optimizer="adam", loss="mse")` before you return it."""
    layers = [keras.Input(input_shape), keras.layers.LSTM(units, activation="relu"), keras.layers.Dense(1)]
    return keras.Sequential(layers)


def forecast(model, history):
    """Scale the latest window, ask the model, and undo the scale."""
    center, spread = model.scale
    return _asked(model, (history - center) / spread) * spread + center


@misconception("train_lstm", forecast=forecast)
def one_epoch_only(model, series, epochs=20):
    """You did not pass `epochs` on. Keras trains for one epoch by default: `model.fit(..., epochs=epochs)`."""
    return _train(model, series, epochs=1)


@misconception("train_lstm", forecast=forecast)
def last_value_as_target(model, series, epochs=20):
    """You asked for the last value of the window itself. The target is the value after it: `scaled[i + window]`."""
    return _train(model, series, epochs, ahead=0)


@misconception("train_lstm", forecast=forecast)
def whole_series_in_one_batch(model, series, epochs=20):
    """You took all windows in one batch, which makes one step per epoch. Take small ones: `batch_size=4`."""
    return _train(model, series, epochs, batch_size=len(series))


@misconception("train_lstm", forecast=forecast)
def never_scaled(model, series, epochs=20):
    """You trained on the series as it is. Bring it to numbers around zero first, and undo that in `forecast`."""
    return _train(model, series, epochs, scale=(0.0, 1.0))


@misconception("train_lstm", forecast=forecast)
def scaled_in_place(model, series, epochs=20):
    """You scaled the series that you were given, by `series -= ...`. Write `series - ...`, which makes a new array."""
    record = _train(model, series, epochs)
    series -= series.mean()
    return record


@misconception("train_lstm", forecast=forecast)
def history_not_returned(model, series, epochs=20):
    """You returned nothing. `model.fit` returns the History of the training: `return model.fit(...)`."""
    _train(model, series, epochs)


def _trained(model, series, epochs=20):
    return _train(model, series, epochs)


@misconception("train_lstm", function="forecast", train_lstm=_trained)
def scale_not_undone(model, history):
    """You returned the network's own number. Bring it back to the units of the series: `mean + deviation * output`."""
    center, spread = model.scale
    return _asked(model, (history - center) / spread)


@misconception("train_lstm", function="forecast", train_lstm=_trained)
def scaled_by_the_history(model, history):
    """You scaled by the mean of the history. Use that of the training series, which `train_lstm` left on the model."""
    center, spread = np.mean(history), np.std(history)
    return _asked(model, (history - center) / spread) * spread + center


@misconception("train_lstm", function="forecast", train_lstm=_trained)
def oldest_values_read(model, history):
    """You read the oldest values of the history. The forecast follows the latest: `history[-window:]`."""
    return forecast(model, history[: model.input_shape[1]])


@misconception("train_lstm", function="forecast", train_lstm=_trained)
def always_ten_values(model, history):
    """You read ten values whatever the model is. Its window is `model.input_shape[1]`, which may be another."""
    center, spread = model.scale
    scaled = (history[-10:] - center) / spread
    return float(model(scaled[None, :, None])[0, 0]) * spread + center


_LAST_SCALE = [0.0, 1.0]


def _trained_by_the_way(model, series, epochs=20):
    _LAST_SCALE[:] = np.mean(series), np.std(series)
    return _train(model, series, epochs)


@misconception("train_lstm", function="forecast", train_lstm=_trained_by_the_way)
def scale_in_a_global_variable(model, history):
    """You kept the scale in a global variable, so the next model overwrites it. Store it on the model itself."""
    center, spread = _LAST_SCALE
    return _asked(model, (history - center) / spread) * spread + center


def _compiled(input_shape, lstm, activation=None, loss="mse"):
    model = keras.Sequential([keras.Input(input_shape), lstm, keras.layers.Dense(1, activation=activation)])
    model.compile(optimizer="adam", loss=loss)
    return model


def _train(model, series, epochs=20, *, batch_size=4, ahead=1, scale=None):
    model.scale = scale or (float(np.mean(series)), float(np.std(series)))
    scaled, window = (series - model.scale[0]) / model.scale[1], model.input_shape[1]
    starts = range(len(series) - window)
    windows = np.array([scaled[start : start + window] for start in starts])[..., None]
    targets = np.array([scaled[start + window - 1 + ahead] for start in starts])
    return model.fit(windows, targets, epochs=epochs, batch_size=batch_size, verbose=0)


def _asked(model, scaled):
    """Return what the model says to the end of a scaled history."""
    return float(model(scaled[None, -model.input_shape[1] :, None])[0, 0])


MISCONCEPTIONS = collect(vars())
