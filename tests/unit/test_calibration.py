"""Calibration: thresholds whose error rates hold, found by trainings that can be stopped and continued."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from autograder import cli
from autograder.audit import Measurement
from autograder.audit.calibration import Calibrated, Order, calibrate, render
from autograder.audit.measurement import load
from autograder.audit.plot import draw, svg
from autograder.audit.separation import FALSE_FAIL, FALSE_PASS, Scale, separate
from autograder.audit.training import Design, Trial
from autograder.audit.trials import hold
from autograder.checks import assert_accuracy
from autograder.course import Assignment, Course
from autograder.errors import CheckFailure, CourseError, GraderError
from autograder.thresholds import Thresholds

CALIBRATE = '''\
import os
import numpy as np
from autograder.audit import Measurement
from autograder.checks import assert_close


def moved(student, seed):
    """Return something near 1.5 for whoever adds, near 0.5 for whoever multiplies."""
    return float(student.shift(1.0, 0.5)) * np.exp(0.02 * np.random.default_rng(seed).normal())


MEASUREMENTS = (
    Measurement("moved", unit="length", higher_is_better=True, run=moved, wrong=("multiplies", "raises")),
)
'''

MISCONCEPTIONS = '''\
from autograder.misconceptions import collect, misconception


@misconception("shift")
def multiplies(x, by=1.0):
    """You multiplied. Add."""
    return x * by


@misconception("shift")
def raises(x, by=1.0):
    """You raised. Return."""
    raise ValueError


MISCONCEPTIONS = collect(vars())
'''

ALTERNATE = "def shift(x, by=1.0):\n    return by + x\n"


@pytest.fixture
def measured(tiny: Assignment) -> Assignment:
    """The tiny assignment with one measurement, one alternate and two misconceptions."""
    folder = tiny.solution.parent
    (folder / "alternates").mkdir()
    (folder / "alternates" / "reversed.py").write_text(ALTERNATE, encoding="utf8")
    tiny.misconceptions.write_text(MISCONCEPTIONS, encoding="utf8")
    tiny.measurements.write_text(CALIBRATE, encoding="utf8")
    return tiny


class Watched:
    """Counts trainings, and stops the run after some."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.trained: list[str] = []
        self._stop_after = stop_after

    def __call__(self, trial: Trial, value: float | None, done: int, total: int) -> None:
        self.trained.append(f"{trial.design.name} {trial.seed}")
        if len(self.trained) == self._stop_after:
            raise KeyboardInterrupt


def run(assignment: Assignment, stop_after: int | None = None, **options: Any) -> list[str]:
    """Calibrate with few seeds; return what was trained."""
    watched = Watched(stop_after)
    calibrate(Order(assignment, **{"seeds": 4, "wrong_seeds": 2, **options}), watched)
    return watched.trained


def replace(path: Path, old: str, new: str) -> None:
    """Replace what stands in a file."""
    text = path.read_text(encoding="utf8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf8")


def test_right_and_wrong_are_trained_and_the_threshold_lies_between(measured: Assignment) -> None:
    """Every design with its seeds, on two processes; a misconception that gives no number never passes."""
    assert len(run(measured, workers=2)) == 2 * 4 + 2 * 2
    record = json.loads(measured.calibration.read_text(encoding="utf8"))
    found = record["measurements"]["moved"]
    assert 0.5 < found["threshold"] < 1.5
    assert record["seeds"] == {"right": 4, "wrong": 2}
    assert found["right"]["solution"]["values"] == found["right"]["reversed"]["values"]
    assert found["wrong"]["raises"] == {"false_pass": 1e-06, "values": [None, None]}
    assert Thresholds.read(measured.calibration)("moved") == found["threshold"]


def test_a_stopped_run_is_continued_and_ends_the_same(measured: Assignment) -> None:
    """What was trained is not trained again, half a line is, and the file is that of a run in one go."""
    with pytest.raises(KeyboardInterrupt):
        run(measured, stop_after=5)
    assert not measured.calibration.exists()
    journal = measured.calibration_runs / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    assert len(run(measured)) == 12 - 4
    continued = measured.calibration.read_bytes()
    assert run(measured) == []
    assert len(run(measured, fresh=True)) == 12
    assert measured.calibration.read_bytes() == continued


def test_only_what_changed_is_trained_again(measured: Assignment) -> None:
    """An edit of one alternate says nothing about the other designs."""
    run(measured)
    replace(measured.alternates[0], "by + x", "x + by")
    assert run(measured) == [f"reversed {seed}" for seed in range(4)]


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("student.shift(1.0, 0.5)", "student.value", "TypeError"),
        ("student.shift(1.0, 0.5)", "assert_close(student.shift(1.0, 0.5), 7.0) or 1", "solution with seed 0 fails"),
        ("float(student.shift(1.0, 0.5))", "0", "gave 0, expected a number above 0"),
        ("float(student.shift(1.0, 0.5))", "np.nan", "solution, a right solution, gives no number with seed 0"),
        ("float(student.shift(1.0, 0.5))", "(1 + student.shift(1.0, 1.0))", "does not tell right from wrong"),
        ("multiplies", "multiples", 'no misconception "multiples"'),
        ("MEASUREMENTS =", "MEASURED =", "expected `MEASUREMENTS"),
        ("import os", "import nothing_of_that_name", "cannot be run"),
    ],
)
def test_an_authors_mistake_is_told_in_one_line(measured: Assignment, old: str, new: str, message: str) -> None:
    """It names calibrate.py, and no thresholds are written."""
    replace(measured.measurements, old, new)
    if "from wrong" in message:
        replace(measured.misconceptions, "x * by", "x * by + 0.98")
    with pytest.raises(CourseError, match=message) as caught:
        run(measured, seeds=2)
    assert str(caught.value).startswith(str(measured.measurements))
    assert not measured.calibration.exists()


