"""What the examiner may ask of a Keras model, which stays in the subject: everything here answers with plain data.

Imported only when a model is first asked for, because it needs Keras. Like the agent it runs in the student's process,
so what it says is a claim; the other side checks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras.src.backend.common import global_state

from autograder.subject import description

Array = npt.NDArray[Any]

_BATCH_NUMBERS = 2**20
_LARGEST_BATCH = 512
"""Numbers and items that go in at once: enough to be fast, few enough that feature maps stay small."""


class NoModel(TypeError):
    """What should be a Keras model is none."""


def describe(model: object, input_shape: Sequence[int] | None = None) -> dict[str, object]:
    """Describe a model; ``input_shape``, without the batch, is needed where the model does not know it itself."""
    return description.describe(_model(model), input_shape)


def predict(model: object, inputs: Array, training: bool = False, batch: int | None = None) -> Array:
    """Return the outputs for ``inputs``, float32; ``batch`` items at a time, which matters in training mode.

    The model is called eagerly: one answer costs less than tracing a graph for it would.
    """
    known = _model(model)
    if batch is None:
        numbers = max(1, int(np.prod(inputs.shape[1:])))
        batch = min(max(1, _BATCH_NUMBERS // numbers), _LARGEST_BATCH)
    chunks = [known(inputs[start : start + batch], training=training) for start in range(0, len(inputs), batch)]
    return np.concatenate([_array(chunk) for chunk in chunks])


def weights(model: object, numbers: Sequence[int] | None = None) -> list[Array]:
    """Return all weights as arrays, or those with the given numbers."""
    variables = _model(model).weights
    chosen = range(len(variables)) if numbers is None else numbers
    return [np.asarray(variables[number].value.numpy()) for number in chosen]


def set_weights(model: object, values: Mapping[int, Array]) -> None:
    """Assign new values to the weights with these numbers."""
    variables = _model(model).weights
    for number, value in values.items():
        variables[number].assign(value)


def inner(model: object) -> Any:
    """Return the model inside a model: the first of its layers that is one itself."""
    parts = (layer for layer in _model(model).layers if isinstance(layer, keras.Model))
    found = next(parts, None)
    if found is None:
        raise NoModel("expected a Keras model inside of the model, received none")
    return found


def set_trainable(model: object, trainable: bool) -> None:
    """Freeze a model with all its layers, or the opposite."""
    known = _model(model)
    known.trainable = not trainable  # a value that it has already would not reach its layers
    known.trainable = trainable


def fit(
    model: object, inputs: Array, labels: Array, probe: Array, options: Mapping[str, Any], seed: int
) -> dict[str, object]:
    """Train with ``options`` for ``Model.fit``; tell what the model predicts for ``probe`` before and after each epoch.

    ``compile`` among the options has the arguments of ``Model.compile``, and ``optimizer`` may be a dict there:
    ``{"class_name": "Adam", "config": {"learning_rate": 1e-3}}``.
    """
    known, given = _model(model), dict(options)
    seed_everything(seed)
    if given.get("compile"):
        known.compile(**_compilation(given["compile"]))
    given.pop("compile", None)
    predictions = [predict(known, probe)]
    told = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: predictions.append(predict(known, probe)))
    trained = known.fit(inputs, labels, **given, verbose=0, callbacks=[told])
    return {"predictions": predictions, "history": history(trained)}


def history(record: object) -> dict[str, list[float]]:
    """Return the values that a ``History`` claims, by name."""
    values = getattr(record, "history", record)
    if not isinstance(values, dict):
        raise TypeError(f"expected the History that fit returns, received {type(record).__name__}")
    return {str(name): [float(value) for value in series] for name, series in values.items()}


def make(config: str, values: Sequence[Array] | None) -> Any:
    """Make a model of the examiner's, from the JSON that ``Model.to_json`` writes; without weights, they are drawn."""
    model = keras.models.model_from_json(config)
    if values is not None:
        model.set_weights(list(values))
    return model


def block(function: Callable[..., Any], input_shape: Sequence[int], *args: object, **kwargs: object) -> Any:
    """Make a model of a student's function that takes and returns a Keras tensor."""
    inputs = keras.Input(tuple(input_shape))
    outputs = function(inputs, *args, **kwargs)
    if not isinstance(outputs, keras.KerasTensor):
        raise NoModel(f"expected a Keras tensor, received {type(outputs).__name__}")
    return keras.Model(inputs, outputs)


def outline(function: Callable[..., Any], *args: object, **kwargs: object) -> dict[str, object]:
    """Describe the model that a student's function builds, without ever giving its weights values or memory."""
    try:
        with keras.StatelessScope(initialize_variables=False):
            return describe(function(*args, **kwargs))
    except NoModel:
        raise
    except Exception:  # noqa: BLE001 - the student's code, which may need the values: then they are zeros
        return _outline_of_zeros(function, *args, **kwargs)
    finally:
        global_state.set_global_attribute("uninitialized_variables", [])  # or the next scope would fill them all


def seed_everything(seed: int) -> None:
    """Seed every generator that is drawn from without a seed: Python's, NumPy's, Keras's and TensorFlow's."""
    keras.utils.set_random_seed(seed)


def _outline_of_zeros(function: Callable[..., Any], *args: object, **kwargs: object) -> dict[str, object]:
    """Build with zeros for all initial weights, which costs the memory but no random numbers."""
    add_weight = keras.layers.Layer.add_weight

    def zeros(layer: Any, *given: object, **options: object) -> Any:
        if len(given) > 1:  # shape and initializer by position
            return add_weight(layer, given[0], "zeros", *given[2:], **options)
        return add_weight(layer, *given, **{**options, "initializer": "zeros"})

    keras.layers.Layer.add_weight = zeros
    try:
        return describe(function(*args, **kwargs))
    finally:
        keras.layers.Layer.add_weight = add_weight


def _model(value: object) -> Any:
    if not isinstance(value, keras.Model):
        raise NoModel(f"expected a Keras model, received {type(value).__name__}")
    return value


def _array(outputs: object) -> Array:
    if isinstance(outputs, (tuple, list, dict)):
        raise TypeError(f"expected one tensor from the model, received a {type(outputs).__name__}")
    return np.asarray(keras.ops.convert_to_numpy(outputs), dtype=np.float32)


def _compilation(options: Mapping[str, Any]) -> dict[str, Any]:
    given = dict(options)
    if isinstance(given.get("optimizer"), dict):
        given["optimizer"] = keras.optimizers.deserialize({"module": "keras.optimizers", **given["optimizer"]})
    return given
