"""What decides how accurate a design of ``build_gap_cnn`` has to be: ``autograder calibrate keras_cnn``."""

import numpy as np

from autograder.audit import Measurement
from autograder.checks import assert_accuracy
from autograder.checks.models import build
from autograder.data import draw_shapes

HIDDEN = 300


def shapes_accuracy(student, seed):
    """Train on 800 pictures as the hidden test does and return the accuracy on 300 others."""
    rng = np.random.default_rng(seed)
    images, labels = draw_shapes(rng, 800)
    others, truth = draw_shapes(rng, HIDDEN)
    model = build(student, "build_gap_cnn")
    scaled, probe = (part.astype(np.float32) / np.float32(255) for part in (images, others))
    model.fit(scaled, labels, probe[:1], epochs=10, batch_size=16, seed=seed)
    return assert_accuracy((model.predict(probe, (1,))[:, 0] > 0.5).astype(int), truth, threshold=0)


MEASUREMENTS = (
    Measurement(
        "shapes_accuracy",
        unit=f"accuracy on {HIDDEN} hidden pictures",
        higher_is_better=True,
        run=shapes_accuracy,
        wrong=("hardly_any_steps", "single_pixels"),
        items=HIDDEN,
        attempts=2,
    ),
)
