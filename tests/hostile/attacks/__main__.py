"""Attack the grader with everything, as root and as an ordinary user, behind each kind of walls, and print the table.

    python -m tests.hostile.attacks [--tier namespaces|landlock] [--user root|ordinary] [--only GROUP-OR-NAME ...]

The exit code is the number of surprises, at most 100: 0 when everything came out as it is written beside the attacks.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from autograder.subject.sandbox import Tier
from tests.hostile.attacks.arena import Hangs, arena, number_of, what_is_missing
from tests.hostile.attacks.attack import Attack
from tests.hostile.attacks.every import chosen
from tests.hostile.attacks.judge import got, surprises
from tests.hostile.pythons import NoPython, whole_python

_LANES = 4
"""Graders that are attacked at once. Each works on one submission after the other, and often it waits for a limit."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    attack: Attack
    tier: Tier
    user: str
    got: str
    seconds: float
    surprises: tuple[str, ...]

    def __str__(self) -> str:
        """Attack, walls and user, expected, got, seconds; below it what was not as expected."""
        expected = str(self.attack.verdict(self.tier.value))
        where = f"{self.tier.value}, {self.user}"
        line = f"{self.attack.name:28} {where:22} {expected:20} {self.got:20} {self.seconds:6.1f}"
        return "\n".join((line, *(f"    surprise: {one}" for one in self.surprises)))


Lane = tuple[Tier, str, list[Attack]]


def main(arguments: Sequence[str]) -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.attacks")
    parser.add_argument("--tier", choices=[Tier.NAMESPACES.value, Tier.LANDLOCK.value])
    parser.add_argument("--user", choices=["root", "ordinary"])
    parser.add_argument("--only", nargs="+", default=[], metavar="GROUP-OR-NAME")
    options = parser.parse_args(arguments)
    attacks, started = chosen(options.only), time.monotonic()
    with whole_python() as python, ThreadPoolExecutor(_LANES) as pool:
        lanes = list(_lanes(python, options.tier, options.user, attacks))
        print(f"{'attack':28} {'walls, user':22} {'expected':20} {'got':20} seconds")
        rows = [row for found in pool.map(lambda lane: _run(python, *lane), lanes) for row in found]
    amiss = sum(len(row.surprises) for row in rows)
    each = ", ".join(f"{tier.value} as {user}" for tier, user, _ in lanes)
    print(f"{len(attacks)} attacks, {each}: {amiss} surprises in {time.monotonic() - started:.0f} s")
    return min(amiss, 100) if rows else 3


def _lanes(python: Path, tier: str | None, user: str | None, attacks: list[Attack]) -> Iterator[Lane]:
    """Who is to grade, and behind which walls; what cannot be had here is told."""
    for walls in (Tier.NAMESPACES, Tier.LANDLOCK):
        for who in ("root", "ordinary"):
            if tier not in (None, walls.value) or user not in (None, who):
                continue
            reason = what_is_missing(python, walls, number_of(who))
            if reason:
                print(f"not tried: {walls.value} as {who}: {reason}")
                continue
            yield walls, who, attacks


_PRINTING = threading.Lock()


def _run(python: Path, tier: Tier, user: str, attacks: list[Attack]) -> list[Row]:
    rows: list[Row] = []
    with arena(python, tier, number_of(user)) as ours:
        for attack in attacks:
            try:
                result = ours.attack(attack)
                row = Row(
                    attack,
                    tier,
                    user,
                    got(result),
                    result.seconds,
                    tuple(surprises(attack, result, ours.targets, tier.value)),
                )
            except Hangs as error:
                row = Row(attack, tier, user, "nothing", 0.0, (str(error),))
            rows.append(row)
            with _PRINTING:
                print(row, flush=True)
            if row.got == "nothing":
                return rows
        rows += [Row(Attack("the end", ""), tier, user, "left", 0.0, (left,)) for left in ours.finish()]
    return rows


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NoPython as error:
        sys.exit(str(error))
