"""What holds for ``cnn_pipeline`` beyond what holds for every assignment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checks.plugin import load_reference
from autograder.model import Outcome
from tests.course.answers import answers_of, learned_by_heart
from tests.course.bench import checks

CNN = answers_of("cnn_pipeline")


def test_the_training_of_the_misconceptions_is_right() -> None:
    """What they change about a training is therefore all that is wrong with it."""
    helpers = load_reference(CNN.assignment.misconceptions.with_name("misconceptions_training.py"))
    subject = CNN.with_functions({"train_cnn": helpers._train, "predict_cnn": helpers._predict})
    tasks = CNN.hidden(subject, "train_cnn")
    assert tasks["train_cnn"].score == CNN.points["train_cnn"]


PARTLY_RIGHT = {
    "no_channel_axis": 0.35,
    "padded_on_one_side": 0.6,
    "stride_only_in_the_shape": 0.6,
    "first_image_for_all": 0.1,
    "bias_forgotten": 0.8,
    "max_stride_ignored": 0.5,
    "not_shifted": 0.7,
    "backward_without_stride": 0.5,
    "padding_not_removed": 0.6,
    "overlaps_overwritten": 0.6,
    "learning_rate_ignored": 0.9,
}
"""The share of its task's points that a partly right answer keeps at least."""


@pytest.mark.parametrize("name, share", PARTLY_RIGHT.items())
def test_a_partly_right_answer_keeps_its_part(name: str, share: float) -> None:
    """One mistake among right things does not cost all of a task."""
    task = CNN.wrong_by_name(name)
    assert task.score >= share * task.max_score


def test_gradients_of_zero_get_nothing() -> None:
    """Right shapes with nothing in them pass no check of the backward pass."""
    zeros = CNN.with_functions(
        {"conv2d_backward": lambda _, x, kernels, *__: (x * 0, kernels * 0, kernels[0, 0, 0] * 0)}
    )
    assert checks(CNN.hidden(zeros, "conv2d_backward"), Outcome.PASSED, Outcome.BROKEN) == {}


def test_an_untrained_network_gets_nothing() -> None:
    """Constant probabilities beside a plausible list of losses pass no check of the training."""

    def train_cnn(_images: Any, _labels: Any, epochs: int = 10, **_: Any) -> tuple[dict[str, Any], list[float]]:
        return {}, [2.3 - 0.1 * epoch for epoch in range(epochs)]

    def predict_cnn(_parameters: Any, images: Any) -> Any:
        return np.full((len(images), 10), 0.1)

    tasks = CNN.hidden(CNN.with_functions({"train_cnn": train_cnn, "predict_cnn": predict_cnn}), "train_cnn")
    assert checks(tasks, Outcome.PASSED, Outcome.BROKEN) == {}


def test_public_examples_do_not_earn_the_grade() -> None:
    """Answers learned by heart from the public checks get nothing from the hidden ones."""
    plain = [name for name in CNN.functions if name not in ("train_cnn", "predict_cnn", "output_size")]
    subject, known = learned_by_heart(CNN, plain)
    assert known > 20
    assert checks(CNN.hidden(subject), Outcome.PASSED, Outcome.BROKEN) == {}
