"""Which known mistake a student most likely made: the one that answers a failed check exactly as the student did.

The check is put to the misconceptions of its task, here in the examiner, with the same inputs. A shape, a value, an
exception or a design that is another one, up to rounding, rules a misconception out. If one alone is left its feedback
is what the student reads first; if several are, as for inputs on which two mistakes are the same, the one that also
answers every other failed check of the task as the student did.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from autograder.checks.plugin import EXAMINATION, Examination, task_of
from autograder.misconceptions import Misconception
from autograder.subject.proxy import ModuleSubject
from autograder.subject.witness import Answer, Double

Answers = Sequence[Answer]

Run = Callable[[pytest.Item], object]


class Diagnosis:
    """The known mistakes of an assignment, and how a check is put to them."""

    def __init__(self, misconceptions: Sequence[Misconception], config: pytest.Config, run: Run) -> None:
        self.misconceptions = misconceptions
        self.config = config
        self.run = run

    def of(self, items: Sequence[pytest.Item], asked: Mapping[str, Answers]) -> dict[str, Misconception]:
        """Return the one mistake that explains a failed check, by the check's node id, where there is one.

        ``asked`` is what the student answered to each failed check.
        """
        student = self.config.stash[EXAMINATION]
        found: dict[str, Misconception] = {}
        try:
            for task in {task_of(item): None for item in items}:
                checks = [item for item in items if task_of(item) == task and _is_comparable(asked.get(item.nodeid))]
                checks.sort(key=lambda item: len(asked[item.nodeid]))  # what asks little rules out the most, sooner
                found |= self._of_task(student, {item: asked[item.nodeid] for item in checks})
        finally:
            self.config.stash[EXAMINATION] = student
        return found

    def _of_task(self, student: Examination, failed: Mapping[pytest.Item, Answers]) -> dict[str, Misconception]:
        """Explain the failed checks of one task, each by the mistake of an earlier one if that fits.

        Of the checks in which Keras trains the first is put to every mistake, the others only to those seen before.
        """
        found: dict[str, Misconception] = {}
        has_trained = False
        for item, answers in failed.items():
            trains = any(one.was_a_training for one in answers)
            known = [one for one in self.misconceptions if one.task == task_of(item)]
            seen = [one for one in known if one in found.values()]
            others = [] if trains and has_trained else [one for one in known if one not in seen]
            has_trained |= trains
            candidates = self._alike(student, item, answers, seen) or self._alike(student, item, answers, others)
            for other, others_answers in failed.items():
                if len(candidates) > 1 and other is not item:
                    candidates = self._alike(student, other, others_answers, candidates)
            if len(candidates) == 1:
                found[item.nodeid] = candidates[0]
        return found

    def _alike(
        self, student: Examination, item: pytest.Item, answers: Answers, mistakes: Sequence[Misconception]
    ) -> list[Misconception]:
        """Return the mistakes that answer a check as the student did."""
        return [one for one in mistakes if self._is_alike(student, item, answers, one)]

    def _is_alike(self, student: Examination, item: pytest.Item, answers: Answers, mistake: Misconception) -> bool:
        """Put a check to a mistake, which stands in the place of the solution's own function."""
        double = Double(ModuleSubject({**vars(student.reference), **mistake.functions}), answers)
        self.config.stash[EXAMINATION] = replace(student, subject=double)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.run(item)
        return double.is_alike


def _is_comparable(answers: Answers | None) -> bool:
    """Every question was answered, and by one short training at most: more take too long for each known mistake."""
    trainings = sum(one.was_a_training for one in answers or ())
    return bool(answers) and trainings <= 1 and not any(o.was_no_answer or o.was_a_long_training for o in answers or ())
