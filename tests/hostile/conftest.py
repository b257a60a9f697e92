"""Graders to attack: root and an ordinary user, each with every kind of walls that it can put up.

A subject's keeper has to be a process of its own, exec'd clean, and an ordinary user may not be able to read the
interpreter of these tests (below a private home folder, say). So there is a virtual environment that everyone can
read, and what a test wants to happen inside is sent there as the source of a function.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import autograder
from autograder.subject.sandbox import Tier
from tests.hostile.pythons import is_open

NOBODY = 65534
_PROGRAM_S = 120.0
_PRELUDE = """
from __future__ import annotations
import ctypes, json, mmap, os, select, signal, socket, subprocess, sys, time
from pathlib import Path
from autograder.errors import GraderError
from autograder.subject.sandbox import *
from autograder.subject.sandbox import linux
from autograder.subject.sandbox.doctor import examine
"""
"""What a function that is sent may name."""

collect_ignore = [] if sys.platform == "linux" else ["test_walls.py"]


@dataclass(frozen=True)
class Grader:
    """A user who grades, with a kind of walls."""

    python: Path
    user: int
    tier: Tier

    def start(
        self, function: Callable[..., Any], *arguments: Any, pass_fds: tuple[int, ...] = ()
    ) -> subprocess.Popen[str]:
        """Run ``function(tier, *arguments)`` in a fresh process; it prints what it returns as JSON."""
        source = textwrap.dedent(inspect.getsource(function))
        call = (
            f"print(json.dumps({function.__name__}(Tier({self.tier.value!r}), *json.loads({json.dumps(arguments)!r}))))"
        )
        return subprocess.Popen(
            [self.python, "-B", "-s", "-c", f"{_PRELUDE}\n{source}\n{call}"],
            env={"TMPDIR": str(self.python.parents[2] / "tmp")},  # some tests kill who would tidy up
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=pass_fds,
            text=True,
            **self._identity(),
        )

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run ``function`` as ``start`` does, and return what it returned."""
        with self.start(function, *arguments) as process:
            output, errors = process.communicate(timeout=_PROGRAM_S)
        assert process.returncode == 0, errors
        return json.loads(output)

    def _identity(self) -> dict[str, Any]:
        if self.user == os.geteuid():
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}


@pytest.fixture(scope="session")
def open_python() -> Iterator[Path]:
    """An interpreter with this package that every user of the machine can run."""
    folder = Path(tempfile.mkdtemp(prefix="autograder-tests-"))
    try:
        folder.chmod(0o755)
        (folder / "tmp").mkdir()
        (folder / "tmp").chmod(0o1777)
        subprocess.run([_open_base(folder), "-m", "venv", "--without-pip", folder / "venv"], check=True)
        packages = next((folder / "venv" / "lib").glob("python3*/site-packages"))
        shutil.copytree(
            Path(autograder.__file__).parent, packages / "autograder", ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy(str(importlib.import_module("pyseccomp").__file__), packages)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        yield folder / "venv" / "bin" / "python"
    finally:
        shutil.rmtree(folder)


def _open_base(folder: Path) -> Path:
    """This interpreter if everyone can read it, else the system's, else a copy of this one's."""
    candidates = [Path(sys.executable).resolve(), *sorted(Path("/usr/bin").glob("python3.[0-9]*[0-9]"), reverse=True)]
    for candidate in candidates:
        if is_open(candidate) and _is_recent(candidate):
            return candidate
    copied = folder / "python"
    shutil.copytree(
        sys.base_prefix, copied, symlinks=True, ignore=shutil.ignore_patterns("site-packages", "test", "__pycache__")
    )
    subprocess.run(["chmod", "-R", "a+rX", copied], check=True)
    return copied / "bin" / f"python3.{sys.version_info.minor}"


def _is_recent(python: Path) -> bool:
    test = "import sys, venv; sys.exit(sys.version_info < (3, 10))"
    return subprocess.run([python, "-c", test], capture_output=True, check=False).returncode == 0


WALLED = [(user, tier) for tier in (Tier.NAMESPACES, Tier.LANDLOCK) for user in ("root", "ordinary")]


@pytest.fixture(scope="session", params=WALLED, ids=lambda pair: f"{pair[1].value}-{pair[0]}")
def grader(request: pytest.FixtureRequest, open_python: Path) -> Grader:
    """Each user with each kind of walls; skipped where the machine cannot put them up, with what it says."""
    user, tier = request.param
    return _grader(user, tier, open_python)


@pytest.fixture(
    scope="session", params=[*WALLED, ("ordinary", Tier.NONE)], ids=lambda pair: f"{pair[1].value}-{pair[0]}"
)
def any_grader(request: pytest.FixtureRequest, open_python: Path) -> Grader:
    """The same, and one who grades without walls."""
    user, tier = request.param
    return _grader(user, tier, open_python)


@pytest.fixture(scope="session")
def unwalled_grader(open_python: Path) -> Grader:
    """An ordinary user who grades without walls."""
    return _grader("ordinary", Tier.NONE, open_python)


def _grader(user: str, tier: Tier, python: Path) -> Grader:
    if user == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    one = Grader(python, 0 if user == "root" else os.geteuid() or NOBODY, tier)
    reason = one.run(_what_is_missing)
    if reason is not None:
        pytest.skip(reason)
    return one


def _what_is_missing(tier: Tier) -> str | None:
    from autograder.subject.sandbox import missing

    return missing(tier)
