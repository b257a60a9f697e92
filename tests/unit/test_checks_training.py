"""Checks of calls and of training, against functions whose virtues and faults are known."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.calls import assert_agrees, assert_keeps_precision, assert_leaves_alone
from autograder.checks.training import Classifier, assert_learning, assert_reported, assert_varied, for_some_seed
from autograder.data import load_digits
from autograder.data.disguised import Disguise
from autograder.errors import CheckFailure, StudentRaised
from autograder.subject.proxy import ModuleSubject

X = np.arange(-3.0, 3.0)


def _module(**functions: Callable[..., Any]) -> ModuleType:
    module = ModuleType("reference")
    vars(module).update(functions)
    return module


REFERENCE = _module(
    double=lambda x: 2 * x,
    both=lambda x: (x + 1, x - 1),
    named=lambda x: {"up": x + 1, "down": x - 1},
)


@pytest.mark.parametrize("function", ["double", "both", "named"])
def test_the_reference_agrees_with_itself(function: str) -> None:
    """An array, a tuple and a dict are compared part by part."""
    student = ModuleSubject(REFERENCE)
    assert_agrees(student, REFERENCE, function, X)
    assert_leaves_alone(student, REFERENCE, function, [X])
    assert_keeps_precision(student, REFERENCE, function, [X])


@pytest.mark.parametrize(
    "function, wrong, message",
    [
        ("double", lambda x: 3 * x, "values of your output"),
        ("both", lambda x: (x + 1, x), "item 1 of your output"),
        ("both", lambda x: x, "type of your output"),
        ("named", lambda x: {"up": x, "down": x - 1}, '"up" of your output'),
        ("named", lambda x: {"up": x}, "keys of your output"),
    ],
)
def test_disagreement_names_the_part(function: str, wrong: Callable[..., Any], message: str) -> None:
    """The message says which part of the result is wrong."""
    with pytest.raises(CheckFailure, match=message):
        assert_agrees(ModuleSubject({function: wrong}), REFERENCE, function, X)


def _in_place(x: Any) -> Any:
    x *= 2
    return x


def test_a_changed_argument_is_named() -> None:
    """Right values do not excuse a changed argument."""
    with pytest.raises(CheckFailure, match="changed its argument x"):
        assert_leaves_alone(ModuleSubject({"double": _in_place}), REFERENCE, "double", [X])


@pytest.mark.parametrize("check", [assert_leaves_alone, assert_keeps_precision])
def test_one_right_part_is_enough_where_values_are_not_the_point(check: Callable[..., None]) -> None:
    """A mistake in one part of a result is not charged twice; a result that is wrong everywhere gets nothing."""
    check(ModuleSubject({"both": lambda x: (x + 1, x)}), REFERENCE, "both", [X])
    with pytest.raises(CheckFailure, match="values of item 0"):
        check(ModuleSubject({"both": lambda x: (x, x)}), REFERENCE, "both", [X])


def test_lost_precision_fails() -> None:
    """float64 has to stay float64."""
    student = ModuleSubject({"double": lambda x: (2 * x).astype(np.float32)})
    with pytest.raises(CheckFailure, match="precision"):
        assert_keeps_precision(student, REFERENCE, "double", [X])


def _fails_below(least: int, error: CheckFailure) -> tuple[Callable[[int], int], list[int]]:
    tried: list[int] = []

    def attempt(seed: int) -> int:
        tried.append(seed)
        if seed < least:
            raise error
        return seed

    return attempt, tried


def test_one_lucky_seed_of_three_is_enough() -> None:
    """Seeds are tried until one passes; when none does, the last failure is told."""
    attempt, tried = _fails_below(2, CheckFailure("unlucky"))
    assert for_some_seed(attempt) == 2
    assert tried == [0, 1, 2]
    with pytest.raises(CheckFailure, match="unlucky"):
        for_some_seed(_fails_below(3, CheckFailure("unlucky"))[0])


def test_an_exception_is_no_bad_luck() -> None:
    """A function that raises is called once."""
    attempt, tried = _fails_below(3, StudentRaised("train_cnn", ("ValueError",), "no"))
    with pytest.raises(StudentRaised):
        for_some_seed(attempt)
    assert tried == [0]


def _classifier(predict: Callable[..., Any]) -> Classifier:
    return Classifier(
        ModuleSubject({"train": lambda *_, **__: ("parameters", [2.0, 1.0]), "predict": predict}), "train", "predict"
    )


def test_a_loss_is_computed_from_predictions() -> None:
    """Nothing that the training says about itself enters the loss; the losses it reports are numbers, one per epoch."""
    labels = np.eye(2)
    classifier = _classifier(lambda _, images: np.array([[0.5, 0.5], [0.75, 0.25]])[: len(images)])
    parameters, losses = classifier.trained(labels, labels)
    assert classifier.loss(parameters, labels, labels) == pytest.approx(1.5 * np.log(2))
    np.testing.assert_array_equal(classifier.losses(losses, 2), [2, 1])
    with pytest.raises(CheckFailure, match="length of losses"):
        classifier.losses(losses, 3)


@pytest.mark.parametrize("wrong", [None, np.ones(2), np.ones((2, 2)), np.full((2, 2), np.nan)])
def test_what_is_no_probability_is_refused(wrong: object) -> None:
    """A prediction is probabilities of all classes or a failure with the function's name."""
    with pytest.raises(CheckFailure, match="the result of predict"):
        _classifier(lambda *_: wrong).predicted("parameters", np.eye(2), 2)


