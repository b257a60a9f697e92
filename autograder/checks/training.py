"""A student's pair of functions that train and apply a classifier, judged by what the network predicts.

What the training says about itself, its losses, is compared with losses that are computed here from its predictions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_close, assert_numbers, assert_tuple
from autograder.checks.evidence import note
from autograder.checks.metrics import assert_probabilities
from autograder.errors import CheckFailure
from autograder.model import Evidence
from autograder.subject.proxy import Subject

Array = npt.NDArray[Any]
_Result = TypeVar("_Result")

_LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Classifier:
    """The functions ``train(images, labels, ...) -> (parameters, losses)`` and ``predict(parameters, images)``.

    Parameters stay in the subject: they are the student's own, and only a handle of them comes here.
    """

    student: Subject
    train: str
    predict: str

    def trained(self, images: Array, labels: Array, **options: object) -> tuple[Any, Any]:
        """Train; return handles of the parameters and of the losses."""
        received = getattr(self.student.handle, self.train)(images, labels, **options)
        hint = "Return both: `return parameters, losses`."
        parameters, losses = assert_tuple(received, 2, name=f"the result of {self.train}", hint=hint)
        return parameters, losses

    def predicted(self, parameters: object, images: Array, classes: int = 10) -> Array:
        """Return the probabilities ``(N, classes)`` of images, checked."""
        received = getattr(self.student, self.predict)(parameters, images)
        return assert_probabilities(received, (len(images), classes), name=f"the result of {self.predict}")

    def loss(self, parameters: object, images: Array, labels: Array) -> float:
        """Return the cross-entropy of the predictions for images with one-hot labels ``(N, K)``."""
        right = np.sum(self.predicted(parameters, images, labels.shape[1]) * labels, axis=1)
        return float(-np.log(np.maximum(right, _LEAST_PROBABILITY)).mean())

    def losses(self, handle: Any, epochs: int) -> Array:
        """Return the losses that the training reported, one per epoch."""
        return assert_numbers(self.student.value(handle), epochs, name="losses", hint="Append one mean loss per epoch.")


def for_some_seed(attempt: Callable[[int], _Result], seeds: Sequence[int] = (0, 1, 2)) -> _Result:
    """Return ``attempt(seed)`` of the first seed whose check does not fail; with none, fail as the last one did.

    A right network can have an unlucky start; a wrong one has no lucky one. An exception or a time-out is final.
    """
    for seed in seeds[:-1]:
        try:
            return attempt(seed)
        except CheckFailure as failure:
            if type(failure) is not CheckFailure:
                raise
    return attempt(seeds[-1])


def assert_varied(probabilities: Array) -> Array:
    """Return predictions that are not the same for every image: those would be none."""
    if np.ptp(probabilities, axis=0).max() < 1e-6:
        raise CheckFailure("Every image gets the same probabilities.", hint="The images have to reach the result.")
    return probabilities


def assert_learning(early: float, late: float, classes: int = 10) -> None:
    """Check that a loss, computed from predictions, has fallen since ``early`` and below that of guessing."""
    guessing = float(np.log(classes))
    most = min(early, 0.9 * guessing)
    text = f"The loss of your predictions goes from {early:.3g} after the first epoch to {late:.3g} after the last"
    note(Evidence("loss", f"{text}; less than {most:.3g} needed.", late, threshold=most))
    if not late < most:
        raise CheckFailure(
            "The loss, computed from your predictions, does not fall.",
            expected=f"falling, and well below {guessing:.3g}, the loss of guessing",
            received=f"{early:.3g} after the first epoch, {late:.3g} after the last",
            hint="Look at the sign of the step, and compare each gradient with a measured slope.",
        )


def assert_reported(losses: Array, early: float, late: float) -> None:
    """Check reported losses against those computed from predictions after the first and after the last epoch.

    All have to fall. The mean over an epoch lies between the losses before and after it, up to noise: 0.9 to 1.5 times
    the loss after the last epoch when tried with eight designs, at most as large as that after the first.
    """
    _note_claim(float(losses[-1]), late)
    falling = losses[-1] < losses[0] and late < early
    if not (falling and 0.4 * late - 0.1 < losses[-1] < 2 * early + 0.5):
        raise CheckFailure(
            "The reported losses are not those of the network.",
            expected=f"falling, the last one near {late:.3g}, the loss of its predictions",
            received=", ".join(f"{loss:.3g}" for loss in losses),
            hint="Average the loss over all items of an epoch: weigh each batch by its length.",
        )


def assert_claimed(losses: Array, computed: Array) -> None:
    """Check the losses that a ``History`` claims against those computed here, which have to be the same ``(E,)``."""
    _note_claim(float(losses[-1]), float(computed[-1]))
    assert_close(losses, computed, rtol=1e-3, name="the losses of the History")


def _note_claim(claimed: float, computed: float) -> None:
    """Tell a student's last loss beside the one that counts."""
    text = f"Your training reports a last loss of {claimed:.3g}; computed from its network it is {computed:.3g}."
    note(Evidence("reported loss", text, computed, claimed=claimed))
