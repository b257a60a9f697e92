"""The whole grader, as root and as an ordinary user, behind each kind of walls: attacks of every group.

``python -m tests.hostile.attacks`` tries all of them everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.attacks.arena import arena
from tests.hostile.attacks.every import ATTACKS
from tests.hostile.attacks.judge import surprises
from tests.hostile.conftest import Grader
from tests.hostile.pythons import NoPython, whole_python

REPRESENTATIVE = (
    "files-by-path",
    "names-of-files",
    "attributes",
    "watching-folders",
    "environ",
    "others-memory",
    "abstract-socket",
    "memory-of-many",
    "double-fork",
    "shared-files",
    "locks",
    "kill-everybody",
    "limits-of-others",
)
"""What rests on the walls, and on who the subject's user is, rather than on the examiner."""


@pytest.fixture(scope="module")
def whole() -> Iterator[Path]:
    """An interpreter for everybody."""
    try:
        with whole_python() as python:
            yield python
    except NoPython as reason:
        pytest.skip(str(reason))


def test_attacks_get_their_verdicts_and_the_next_student_every_point(grader: Grader, whole: Path) -> None:
    """Nothing is reached, hurt or left behind, whoever grades and whatever the walls are made of."""
    with arena(whole, grader.tier, grader.user) as one:
        tier = grader.tier.value
        found = {
            name: surprises(ATTACKS[name], one.attack(ATTACKS[name]), one.targets, tier) for name in REPRESENTATIVE
        }
        assert {name: amiss for name, amiss in found.items() if amiss} == {}
        assert one.finish() == []
