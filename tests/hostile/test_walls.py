"""The walls hold: whatever a subject tries comes to nothing.

Every function that takes a tier is sent to a process of its own, see ``conftest.py``, and returns what was seen there.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.subject.sandbox import Tier, Walls, enter_box, interpreter_box, linux, spawn
from autograder.subject.sandbox.attacks import ATTACKS
from autograder.subject.sandbox.doctor import examine
from autograder.subject.sandbox.floods import FLOODS
from tests.hostile.conftest import Grader


def _findings_of(tier: Tier) -> list[list[str]]:
    return [[one.name, one.got] for one in examine(tier)]


@pytest.fixture(scope="session")
def findings(grader: Grader) -> dict[str, str]:
    """What the doctor found with these walls."""
    return dict(grader.run(_findings_of))


@pytest.mark.parametrize("attack", [one.name for one in (*ATTACKS, *FLOODS)])
def test_an_attack_from_inside_achieves_nothing(findings: dict[str, str], attack: str) -> None:
    """The list is the doctor's, so that a machine is examined by what is tested here."""
    assert findings[attack] == "stopped"


def test_nothing_is_amiss_outside_after_the_attacks(findings: dict[str, str]) -> None:
    """No process was ended, no file changed, no socket reached, and no daemon outlived its subject."""
    amiss = {name: got for name, got in findings.items() if got not in {"stopped", "works"}}
    assert amiss == {}
    assert {"end a process outside", "outlive its subject that is killed"} <= set(findings)


@pytest.mark.parametrize(
    "attack",
    [
        "read a file outside",
        "read the environment of a process",
        "signal a process outside",
        "connect to a TCP port",
        "connect to a socket in a folder",
        "make memory that no limit counts",
        "see other processes",
    ],
)
def test_the_same_attack_succeeds_without_walls(unwalled: dict[str, str], attack: str) -> None:
    """Otherwise an attack that cannot work anywhere would pass for a wall."""
    assert unwalled[attack] != "stopped"


@pytest.fixture(scope="session")
def unwalled(unwalled_grader: Grader) -> dict[str, str]:
    """What the attacks that harm nothing achieve where there are no walls."""
    return dict(unwalled_grader.run(_attack_without_walls))


def _attack_without_walls(tier: Tier) -> list[list[str]]:
    from autograder.subject.sandbox import attacks, doctor

    del tier
    harmful = ("change", "write", "limit", "trace", "become", "mount", "make a device")
    harmless = [one for one in attacks.ATTACKS if not one.name.startswith(harmful)]
    with doctor._targets(()) as (target, _, _):
        return [[one.name, attacks.try_one(one, target) or "stopped"] for one in harmless]


def _hide_packages(tier: Tier, names: list[str]) -> list[str]:
    enter_box(tier, interpreter_box(tuple(names)))
    source, sink = os.pipe()

    def main() -> int:
        for name in names:
            sys.modules.pop(name, None)
            try:
                __import__(name)
                os.write(sink, b"imported ")
            except (ImportError, OSError) as error:
                os.write(sink, f"{type(error).__name__} ".encode())
        return 0

    spawn(tier, Walls(), (sink,), main).wait(10)
    return os.read(source, 4096).decode().split()


def test_a_masked_package_is_not_there(grader: Grader) -> None:
    """Neither the files of a package nor those of a single module, compiled or not, can be read."""
    refusal = "ModuleNotFoundError" if grader.tier is Tier.NAMESPACES else "PermissionError"
    assert grader.run(_hide_packages, ["email", "pyseccomp"]) == [refusal, refusal]


def _make_odd_calls(tier: Tier) -> list[int | None]:
    enter_box(tier, interpreter_box())
    x32, getpid, clone, new_user = 0x40000000, 39, 56, 0x10000000

    def call(*arguments: int) -> Callable[[], int]:
        def main() -> int:
            ctypes.CDLL(None).syscall(*map(ctypes.c_long, arguments))
            return ctypes.get_errno() and 1

        return main

    def clone_apart() -> int:
        child = ctypes.CDLL(None).syscall(clone, new_user | signal.SIGCHLD, 0, 0, 0, 0)
        return 3 if child == -1 else 0

    def become_undumpable() -> int:
        try:
            linux.prctl(linux.PR_SET_DUMPABLE, 0)
        except OSError:
            return 3
        return 0

    mains = (call(x32 | getpid), clone_apart, become_undumpable)
    return [spawn(tier, Walls(), (), main).wait(10) for main in mains]


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are those of x86_64")
def test_calls_that_would_go_round_the_filter_are_stopped(grader: Grader) -> None:
    """Another architecture's numbers end the process; namespaces by clone and hiding from the watchdog are refused."""
    assert grader.run(_make_odd_calls) == [-signal.SIGSYS, 3, 3]


def _reach_another_subject(tier: Tier) -> list[str]:
    enter_box(tier, interpreter_box())
    source, sink = os.pipe()

    def keep_secret() -> int:
        Path("secret").write_text("mine")
        Path("secret").chmod(0o666) if tier is Tier.NAMESPACES else None
        os.write(sink, str(Path.cwd()).encode())
        while True:
            time.sleep(60)

    other = spawn(tier, Walls(), (sink,), keep_secret)
    place = os.read(source, 4096).decode()

    def pry() -> int:
        try:
            os.write(sink, (Path(place) / "secret").read_bytes())
        except OSError as error:
            os.write(sink, type(error).__name__.encode())
        return 0

    spawn(tier, Walls(), (sink,), pry).wait(10)
    other.kill()
    return [os.read(source, 4096).decode(), str(Path(place).exists())]


def test_one_subject_does_not_see_the_files_of_another(grader: Grader) -> None:
    """Not even while both run; and what a dead one wrote is gone."""
    seen, left = grader.run(_reach_another_subject)
    assert seen in {"FileNotFoundError", "PermissionError"}
    assert left == "False"
