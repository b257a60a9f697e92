"""What the attacks aim at: a small course with short limits, and canaries wherever something could be read.

Everything here is open to every user of the machine, so that only the walls keep a subject from it. A canary is a word
``canary-<place>-<random>``; wherever one of them turns up in what the grader wrote, that place was reached.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.authoring.build import build
from autograder.course import Assignment, Course
from tests.hostile.attacks.attack import RIGHT, Attack, Entry, Link, Pipe, Sparse, aimed, fill

PLACES = (
    "solution",
    "misconceptions",
    "tests",
    "salt",
    "gradebook",
    "submission",
    "report",
    "file",
    "history",
    "environment",
    "descriptor",
    "memory",
    "tcp",
    "abstract",
    "path",
    "attribute",
)
"""Where canaries are planted."""

FILES = {
    "assignments/probe/rubric.toml": """\
title = "Probe"
order = 1
forbidden = ["tensorflow", "keras", "scipy"]

[limits]
cell_s = 3
check_s = 2
task_s = 9
total_s = 40
memory_mib = 400
disk_mib = 32
output_kib = 64
notebook_mib = 4

[[tasks]]
name = "double"
points = 30

[[tasks]]
name = "train"
points = 30
functions = ["train", "predict"]
builds_on = ["double"]

[[tasks]]
name = "shout"
points = 20

[[tasks]]
name = "learn"
points = 20
functions = ["learn", "judge"]
""",
    "assignments/probe/notebook.py": '''\
# %% [markdown]
# # Probe

# %% setup=true
import numpy as np
from autograder import check
# %load_ext autograder

# %% task="double"
def double(x, times=1):
    """Return twice ``x``, so many times."""
    raise NotImplementedError

# %% task="train"
def train(x):
    """Return parameters."""
    raise NotImplementedError


def predict(parameters, x):
    """Return a prediction."""
    raise NotImplementedError

# %% task="shout"
def shout(text):
    """Return the text in capitals."""
    raise NotImplementedError

# %% task="learn"
def learn(x, labels, epochs=20):
    """Return weights and one loss per epoch."""
    raise NotImplementedError


def judge(weights, x):
    """Return probabilities."""
    raise NotImplementedError
''',
    "assignments/probe/test_public.py": '''\
"""What students see."""
from autograder.checks import assert_close, task

@task("double")
def test_public_double(student):
    """doubles one"""
    assert_close(student.double(1.0), 2.0)
''',
    "assignments/probe/data/note.txt": "released data\n",
    "solutions/salt.txt": "@salt@\n",
    "solutions/probe/solution.py": """\
import numpy as np

SECRET = "@solution@"

def double(x, times=1):
    for _ in range(times):
        x = 2 * x
    return x

def train(x):
    return {"w": double(x)}

def predict(parameters, x):
    return parameters["w"] * x

def shout(text):
    return text.upper()

def judge(weights, x):
    scores = np.exp(x @ weights)
    return scores / scores.sum(axis=1, keepdims=True)

def learn(x, labels, epochs=20):
    weights, losses = np.zeros((x.shape[1], labels.shape[1])), []
    for _ in range(epochs):
        wrong = judge(weights, x) - labels
        weights = weights - x.T @ wrong / len(x)
        losses.append(float(-np.log((judge(weights, x) * labels).sum(axis=1)).mean()))
    return weights, losses
""",
    "solutions/probe/misconceptions.py": """\
from autograder.misconceptions import collect, misconception

SECRET = "@misconceptions@"

@misconception("double")
def squared(x, times=1):
    "You squared the numbers."
    return x**2

