"""What `check("...")` runs: tiny networks whose layers you can count, and numbers that you can follow on paper.

The grade is decided by other tests of the same kind, with other networks. A function that is right for these examples
only will not pass them.
"""

import numpy as np
import pytest

from autograder.checks import assert_close, assert_numbers, assert_unmodified, task
from autograder.checks.architecture import (
    assert_moved,
    assert_output_shape,
    assert_statistics_still,
    assert_trainable,
    assert_unmoved,
    stages_of,
)
from autograder.checks.fitting import probe_loss
from autograder.checks.logistic import network
from autograder.checks.models import claimed, make_model, model_of
from autograder.checks.transfer import assert_top, assert_top_moved, classifier, drawn, fine_tuned
from autograder.errors import CheckFailure

SHAPE = (6, 6, 2)
NORM, RELU, POOL = ("BatchNormalization", {}), ("ReLU", {}), ("MaxPooling2D", {})


def conv(filters):
    """Write a 3x3 convolution that keeps the size."""
    return "Conv2D", {"filters": filters, "kernel_size": [3, 3], "padding": "same", "use_bias": False}


BASES = {
    "maps": (conv(3), NORM, RELU, POOL, conv(4), NORM, RELU),
    "vectors": (conv(3), NORM, RELU, ("GlobalAveragePooling2D", {}), ("Dense", {"units": 5, "activation": "relu"})),
}
both_kinds = pytest.mark.parametrize("kind", list(BASES))


def base_of(student, rng, kind, frozen=False):
    """Make a tiny base with random weights."""
    base = drawn(rng, make_model(student, network(SHAPE, *BASES[kind])))
    base.set_trainable(not frozen)
    return base


def images(rng, count=8):
    """Draw inputs for the tiny bases."""
    return rng.uniform(0, 2, (count, *SHAPE)).astype(np.float32)


@task("freeze")
@both_kinds
def test_nothing_trainable(student, rng, kind):
    """in a base that gives {kind} nothing is trainable any more"""
    base = base_of(student, rng, kind)
    received = model_of(student, student.handle.freeze(base.handle), "freeze")
    hint = "A model is frozen, with all of its layers, by its attribute `trainable`."
    assert_trainable(received, [], hint=hint)


@task("freeze")
def test_statistics_frozen(student, rng):
    """in training mode the statistics of batch normalization stay as they are"""
    base = base_of(student, rng, "maps")
    received = model_of(student, student.handle.freeze(base.handle), "freeze")
    hint = "Freeze layers, not single weights: a frozen batch normalization stays in inference mode."
    assert_statistics_still(received, images(rng), hint=hint)


@task("freeze")
def test_same_weights(student, rng):
    """the base that comes back is the one that was given, with its weights"""
    base = base_of(student, rng, "maps")
    before = base.weights()
    received = model_of(student, student.handle.freeze(base.handle), "freeze")
    assert_unmoved(received, before, hint="Freezing changes no weight: return the model that was given.")


def model_on(student, rng, kind, classes=3):
    """Let you put a head on a frozen tiny base."""
    base = base_of(student, rng, kind, frozen=True)
    return base, model_of(student, student.handle.add_head(base.handle, classes), "add_head")


@task("add_head")
@pytest.mark.parametrize("classes", [3, 7])
@both_kinds
def test_probabilities(student, rng, kind, classes):
    """on a base that gives {kind} the output has {classes} probabilities"""
    _, model = model_on(student, rng, kind, classes)
    assert_output_shape(model.describe(SHAPE), (classes,), name="the model")
    sums = model.predict(images(rng), (classes,)).sum(axis=1)
    assert_close(sums, np.ones(8), rtol=1e-3, like=np.float32, hint="End in a softmax.", name="the sums of the rows")


@task("add_head")
@both_kinds
def test_head(student, rng, kind):
    """on a base that gives {kind} the head is one dense layer, after global averages where they are needed"""
    _, model = model_on(student, rng, kind)
    expected = ["global_average_pool", "dense"] if kind == "maps" else ["dense"]
    received = [each.stage.kind for each in stages_of(model.describe(SHAPE))]
    base = 5 if kind == "maps" else 4
    hint = "Global average pooling if the base gives maps, then one dense layer with softmax, and no more."
    if received[-len(expected) :] != expected or len(received) != base + len(expected):
        raise CheckFailure("The head is not the expected one.", received=" -> ".join(received), hint=hint)


@task("add_head")
def test_only_head_trainable(student, rng):
    """with 9 classes a kernel (4, 9) and a bias (9,) are trainable, and nothing else"""
    _, model = model_on(student, rng, "maps", 9)
    description = model.describe(SHAPE)
    assert_trainable(description, [one.number for one in description.weights if one.shape in ((4, 9), (9,))])


@task("add_head")
def test_inference_mode(student, rng):
    """in training mode the statistics of the base stay as they are"""
    _, model = model_on(student, rng, "maps")
    assert_statistics_still(model, images(rng), hint="The base comes frozen: leave it so.")


