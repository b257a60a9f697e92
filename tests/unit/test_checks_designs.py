"""Networks of which several versions are right, compared whole and in parts: no Keras is needed for that."""

from __future__ import annotations

import pytest

from autograder.checks.description import Description
from autograder.checks.designs import PARTS, assert_design, assert_some_parameters
from autograder.checks.stages import Expected, conv, dense, flatten, max_pool
from autograder.errors import CheckFailure
from tests.networks import Network


def classifier(units: int = 3) -> Description:
    """A network of one convolution and a dense layer."""
    net = Network(8, 8, 1)
    net.dense(net.flat(net.conv(net.input, 4, activation="relu")), units, "softmax")
    return net.read()


RIGHT = [conv(4, 3), flatten(), dense(3, "softmax")]
WIDE = [conv(8, 3), flatten(), dense(3, "softmax")]
POOLED = [conv(4, 3), max_pool(2), flatten(), dense(3, "softmax")]


@pytest.mark.parametrize("allowed", [[RIGHT], [RIGHT, WIDE], [WIDE, POOLED, RIGHT]])
def test_any_allowed_design_passes(allowed: list[list[Expected]]) -> None:
    """It does not matter which of the rows a network has."""
    assert_design(classifier(), allowed)


def test_a_failure_shows_the_first_design_beside_the_network() -> None:
    """The first row is what a student is told to build; the name says what was looked at."""
    with pytest.raises(CheckFailure, match=r"(?s)the design of thin\..*> conv 8, 3x3.*conv 4, 3x3"):
        assert_design(classifier(), [WIDE, POOLED], name="thin")


@pytest.mark.parametrize(
    "part, wrong", [("convolutions", WIDE), ("pooling", POOLED), ("classifier", [*RIGHT[:-1], dense(4, "softmax")])]
)
def test_a_mistake_costs_its_own_part_only(part: str, wrong: list[Expected]) -> None:
    """Of three parts, the two without the mistake pass."""
    for each in PARTS:
        if each == part:
            with pytest.raises(CheckFailure, match=f"the {part} of"):
                assert_design(classifier(), [wrong], part=each)
        else:
            assert_design(classifier(), [wrong], part=each)


def test_one_of_several_counts_is_enough() -> None:
    """A message names the first count."""
    right = 9 * 4 + 4 + 144 * 3 + 3
    assert_some_parameters(classifier(), (1, right))
    with pytest.raises(CheckFailure, match=r"(?s)parameters of thin is wrong.*1,234"):
        assert_some_parameters(classifier(), (1234, 5), name="thin")
