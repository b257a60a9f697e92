"""What decides how accurate a fine-tuned network has to be: ``autograder calibrate transfer_learning``."""

from pathlib import Path

import numpy as np

from autograder.audit import Measurement
from autograder.checks import assert_accuracy
from autograder.checks.transfer import NEW_KINDS, tuned_predictions
from autograder.course import Course
from autograder.data import draw_shapes

BASE_FILE = Course.find(Path(__file__).parent).assignment("transfer_learning").data / "base.npz"
HIDDEN = 200


def tuned_accuracy(student, seed):
    """Fine-tune with 24 pictures of new kinds as the hidden test does, and return the accuracy on 200 others."""
    rng = np.random.default_rng(seed)
    few, (others, truth) = (draw_shapes(rng, count, NEW_KINDS) for count in (24, HIDDEN))
    return assert_accuracy(tuned_predictions(student, BASE_FILE, few, others, seed), truth, threshold=0)


MEASUREMENTS = (
    Measurement(
        "tuned_accuracy",
        unit=f"accuracy on {HIDDEN} hidden pictures",
        higher_is_better=True,
        run=tuned_accuracy,
        wrong=("from_scratch",),
        items=HIDDEN,
        attempts=2,
    ),
)
