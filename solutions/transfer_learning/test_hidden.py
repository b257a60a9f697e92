"""The hidden tests of the transfer-learning assignment.

No task depends on the model of another: each gets a base, or a classifier on a base, of the examiner's own. Most are
tiny, with random weights; the one that ships with the course decides only where something has to be learned.
"""

from pathlib import Path

import numpy as np
import pytest

from autograder.checks import (
    assert_accuracy,
    assert_close,
    assert_loss_falls,
    assert_numbers,
    assert_unmodified,
    task,
)
from autograder.checks.architecture import (
    assert_moved,
    assert_parameters,
    assert_stages,
    assert_statistics_still,
    assert_trainable,
    assert_unmoved,
)
from autograder.checks.fitting import probe_loss
from autograder.checks.logistic import network
from autograder.checks.models import claimed, make_model, model_of, moved
from autograder.checks.stages import dense, global_average_pool
from autograder.checks.training import for_some_seed
from autograder.checks.transfer import (
    BASES,
    MAPS,
    NEW_KINDS,
    QUIET,
    QUIET_VALUES,
    SHAPE,
    STAGES,
    VECTORS,
    assert_top,
    assert_top_moved,
    classifier,
    drawn,
    fine_tuned,
    head_curve,
    tuned_predictions,
)
from autograder.course import Course
from autograder.data import draw_shapes
from autograder.errors import CheckFailure

# canary: transfer-hidden-5b8e2f71

BASE_FILE = Course.find(Path(__file__).parent).assignment("transfer_learning").data / "base.npz"
LOSS = "sparse_categorical_crossentropy"
every_base = pytest.mark.parametrize("kind", list(BASES))


def pictures(rng, count=12):
    return rng.uniform(0, 2, (count, *SHAPE)).astype(np.float32)


def trained_base(student, rng, kind="layers in a row"):
    """Put a base with random weights into the student's process, everything trainable."""
    return drawn(rng, make_model(student, BASES[kind]))


def frozen(student, rng, kind):
    """Let the student freeze a base: return it as it was given, and as it came back."""
    base = trained_base(student, rng, kind)
    received = model_of(student, student.handle.freeze(base.handle), "freeze")
    if all(weight.trainable for weight in base.describe().weights if not weight.name.startswith("moving")):
        raise CheckFailure("Everything in the base is still trainable.", hint=FREEZE_ADVICE)
    return base, received


FREEZE_ADVICE = "A model is frozen, with all of its layers, by its attribute `trainable`."


@task("freeze", weight=2)
@every_base
def test_nothing_is_trainable(student, rng, kind):
    """leaves nothing trainable in a base with {kind}"""
    _, received = frozen(student, rng, kind)
    assert_trainable(received, [], hint=FREEZE_ADVICE)


@task("freeze", weight=2)
def test_frozen_statistics(student, rng):
    """stops the statistics of batch normalization, too"""
    _, received = frozen(student, rng, "layers in a row")
    hint = "Freeze layers, not single weights: a frozen batch normalization stays in inference mode."
    assert_statistics_still(received, pictures(rng), hint=hint)


@task("freeze", weight=2)
def test_frozen_in_place(student, rng):
    """returns the base that was given, with the weights that it had"""
    base = trained_base(student, rng)
    before = base.weights()
    received = model_of(student, student.handle.freeze(base.handle), "freeze")
    assert_trainable(base, [], hint="Freeze the model that was given, not a copy.")
    assert_unmoved(received, before, hint="Freezing changes no weight: return the model that was given.")


def with_head(student, rng, kind, classes):
    """Let the student put a head on a frozen base; return base, model, and the numbers of the head's weights."""
    layers = {"maps": MAPS, "vectors": VECTORS, "quiet": QUIET}[kind]
    base = drawn(rng, make_model(student, network(SHAPE, *layers)))
    base.set_trainable(False)
    model = model_of(student, student.handle.add_head(base.handle, classes), "add_head")
    features = base.describe().output_shape[-1]
    known = model.describe(SHAPE).weights
    head = [weight.number for weight in known if weight.shape in ((features, classes), (classes,))]
    if len(head) != 2:
        expected = f"a kernel ({features}, {classes}) and a bias ({classes},)"
        raise CheckFailure("The head is not one dense layer on the features of the base.", expected=expected)
    return base, model, head


both_kinds = pytest.mark.parametrize("kind", ["maps", "vectors"])


@task("add_head", weight=2)
@both_kinds
def test_layers_of_the_model(student, rng, kind):
    """consists of the base and the right head, when the base gives {kind}"""
    classes = int(rng.integers(8, 13))
    _, model, _ = with_head(student, rng, kind, classes)
    head = [global_average_pool(), dense(classes, "softmax")] if kind == "maps" else [dense(classes, "softmax")]
    assert_stages(model.describe(SHAPE), [*STAGES[kind], *head], name="the model of add_head")


