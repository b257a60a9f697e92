"""Every attack of the suite, in the best tier of this machine as this user, and proof that the suite would notice."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.subject.sandbox import Tier, best_tier
from tests.hostile.attacks import show
from tests.hostile.attacks.arena import Arena, arena, number_of
from tests.hostile.attacks.every import ATTACKS, GROUPS
from tests.hostile.attacks.instructor import NAMES, PAYLOADS
from tests.hostile.attacks.judge import surprises
from tests.hostile.pythons import NoPython, whole_python

BARE = [name for name, attack in ATTACKS.items() if attack.bare]


@pytest.fixture(scope="session")
def walled() -> Iterator[Arena]:
    """A grader behind the best walls; at its end nothing may be left."""
    with arena(Path(sys.executable), best_tier(), os.geteuid()) as one:
        yield one
        assert one.finish() == []


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gets_its_verdict_and_the_next_student_every_point(walled: Arena, name: str) -> None:
    """The points are as expected, no canary was reached, nothing acts, and nothing is left behind."""
    attack, tier = ATTACKS[name], best_tier().value
    found = surprises(attack, walled.attack(attack), walled.targets, tier)
    assert found == [], f"a submission that {attack.tries}"


@pytest.fixture(scope="session")
def bare() -> Iterator[Arena]:
    """A grader without walls, as an ordinary user."""
    try:
        with whole_python() as python, arena(python, Tier.NONE, number_of("ordinary")) as one:
            yield one
    except NoPython as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("name", BARE)
def test_without_walls_the_same_spy_reaches_its_canary(bare: Arena, name: str) -> None:
    """Otherwise an attack that cannot work anywhere would pass for a wall."""
    found = surprises(ATTACKS[name], bare.attack(ATTACKS[name]), bare.targets, "none")
    assert f"the canary {ATTACKS[name].bare} was reached" in found


def test_without_walls_what_is_left_is_seen(bare: Arena) -> None:
    """A file in a place that everybody shares is a leftover, and the next student finds it."""
    attack = ATTACKS["shared-files"]
    found = surprises(attack, bare.attack(attack), bare.targets, "none")
    left = Path("/tmp", bare.targets.named["TOKEN"])
    left.unlink()
    assert any(one.startswith("left behind: shared file") for one in found)
    assert "the next one FOUND /tmp" in found


def test_a_verdict_that_is_not_met_is_a_surprise(walled: Arena) -> None:
    """A wrong expectation of points, of a reason or of words is told, each."""
    attack = ATTACKS["nan"]
    for other in ("honest", "empty-notebook", "stubborn-cell"):
        wrong = dataclasses.replace(attack, expected=ATTACKS[other].expected)
        assert surprises(wrong, walled.attack(attack), walled.targets, "any")


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_that_is_not_cleaned_is_seen(name: str) -> None:
    """What the attacks on a browser carry is found when it stands in a page as it is."""
    assert show.active(PAYLOADS[name], own=False)
    assert show.active_output("text/markdown", PAYLOADS[name])


def test_what_drives_a_terminal_is_seen() -> None:
    """Escapes, bells and turned text; colors and plain words are not."""
    assert show.driving("\x1b]0;x\x07", output=True) == ["U+0007", "U+001B"]
    assert show.driving("a\u202eb", output=True) == ["U+202E"]
    assert show.driving("\x1b[31mred\x1b[0m \u05d0\u200f", output=True) == []


def test_there_are_as_many_attacks_as_were_promised() -> None:
    """At least eighty, in every group, no name twice, and none without a sentence."""
    listed = [attack for group in GROUPS.values() for attack in group]
    assert len(listed) == len(ATTACKS) >= 80
    assert all(len(group) >= 15 for group in GROUPS.values())
    assert all(attack.tries for attack in listed)
    assert len(set(NAMES.values())) == len(NAMES)


def test_the_attacks_differ() -> None:
    """No two hand in the same notebook, unless what lies beside it or its student's name differs."""
    seen = [
        json.dumps([a.first, dict(a.tasks), a.last, a.next, a.student, str(a.beside), str(a.body), str(a.edit)])
        for a in ATTACKS.values()
    ]
    assert len(set(seen)) == len(seen)
