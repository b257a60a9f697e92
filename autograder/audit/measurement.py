"""What an author measures to find a threshold: the record that ``solutions/<slug>/calibrate.py`` lists.

    from autograder.audit import Measurement
    from autograder.checks.training import Classifier

    def digits_accuracy(student, seed):
        '''Train on 300 digits and return the accuracy on 200 hidden ones.'''
        images, labels, others, truth = lesson(np.random.default_rng(seed), 300)
        cnn = Classifier(student, "train_cnn", "predict_cnn")
        parameters, _ = cnn.trained(images, labels, seed=seed)
        return accuracy(cnn.predicted(parameters, others), truth)

    MEASUREMENTS = (
        Measurement(
            "digits_accuracy",
            unit="accuracy on 200 hidden digits",
            higher_is_better=True,
            run=digits_accuracy,
            wrong=("images_shuffled_without_labels",),
            items=200,
        ),
    )

A hidden test asks for the number by the fixture ``threshold``: ``assert_accuracy(..., threshold("digits_accuracy"))``.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import CourseError
from autograder.subject.proxy import Subject

Run = Callable[[Subject, int], float]
"""Train with a seed and measure. Its subject is the solution, an alternate or a misconception, called as in a test."""


@dataclass(frozen=True)
class Measurement:
    """One number that decides about a training.

    ``run(student, seed)`` does what the hidden test does, with everything that is random drawn from the seed, and
    returns the number; a CheckFailure that it lets through means that the training gave no number at all.
    ``wrong`` names the misconceptions that the threshold has to tell from a right solution.
    ``items`` is given for an accuracy over so many hidden items, of which a student gets the benefit of the binomial
    interval; any other number is above 0: a loss, an error, a ratio.
    ``attempts`` is how many seeds the hidden test tries at most, where one that passes is enough.
    ``announced`` is a threshold that the course already states. Then calibration does not choose: it proves.
    """

    name: str
    unit: str
    higher_is_better: bool
    run: Run
    wrong: tuple[str, ...] = ()
    items: int | None = None
    attempts: int = 1
    announced: float | None = None

    def __post_init__(self) -> None:
        if self.items is not None and (self.items < 1 or not self.higher_is_better):
            raise CourseError(f'"{self.name}": an accuracy over items is better when higher, and has 1 item or more')
        if self.attempts < 1:
            raise CourseError(f'"{self.name}": expected 1 attempt or more, received {self.attempts}')


def load(path: Path) -> tuple[Measurement, ...]:
    """Run an author's ``calibrate.py`` and return its measurements.

    Raises:
        CourseError: it cannot be run, lists no measurements, or two of one name.
    """
    try:
        listed: Any = runpy.run_path(str(path)).get("MEASUREMENTS", ())
    except Exception as error:
        raise CourseError(f"cannot be run: {type(error).__name__}: {error}", path=path) from error
    if not listed or not all(isinstance(one, Measurement) for one in listed):
        raise CourseError("expected `MEASUREMENTS = (Measurement(...), ...)`", path=path)
    names = [one.name for one in listed]
    for name in names:
        if names.count(name) > 1:
            raise CourseError(f'two measurements are named "{name}": expected a name for each', path=path)
    return tuple(listed)