@task("add_head", weight=2)
@both_kinds
def test_only_the_head_is_trainable(student, rng, kind):
    """leaves only the head trainable, when the base gives {kind}"""
    base, model, head = with_head(student, rng, kind, 9)
    description = model.describe(SHAPE)
    features = base.describe().output_shape[-1]
    expected = base.describe().parameters + (features + 1) * 9
    assert_parameters(description, expected, hint="The base and one dense layer.", name="the model of add_head")
    assert_trainable(description, head, hint="The base comes frozen: leave it so.")


@task("add_head", weight=3)
@both_kinds
def test_model_computes(student, rng, kind):
    """gives the softmax of what the head makes of the base's features, when the base gives {kind}"""
    base, model, head = with_head(student, rng, kind, 8)
    x = pictures(rng, 5)
    features = base.predict(x)
    if kind == "maps":
        features = features.mean(axis=(1, 2))
    kernel, bias = rng.normal(0, 1, (features.shape[1], 8)), rng.normal(0, 1, 8)
    sizes = {weight.number: weight.shape for weight in model.describe(SHAPE).weights}
    model.set_weights({number: kernel if len(sizes[number]) == 2 else bias for number in head})
    expected = softmax(features.astype(float) @ kernel + bias)
    assert_close(model.predict(x, (8,)), expected, rtol=1e-3, like=np.float32, name="the output of the model")


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@task("add_head", weight=3)
@both_kinds
def test_statistics_stay(student, rng, kind):
    """keeps the statistics of the base as they are, even in training mode, when the base gives {kind}"""
    _, model, _ = with_head(student, rng, kind, 9)
    assert_statistics_still(model, pictures(rng), hint=INFERENCE_ADVICE)


INFERENCE_ADVICE = "A frozen batch normalization stays in inference mode: leave the base frozen as it comes."


@task("add_head", weight=4)
def test_inference_mode(student, rng):
    """computes with the stored statistics, not with those of the batch, even in training mode"""
    base, model, head = with_head(student, rng, "quiet", 9)
    base.set_weights({one.number: np.full(one.shape, QUIET_VALUES[one.name]) for one in base.describe().weights})
    bias = rng.normal(0, 1, 9)
    sizes = {weight.number: weight.shape for weight in model.describe(SHAPE).weights}
    model.set_weights({number: bias for number in head if len(sizes[number]) == 1})
    x = rng.uniform(0.9, 1.1, (16, *SHAPE)).astype(np.float32)  # their mean, about 1, stays below the stored 1.4
    expected = np.tile(softmax(bias), (16, 1))
    received = model.predict(x, (9,), training=True)
    assert_close(received, expected, rtol=1e-3, like=np.float32, hint=INFERENCE_ADVICE, name="the output in training")


@task("add_head", weight=2)
def test_base_itself(student, rng):
    """holds the base itself: new weights of the base change what the model says"""
    base, model, head = with_head(student, rng, "maps", 9)
    known = model.describe(SHAPE).weights  # a new head may be all zeros, and then follows nothing
    model.set_weights({one.number: rng.normal(0, 1, one.shape) for one in known if one.number in head})
    x = pictures(rng, 6)
    first = model.predict(x, (9,))
    drawn(rng, base)
    changed = np.abs(model.predict(x, (9,)) - first).max() > 1e-6
    assert changed, "The model does not follow its base: build it on the model that is given, not on a copy."


@task("train_head", weight=3)
@pytest.mark.parametrize("mode", ["in inference mode", "in the mode of the model"])
def test_base_does_not_move(student, rng, mode):
    """moves the head, and nothing of a base that is called {mode} by one bit"""
    model, base, x, y = classifier(student, rng, training=False if mode == "in inference mode" else None)
    before, kept = model.weights(), base.weights()
    student.handle.train_head(model.handle, x, y, epochs=2)
    assert_unmoved(base, kept, hint="The model comes with its base frozen: compile it and fit it as it is.")
    assert_moved(model, before, range(len(kept), len(before)), hint="Train the model that is given, all of its head.")


@task("train_head", weight=4)
def test_loss_falls(student, rng):
    """lowers the loss on pictures that it has not seen, epoch by epoch"""
    curve = head_curve(student, BASE_FILE, rng, epochs=6)
    guessed = min(curve.start, np.log(len(NEW_KINDS)))  # a quick one learns most in its first epoch, so begin before it
    assert_loss_falls([float(guessed), *curve.losses], drop=0.2, hint=RATE_ADVICE)


RATE_ADVICE = "Few pictures make few steps: a head bears a learning rate of 0.01 and more, and small batches."