def test_a_dead_worker_is_the_machines_fault(measured: Assignment) -> None:
    """What the others trained stays."""
    replace(measured.measurements, "    return float", "    seed == 1 and os._exit(9)\n    return float")
    with pytest.raises(GraderError, match="a worker died"):
        run(measured)
    replace(measured.measurements, "seed == 1 and os._exit(9)", "pass")


def test_two_at_once_do_not_mix(measured: Assignment) -> None:
    """The second one is told to wait."""
    with hold(measured.calibration_runs), pytest.raises(GraderError, match="another `autograder calibrate`"):
        run(measured)


def test_the_command_writes_evidence_and_picture(
    measured: Assignment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It shows every training, then each design with its rate."""
    monkeypatch.chdir(measured.course.root)
    cli.app(["calibrate", "tiny", "--seeds", "4", "--wrong-seeds", "2", "--workers", "1"], standalone_mode=False)
    output = capsys.readouterr().out
    assert "[12/12] moved: " in output and "raises, seed 1: no number" in output
    assert "moved: threshold " in output and "passes < 1 in 1,000,000" in output
    assert measured.calibration.is_file()
    assert measured.calibration_plot.read_text(encoding="utf8").count("<svg") == 1


def _measurement(**changes: Any) -> Measurement:
    return Measurement(**{"name": "it", "unit": "", "higher_is_better": True, "run": lambda *_: 1.0, **changes})


@pytest.mark.parametrize("changes", [{"items": 0}, {"items": 9, "higher_is_better": False}, {"attempts": 0}])
def test_an_impossible_measurement_is_refused(changes: dict[str, Any]) -> None:
    """An accuracy needs items and is better when higher; a test tries one seed at least."""
    with pytest.raises(CourseError, match='"it": '):
        _measurement(**changes)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_the_false_fail_rate_is_the_true_one(higher_is_better: bool) -> None:
    """Over many calibrations with 30 seeds a fresh training fails once in 1,000, by the normal that draws it."""
    rng = np.random.default_rng(0)
    one = _measurement(higher_is_better=higher_is_better)
    missed = []
    for _ in range(4000):
        values = list(np.exp(rng.normal(0.3, 0.1, 30)))
        sample = Scale(one).sample("it", values)
        mean, sign = (0.3, 1) if higher_is_better else (-0.3, -1)
        assert np.sign(sample.mean) == sign
        missed.append(norm.cdf((sample.quantile(FALSE_FAIL) - mean) / 0.1))
    assert np.mean(missed) == pytest.approx(FALSE_FAIL, rel=0.1)


@pytest.mark.parametrize("chance", [0.8, 0.95, 0.99])
def test_the_false_fail_rate_of_an_accuracy_holds(chance: float) -> None:
    """A design that is right for each of 100 items with that chance fails its threshold once in 1,000 or less."""
    rng = np.random.default_rng(1)
    one = _measurement(items=100)
    failed = 0
    for _ in range(80):
        found = separate(one, {"right": list(rng.binomial(100, chance, 30) / 100)}, {})
        failed += int((rng.binomial(100, chance, 1000) / 100 < found.passes_from).sum())
    assert failed / 80_000 <= FALSE_FAIL


@given(st.integers(1, 400), st.floats(0.001, 0.999))
def test_passes_from_is_what_the_check_decides(items: int, threshold: float) -> None:
    """The least accuracy of the calibration passes the check that students get, and one item less does not."""
    least = round(Scale(_measurement(items=items)).passes_from(threshold) * items)
    labels = np.zeros(items, dtype=np.int64)
    for count, passes in ((least, True), (least - 1, False)):
        if count >= 0:
            predicted = (np.arange(items) >= count).astype(np.int64)
            assert _passes(predicted, labels, threshold) is passes


def _passes(predicted: Any, labels: Any, threshold: float) -> bool:
    try:
        assert_accuracy(predicted, labels, threshold)
    except CheckFailure:
        return False
    return True


def test_the_weakest_right_design_decides() -> None:
    """A good average of all designs does not hide one that would fail."""
    strong, weak = [0.99, 0.98, 0.97] * 10, [0.80, 0.82, 0.84] * 10
    alone = separate(_measurement(items=100), {"strong": strong}, {})
    both = separate(_measurement(items=100), {"strong": strong, "weak": weak}, {})
    assert both.passes_from < min(weak) < alone.passes_from
    assert both.false_fail["strong"] < both.false_fail["weak"] <= FALSE_FAIL


def test_all_equal_accuracies_leave_room() -> None:
    """Thirty perfect trainings do not ask for perfection."""
    assert separate(_measurement(items=100), {"right": [1.0] * 30}, {}).passes_from < 0.97


def test_a_test_that_tries_three_seeds_gives_a_wrong_design_three_chances() -> None:
    """The rate at which it passes is three times as high; that of a right design's single training is the same."""
    right, wrong = {"right": [0.8, 0.84, 0.88] * 10}, {"wrong": [1.2, 1.25, 1.15] * 3}
    once = separate(_measurement(higher_is_better=False, announced=1.0), right, wrong)
    thrice = separate(_measurement(higher_is_better=False, announced=1.0, attempts=3), right, wrong)
    assert thrice.false_pass["wrong"] == pytest.approx(3 * once.false_pass["wrong"], rel=0.05)
    assert thrice.false_fail == once.false_fail


@pytest.mark.parametrize(
    "announced, message",
    [
        (0.85, r"right fails in \d+% of trainings \(0.83 to 0.87 in 30 trainings\), expected at most 1 in 1,000"),
        (1.2, r"wrong passes in \d+% of trainings \(1.15 to 1.25 in 9 trainings\), expected at most 1 in 100"),
    ],
)
def test_an_announced_threshold_is_proven_or_refused(announced: float, message: str) -> None:
    """The message shows the design, its rate, its range and what is allowed."""
    one = _measurement(higher_is_better=False, announced=announced)
    right, wrong = {"right": [0.83, 0.85, 0.87] * 10}, {"wrong": [1.15, 1.2, 1.25] * 3}
    assert separate(_measurement(higher_is_better=False, announced=1.0), right, wrong).threshold == 1.0
    with pytest.raises(CourseError, match=message):
        separate(one, right, wrong)


def test_one_training_proves_nothing() -> None:
    """A spread needs two."""
    with pytest.raises(CourseError, match="trained 1 times"):
        separate(_measurement(), {"right": [1.0]}, {})


def _found() -> Calibrated:
    one = _measurement(name="digits", unit="accuracy", items=200)
    rng = np.random.default_rng(3)
    right = {name: list(rng.binomial(200, 0.92, 30) / 200) for name in ("solution", "loops")}
    wrong: dict[str, list[float | None]] = {"left_behind": list(rng.binomial(200, 0.1, 10) / 200), "raises": [None] * 4}
    return Calibrated(one, right, wrong, separate(one, right, wrong))


def test_the_picture_is_the_same_each_time_and_names_everything() -> None:
    """Designs, rates, threshold and unit stand in it as text."""
    found = [_found()]
    picture = svg("tiny", found)
    assert picture == svg("tiny", found)
    for words in (
        "solution",
        "left behind",
        "threshold 0.",
        "accuracy",
        "no number in any training",
        "1 in 1,000,000",
    ):
        assert words in picture.decode()


def test_every_training_is_a_point() -> None:
    """What is drawn is what was measured."""
    (panel,) = draw("tiny", [_found()]).axes
    assert sum(len(np.asarray(points.get_offsets())) for points in panel.collections) == 70


def test_the_record_is_readable(tiny: Assignment) -> None:
    """A list of values is one line, so that a change of one number is one line of a difference."""
    text = render(Order(tiny), [_found()])
    assert json.loads(text)["measurements"]["digits"]["unit"] == "accuracy"
    assert max(line.count("[") + line.count("]") for line in text.splitlines()) == 2
    assert len(text.splitlines()) < 60


def test_the_journal_keeps_what_it_was_told(tmp_path: Path) -> None:
    """A number, and that there was none; another digest is another design."""
    design = Design("it", tmp_path / "it.py", is_right=True, digest="ab")
    with hold(tmp_path) as trials:
        trials.record(Trial("one", design, 0), 0.5)
        trials.record(Trial("one", design, 1), None)
    with hold(tmp_path) as trials:
        assert trials.value(Trial("one", design, 0)) == 0.5
        assert trials.value(Trial("one", design, 1)) is None
        assert Trial("one", Design("it", tmp_path / "it.py", is_right=True, digest="cd"), 0) not in trials


COURSE = Course.find(Path(__file__))
CALIBRATED = [one for one in COURSE.assignments() if one.measurements.is_file()]


@pytest.mark.parametrize("assignment", CALIBRATED, ids=lambda one: one.slug)
def test_the_courses_thresholds_have_their_evidence(assignment: Assignment) -> None:
    """Each comes from 30 seeds or more, with rates that are small enough, and belongs to what calibrate.py lists."""
    record = json.loads(assignment.calibration.read_text(encoding="utf8"))
    assert list(record["measurements"]) == [one.name for one in load(assignment.measurements)]
    assert assignment.calibration_plot.is_file()
    for found in record["measurements"].values():
        assert min(len(one["values"]) for one in found["right"].values()) >= 30
        assert max(one["false_fail"] for one in found["right"].values()) <= FALSE_FAIL
        assert max((one["false_pass"] for one in found["wrong"].values()), default=0) <= FALSE_PASS
