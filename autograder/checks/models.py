"""Keras models that a student built. They stay in the student's process; a ``Model`` here asks about one.

    model = build(student, "build_cnn", (64, 64, 3))            calls student.build_cnn and keeps the model there
    model = build_block(student, "residual_block", (8, 8, 16), 16, stride=2)
                                                                a function of a Keras tensor, between input and output
    description = outline(student, "vgg16")                     a full-size design, built without memory for its weights
    model = model_of(student, handle, "train_cnn")              a handle that some call of student.handle gave
    base = make_model(student, keras_json, weights)             a model of the examiner's own, in the student's process

    description = model.describe()                              records: operations, layers, weights, compilation
    description.parameters, description.output_shape            138357544, (None, 1000)
    probabilities = model.predict(images, (10,))                float32 (N, 10), shape and finiteness checked
    before = model.weights()                                    arrays, in the order of description.weights
    model.set_weights({w.number: np.zeros(w.shape) for w in description.weights if w.name == "kernel"})
    training = model.fit(x, y, probe, epochs=5, batch_size=32, seed=0,
                         compiled={"optimizer": "adam", "loss": "categorical_crossentropy"})
    training.predictions                                        for the probe: before training, then after each epoch
    training.claims                                             what History says, never to be trusted
    model.set_trainable(False); base = model.inner()            freeze all of it; the model inside of it
    model.forget()                                              its memory goes; otherwise it goes when the check ends

    student.train_cnn(model.handle, ...)                        a handle is an argument like any other
    history = student.handle.train_cnn(model.handle, images, labels)
    claimed(student, history, "train_cnn")                      {"loss": (0.69, 0.41)}, the claims of a History

Inputs and labels go through the boundary, which lets 64 MiB through at once. Without ``compiled`` a model is trained as
the student compiled it. All calls raise CheckFailure, whatever is wrong with it. What kind of network it is, is a
question for :mod:`autograder.checks.architecture`; how its loss falls, one for :mod:`autograder.checks.fitting`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_array
from autograder.checks.description import Description, Weight, read_description
from autograder.checks.wording import describe as in_words
from autograder.checks.wording import printable
from autograder.errors import CheckFailure, StudentRaised
from autograder.subject.proxy import Subject
from autograder.subject.wire import Handle

Array = npt.NDArray[Any]

_MOST_CLAIMS = 10_000


@dataclass(frozen=True)
class Training:
    """What came back from a training: ``predictions`` of the probe before it and after each epoch; ``claims``."""

    predictions: tuple[Array, ...]
    claims: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Model:
    """A model in a student's process. ``name`` is the function that made it, for the messages."""

    student: Subject
    handle: Handle
    name: str

    def describe(self, input_shape: Sequence[int] | None = None) -> Description:
        """Describe it as it is now; ``input_shape``, without the batch, for a model that does not know it."""
        return read_description(self._ask("describe", None if input_shape is None else list(input_shape)))

    def predict(
        self,
        inputs: Array,
        shape: Sequence[int | None] | None = None,
        *,
        training: bool = False,
        batch: int | None = None,
    ) -> Array:
        """Return its outputs, finite float32 ``(N, *shape)``; without ``shape`` any shape is right."""
        received = self._ask("predict", _single(inputs), training, batch)
        return _predictions(received, len(inputs), shape, f"the output of the model of {self.name}")

    def weights(self, numbers: Sequence[int] | None = None) -> list[Array]:
        """Return all its weights, or those with these numbers."""
        received = self._ask("weights", None if numbers is None else list(numbers))
        count = None if numbers is None else len(numbers)
        if type(received) is not list or count not in (None, len(received)):
            self._senseless("weights", received)
        if not all(type(item) is np.ndarray and item.dtype.kind in "iufb" for item in received):
            self._senseless("weights", received)
        return received

    def set_weights(self, values: Mapping[int, npt.ArrayLike] | Sequence[npt.ArrayLike]) -> None:
        """Assign weights: some by their numbers, or all in order."""
        numbered = values if isinstance(values, Mapping) else dict(enumerate(values))
        self._ask("set_weights", {number: np.asarray(value, np.float32) for number, value in numbered.items()})

    def set_trainable(self, trainable: bool) -> None:
        """Freeze it with all its layers, or the opposite."""
        self._ask("set_trainable", trainable)

    def inner(self) -> Model:
        """Return the model inside of it, the first of its layers that is one."""
        try:
            kept = self.student.model("inner", self.handle, of=self.name, keep=True)
        except StudentRaised as error:
            raise _explained(error, self.name) from None
        return model_of(self.student, kept, self.name)

    def fit(
        self,
        inputs: Array,
        labels: Array,
        probe: Array,
        *,
        seed: int,
        compiled: Mapping[str, object] | None = None,
        **options: object,
    ) -> Training:
        """Train it; ``options`` are those of ``Model.fit``, ``compiled`` those of ``Model.compile``.

        An optimizer is a name or ``{"class_name": "Adam", "config": {"learning_rate": 1e-3}}``.
        """
        given = {**options, "compile": None if compiled is None else dict(compiled)}
        received = self._ask("fit", _single(inputs), _single(labels), _single(probe), given, seed)
        epochs = options.get("epochs", 1)
        predictions = received.get("predictions") if type(received) is dict else None
        if type(predictions) is not list or len(predictions) != 1 + int(str(epochs)):
            self._senseless("training", received)
        name = f"the output of the model of {self.name} in training"
        checked = [_predictions(item, len(probe), None, name, finite=False) for item in predictions]
        return Training(tuple(checked), _claims(received.get("history")))

    def forget(self) -> None:
        """Let it go, with its memory."""
        self.student.forget(self.handle)

    def _ask(self, action: str, *args: object) -> Any:
        try:
            return self.student.model(action, self.handle, *args, of=self.name)
        except StudentRaised as error:
            raise _explained(error, self.name) from None

    def _senseless(self, what: str, received: object) -> NoReturn:
        raise CheckFailure(f"The {what} of the model of {self.name} came back as {in_words(received)}.")