@task("train_head", weight=2)
def test_history_of_the_head(student, rng):
    """returns the History of the training, whose losses are those of the model"""
    curve = head_curve(student, BASE_FILE, rng, epochs=2)
    contradiction = curve.disagreement()
    if contradiction:
        raise CheckFailure(contradiction, hint="Return what `model.fit` returns.")
    if np.array_equal(curve.predictions[0], curve.predictions[-1]):
        raise CheckFailure("After two epochs the model answers as before.", hint="Train the model that is given.")


def loss_after(student, model, start, data, **options):
    """Let the student train from ``start``; return the loss on the training data and the claimed ones."""
    model.set_weights(start)
    history = student.handle.train_head(model.handle, *data, **options)
    claims = claimed(student, history, "train_head").get("loss", ())
    return probe_loss(model.predict(data[0], (3,)), data[1], LOSS), claims


@task("train_head", weight=2)
def test_epochs_of_the_head(student, rng):
    """trains for as many epochs as it is told, and for 5 if nothing is said"""
    model, _, x, y = classifier(student, rng)
    start = model.weights()
    results = {count: loss_after(student, model, start, (x, y), epochs=count) for count in (1, 12)}
    results[5] = loss_after(student, model, start, (x, y))
    for count, (_, claims) in results.items():
        assert_numbers(claims, count, name=f"the losses of {count} epoch(s)", hint="Pass epochs on to `fit`.")
    assert results[12][0] < results[1][0], "After 12 epochs the loss is no lower than after one."


@task("train_head")
def test_head_leaves_its_inputs(student, rng):
    """leaves pictures and labels as they were"""
    model, base, x, y = classifier(student, rng)
    before = model.weights()
    _, after = student.with_arguments.train_head(model.handle, x, y, epochs=1)
    assert_moved(model, before, range(len(base.weights()), len(before)))
    assert_unmodified((x, y), after[1:3], ["images", "labels"])


def thawed(student, rng, layers, kind="layers in a row", was_frozen=True):
    """Let the student unfreeze the top of a base; return it as it was given and as it came back."""
    base = trained_base(student, rng, kind)
    base.set_trainable(not was_frozen)
    received = model_of(student, student.handle.unfreeze_top(base.handle, layers), "unfreeze_top")
    return base, received


TOP_ADVICE = "Layers with weights count, batch normalization does not; print `base.trainable_weights`."


@task("unfreeze_top", weight=2)
@pytest.mark.parametrize("layers", [1, 2])
@every_base
def test_top_layers(student, rng, kind, layers):
    """for layers={layers} makes exactly the last ones trainable in a base with {kind}"""
    assert_top(thawed(student, rng, layers, kind)[1], layers, hint=TOP_ADVICE)


@task("unfreeze_top")
@pytest.mark.parametrize("layers", [3, 50])
def test_all_layers(student, rng, layers):
    """for {layers} layers makes every layer trainable but batch normalization"""
    assert_top(thawed(student, rng, layers)[1], layers, hint=TOP_ADVICE)


@task("unfreeze_top")
def test_no_layers(student, rng):
    """for 0 layers leaves everything frozen, even what was trainable before"""
    for was_frozen in (True, False):
        assert_top(thawed(student, rng, 0, was_frozen=was_frozen)[1], 0, hint=TOP_ADVICE)
    assert_top(thawed(student, rng, 1)[1], 1, hint=TOP_ADVICE)  # or it would be enough to do nothing


@task("unfreeze_top", weight=2)
def test_fewer_than_before(student, rng):
    """freezes again what is below, when it is called for fewer layers than before"""
    base, received = thawed(student, rng, 3, was_frozen=False)
    again = model_of(student, student.handle.unfreeze_top(received.handle, 1), "unfreeze_top")
    assert_top(again, 1, hint=TOP_ADVICE)
    assert_top(base, 1, hint="Change the base that was given, not a copy.")


@task("unfreeze_top", weight=2)
def test_norms_stay_frozen(student, rng):
    """keeps batch normalization frozen, its statistics included"""
    _, received = thawed(student, rng, 2, "dense layers at its end", was_frozen=False)
    assert any(weight.trainable for weight in received.describe().weights), "Nothing is trainable."
    norms = [weight for weight in received.describe().weights if weight.name in ("gamma", "beta")]
    assert not any(weight.trainable for weight in norms), "Weights of batch normalization are trainable."
    assert_statistics_still(received, pictures(rng), hint="Leave batch normalization frozen.")


@task("unfreeze_top")
def test_weights_stay(student, rng):
    """returns the base that was given, with the weights that it had"""
    base = trained_base(student, rng)
    before = base.weights()
    received = model_of(student, student.handle.unfreeze_top(base.handle, 2), "unfreeze_top")
    assert_unmoved(received, before, hint="Unfreezing changes no weight: return the model that was given.")
    assert_top(base, 2, hint=TOP_ADVICE)


