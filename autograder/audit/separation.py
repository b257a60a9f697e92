"""Where a threshold lies between right and wrong, and how often it is mistaken.

The model: on a scale that evens out its spread, what one design's training gives is normal. For an accuracy over ``n``
items that scale is Anscombe's arcsine (Biometrika 35, 1948), on which the binomial alone spreads by
``1/sqrt(4 n + 2)``; for a loss, an error or a ratio it is the logarithm. The chance that one more training of the same
design falls short of a cut is then exact, with the uncertainty of mean and spread in it: Student's t with ``k - 1``
degrees of freedom for ``(cut - mean) / (spread sqrt(1 + 1/k))`` after ``k`` trainings. A spread below the binomial's,
or below 1 % of a ratio, is luck and is taken for that much.

Each right design has to pass by itself; averaged with the others it could hide. The cut lies midway, on the scale,
between what 999 in 1,000 trainings of the weakest right design exceed and what 99 in 100 of the best wrong one do not:
a design that nobody tried has as much room as a mistake that nobody made.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from autograder.audit.measurement import Measurement
from autograder.checks.metrics import binomial_interval
from autograder.errors import CourseError

FALSE_FAIL, FALSE_PASS = 1 / 1000, 1 / 100
"""How often a right and a wrong design may be judged wrongly."""

_RARER = 1e-6
"""No model of so few trainings tells rarer things apart; a rate below is given as this."""

_LEAST_RELATIVE_SPREAD = 0.01

Values = Sequence[float | None]
"""What a design's trainings gave, by seed; None where one gave no number."""


@dataclass(frozen=True)
class Separation:
    """A threshold and its error rates, by design. ``passes_from`` is the least or largest value that still passes."""

    threshold: float
    passes_from: float
    false_fail: Mapping[str, float]
    false_pass: Mapping[str, float]


def separate(measurement: Measurement, right: Mapping[str, Values], wrong: Mapping[str, Values]) -> Separation:
    """Find the threshold of a measurement, or prove the one that is announced.

    Raises:
        CourseError: a right design gives no number, a number is impossible, or the threshold is mistaken too often.
    """
    scale = Scale(measurement)
    samples = {name: scale.sample(name, _complete(measurement, name, values)) for name, values in right.items()}
    failing = {name: [value for value in values if value is not None] for name, values in wrong.items()}
    mistakes = {name: scale.sample(name, numbers) for name, numbers in failing.items() if len(numbers) > 1}
    threshold = measurement.announced or scale.rounded(_midway(samples.values(), mistakes.values()))
    cut = scale.cut(threshold)
    false_fail = {name: _rate(sample.chance_below(cut)) for name, sample in samples.items()}
    false_pass = {
        name: _rate(measurement.attempts * _passing(values, mistakes.get(name), scale, cut))
        for name, values in wrong.items()
    }
    found = Separation(threshold, scale.passes_from(threshold), false_fail, false_pass)
    _require(measurement, found, {**right, **wrong})
    return found


@dataclass(frozen=True)
class Sample:
    """Trainings of one design on the scale, where more is better."""

    mean: float
    spread: float
    count: int

    def chance_below(self, cut: float) -> float:
        """Return the chance that one more training is below a cut."""
        return float(stats.t.cdf((cut - self.mean) / self._predictive, self.count - 1))

    def quantile(self, chance: float) -> float:
        """Return what one more training is below with that chance."""
        return self.mean + self._predictive * float(stats.t.ppf(chance, self.count - 1))

    @property
    def _predictive(self) -> float:
        return self.spread * math.sqrt(1 + 1 / self.count)