@task("add_head")
def test_follows_its_base(student, rng):
    """new weights of the base change what the model says"""
    base, model = model_on(student, rng, "maps")
    model.describe(SHAPE)  # it may not know its input yet
    drawn(rng, model)  # a new head may be all zeros, and then follows nothing
    x = images(rng)
    before = model.predict(x, (3,))
    drawn(rng, base)
    change = np.abs(model.predict(x, (3,)) - before).max()
    assert change > 1e-6, "The model does not follow its base: build it on the model that is given, not on a copy."


@task("train_head")
def test_base_still(student, rng):
    """the base stays as it is to the last bit, and the head moves"""
    model, base, x, y = classifier(student, rng)
    before, kept = model.weights(), base.weights()
    student.handle.train_head(model.handle, x, y, epochs=1)
    assert_unmoved(base, kept, hint="The base is frozen already: compile the model and fit it as it is.")
    assert_moved(model, before, range(len(kept), len(before)), hint="Train the model that is given.")


@task("train_head")
def test_head_learns(student, rng):
    """in 20 epochs on 24 pictures the loss falls by a tenth"""
    model, _, x, y = classifier(student, rng)
    x = (x * (0.2 + y)[:, None, None, None]).astype(np.float32)  # the brighter, the higher the class
    before = probe_loss(model.predict(x, (3,)), y, "sparse_categorical_crossentropy")
    student.handle.train_head(model.handle, x, y, epochs=20)
    after = probe_loss(model.predict(x, (3,)), y, "sparse_categorical_crossentropy")
    if not after < 0.9 * before:
        hint = "Small batches make more steps, and a head bears a learning rate of 0.01 and more."
        falls = f"from {before:.3g} to {after:.3g}"
        raise CheckFailure("The loss hardly falls.", expected="by a tenth or more", received=falls, hint=hint)


@task("train_head")
@pytest.mark.parametrize("count, options", [(2, {"epochs": 2}), (5, {})])
def test_history_of_head(student, rng, count, options):
    """the History is returned, with one loss for each of {count} epochs"""
    model, _, x, y = classifier(student, rng)
    history = student.handle.train_head(model.handle, x, y, **options)
    losses = claimed(student, history, "train_head").get("loss", ())
    assert_numbers(losses, count, name="losses", hint="Pass epochs on to `fit`, and return what it returns.")


@task("train_head")
def test_inputs_left_alone(student, rng):
    """pictures and labels are not changed"""
    model, _, x, y = classifier(student, rng)
    _, after = student.with_arguments.train_head(model.handle, x, y, epochs=1)
    assert_unmodified((x, y), after[1:3], ["images", "labels"])


@task("unfreeze_top")
@pytest.mark.parametrize("layers", [1, 2, 5])
@both_kinds
def test_top(student, rng, kind, layers):
    """layers={layers} unfreezes the right layers of a base that gives {kind}, in which two of them count"""
    base = base_of(student, rng, kind, frozen=True)
    received = model_of(student, student.handle.unfreeze_top(base.handle, layers), "unfreeze_top")
    hint = "Only layers with weights count, and batch normalization does not. Print `base.trainable_weights`."
    assert_top(received, layers, hint=hint)


@task("unfreeze_top")
def test_fewer(student, rng):
    """called for 2, then for 1, then for 0 layers, it freezes again what is below"""
    base = base_of(student, rng, "maps")
    for layers in (2, 1, 0):
        received = model_of(student, student.handle.unfreeze_top(base.handle, layers), "unfreeze_top")
        hint = f"It was called for {layers} layer(s)."
        assert_top(received, layers, hint=hint)


def tune(student, rng, count=24, **options):
    """Let you fine-tune a tiny model whose head was trained; return all of it."""
    model, base, x, y = classifier(student, rng, count=count, epochs=1)
    before = model.weights(), base.weights()
    history = fine_tuned(student, model, base, x, y, **options)
    return model, base, before, history


@task("fine_tune")
@pytest.mark.parametrize("layers", [1, 2])
def test_top_moves(student, rng, layers):
    """for {layers} layer(s), these move and nothing else of the base"""
    _, base, (_, before), _ = tune(student, rng, layers=layers, learning_rate=0.01, epochs=1)
    assert_top_moved(student, base, before, layers)


@task("fine_tune")
@pytest.mark.parametrize("rate", [1e-5, 1e-2])
def test_rate(student, rng, rate):
    """with a learning rate of {rate} no weight moves much further than that in a few steps"""
    model, base, (before, kept), _ = tune(student, rng, count=4, learning_rate=rate, epochs=1)
    way = max(float(np.abs(new - old).max()) for old, new in zip(before, model.weights(), strict=True))
    if not rate / 10 < way < 50 * rate:
        hint = "Compile anew, with `keras.optimizers.Adam(learning_rate)`."
        raise CheckFailure(
            "The steps do not fit the learning rate.", received=f"a weight moved by {way:.2g}", hint=hint
        )
    assert_top_moved(student, base, kept, 2)


@task("fine_tune")
@pytest.mark.parametrize("count, options", [(2, {"epochs": 2}), (3, {})])
def test_history_of_tuning(student, rng, count, options):
    """the History is returned, with one loss for each of {count} epochs"""
    *_, history = tune(student, rng, count=4, **options)
    losses = claimed(student, history, "fine_tune").get("loss", ())
    assert_numbers(losses, count, name="losses", hint="Pass epochs on to `fit`, and return what it returns.")
