"""Networks that may be designed in one of several ways, compared as a whole or in parts.

    assert_design(model, [stages, other_stages], name="resnet18")
    assert_design(model, [stages], part="pooling", name="resnet18")
    assert_some_parameters(model, (11_699_112, 11_695_528), name="resnet18")
    brightened(rng, model)                            positive kernels: no ReLU hides what a pixel changes
    loss_after_training(model, (x, y), (probe_x, probe_y), epochs=5, batch_size=32, seed=0)
    assert_learns(make, (x, y), (probe_x, probe_y), threshold("residual_loss"), epochs=5, batch_size=32)

A part is looked at by itself, so that one wrong pooling costs neither the convolutions nor the classifier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import numpy as np

from autograder.checks.architecture import assert_parameters, stages_of
from autograder.checks.description import Description
from autograder.checks.evidence import note
from autograder.checks.fitting import Data, probe_loss
from autograder.checks.models import Model
from autograder.checks.stages import Expected, difference, matches
from autograder.checks.training import for_some_seed
from autograder.errors import CheckFailure
from autograder.model import Evidence

PARTS: Mapping[str, tuple[str, ...]] = {
    "convolutions": ("conv", "batch_norm", "concatenate", "add"),
    "pooling": ("max_pool", "average_pool"),
    "classifier": ("flatten", "global_average_pool", "global_max_pool", "dense"),
}
"""The kinds of stages that make up a part."""


def assert_design(
    model: Model | Description,
    allowed: Sequence[Sequence[Expected]],
    *,
    part: str | None = None,
    name: str = "your model",
) -> None:
    """Check that a network has one of several rows of stages: all of its stages, or those of one part.

    Raises:
        CheckFailure: with the first row and the network beside each other.
    """
    kinds = None if part is None else PARTS[part]
    rows = [[stage for stage in row if kinds is None or stage.kind in kinds] for row in allowed]
    received = tuple(each for each in stages_of(model) if kinds is None or each.stage.kind in kinds)
    if not any(matches(row, received) for row in rows):
        what = part or "design"
        raise CheckFailure(f"Not as expected: the {what} of {name}.\n{difference(rows[0], received)}")


def assert_some_parameters(model: Model | Description, counts: Sequence[int], *, name: str = "your model") -> None:
    """Check that the number of parameters is one of these; a message shows the first."""
    for count in counts[1:]:
        with suppress(CheckFailure):
            assert_parameters(model, count)
            return
    assert_parameters(model, counts[0], name=name, hint="`model.summary()` shows the parameters of each layer.")


def brightened(rng: np.random.Generator, model: Model) -> Model:
    """Set all kernels to small positive numbers; return the model."""
    kernels = [weight for weight in model.describe().weights if weight.name == "kernel"]
    model.set_weights({weight.number: rng.uniform(0.05, 0.1, weight.shape) for weight in kernels})
    return model


def loss_after_training(model: Model, train: Data, probe: Data, *, epochs: int, batch_size: int, seed: int) -> float:
    """Train a classifier by Adam, however it was compiled, and return its loss on ``probe``, labels one-hot ``(N, K)``.

    Batch normalization takes the statistics of the batch, as in training: the moving ones lag behind after few steps.
    """
    adam = {"class_name": "Adam", "config": {"learning_rate": 0.001}}
    compiled = {"optimizer": adam, "loss": _LOSS}
    model.fit(*train, probe[0][:1], epochs=epochs, batch_size=batch_size, seed=seed, compiled=compiled)
    predicted = model.predict(probe[0], probe[1].shape[1:], training=True, batch=len(probe[0]))
    return probe_loss(predicted, probe[1], _LOSS)


def assert_learns(make: Callable[[], Model], train: Data, probe: Data, most: float, **options: int) -> None:
    """Check that a freshly made classifier, trained so, gets to a loss of ``most`` or less for one of three seeds."""

    def attempt(seed: int) -> None:
        model = make()
        loss = loss_after_training(model, train, probe, seed=seed, **options)
        model.forget()
        text = f"A loss of {loss:.3g} on {len(probe[0])} images that it has not seen; at most {most:.3g} allowed."
        note(Evidence("loss", text, loss, threshold=most, items=len(probe[0])))
        if not loss <= most:
            raise CheckFailure(
                f"The model of {model.name} does not learn enough.",
                expected=f"a loss of at most {most:.3g} on images that it has not seen",
                received=f"{loss:.3g}",
            )

    for_some_seed(attempt)


_LOSS = "categorical_crossentropy"