@task("fine_tune", weight=3)
@pytest.mark.parametrize("layers", [1, 2])
def test_only_the_top_moves(student, rng, layers):
    """for layers={layers} moves the last of the base and nothing else of it, after the head was trained"""
    model, base, x, y = classifier(student, rng, epochs=1)
    before = base.weights()
    fine_tuned(student, model, base, x, y, layers=layers, learning_rate=0.01, epochs=1)
    assert_top_moved(student, base, before, layers)


@task("fine_tune", weight=2)
def test_tuning_by_default(student, rng):
    """by default moves two layers, in small steps, for three epochs"""
    model, base, x, y = classifier(student, rng, count=4, epochs=1)
    before = base.weights()
    history = fine_tuned(student, model, base, x, y)
    assert_top_moved(student, base, before, 2)
    assert_numbers(claimed(student, history, "fine_tune").get("loss", ()), 3, name="the losses of the History")
    assert largest_step(base, before) < 60e-4, "The steps are too large for a learning rate of 0.0001."


def largest_step(model, before):
    """Measure what the optimizer moves: statistics are no step of its, and have cost their points where they moved."""
    learned = [weight.number for weight in model.describe().weights if not weight.name.startswith("moving")]
    after = model.weights()
    return max(float(np.abs(after[number] - before[number]).max()) for number in learned)


@task("fine_tune", weight=3)
def test_learning_rate(student, rng):
    """makes steps as large as the learning rate says"""
    model, base, x, y = classifier(student, rng, count=4, epochs=1)
    start, steps = model.weights(), {}
    for rate in (1e-5, 1e-3):
        model.set_weights(start)
        fine_tuned(student, model, base, x, y, layers=2, learning_rate=rate, epochs=1)
        steps[rate] = largest_step(model, start)
    small, large = steps[1e-5], steps[1e-3]
    if not (0 < small < 50e-5 and 30 * small < large < 300 * small):
        raise CheckFailure(
            "The steps do not follow the learning rate.",
            expected="steps 100 times as long for a rate of 0.001 as for 0.00001, and about as long as the rate",
            received=f"a weight moved by up to {small:.2g} at 0.00001, and by up to {large:.2g} at 0.001",
            hint="Compile with an optimizer that has this rate: `keras.optimizers.Adam(learning_rate)`.",
        )


@task("fine_tune", weight=2)
def test_head_is_kept(student, rng):
    """goes on from what the head has learned"""
    model, base, x, y = classifier(student, rng, epochs=1)
    before, known = base.weights(), model.predict(x, (3,))
    history = fine_tuned(student, model, base, x, y, layers=1, learning_rate=1e-5, epochs=2)
    losses = assert_numbers(claimed(student, history, "fine_tune").get("loss", ()), 2, name="the losses of the History")
    assert any(moved(before, base.weights())), "No weight of the base has moved."
    change = np.abs(model.predict(x, (3,)) - known).max()
    assert change < 0.05, f"After a few tiny steps a probability has changed by {change:.2f}: keep all weights."
    loss = probe_loss(known, y, LOSS)
    assert_close(losses, [loss, loss], rtol=0.1, name="the losses of the History", hint="Return what `fit` returns.")


@task("fine_tune", weight=7)
def test_tuning_learns(student, rng):
    """lowers the loss on pictures whose classes differ by their brightness"""

    def attempt(_):
        model, base, x, y = classifier(student, rng, epochs=1)
        x *= np.array([0.2, 0.6, 1.0], np.float32)[y][:, None, None, None]
        before, first = base.weights(), probe_loss(model.predict(x, (3,)), y, LOSS)
        fine_tuned(student, model, base, x, y, layers=1, learning_rate=0.03, epochs=30)
        assert_top_moved(student, base, before, 1)
        last = probe_loss(model.predict(x, (3,)), y, LOSS)
        if not last < 0.8 * first:
            way = f"from {first:.3g} to {last:.3g} in 30 epochs at a learning rate of 0.03"
            raise CheckFailure("The loss hardly falls.", expected="a fall by a fifth", received=way, hint=TUNING_ADVICE)

    for_some_seed(attempt, seeds=(0, 1))  # right ones ended at 0.03 to 0.62 of the first loss, random steps at 0.99


TUNING_ADVICE = "Fit the model to the pictures as they are given, with their labels: the base scales them itself."


@task("fine_tune", weight=5)
def test_tuned_accuracy(student, rng, threshold):
    """tells kinds of shapes apart that it saw eight times each, better than the same network trained from scratch"""
    accuracy = threshold("tuned_accuracy")
    (x, y), (others, truth) = (draw_shapes(rng, count, NEW_KINDS) for count in (24, 200))

    def attempt(seed):
        assert_accuracy(tuned_predictions(student, BASE_FILE, (x, y), others, seed), truth, accuracy)

    for_some_seed(attempt, seeds=(0, 1))
