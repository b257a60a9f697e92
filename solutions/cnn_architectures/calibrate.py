"""What decides how far a residual net of ``deep_net`` has to get: ``autograder calibrate cnn_architectures``."""

import numpy as np

from autograder.audit import Measurement
from autograder.checks.designs import loss_after_training
from autograder.checks.models import build
from autograder.data import hidden_digits, load_digits
from autograder.data.disguised import LESSON_HIDDEN, lesson

DIGITS = load_digits(), hidden_digits()


def residual_loss(student, seed):
    """Train the net of depth 31 for five epochs on 600 digits; return its loss on 200 hidden ones."""
    x, y, probe, truth = lesson(DIGITS, 600, np.random.default_rng(seed))
    model = build(student, "deep_net", 31, True)
    return loss_after_training(model, (x, y), (probe, np.eye(10)[truth]), epochs=5, batch_size=32, seed=seed)


MEASUREMENTS = (
    Measurement(
        "residual_loss",
        unit=f"loss on {LESSON_HIDDEN} hidden digits",
        higher_is_better=False,
        run=residual_loss,
        wrong=("residual_ignored",),
        attempts=3,
    ),
)
