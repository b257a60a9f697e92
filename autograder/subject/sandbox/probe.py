"""A throw-away fork server that attacks its own walls and writes down what came of it.

Run as a program (``python -m autograder.subject.sandbox.probe TIER``) with an empty environment and a ``Target`` as
JSON on standard input; each line of the output is one observation.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from autograder.subject.sandbox import Tier, Walls, enter_box, interpreter_box, spawn
from autograder.subject.sandbox.attacks import ATTACKS, Target, try_one
from autograder.subject.sandbox.floods import FLOODS, WALLS, Flood, hold

_ATTACKS_S = 60.0
_FLOOD_S = 5.0
_LOOK_S = 0.05
_SHORT_S = 5.0


@dataclass(frozen=True)
class Observation:
    """What one attack came to; ``achieved`` is empty when it was stopped."""

    name: str
    achieved: str


def observe(tier: Tier, target: Target) -> Iterator[Observation]:
    """Wall this process in, and try everything."""
    enter_box(tier, interpreter_box())
    yield from _attack(tier, target)
    for flood in FLOODS:
        yield Observation(flood.name, _flood(tier, flood))
    yield Observation("outlive its subject that is killed", _leave_daemon(tier, linger=True))
    yield Observation("outlive its subject that exits", _leave_daemon(tier, linger=False))
    yield Observation("ignore an interrupt for good", _ignore_interrupt(tier))


def _attack(tier: Tier, target: Target) -> Iterator[Observation]:
    """Try every attack in one subject, which tells what it achieved over a pipe."""
    source, sink = os.pipe()

    def main() -> int:
        for attack in ATTACKS:
            os.write(sink, json.dumps(asdict(Observation(attack.name, try_one(attack, target)))).encode() + b"\n")
        return 0

    cage = spawn(tier, Walls(), (sink,), main)
    os.close(sink)
    lines = _read_all(source, _ATTACKS_S).splitlines()
    cage.kill()
    told = {one["name"]: one["achieved"] for one in map(json.loads, lines)}
    for attack in ATTACKS:
        yield Observation(attack.name, told.get(attack.name, "nothing was heard of it: the subject ended before"))


def _read_all(source: int, most_s: float) -> str:
    """Read until every process that can write has gone, or time is up."""
    received, end = b"", time.monotonic() + most_s
    with open(source, "rb", buffering=0) as stream:
        while select.select([stream], [], [], max(0.0, end - time.monotonic()))[0]:
            chunk = stream.read(65536)
            if not chunk:
                break
            received += chunk
    return received.decode()


def _flood(tier: Tier, flood: Flood) -> str:
    """Watch a flood. More than the limit is no success as long as a watchdog sees it, and can end it."""
    source, sink = os.pipe()
    cage = spawn(tier, WALLS, (sink,), lambda: hold(flood, lambda taken: _tell(sink, taken)))
    os.close(sink)
    told, over, end = False, False, time.monotonic() + _FLOOD_S
    while not (told or over) and time.monotonic() < end:
        told = bool(select.select([source], [], [], _LOOK_S)[0])
        over = flood.is_over(cage.usage())
    cage.kill()
    taken = int(_read_all(source, _SHORT_S) or "0")
    return f"{taken} {flood.unit}, and nobody could see it" if taken > flood.limit and not over else ""


def _tell(sink: int, taken: int) -> None:
    os.write(sink, str(taken).encode())


def _leave_daemon(tier: Tier, *, linger: bool) -> str:
    """Start a process that leaves its session and its parent; the pipe that it holds tells how long it lives."""
    source, sink = os.pipe()

    def main() -> int:
        _start_daemon()
        os.write(sink, b"started")
        return _sleep() if linger else 0

    cage = spawn(tier, Walls(), (sink,), main)
    os.close(sink)
    os.read(source, len(b"started"))
    cage.kill() if linger else cage.wait(_SHORT_S)
    alive = select.select([source], [], [], 0)[0] == []
    os.close(source)
    return "it still runs" if alive else ""


def _start_daemon() -> None:
    if os.fork() == 0:
        os.setsid()
        for heeded in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(heeded, signal.SIG_IGN)
        if os.fork():
            os._exit(0)
        _sleep()


def _sleep() -> int:
    while True:
        time.sleep(60)


def _ignore_interrupt(tier: Tier) -> str:
    source, sink = os.pipe()

    def main() -> int:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.write(sink, b"deaf")
        return _sleep()

    cage = spawn(tier, Walls(), (sink,), main)
    os.read(source, len(b"deaf"))
    os.close(source)
    os.close(sink)
    cage.interrupt()
    cage.wait(_LOOK_S)
    return "" if cage.kill() == -signal.SIGKILL else "it ended in its own way"


def main(tier: Tier) -> int:
    """Print an observation a line."""
    for one in observe(tier, Target.from_json(sys.stdin.read())):
        sys.stdout.write(json.dumps(asdict(one)) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(Tier(sys.argv[1])))
