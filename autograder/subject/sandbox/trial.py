"""A throw-away process that puts up all the walls of a tier around nothing, and says what went wrong.

Run as a program (``python -m autograder.subject.sandbox.trial TIER``); it prints nothing when everything worked.
"""

from __future__ import annotations

import sys

from autograder.errors import GraderError
from autograder.subject.sandbox import Tier, Walls, enter_box, interpreter_box, spawn

_EMPTY_S = 10.0
"""Seconds that an empty subject may take."""


def main(tier: Tier) -> int:
    """Enter a box, run an empty subject in it, and return 0; 1 with the reason on standard output."""
    try:
        enter_box(tier, interpreter_box())
        cage = spawn(tier, Walls(memory_mib=256, processes=4, disk_mib=1), (), lambda: 0)
        status = cage.wait(_EMPTY_S)
    except (GraderError, OSError) as error:
        sys.stdout.write(f"{error}\n")
        return 1
    if status != 0:
        sys.stdout.write(f"an empty subject ended with status {status}\n")
    return int(status != 0)


if __name__ == "__main__":
    sys.exit(main(Tier(sys.argv[1])))
