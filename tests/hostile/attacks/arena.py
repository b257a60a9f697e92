"""Where attacks happen: a stage of its own for each user and kind of walls, and the grader that stands on it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.subject.sandbox import Tier
from tests.hostile.attacks.attack import Attack
from tests.hostile.attacks.judge import Result
from tests.hostile.attacks.lane import Order
from tests.hostile.attacks.stage import Stage, stage

NOBODY = 65534
_MISSING = "import sys; from autograder.subject.sandbox import Tier, missing; print(missing(Tier(sys.argv[1])) or '')"
_PROGRAM = ("__init__.py", "lane.py", "leftovers.py")
_HONEST = Attack("warm", "nothing")
_ANSWER_S = 170.0
"""After which a grader hangs: longer than it gives any submission."""


class Hangs(Exception):
    """A grader gave no answer, or ended."""


class Arena:
    """One grader, as one user behind one kind of walls; attacks go in, results come out."""

    def __init__(self, place: Stage, process: subprocess.Popen[str]) -> None:
        self.stage = place
        self.targets = place.targets
        self._process = process
        self._number = 0
        self.targets.named["GRADER"] = str(self._answer()["pid"])
        self._grade(*place.place(_HONEST, 0))  # what the first submission warms up is no leftover
        self._ask({"rest": True})

    def attack(self, attack: Attack) -> Result:
        """Grade an attack, and honest work after it."""
        self._number += 1
        visits = self.stage.visits()
        return self._grade(*self.stage.place(attack, self._number), visits)

    def finish(self) -> list[str]:
        """End the grader; name what it leaves of processes and of temporary files."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        left = self._answer()
        status = self._process.wait(_ANSWER_S)
        return [f"{kind} {one}" for kind, found in left.items() for one in found] + [f"status {status}"] * bool(status)

    def _grade(self, hostile: Path, honest: Path, visits: int = 0) -> Result:
        out = self.stage.home / "out" / str(self._number)
        first = self._ask({"folder": str(hostile), "out": str(out / "hostile")})
        second = self._ask({"folder": str(honest), "out": str(out / "honest")})
        return Result(
            folder=out / "hostile",
            honest=out / "honest",
            seconds=first["seconds"] + second["seconds"],
            left=(*first["left"], *second["left"]),
            examiner_mib=max(first["examiner_mib"], second["examiner_mib"]),
            visits=self.stage.visits() - visits,
        )

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], _ANSWER_S)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            self._process.kill()
            raise Hangs(self._process.communicate()[1].strip()[-2000:] or "no answer")
        answer: dict[str, Any] = json.loads(line)
        return answer


def number_of(user: str) -> int:
    """Return the user id of ``root`` or of an ``ordinary`` user: this one, or nobody where this is root."""
    return 0 if user == "root" else os.geteuid() or NOBODY


def what_is_missing(python: Path, tier: Tier, user: int) -> str:
    """Say why a user cannot put up a kind of walls here, "" where it can."""
    if user == 0 and os.geteuid() != 0:
        return "this is not root"
    command: list[str | Path] = [python, "-B", "-s", "-c", _MISSING, tier.value]
    said: str = subprocess.run(command, cwd="/", env={}, capture_output=True, text=True, check=True, **_as(user)).stdout
    return said.strip()


def _as(user: int) -> dict[str, Any]:
    return {"user": user, "group": user, "extra_groups": []} if user != os.geteuid() else {}


@contextlib.contextmanager
def arena(python: Path, tier: Tier, user: int) -> Iterator[Arena]:
    """Set a stage and start a grader on it, with a secret in its environment, its memory and an open file."""
    with stage(user) as place, tempfile.TemporaryFile() as secret:
        secret.write(place.targets.canaries["descriptor"].encode())
        secret.seek(0)
        os.fchmod(secret.fileno(), 0o666)
        place.targets.named["DESCRIPTOR"] = str(secret.fileno())
        process = _start(python, tier, user, place, secret.fileno())
        try:
            yield Arena(place, process)
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                assert stream is not None
                stream.close()


def _start(python: Path, tier: Tier, user: int, place: Stage, secret: int) -> subprocess.Popen[str]:
    named, canaries = place.targets.named, place.targets.canaries
    order = Order(named["ROOT"], tier.value, canaries["memory"], named["TOKEN"], int(named["KEY"]))
    return subprocess.Popen(
        [python, "-B", "-s", "-m", "tests.hostile.attacks.lane", json.dumps(vars(order))],
        cwd=_program(place.folder),
        env={
            "HOME": str(place.home),
            "TMPDIR": str(place.home / "tmp"),
            "LANG": "C.UTF-8",
            "PATH": os.environ.get("PATH", ""),
            "GRADER_SECRET": canaries["environment"],
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(secret,),
        text=True,
        **_as(user),
    )


def _program(folder: Path) -> Path:
    """Copy what runs as the grader to where every user can read it."""
    here, there = Path(__file__).parent, folder / "program" / "tests" / "hostile" / "attacks"
    there.mkdir(parents=True)
    for name in _PROGRAM:
        shutil.copy(here / name, there / name)
    for path in (folder / "program").rglob("*"):
        path.chmod(0o755)
    return folder / "program"
