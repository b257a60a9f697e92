"""What decides how accurate a network of ``train_cnn`` has to be: ``autograder calibrate cnn_pipeline``."""

import numpy as np

from autograder.audit import Measurement
from autograder.checks import assert_accuracy
from autograder.checks.training import Classifier
from autograder.data import hidden_digits, load_digits
from autograder.data.disguised import LESSON_HIDDEN, lesson

DIGITS = load_digits(), hidden_digits()


def digits_accuracy(student, seed):
    """Train on 300 digits and return the accuracy on 200 hidden ones."""
    images, labels, others, truth = lesson(DIGITS, 300, np.random.default_rng(seed))
    cnn = Classifier(student, "train_cnn", "predict_cnn")
    parameters, _ = cnn.trained(images, labels, seed=seed)
    return assert_accuracy(cnn.predicted(parameters, others), truth, threshold=0)


MEASUREMENTS = (
    Measurement(
        "digits_accuracy",
        unit=f"accuracy on {LESSON_HIDDEN} hidden digits",
        higher_is_better=True,
        run=digits_accuracy,
        wrong=("never_updated", "trained_uphill", "labels_left_behind"),
        items=LESSON_HIDDEN,
        attempts=3,
    ),
)
