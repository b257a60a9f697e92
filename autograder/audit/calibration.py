"""``autograder calibrate``: train right and wrong solutions with many seeds, and put the thresholds between them.

    journal.jsonl       one line for each training, in build/calibration/<slug>/; a run that was killed goes on from it
    calibration.json    thresholds and their evidence, beside the solution: what the hidden tests read

A line of the journal counts as long as what was trained is what is there: it holds the hash of the files it came from.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import autograder
from autograder.audit.measurement import Measurement, load
from autograder.audit.separation import Separation, Values, separate
from autograder.audit.training import Design, Trial, designs, measure_all
from autograder.audit.trials import Trials, hold
from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.thresholds import SCHEMA

SEEDS, WRONG_SEEDS = 30, 10
"""How often each right and each wrong design is trained by default; seeds are 0, 1, 2, ..."""

Watch = Callable[[Trial, float | None, int, int], None]
"""Told of a training, of what it gave, and how many of how many are done."""


@dataclass(frozen=True)
class Order:
    """What to calibrate, and with how many seeds for right and wrong; ``fresh`` forgets what was measured."""

    assignment: Assignment
    seeds: int = SEEDS
    wrong_seeds: int = WRONG_SEEDS
    workers: int = 1
    fresh: bool = False


@dataclass(frozen=True)
class Calibrated:
    """One measurement with the values of every design, by name and seed, and what follows from them."""

    measurement: Measurement
    right: Mapping[str, Values]
    wrong: Mapping[str, Values]
    separation: Separation


def calibrate(order: Order, watch: Watch) -> list[Calibrated]:
    """Train, put the thresholds, and write ``calibration.json``.

    Raises:
        CourseError: nothing is to be measured, a measurement cannot be made, or no threshold tells right from wrong.
        GraderError: a worker died, or somebody else is calibrating.
    """
    assignment = order.assignment
    measurements = load(assignment.measurements)
    known = designs(assignment, measurements)
    plan = _plan(order, measurements, known)
    with hold(assignment.calibration_runs, fresh=order.fresh) as trials:
        _train(order, plan, trials, watch)
        values = {trial: trials.value(trial) for trial in plan}
    found = [_calibrated(assignment, one, plan, values) for one in measurements]
    assignment.calibration.write_text(render(order, found), encoding="utf8")
    return found


def _plan(order: Order, measurements: Sequence[Measurement], known: Sequence[Design]) -> list[Trial]:
    """List every training, seed by seed, so that all designs move along together."""
    return [
        Trial(one.name, design, seed)
        for seed in range(max(order.seeds, order.wrong_seeds))
        for one in measurements
        for design in known
        if (design.is_right and seed < order.seeds) or (design.name in one.wrong and seed < order.wrong_seeds)
    ]


def _train(order: Order, plan: Sequence[Trial], trials: Trials, watch: Watch) -> None:
    """Train what the journal does not hold yet."""
    left = [trial for trial in plan if trial not in trials]
    done = len(plan) - len(left)
    for trial, value in measure_all(order.assignment, left, order.workers):
        trials.record(trial, value)
        done += 1
        watch(trial, value, done, len(plan))


def _calibrated(
    assignment: Assignment, one: Measurement, plan: Sequence[Trial], values: Mapping[Trial, float | None]
) -> Calibrated:
    right: dict[str, list[float | None]] = {}
    wrong: dict[str, list[float | None]] = {}
    for trial in plan:
        if trial.measurement == one.name:
            side = right if trial.design.is_right else wrong
            side.setdefault(trial.design.name, []).append(values[trial])
    try:
        return Calibrated(one, right, wrong, separate(one, right, wrong))
    except CourseError as error:
        raise CourseError(error.message, path=assignment.measurements) from None


def render(order: Order, found: Sequence[Calibrated]) -> str:
    """Write a calibration as JSON: the same numbers give the same text."""
    record = {
        "schema": SCHEMA,
        "assignment": order.assignment.slug,
        "versions": _versions(order.assignment),
        "seeds": {"right": order.seeds, "wrong": order.wrong_seeds},
        "measurements": {one.measurement.name: _record(one) for one in found},
    }
    text = json.dumps(record, indent=2, allow_nan=False)
    return (
        re.sub(r"\[[^\[\]{}]*\]", lambda found: "[" + " ".join(found[0][1:-1].split()) + "]", text) + "\n"
    )  # a list is one line


def _record(one: Calibrated) -> dict[str, Any]:
    return {
        "unit": one.measurement.unit,
        "higher_is_better": one.measurement.higher_is_better,
        "items": one.measurement.items,
        "attempts": one.measurement.attempts,
        "announced": one.measurement.announced is not None,
        "threshold": one.separation.threshold,
        "passes_from": one.separation.passes_from,
        "right": _sides(one.right, one.separation.false_fail, "false_fail"),
        "wrong": _sides(one.wrong, one.separation.false_pass, "false_pass"),
    }


def _sides(values: Mapping[str, Values], rates: Mapping[str, float], key: str) -> dict[str, Any]:
    return {name: {key: rates[name], "values": list(values[name])} for name in values}


def _versions(assignment: Assignment) -> dict[str, str]:
    packages = [name for name in ("numpy", "tensorflow") if name not in assignment.rubric.forbidden]
    installed = {name: metadata.version(name) for name in packages}
    return {"autograder": autograder.__version__, "python": platform.python_version(), **installed}
