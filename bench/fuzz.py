"""Throw a hundred thousand hostile inputs at everything that reads what a stranger wrote.

    python bench/fuzz.py --cases 100000 --seed 0

The targets and what has to hold are those of ``tests/hostile/fuzzing.py``, which the tests try with some hundred cases:
a value that survives being written and read again, or an error of the kind that the reader states; memory within a MiB
and the target's multiple of the case's size; an end within 20 CPU seconds. Each target runs in a process of its own
that may map 3 GiB, so that memory which Python does not count is bounded as well; one that dies, or makes no progress
for five minutes, is a finding like any other.

Prints a table: target, cases, errors by type, accepted, peak memory of reading one case, seconds. Exit code 1 when
something was found; the smallest example follows the table, and ``--seed`` repeats the run.
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.hostile.fuzzing import TARGETS, Target

SHARES = {
    "codec, reading": 0.3,
    "codec, writing": 0.1,
    "channel": 0.15,
    "kernel's messages": 0.05,
    "notebook": 0.15,
    "rubric.toml": 0.15,
    "report": 0.1,
}
"""Of the cases; by what reads from whom, and by how long a case takes."""

MAPPED_BYTES = 3 << 30
STUCK_S = 300.0
SHOWN = 20_000


@dataclass
class Tally:
    """What one target made of its cases; ``finding`` is empty when all is well."""

    target: str
    cases: int = 0
    outcomes: dict[str, int] | None = None
    peak: int = 0
    seconds: float = 0.0
    finding: str = ""


def rendered(case: object) -> str:
    """The case as Python writes it, but for integers of too many digits."""
    try:
        return repr(case)
    except ValueError:
        return f"a {type(case).__name__} with a number of too many digits"


def throw(target: Target, cases: int, seed: int, last: Path) -> Tally:
    """Try the cases in this process; the one under way is in the file ``last``, in case that it ends the process."""
    tally, outcomes, started = Tally(target.name), Counter[str](), time.perf_counter()
    case: object = None
    phases = (Phase.generate, Phase.shrink)

    @hypothesis.seed(seed)
    @settings(max_examples=cases, deadline=None, database=None, phases=phases, suppress_health_check=list(HealthCheck))
    @given(target.cases)
    def attempt(drawn: object) -> None:
        nonlocal case
        case = drawn
        last.write_text(rendered(drawn), encoding="utf8", errors="backslashreplace")
        tally.cases += 1
        seen = target.attempt(drawn)
        outcomes[seen.outcome] += 1
        tally.peak = max(tally.peak, seen.peak)

    target.warm_up()
    try:
        attempt()
    except BaseException:  # noqa: BLE001 - whatever it is, it is what this program looks for
        tally.finding = f"{traceback.format_exc(limit=-4)}\nfrom {rendered(case)}"[:SHOWN]
    tally.outcomes, tally.seconds = dict(outcomes), time.perf_counter() - started
    return tally


def in_a_process(target: Target, cases: int, seed: int) -> Tally:
    """Try the cases in a process that cannot take this one along."""
    command = [sys.executable, __file__, "--cases", str(cases), "--seed", str(seed), "--target", target.name]
    with tempfile.TemporaryDirectory() as folder:
        last = Path(folder, "last")
        last.touch()
        with subprocess.Popen([*command, "--last", last], stdout=subprocess.PIPE, text=True) as child:
            _wait(child, last)
            output = child.communicate()[0]
        if child.returncode == 0:
            return Tally(**json.loads(output.splitlines()[-1]))
        why = f"the process ended with {child.returncode}"
        return Tally(target.name, finding=f"{why}, last at {last.read_text(encoding='utf8')[:SHOWN]}")


def _wait(child: subprocess.Popen[str], last: Path) -> None:
    while child.poll() is None:
        time.sleep(0.5)
        if time.time() - last.stat().st_mtime > STUCK_S:
            child.kill()


def row(tally: Tally) -> str:
    """One line of the table."""
    outcomes = dict(tally.outcomes or {})
    accepted = outcomes.pop("accepted", 0)
    errors = ", ".join(f"{name} {count}" for name, count in sorted(outcomes.items())) or "-"
    return (
        f"{tally.target:18} {tally.cases:8} {errors:26} {accepted:9} {tally.peak / 2**20:9.2f} {tally.seconds:8.1f}"
        f"{'   FOUND SOMETHING' if tally.finding else ''}"
    )


def main() -> int:
    """Run every target, or the one that a parent asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000, help="of all targets together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", choices=list(SHARES), help="only this one, with its share of the cases")
    parser.add_argument("--last", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.last:
        logging.disable(logging.CRITICAL)
        resource.setrlimit(resource.RLIMIT_AS, (MAPPED_BYTES, MAPPED_BYTES))
        target = next(one for one in TARGETS if one.name == options.target)
        print(json.dumps(asdict(throw(target, options.cases, options.seed, options.last))))
        return 0
    print(f"{'target':18} {'cases':>8} {'errors':26} {'accepted':>9} {'peak MiB':>9} {'seconds':>8}")
    tallies = []
    for target in (one for one in TARGETS if options.target in (None, one.name)):
        tallies.append(in_a_process(target, round(options.cases * SHARES[target.name]), options.seed))
        print(row(tallies[-1]), flush=True)
    found = [tally for tally in tallies if tally.finding]
    print(f"{sum(tally.cases for tally in tallies)} cases, {len(found)} targets with findings")
    for tally in found:
        print(f"\n{tally.target}: {tally.finding}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
