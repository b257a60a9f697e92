"""An attack: a real submission, what it tries, and the verdict that it must get, written beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

POINTS: Mapping[str, float] = {"double": 30.0, "train": 30.0, "shout": 20.0, "learn": 20.0}
"""What the tasks of the small course are worth."""

RIGHT = {
    "double": "def double(x, times=1):\n    for _ in range(times):\n        x = x + x\n    return x",
    "train": "def train(x):\n    return [double(x)]\n\ndef predict(parameters, x):\n    return parameters[0] * x",
    "shout": "def shout(text):\n    return text.upper()",
    "learn": """\
def judge(weights, x):
    scores = np.exp(np.clip(x @ weights, -30, 30))
    return scores / scores.sum(axis=1, keepdims=True)

def learn(x, labels, epochs=20):
    weights, losses = np.zeros((x.shape[1], labels.shape[1])), []
    for _ in range(epochs):
        found = judge(weights, x)
        losses.append(float(-np.log((found * labels).sum(axis=1)).mean()))
        weights = weights - x.T @ (found - labels) / len(x)
    return weights, losses""",
}
"""Right answers, written in another way than the solution."""

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What must come out. ``lost`` are the tasks that get nothing, ``reason`` is why a file is ungradable.

    Each of ``says`` has to stand in the report or in an output of the executed notebook: it is how an attack tells that
    it was really carried out; of several parts with ``|`` between them, one is enough. Nothing of ``never`` may stand
    there. A task in ``review`` is flagged for a person. A task ``at_risk`` may lose its points or keep them: who uses up
    a limit of the kernel's may find one call of his own refused, or not.
    """

    lost: frozenset[str] = frozenset()
    reason: str | None = None
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    review: frozenset[str] = frozenset()
    at_risk: frozenset[str] = frozenset()

    def score(self, task: str) -> float:
        """The points of one task."""
        return 0.0 if self.reason is not None or task in self.lost | self.review else POINTS[task]

    def __str__(self) -> str:
        """In a cell of a table."""
        if self.reason is not None:
            return "ungradable"
        flagged = f", review {', '.join(sorted(self.review))}" if self.review else ""
        return f"{sum(map(self.score, POINTS)):g}{flagged}"


def loses(*tasks: str, says: str = "", never: str = "") -> Verdict:
    """Everything but these tasks."""
    return Verdict(frozenset(tasks), says=(says,) if says else (), never=(never,) if never else ())


def ungradable(reason: str) -> Verdict:
    """No points, and this in the reason."""
    return Verdict(reason=reason)


def full(*says: str) -> Verdict:
    """All points: what was tried came to nothing and is nobody's business."""
    return Verdict(says=says)


@dataclass(frozen=True)
class Link:
    """A symbolic link in a submitted folder."""

    to: str


@dataclass(frozen=True)
class Pipe:
    """A named pipe in a submitted folder."""


@dataclass(frozen=True)
class Sparse:
    """A file that claims to be large and takes no room on the disk."""

    bytes: int


Entry = bytes | Link | Pipe | Sparse


@dataclass(frozen=True)
class Attack:
    """One hostile submission.

    ``first`` and ``last`` are cells before and after the tasks, ``tasks`` the answers that are not right ones, ``edit``
    changes the notebook's JSON, ``body`` takes its place, and ``beside`` are other entries of the submitted folder, by
    path; one of the notebook's own name replaces it, and "." the folder. ``student`` is the folder's name. ``next`` is a cell of the honest
    notebook that is graded afterwards, which looks for what the attack left.

    In a cell ``@NAME@`` stands for a target that was planted, see ``stage.Targets``. ``bare`` is the canary that the
    same cells reach where there are no walls: the proof that they would notice a hole. ``where`` has the other verdicts of
    tiers that do not promise as much: an exception that docs/security.md names.
    """

    name: str
    tries: str
    expected: Verdict = field(default_factory=full)
    first: str = ""
    tasks: Mapping[str, str] = field(default_factory=dict)
    last: str = ""
    next: str = ""
    edit: Callable[[Notebook], object] | None = None
    body: Callable[[], bytes] | None = None
    beside: Mapping[str, Entry] = field(default_factory=dict)
    student: str | None = None
    bare: str = ""
    where: Mapping[str, Verdict] = field(default_factory=dict)

    def verdict(self, tier: str) -> Verdict:
        """What must come out behind these walls."""
        return self.where.get(tier, self.expected)

    def notebook(self, release: bytes, targets: Mapping[str, str]) -> bytes:
        """Return the submitted file."""
        if self.body is not None:
            return self.body()
        filled = fill(release, self.first, self.last, self.tasks, targets)
        if self.edit is not None:
            self.edit(filled)
        return json.dumps(filled).encode()


def fill(release: bytes, first: str, last: str, tasks: Mapping[str, str], targets: Mapping[str, str]) -> Notebook:
    """Fill a release in as a student would: the tasks, a cell before them and one after."""
    filled: Notebook = json.loads(release)
    answers = {**RIGHT, **tasks}
    for cell in filled["cells"]:
        name = grade_id(cell)
        if name in answers:
            cell["source"] = aimed(answers[name], targets)
    start = next(number for number, cell in enumerate(filled["cells"]) if grade_id(cell) in answers)
    if first:
        filled["cells"].insert(start, code(aimed(first, targets)))
    if last:
        filled["cells"].append(code(aimed(last, targets)))
    return filled


def aimed(source: str, targets: Mapping[str, str]) -> str:
    """Put the targets in."""
    for name, value in targets.items():
        source = source.replace(f"@{name}@", value)
    return source


def code(source: str) -> Notebook:
    """Make a code cell."""
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def markdown(source: str) -> Notebook:
    """Make a cell of text."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def grade_id(cell: Notebook) -> str:
    """Return what nbgrader calls a cell, "" where it has no name."""
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def cell_of(notebook: Notebook, name: str) -> Notebook:
    """Return the cell with this grade id."""
    return next(cell for cell in notebook["cells"] if grade_id(cell) == name)