@dataclass(frozen=True)
class Scale:
    """The way from a measurement's values to numbers that are normal, where more is better, and back."""

    measurement: Measurement

    def sample(self, design: str, values: Sequence[float]) -> Sample:
        """Put the values of a design on the scale.

        Raises:
            CourseError: there are fewer than two, or one cannot be.
        """
        name, items = self.measurement.name, self.measurement.items
        if len(values) < 2:
            raise CourseError(f'"{name}": {design} was trained {len(values)} times: expected 2 or more')
        allowed = "from 0 to 1" if items else "above 0"
        for value in values:
            if not (0 <= value <= 1 if items else value > 0):
                raise CourseError(f'"{name}": {design} gave {value:g}, expected a number {allowed}')
        scaled = self.forward(np.array(values))
        least = 1 / math.sqrt(4 * items + 2) if items else _LEAST_RELATIVE_SPREAD
        return Sample(float(scaled.mean()), max(float(scaled.std(ddof=1)), least), len(values))

    def forward(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return values on the scale."""
        items = self.measurement.items
        scaled = np.arcsin(np.sqrt((values * items + 3 / 8) / (items + 3 / 4))) if items else np.log(values)
        return self._sign * np.asarray(scaled)

    def rounded(self, cut: float) -> float:
        """Return a threshold with few digits, at the cut or on the student's side of it."""
        items = self.measurement.items
        if not items:
            return _few_digits(math.exp(self._sign * cut), up=not self.measurement.higher_is_better)
        angle = min(max(self._sign * cut, 0.0), math.pi / 2)
        count = math.floor(math.sin(angle) ** 2 * (items + 3 / 4) - 3 / 8 + 1 / 2)
        highest = binomial_interval(min(max(count, 0), items), items)[1]
        return math.floor(100 * highest) / 100

    def cut(self, threshold: float) -> float:
        """Return the place on the scale below which a training fails; between two counts for an accuracy."""
        passing = self.passes_from(threshold)
        between = 0.5 / self.measurement.items if self.measurement.items else 0.0
        return float(self.forward(np.array([max(passing - between, 0.0)]))[0])

    def passes_from(self, threshold: float) -> float:
        """Return the worst value that still passes: for an accuracy with the benefit of the interval."""
        items = self.measurement.items
        if not items:
            return threshold
        return bisect_left(range(items + 1), threshold, key=lambda count: binomial_interval(count, items)[1]) / items

    @property
    def _sign(self) -> int:
        return 1 if self.measurement.higher_is_better else -1


def _complete(measurement: Measurement, name: str, values: Values) -> list[float]:
    """Return the values of a right design, which has to have one for each seed."""
    for seed, value in enumerate(values):
        if value is None:
            raise CourseError(f'"{measurement.name}": {name}, a right solution, gives no number with seed {seed}')
    return [value for value in values if value is not None]


def _midway(right: Iterable[Sample], wrong: Iterable[Sample]) -> float:
    """Return the middle between right and wrong; where nothing is wrong, what the weakest right design exceeds."""
    low = min(sample.quantile(FALSE_FAIL) for sample in right)
    high = max((sample.quantile(1 - FALSE_PASS) for sample in wrong), default=low)
    return (low + high) / 2


def _passing(values: Values, sample: Sample | None, scale: Scale, cut: float) -> float:
    """Return the chance that a wrong design passes: it gives a number, and that is good enough."""
    if sample is not None:
        return (1 - sample.chance_below(cut)) * sample.count / len(values)
    numbers = np.array([value for value in values if value is not None])
    return float((scale.forward(numbers) >= cut).sum()) / len(values)


def _rate(chance: float) -> float:
    """Round a chance to two digits; the model tells nothing rarer than one in a million."""
    return float(f"{min(max(chance, _RARER), 1.0):.1e}")


def _few_digits(value: float, *, up: bool) -> float:
    """Round to three digits, up or down."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{(math.ceil if up else math.floor)(value / unit) * unit:.3g}")


def _require(measurement: Measurement, found: Separation, values: Mapping[str, Values]) -> None:
    """Refuse a threshold that is mistaken too often, with the numbers."""
    problems = [
        f"{name} fails {rarity(rate)} ({spread(values[name])}), expected at most {rarity(FALSE_FAIL)}"
        for name, rate in found.false_fail.items()
        if rate > FALSE_FAIL
    ] + [
        f"{name} passes {rarity(rate)} ({spread(values[name])}), expected at most {rarity(FALSE_PASS)}"
        for name, rate in found.false_pass.items()
        if rate > FALSE_PASS
    ]
    if problems:
        kind = "the announced threshold" if measurement.announced else "even the best threshold,"
        advice = "measure more items or train longer, or correct what is listed as right and wrong"
        raise CourseError(
            f'"{measurement.name}": {kind} {found.threshold:g} does not tell right from wrong: '
            f"{'; '.join(problems)}: {advice}"
        )


def rarity(rate: float) -> str:
    """Say how often something happens."""
    if rate >= 0.1:
        return f"in {rate:.0%} of trainings"
    return f"{'< ' if rate <= _RARER else ''}1 in {float(f'{1 / rate:.2g}'):,.0f}"


def spread(values: Values) -> str:
    """Say what a design's trainings gave."""
    numbers = [value for value in values if value is not None]
    if not numbers:
        return f"no number in {len(values)} trainings"
    return f"{min(numbers):.3g} to {max(numbers):.3g} in {len(values)} trainings"
