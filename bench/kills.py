"""Kill the grader with SIGKILL at random moments of a class, start it again each time, and see that nothing is lost.

    python bench/kills.py --students 40 --kills 25 --seed 0

The class is one of the small course of the tests: right and wrong work, an untouched release, and files that are no
notebooks. After each kill every process below the grader has to be gone, and no descriptor, temporary folder, mount,
control group or memory may be left; every report that is there has to be whole, right, and the same to the byte after
the next run. Whenever the class is finished, reports and gradebook have to be those of an undisturbed run, row by row.

Prints one line for each kill. Exit code 1 on a finding; ``--seed`` draws the same moments again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.hostile.classroom import make_class
from tests.hostile.kills import Kill, disturb, undisturbed


def show(kill: Kill) -> None:
    """One line of the table."""
    print(
        f"{kill.number:5} {kill.after_s:9.2f} {kill.reports:8} {kill.alive:10} {kill.gone_s * 1000:12.0f}", flush=True
    )


def main() -> int:
    """Run it all; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="autograder-kills-") as folder:
        classroom = make_class(Path(folder), options.students)
        peace = undisturbed(classroom)
        print(f"undisturbed: {options.students} students in {peace.graded_s:.1f} s; seed {options.seed}")
        print(f"{'kill':>5} {'after s':>9} {'reports':>8} {'processes':>10} {'gone in ms':>12}")
        try:
            finished = disturb(classroom, peace, options.kills, options.seed, show)
        except AssertionError as error:
            print(f"seed {options.seed}: {error}")
            return 1
    print(
        f"{options.kills} kills, the class graded to the end {finished} times, each time as undisturbed; "
        f"nothing left behind; {time.perf_counter() - started:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
