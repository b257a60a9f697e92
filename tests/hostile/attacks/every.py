"""Every attack there is, by name."""

from __future__ import annotations

from tests.hostile.attacks import denial, forging, instructor, lying, others, prying, reading, tampering
from tests.hostile.attacks.attack import Attack

GROUPS: dict[str, tuple[Attack, ...]] = {
    "reading": (*reading.ATTACKS, *prying.ATTACKS),
    "forging": (*forging.ATTACKS, *lying.ATTACKS, *tampering.ATTACKS),
    "denial": denial.ATTACKS,
    "instructor": instructor.ATTACKS,
    "others": others.ATTACKS,
}
"""The attacks by what they are after."""

ATTACKS: dict[str, Attack] = {attack.name: attack for group in GROUPS.values() for attack in group}
"""All of them."""


def chosen(parts: list[str]) -> list[Attack]:
    """The attacks of the named groups, and those whose name holds one of the parts; all where none is named."""
    if not parts:
        return list(ATTACKS.values())
    groups = [attack for name in parts for attack in GROUPS.get(name, ())]
    named = [a for a in ATTACKS.values() if any(part in a.name for part in parts if part not in GROUPS)]
    return [*groups, *named]
