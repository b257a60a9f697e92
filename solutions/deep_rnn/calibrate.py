"""What decides whether a network of ``build_recaller`` recalls: ``autograder calibrate deep_rnn``."""

import numpy as np

from autograder.audit import Measurement
from autograder.checks import assert_accuracy
from autograder.checks.models import build
from autograder.data import draw_recall

HIDDEN = 500


def recall_accuracy(student, seed):
    """Train on 4,000 sequences as the hidden test does and return the accuracy on 500 others."""
    rng = np.random.default_rng(seed)
    sequences, labels = draw_recall(rng, 4000)
    others, truth = draw_recall(rng, HIDDEN)
    student.model("seed_everything", seed, of="build_recaller")
    model = build(student, "build_recaller")
    model.fit(sequences, labels, others[:1], epochs=10, batch_size=32, seed=seed)
    return assert_accuracy(model.predict(others, (4,)), truth, threshold=0)


MEASUREMENTS = (
    Measurement(
        "recall_accuracy",
        unit=f"accuracy on {HIDDEN} hidden sequences",
        higher_is_better=True,
        run=recall_accuracy,
        wrong=("plain_recaller", "keeping_gate_half_open", "wrong_gate_opened", "hardly_learning"),
        items=HIDDEN,
        attempts=2,
        announced=0.95,
    ),
)