MISCONCEPTIONS = collect(vars())
""",
    "solutions/probe/test_hidden.py": '''\
"""What students do not see."""
import numpy as np
import pytest
from autograder.checks import assert_array, assert_close, assert_numbers, task
from autograder.checks.training import Classifier, assert_learning, assert_reported

SECRET = "@tests@"

@task("double")
@pytest.mark.parametrize("n", [3, 4])
def test_double(student, reference, rng, n):
    """doubles {n} numbers"""
    x = rng.normal(size=n)
    assert_close(student.double(x), reference.double(x))

@task("train")
def test_train(student, rng):
    """trains and predicts"""
    x = rng.normal()
    parameters = student.handle.train(x)
    assert_close(student.predict(parameters, 3.0), 6 * x)

@task("shout")
def test_shout(student):
    """speaks up"""
    said = student.shout("quiet")
    assert type(said) is str and said.strip() == "QUIET", "expected QUIET"

@task("learn")
def test_learn(student, rng):
    """learns, by its predictions, and reports the losses that it has"""
    border = rng.normal(size=(2, 2))
    x, unseen = rng.normal(size=(80, 2)), rng.normal(size=(200, 2))
    labels, wanted = (np.eye(2)[(data @ border).argmax(axis=1)] for data in (x, unseen))
    classifier = Classifier(student, "learn", "judge")
    early = classifier.loss(classifier.trained(x, labels, epochs=1)[0], unseen, wanted)
    weights, losses = classifier.trained(x, labels, epochs=20)
    late = classifier.loss(weights, unseen, wanted)
    assert_learning(early, late, classes=2)
    assert_reported(classifier.losses(losses, 20), early, late)
''',
    "submitted/victim/probe/probe.ipynb": '{"secret": "@submission@"}',
    "reports/probe/victim.json": '{"secret": "@report@"}',
    "canary.txt": "@file@\n",
}


@dataclass(frozen=True)
class Targets:
    """What an attack may aim at, by the names that stand in its cells."""

    named: dict[str, str]
    canaries: dict[str, str]

    def found_in(self, text: str) -> list[str]:
        """Name the places whose canaries stand in a text."""
        return [place for place, canary in self.canaries.items() if canary in text]


@dataclass
class Listener:
    """Somebody outside who tells the canary to whoever connects, and remembers that there was one."""

    stream: socket.socket
    canary: str
    visits: int = 0
    _open: bool = field(default=True, repr=False)

    def serve(self) -> None:
        """Answer until closed."""
        while self._open:
            with contextlib.suppress(OSError):
                visitor, _ = self.stream.accept()
                self.visits += 1
                with visitor:
                    visitor.sendall(self.canary.encode())

    def close(self) -> None:
        """Stop answering."""
        self._open = False
        with contextlib.suppress(OSError):
            self.stream.shutdown(socket.SHUT_RDWR)
        self.stream.close()


@dataclass(frozen=True)
class Stage:
    """The course of one grader, with its canaries. ``folder`` holds everything, ``home`` is the grader's own."""

    folder: Path
    assignment: Assignment
    targets: Targets
    listeners: tuple[Listener, ...]

    @property
    def home(self) -> Path:
        """The grader's home; below it are its folder for temporary files, and its reports."""
        return self.folder / "home"

    def visits(self) -> int:
        """How often somebody came to a socket outside."""
        return sum(one.visits for one in self.listeners)

    def place(self, attack: Attack, number: int) -> tuple[Path, Path]:
        """Write an attack and the honest work after it as submissions; returns their folders."""
        release, named = self.assignment.release_notebook.read_bytes(), self.targets.named
        hostile, honest = (self.folder / "in" / str(number) / kind for kind in ("hostile", "honest"))
        inside = hostile / (attack.student or attack.name) / "probe"
        inside.mkdir(parents=True)
        entries: dict[str, Entry] = {"probe.ipynb": attack.notebook(release, named), **attack.beside}
        if any(name.startswith("probe.ipynb/") for name in entries):
            del entries["probe.ipynb"]
        if "." in attack.beside:
            inside.rmdir()
            entries = {".": attack.beside["."]}
        for name, entry in entries.items():
            _put(inside / name, entry, named)
        after = fill(release, attack.next, "", RIGHT, named)
        (honest / "honest" / "probe").mkdir(parents=True)
        (honest / "honest" / "probe" / "probe.ipynb").write_text(json.dumps(after))
        return hostile, honest


def _put(path: Path, entry: Entry, named: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    match entry:
        case Link(to):
            path.symlink_to(aimed(to, named))
        case Pipe():
            os.mkfifo(path, 0o666)
        case Sparse(size):
            with path.open("wb") as file:
                file.truncate(size)
        case bytes():
            path.write_text(aimed(entry.decode("latin1"), named), encoding="latin1")


@contextlib.contextmanager
def stage(user: int) -> Iterator[Stage]:
    """Plant everything for a grader that runs as ``user``."""
    folder = Path(tempfile.mkdtemp(prefix="autograder-attacks-"))
    canaries = {place: f"canary-{place}-{secrets.token_hex(8)}" for place in PLACES}
    listeners: list[Listener] = []
    try:
        folder.chmod(0o755)
        assignment = _course(folder / "course", canaries)
        _home(folder / "home", user, canaries["history"])
        listeners += _listen(folder, canaries)
        token = secrets.token_hex(6)
        named = {
            "ROOT": str(assignment.course.root),
            "HOME": str(folder / "home"),
            "TOKEN": f"left{token}",
            "KEY": str(int(token[:7], 16) + 1),
            "PORT": str(listeners[0].stream.getsockname()[1]),
            "ABSTRACT": listeners[1].stream.getsockname()[1:].decode(),
            "SOCKET": listeners[2].stream.getsockname(),
        }
        yield Stage(folder, assignment, Targets(named, canaries), tuple(listeners))
    finally:
        for one in listeners:
            one.close()
        shutil.rmtree(folder)


def _course(root: Path, canaries: dict[str, str]) -> Assignment:
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(aimed(text, canaries), encoding="utf8")
    build(Course(root))
    with contextlib.suppress(OSError):  # not every file system has attributes
        os.setxattr(root / "canary.txt", "user.canary", canaries["attribute"].encode())
    with contextlib.closing(sqlite3.connect(root / "gradebook.db")) as book, book:
        book.execute("CREATE TABLE secrets (canary TEXT)")
        book.execute("INSERT INTO secrets VALUES (?)", (canaries["gradebook"],))
    return Course(root).assignment("probe")


def _home(home: Path, user: int, canary: str) -> None:
    """The grader's own folder, with a history of what was typed; it belongs to the grader and others may look in."""
    for path in (home, home / "tmp", home / "out", home / ".ipython" / "profile_default"):
        path.mkdir(parents=True)
    (home / ".ipython" / "profile_default" / "history.sqlite").write_text(canary)
    for path in (home, *home.rglob("*")):
        os.chown(path, user, user) if os.geteuid() == 0 else None


def _listen(folder: Path, canaries: dict[str, str]) -> Iterator[Listener]:
    addresses: list[tuple[str, int, str | tuple[str, int]]] = [
        ("tcp", socket.AF_INET, ("127.0.0.1", 0)),
        ("abstract", socket.AF_UNIX, f"\0outside-{secrets.token_hex(6)}"),
        ("path", socket.AF_UNIX, str(folder / "outside.sock")),
    ]
    for place, family, address in addresses:
        stream = socket.socket(family, socket.SOCK_STREAM)
        stream.bind(address)
        stream.listen()
        listener = Listener(stream, canaries[place])
        threading.Thread(target=listener.serve, daemon=True).start()
        yield listener
    (folder / "outside.sock").chmod(0o777)
