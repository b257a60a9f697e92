"""What holds for ``cnn_architectures`` beyond what holds for every assignment."""

from __future__ import annotations

import pytest

from tests.course.answers import Answers, answers_of

pytestmark = pytest.mark.timeout(600)  # networks are trained

PARTLY_RIGHT = {
    "first_convolution_valid": 0.3,
    "maximum_pooled": 0.4,
    "no_non_linearity": 0.5,
    "first_convolution_padded": 0.35,
    "windows_side_by_side": 0.4,
    "hidden_units_not_scaled": 0.75,
    "block_without_pooling": 0.6,
    "nineteen_layers": 0.4,
    "small_convolutions_linear": 0.6,
    "last_pooling_missing": 0.5,
    "branches_out_of_order": 0.5,
    "one_inception_short": 0.5,
    "stride_in_the_second": 0.75,
    "first_pooling_missing": 0.6,
    "loss_of_integers": 0.75,
}
"""The share of its task's points that a partly right answer keeps at least."""


@pytest.mark.proves
@pytest.mark.parametrize("answers", [answers_of("cnn_architectures")], ids=repr)
@pytest.mark.parametrize("name, share", PARTLY_RIGHT.items())
def test_a_partly_right_answer_keeps_its_part(answers: Answers, name: str, share: float) -> None:
    """One mistake among right things does not cost all of a task."""
    task = answers.wrong_by_name(name)
    assert task.score >= share * task.max_score
