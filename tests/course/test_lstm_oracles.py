"""The solution of ``lstm`` against oracles that share nothing with it.

They are Keras's own layers with the same weights, TensorFlow's gradients, and laws that hold for any input.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks.architecture import assert_compiled, assert_output_shape, assert_parameters, assert_stages
from autograder.checks.plugin import load_reference
from autograder.checks.series import SeriesForecaster, make_lstm
from autograder.checks.stages import dense, recurrent
from autograder.course import Course
from autograder.subject.proxy import ModuleSubject

Array = npt.NDArray[Any]

ASSIGNMENT = Course.find(Path(__file__).parent).assignment("lstm")
SIZES = [(1, 1, 1, 1), (3, 5, 2, 4), (2, 9, 4, 3), (4, 3, 3, 3)]
"""Sequences, steps, features, units."""

properties = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def lstm(tf: Any) -> Any:
    """The solution, which imports Keras."""
    return load_reference(ASSIGNMENT.solution)


@pytest.fixture
def rng() -> np.random.Generator:
    """One generator for the drawn cases."""
    return np.random.default_rng(31)


def _weights(rng: np.random.Generator, blocks: int, features: int, units: int) -> list[Array]:
    columns = blocks * units
    return [rng.normal(size=shape) for shape in ((features, columns), (units, columns), (columns,))]


def _with_weights(layer: Any, shape: tuple[int, ...], weights: list[Array]) -> Any:
    layer.build(shape)
    layer.set_weights(weights)
    return layer


def _function_of(path: Path, name: str) -> Callable[..., Array]:
    """Return one function of a file of tests, which is no module that could be imported."""
    tree = ast.parse(path.read_text(encoding="utf8"))
    own = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    namespace: dict[str, Any] = {"np": np}
    exec(compile(ast.Module(list(own), []), str(path), "exec"), namespace)
    function: Callable[..., Array] = namespace[name]
    return function


@pytest.mark.parametrize("sizes", SIZES)
def test_the_lstm_is_kerass(tf: Any, lstm: Any, rng: np.random.Generator, sizes: tuple[int, int, int, int]) -> None:
    """All hidden states and the last cell agree with Keras's layer, from states that are not zero."""
    count, length, features, units = sizes
    weights, x = _weights(rng, 4, features, units), rng.normal(size=(count, length, features))
    h0, c0 = rng.normal(size=(2, count, units))
    options = {"return_sequences": True, "return_state": True, "dtype": "float64"}
    layer = _with_weights(tf.keras.layers.LSTM(units, **options), x.shape, weights)
    states, _, cell = layer(x, initial_state=[tf.constant(h0), tf.constant(c0)])
    received, received_cell = lstm.lstm_forward(x, h0, c0, *weights)
    np.testing.assert_allclose(received, states.numpy(), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(received_cell, cell.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("sizes", SIZES)
def test_the_gru_is_kerass(tf: Any, lstm: Any, rng: np.random.Generator, sizes: tuple[int, int, int, int]) -> None:
    """All states agree with Keras's layer that resets before the product, from a state that is not zero."""
    count, length, features, units = sizes
    weights, x = _weights(rng, 3, features, units), rng.normal(size=(count, length, features))
    state = rng.normal(size=(count, units))
    layer = tf.keras.layers.GRU(units, reset_after=False, return_sequences=True, dtype="float64")
    expected = _with_weights(layer, x.shape, weights)(x, initial_state=tf.constant(state)).numpy()
    for step in range(length):
        state = lstm.gru_step(x[:, step], state, *weights)
        np.testing.assert_allclose(state, expected[:, step], rtol=1e-6, atol=1e-6)


def test_the_counts_are_kerass(tf: Any, lstm: Any) -> None:
    """The counted parameters are those of Keras's layers."""
    for d, h in ((1, 1), (3, 5), (10, 50), (28, 7)):
        layers = tf.keras.layers.LSTM(h), tf.keras.layers.GRU(h, reset_after=False)
        for layer, count in zip(layers, (lstm.lstm_parameters, lstm.gru_parameters), strict=True):
            layer.build((None, 4, d))
            assert count(d, h) == layer.count_params()


def test_the_direct_path_is_tensorflows_gradient(tf: Any, lstm: Any, rng: np.random.Generator) -> None:
    """In a cell whose gates do not depend on its state, the tape finds the same derivatives of the last cell."""
    features, units, length = 2, 3, 6
    w, u, b = _weights(rng, 4, features, units)
    x = rng.normal(size=(length, 1, features))
    scores = x[:, 0] @ w + b
    with tf.GradientTape() as tape:
        cells = [tf.Variable(rng.normal(size=(1, units)))]
        for step in range(length):
            i, f, candidate, _ = tf.split(tf.constant(scores[step : step + 1]), 4, axis=1)
            cells.append(tf.sigmoid(f) * cells[-1] + tf.sigmoid(i) * tf.tanh(candidate))
    gradients = tape.gradient(cells[-1], cells[1:])
    forget = 1 / (1 + np.exp(-scores[:, units : 2 * units]))
    np.testing.assert_allclose(lstm.cell_gradient(forget), np.concatenate([g.numpy() for g in gradients]), rtol=1e-9)
    _, last = lstm.lstm_forward(np.moveaxis(x, 0, 1), np.zeros((1, units)), cells[0].numpy(), w, 0 * u, b)
    np.testing.assert_allclose(last, cells[-1].numpy(), rtol=1e-9)


def test_the_hidden_oracle_of_the_network_is_kerass(tf: Any, rng: np.random.Generator) -> None:
    """The NumPy LSTM with ReLU, by which students' models are judged, agrees with Keras's layer."""
    oracle = _function_of(ASSIGNMENT.hidden_tests, "relu_lstm")
    x, weights = rng.normal(size=(4, 6, 2)), [0.5 * array for array in _weights(rng, 4, 2, 5)]
    layer = _with_weights(tf.keras.layers.LSTM(5, activation="relu", dtype="float64"), x.shape, weights)
    np.testing.assert_allclose(oracle(x, *weights), layer(x).numpy(), rtol=1e-6, atol=1e-6)


def test_the_examiners_model_is_the_contracts(lstm: Any) -> None:
    """What trainings are judged with is the network that ``build_lstm`` has to build."""
    subject = ModuleSubject(lstm)
    model = make_lstm(subject, 0, 10, 50)
    assert_stages(model, [recurrent("lstm", 50, function="relu"), dense(1)])
    assert_output_shape(model, (1,))
    assert_parameters(model, 10_451)
    assert_compiled(model, optimizer="Adam", losses=("mean_squared_error",))


def test_the_examiners_weights_are_drawn_as_by_keras(tf: Any, lstm: Any) -> None:
    """Each array has the limits, the orthogonality and the first bias of Keras's own, and a seed gives one model."""
    tf.keras.utils.set_random_seed(1)
    own = lstm.build_lstm()
    model = make_lstm(ModuleSubject(lstm), 3, 10, 50)
    for drawn, kerass in zip(model.weights(), own.get_weights(), strict=True):
        assert drawn.shape == kerass.shape
        assert drawn.std() == pytest.approx(kerass.std(), rel=0.25, abs=1e-6)
    recurrent_kernel, bias = model.weights([1, 2])
    np.testing.assert_allclose(recurrent_kernel @ recurrent_kernel.T, np.eye(50), atol=1e-5)
    np.testing.assert_array_equal(bias, own.get_weights()[2])
    for one, same in zip(model.weights(), make_lstm(ModuleSubject(lstm), 3, 10, 50).weights(), strict=True):
        np.testing.assert_array_equal(one, same)


def test_a_forecast_is_the_network_between_two_scalings(lstm: Any, rng: np.random.Generator) -> None:
    """It is what the model says to the standardized window, brought back to the units of the series."""
    series = 100 + 10 * rng.normal(size=30)
    forecaster = SeriesForecaster(ModuleSubject(lstm), "train_lstm", "forecast")
    trained = forecaster.trained(series, 0, window=4, units=3, epochs=1)
    scaled = (series[-4:] - series.mean()) / series.std()
    answer = float(trained.model.predict(scaled[np.newaxis, :, np.newaxis], (1,))[0, 0])
    expected = series.mean() + series.std() * answer
    assert forecaster.next_value(trained, series) == pytest.approx(expected, rel=1e-5)
    assert len(trained.claims()["loss"]) == 1


def _floats(*shape: int, low: float = -4.0, high: float = 4.0) -> st.SearchStrategy[Array]:
    return hnp.arrays(np.float64, shape, elements=st.floats(low, high, allow_subnormal=False))


CELLS = st.tuples(_floats(3, 2), _floats(3, 4), _floats(3, 4), _floats(2, 16), _floats(4, 16), _floats(16))
GATES = st.tuples(st.integers(1, 8), st.integers(1, 3)).flatmap(lambda shape: _floats(*shape, low=0.0, high=1.0))


@properties
@given(args=CELLS)
def test_a_cell_gains_at_most_one_per_step(lstm: Any, args: tuple[Array, ...]) -> None:
    """Gates lie between 0 and 1, so a cell grows by at most 1, and what is shown stays within -1 and 1."""
    h, c = lstm.lstm_step(*args)
    assert np.all(np.abs(c) <= np.abs(args[2]) + 1)
    assert np.all(np.abs(h) <= 1)


@properties
@given(x=_floats(2, 5, 2), weights=st.tuples(_floats(2, 12), _floats(3, 12), _floats(12)), stop=st.integers(1, 4))
def test_reading_can_be_continued(lstm: Any, x: Array, weights: tuple[Array, ...], stop: int) -> None:
    """A sequence read in two parts, the second from where the first ended, is the sequence read at once."""
    zeros = np.zeros((2, 3))
    h, c = lstm.lstm_forward(x, zeros, zeros, *weights)
    early, cell = lstm.lstm_forward(x[:, :stop], zeros, zeros, *weights)
    late, last = lstm.lstm_forward(x[:, stop:], early[:, -1], cell, *weights)
    np.testing.assert_allclose(np.concatenate([early, late], axis=1), h, atol=1e-12)
    np.testing.assert_allclose(last, c, atol=1e-12)


@properties
@given(args=st.tuples(_floats(3, 2), _floats(3, 4), _floats(2, 12), _floats(4, 12), _floats(12)))
def test_a_gru_lies_between_its_state_and_its_candidate(lstm: Any, args: tuple[Array, ...]) -> None:
    """The new state is a mean of the old one and of a number within -1 and 1; rows do not know of each other."""
    received = lstm.gru_step(*args)
    assert np.all(np.abs(received) <= np.maximum(np.abs(args[1]), 1) + 1e-12)
    x_t, h_prev, *weights = args
    np.testing.assert_allclose(lstm.gru_step(x_t[::-1], h_prev[::-1], *weights), received[::-1], atol=1e-12)


@properties
@given(forget=GATES)
def test_the_gradient_grows_towards_the_end(lstm: Any, forget: Array) -> None:
    """Each row is the next one times the gate between them, and the last is 1."""
    gradient = lstm.cell_gradient(forget)
    np.testing.assert_allclose(gradient[:-1], gradient[1:] * forget[1:], atol=1e-12)
    np.testing.assert_array_equal(gradient[-1], 1)


@properties
@given(length=st.integers(1, 60), fraction=st.floats(0, 1))
def test_a_split_loses_nothing(lstm: Any, length: int, fraction: float) -> None:
    """Both parts behind each other are the series, and the first has as many values as it should."""
    series = np.arange(float(length))
    train, test = lstm.split_series(series, fraction)
    np.testing.assert_array_equal(np.concatenate([train, test]), series)
    assert len(train) == int(fraction * length)
