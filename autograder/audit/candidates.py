"""Who is put before the grader to see whether it can tell: right answers, wrong ones, and the untouched release.

Each candidate is a notebook as a student might submit it: the release, with the candidate's whole program in the cell
of the first task and nothing in the others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from autograder.audit.mutants import Mutant, mutants
from autograder.course import Assignment
from autograder.definitions import Definitions
from autograder.misconceptions import Misconception, files, load
from autograder.rubric import Rubric


class Kind(str, Enum):
    """What a candidate is."""

    SOLUTION = "solution"
    ALTERNATE = "alternate"
    UNTOUCHED = "untouched"
    MISCONCEPTION = "misconception"
    MUTANT = "mutant"


@dataclass(frozen=True)
class Candidate:
    """One program and what is known about it.

    It is right where ``wrong_in`` is empty, and has to lose points in one of those tasks otherwise; ``affects`` are the
    tasks that can notice at all. ``program`` None is the release as it is.
    """

    name: str
    kind: Kind
    program: str | None
    wrong_in: frozenset[str] = frozenset()
    affects: frozenset[str] = frozenset()
    mutant: Mutant | None = None

    @property
    def is_right(self) -> bool:
        """True for the solution and the alternates."""
        return not self.wrong_in


def candidates(assignment: Assignment, *, with_mutants: bool = True) -> list[Candidate]:
    """Return everyone, the solution first.

    Raises:
        CourseError: a file of the author's cannot be read.
    """
    rubric, text = assignment.rubric, assignment.solution.read_text(encoding="utf8")
    reach = _Reach(rubric, Definitions.of(text))
    every = frozenset(task.name for task in rubric.tasks)
    found = [Candidate("solution", Kind.SOLUTION, text, affects=every)]
    for path in assignment.alternates:
        program = path.read_text(encoding="utf8")
        found.append(Candidate(f"alternate-{path.stem}", Kind.ALTERNATE, program, affects=every))
    found.append(Candidate("untouched", Kind.UNTOUCHED, None, wrong_in=every, affects=every))
    for wrong in load(assignment.misconceptions):
        affects = reach.of(wrong.functions) | {wrong.task}
        program = _mistaken(text, files(assignment.misconceptions), wrong)
        own = frozenset({wrong.task})
        found.append(Candidate(f"misconception-{wrong.name}", Kind.MISCONCEPTION, program, own, affects))
    for one in mutants(assignment.solution) if with_mutants else ():
        owners = reach.owners(one.definition)
        if owners:
            found.append(Candidate(one.name, Kind.MUTANT, one.program, owners, reach.of([one.definition]), one))
    return found


def sample(everyone: Sequence[Candidate]) -> list[Candidate]:
    """Return the solution, the untouched release, and of each task one misconception and one mutant.

    Which ones is a matter of their names, so that it is the same ones until something changes.
    """
    found = {one.name: one for one in everyone if one.kind in (Kind.SOLUTION, Kind.UNTOUCHED)}
    for kind in (Kind.MISCONCEPTION, Kind.MUTANT):
        for task in sorted({name for one in everyone if one.kind is kind for name in one.wrong_in}):
            of_task = [one for one in everyone if one.kind is kind and one.wrong_in == {task}]
            if of_task:
                chosen = min(of_task, key=lambda one: hashlib.sha256(one.name.encode()).hexdigest())
                found[chosen.name] = chosen
    return list(found.values())


@dataclass(frozen=True)
class _Reach:
    """Which tasks of a solution a definition is part of, and which can notice when it changes."""

    rubric: Rubric
    solution: Definitions

    def of(self, names: Iterable[str]) -> frozenset[str]:
        """Return the tasks whose functions lead to one of the names, and those that build on them."""
        wanted = frozenset(names)
        leads = {task.name for task in self.rubric.tasks if self._leads(task.functions, wanted)}
        above = {task.name for task in self.rubric.tasks for one in self.rubric.below(task.name) if one.name in leads}
        return frozenset(leads | above)

    def owners(self, name: str) -> frozenset[str]:
        """Return the tasks that a definition belongs to: by name, or those that it is a helper of."""
        for task in self.rubric.tasks:
            if name in task.functions:
                return frozenset({task.name})
        return frozenset(task.name for task in self.rubric.tasks if self._leads(task.functions, frozenset({name})))

    def _leads(self, functions: Sequence[str], wanted: frozenset[str]) -> bool:
        return any(one.binds & wanted for one in self.solution.reached(functions))


def notebook(release: bytes, program: str | None) -> bytes:
    """Fill a released notebook in with one program; None leaves it as it is."""
    if program is None:
        return release
    content: dict[str, Any] = json.loads(release)
    answers = [cell for cell in content["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    for cell in answers:
        cell["source"] = "# This is answered in the first task's cell."
    answers[0]["source"] = program
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


_MISTAKEN = '''{solution}


def _mistaken():
    """Put one known mistake in the place of the solution's functions."""
    for text in {texts!r}:
        namespace = {{"__name__": "misconceptions"}}
        exec(compile(text, "misconceptions.py", "exec"), namespace)
        for one in namespace["MISCONCEPTIONS"]:
            if one.name == {name!r}:
                globals().update(one.functions)


_mistaken()
'''


def _mistaken(solution: str, paths: Iterable[Path], wrong: Misconception) -> str:
    texts = [path.read_text(encoding="utf8") for path in paths]
    own = [text for text in texts if wrong.name in text]
    return _MISTAKEN.format(solution=solution, texts=own, name=wrong.name)
