"""How a recurrent network reads a sequence: from the first step to the last, with nothing that goes past it.

    assert_reads_forward(model, name="your recaller")

A network that has to remember could otherwise look at the first step again: by reading backwards, or by a shortcut.
"""

from __future__ import annotations

from autograder.checks.architecture import stages_of
from autograder.checks.description import Description
from autograder.checks.models import Model
from autograder.checks.translation import RECURRENT
from autograder.checks.wording import printable
from autograder.errors import CheckFailure

BESIDE = frozenset({"dense", "masking", "layer_norm", "batch_norm", "rescaling"})
"""Kinds of stages that may stand before and behind these: they look at one step, or at what was read."""

_HINT = "Put recurrent layers in a row, the last one without `return_sequences`, then a dense layer."


def assert_reads_forward(model: Model | Description, *, name: str = "your model") -> None:
    """Check that a network is recurrent layers in a row, each of which reads forward, and an answer to the last state.

    Raises:
        CheckFailure: it is anything else, or it reads backwards, or it answers to more than the last state.
    """
    received, subject = stages_of(model), name[:1].upper() + name[1:]
    stages = [one.stage for one in received]
    reading = [stage for stage in stages if stage.kind in RECURRENT]
    known = all(stage.kind in RECURRENT | BESIDE for stage in stages)
    if not reading or not known or any(one.branches for one in received):
        message = f"{subject} is not made of recurrent layers in a row."
        raise CheckFailure(message, received=printable(", ".join(stage.kind for stage in stages)), hint=_HINT)
    if any(stage.details.get("backwards") for stage in reading):
        raise CheckFailure(f"{subject} reads backwards.", hint="Leave out `go_backwards`: the first step comes first.")
    if reading[-1].details.get("sequences"):
        raise CheckFailure(f"{subject} does not answer to the last state alone.", hint=_HINT)