def test_a_result_that_is_no_pair_is_refused() -> None:
    """Training has to return parameters and losses."""
    with pytest.raises(CheckFailure, match="result of train"):
        Classifier(ModuleSubject({"train": lambda *_: None}), "train", "predict").trained(X, X)


def test_the_same_for_every_image_is_no_prediction() -> None:
    """Constant probabilities are refused, differing ones come back."""
    varied = np.array([[0.5, 0.5], [0.4, 0.6]])
    assert assert_varied(varied) is varied
    with pytest.raises(CheckFailure, match="same probabilities"):
        assert_varied(np.full((3, 2), 0.5))


@given(st.floats(0.0, 5.0), st.floats(0.0, 5.0))
def test_learning_means_falling_below_guessing(early: float, late: float) -> None:
    """A loss that does not fall, or that ends near that of guessing, fails; any other passes."""
    if late < early and late < 0.9 * np.log(10):
        assert_learning(early, late)
    else:
        with pytest.raises(CheckFailure, match="does not fall"):
            assert_learning(early, late)


@pytest.mark.parametrize("losses", [[2.2, 1.0, 0.55], [2.2, 1.0, 0.4], [3.0, 1.5, 0.9]])
def test_losses_near_the_computed_ones_pass(losses: list[float]) -> None:
    """A mean over an epoch, a loss before or after it, or a regularized one: all are near."""
    assert_reported(np.array(losses), early=1.2, late=0.5)


@pytest.mark.parametrize(
    "losses, early, late",
    [
        ([0.5, 0.6, 0.7], 1.2, 0.5),
        ([60.0, 30.0, 20.0], 1.2, 0.5),
        ([0.02, 0.01, 0.005], 1.2, 0.5),
        ([2.2, 1.0, 0.5], 2.3, 2.3),
    ],
    ids=["rising", "sums", "divided twice", "invented"],
)
def test_losses_of_another_network_fail(losses: list[float], early: float, late: float) -> None:
    """Losses that rise, that are sums, or that belong to no learning network fail."""
    with pytest.raises(CheckFailure, match="not those of the network"):
        assert_reported(np.array(losses), early, late)


@given(st.integers(0, 2**32 - 1))
def test_a_disguise_keeps_pixels_and_groups(seed: int) -> None:
    """Images keep their values, each class keeps its members under a new name, and one seed gives one disguise."""
    rng = np.random.default_rng(seed)
    disguise = Disguise.draw(rng)
    images, labels = load_digits()
    some, names = disguise.sample((images, labels), 30, np.random.default_rng(seed))
    again, _ = disguise.sample((images, labels), 30, np.random.default_rng(seed))
    chosen = np.random.default_rng(seed).choice(len(images), 30, replace=False)
    assert some.shape == (30, 8, 8, 1) and some.dtype == np.float32
    np.testing.assert_array_equal(some, again)
    np.testing.assert_allclose(np.sort(some.reshape(30, -1)), np.sort(images[chosen].reshape(30, -1) / 255), rtol=1e-6)
    np.testing.assert_array_equal(np.argsort(disguise.names)[names], labels[chosen])
