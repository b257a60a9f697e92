"""What holds for ``rnn`` beyond what holds for every assignment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.checks.plugin import load_reference
from autograder.model import Outcome
from tests.course.answers import answers_of, learned_by_heart
from tests.course.bench import checks

RNN = answers_of("rnn")

pytestmark = pytest.mark.timeout(600)  # networks are trained


def test_the_training_of_the_misconceptions_is_right() -> None:
    """What they change about a training is therefore all that is wrong with it."""
    helpers = load_reference(RNN.assignment.misconceptions.with_name("misconceptions_training.py"))
    subject = RNN.with_functions({"train_rnn": helpers._train, "predict_rnn": helpers._predict})
    tasks = RNN.hidden(subject, "train_rnn")
    assert {name: check.message for name, check in checks(tasks).items()} == {}


PARTLY_RIGHT = {
    "bias_forgotten": 0.8,
    "first_state_replaced_by_zeros": 0.6,
    "first_state_overwritten": 0.8,
    "one_step_only": 0.1,
    "last_gradient_only": 0.3,
    "first_state_left_out": 0.7,
    "bias_gradient_averaged": 0.6,
    "upstream_gradient_changed": 0.9,
    "clipped_one_by_one": 0.2,
    "always_scaled": 0.5,
    "divided_by_the_last": 0.05,
    "last_value_as_target": 0.3,
    "learning_rate_ignored": 0.9,
    "hidden_ignored": 0.9,
    "losses_summed": 0.8,
    "state_carried_between_windows": 0.3,
}
"""The share of its task's points that a partly right answer keeps at least."""


@pytest.mark.parametrize("name, share", PARTLY_RIGHT.items())
def test_a_partly_right_answer_keeps_its_part(name: str, share: float) -> None:
    """One mistake among right things does not cost all of a task."""
    task = RNN.wrong_by_name(name)
    assert task.score >= share * task.max_score


def _still(x: Any, _y: Any, *_: Any, epochs: int = 50, **__: Any) -> tuple[dict[str, Any], list[float]]:
    """Train nothing, and claim that the loss fell."""
    return {"length": x.shape[1]}, [1 / (epoch + 1) for epoch in range(epochs)]


FORECASTS = {
    "the mean": lambda _, x: np.zeros((len(x), 1)),
    "the last value": lambda _, x: x[:, -1],
    "a straight line": lambda _, x: 2 * x[:, -1] - x[:, max(-2, -x.shape[1])],
    "the next window's last value": lambda _, x: np.concatenate([x[1:, -1], x[-1:, -1]]),
}
"""Forecasts that nothing was learned for; the last one reads the answers where windows overlap."""


@pytest.mark.parametrize("name", FORECASTS)
def test_a_forecast_without_learning_gets_nothing(name: str) -> None:
    """Beside a plausible list of losses it passes no check of the training."""
    subject = RNN.with_functions({"train_rnn": _still, "predict_rnn": FORECASTS[name]})
    assert checks(RNN.hidden(subject, "train_rnn"), Outcome.PASSED, Outcome.BROKEN) == {}


def test_gradients_of_zero_get_nothing() -> None:
    """Right shapes with nothing in them pass no check of the way back."""

    def rnn_backward(_grad: Any, x: Any, h0: Any, _h: Any, wx: Any, wh: Any) -> tuple[Any, ...]:
        return x * 0, h0 * 0, wx * 0, wh * 0, wh[0] * 0

    tasks = RNN.hidden(RNN.with_functions({"rnn_backward": rnn_backward}), "rnn_backward")
    assert checks(tasks, Outcome.PASSED, Outcome.BROKEN) == {}


def test_public_examples_do_not_earn_the_grade() -> None:
    """Answers learned by heart from the public checks get nothing from the hidden ones."""
    subject, known = learned_by_heart(RNN, [name for name in RNN.functions if name not in ("train_rnn", "predict_rnn")])
    assert known > 12
    assert checks(RNN.hidden(subject), Outcome.PASSED, Outcome.BROKEN) == {}