def build(student: Subject, function: str, *args: object, **kwargs: object) -> Model:
    """Call the student's function and keep the model that it returns in the student's process."""
    handle = getattr(student.handle, function)(*args, **kwargs)
    return model_of(student, handle, function)


def build_block(student: Subject, function: str, input_shape: Sequence[int], *args: object, **kwargs: object) -> Model:
    """Make a model of a function ``f(x, *args, **kwargs)`` of a Keras tensor, with ``x`` of ``input_shape``."""
    try:
        handle = student.call_through("block", function, (list(input_shape), *args), kwargs, keep=True)
    except StudentRaised as error:
        raise _explained(error, function, "a Keras tensor") from None
    return model_of(student, handle, function)


def outline(student: Subject, function: str, *args: object, **kwargs: object) -> Description:
    """Describe the model that the student's function builds; its weights never take memory, and it is gone at once."""
    try:
        return read_description(student.call_through("outline", function, args, kwargs))
    except StudentRaised as error:
        raise _explained(error, function) from None


def make_model(student: Subject, config: str, weights: Sequence[Array] | None = None) -> Model:
    """Put a model of the examiner's into the student's process: ``model.to_json()`` and ``model.get_weights()``.

    Without weights it has those that Keras draws.
    """
    values = None if weights is None else list(weights)
    return model_of(student, student.model("make", config, values, of="the examiner", keep=True), "the examiner")


def model_of(student: Subject, handle: object, function: str) -> Model:
    """Return the model behind a handle that ``function`` gave."""
    if not isinstance(handle, Handle):
        raise _no_model(function, in_words(handle))
    return Model(student, handle, function)


def claimed(student: Subject, record: object, function: str) -> Mapping[str, tuple[float, ...]]:
    """Return what the ``History`` behind a handle says, one number per epoch for each name. Claims, never evidence."""
    if not isinstance(record, Handle):
        raise CheckFailure(f"{function} returned no History.", received=in_words(record))
    try:
        return _claims(student.model("history", record, of=function))
    except StudentRaised:
        hint = "Return what `model.fit` returns."
        raise CheckFailure(f"{function} returned no History.", received=in_words(record), hint=hint) from None


def moved(before: Sequence[Array], after: Sequence[Array]) -> list[bool]:
    """Tell for each weight whether any of its bits has changed."""
    return [
        old.shape != new.shape or old.dtype != new.dtype or old.tobytes() != new.tobytes()
        for old, new in zip(before, after, strict=True)
    ]


def named(weights: Sequence[Weight], *names: str) -> list[int]:
    """Return the numbers of the weights with these names: kernel, bias, gamma, beta, moving_mean, moving_variance."""
    return [weight.number for weight in weights if weight.name in names]


def _single(array: Array) -> Array:
    """Send float64 as float32, which Keras would make of it: half the bytes."""
    return array.astype(np.float32) if array.dtype == np.float64 else array


def _predictions(
    received: object, items: int, shape: Sequence[int | None] | None, name: str, *, finite: bool = True
) -> Array:
    axes: Sequence[int | None] = (None,) * (max(np.ndim(received), 1) - 1) if type(received) is np.ndarray else ()
    return assert_array(
        received, (items, *(axes if shape is None else shape)), dtype=np.float32, finite=finite, name=name
    )


def _claims(received: object) -> Mapping[str, tuple[float, ...]]:
    """Read a History's values; what is no list of numbers under a name is left out."""
    if type(received) is not dict:
        return {}
    series = {name: values for name, values in received.items() if type(name) is str and type(values) is list}
    return {
        printable(name): tuple(values)
        for name, values in series.items()
        if len(values) <= _MOST_CLAIMS and all(type(value) is float for value in values)
    }


def _explained(error: StudentRaised, function: str, wanted: str = "a Keras model") -> CheckFailure:
    """Turn the complaint that something is no model into a sentence for the student; leave others as they are."""
    if error.type_names[:1] != ("NoModel",):
        return error
    return _no_model(function, error.text.partition("received ")[2] or "something else", wanted)


def _no_model(function: str, received: str, wanted: str = "a Keras model") -> CheckFailure:
    hint = "Is there a `return` at the end?" if received.startswith("None") else None
    return CheckFailure(f"{function} returned no {wanted[2:]}.", expected=wanted, received=received, hint=hint)
