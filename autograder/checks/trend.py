"""Does a loss fall? A verdict with known error rates, from the few noisy numbers that a short training gives.

Neighboring losses are alike, which fools a trend test of single values, so the trend is looked for in the means of five
blocks of epochs. A curve passes when

- every loss is finite, and
- it **falls steadily**: the exact one-sided test of Kendall (Biometrika 30, 1938) on the blocks rejects "no trend" at
  5 % (5 of the 120 orders of five blocks have at most one of the ten pairs out of order: 4.2 %), and the slope of Theil
  and Sen, the median over all pairs of epochs, makes over the whole length a fall by ``drop`` of the first loss, so
  that a real but tiny fall does not pass;
- or it **fell and settled**: every loss of the second half lies below the first one by ``drop``. A network that has
  learned after three of ten epochs shows no trend in the other seven, and is right.

Five blocks at any length: with four, no pair could be out of order; with more, most blocks of ten epochs would be
single ones. With ten epochs, noise of 5 % of the loss and a required drop of 20 %, at autocorrelations of 0, 0.5
and 0.9, a flat curve passes less than once in 50 times, and an exponential fall to under half, with or without a floor
under it, at least 19 times in 20: the tests measure these rates on simulated curves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autograder.checks.arrays import assert_numbers
from autograder.checks.evidence import note
from autograder.errors import CheckFailure, CourseError
from autograder.model import Evidence

Losses = npt.NDArray[np.float64]

FEWEST_EPOCHS = 5
_BLOCKS = 5
_LEVEL = 0.05
_ADVICE = (
    "Look at the sign of the step and at the learning rate: a wrong sign lets the loss rise, "
    "a rate that is too large makes it jump, one that is too small hardly moves it."
)


def assert_loss_falls(losses: object, *, drop: float = 0.2, hint: str | None = None, name: str = "the loss") -> float:
    """Check that a loss falls over the epochs, by at least the share ``drop`` of the first one; return its fall.

    Args:
        losses: one for each epoch ``(E,)``, recomputed from predictions; of those that a student reports, check the
            number first: ``assert_numbers(losses, epochs)``.
        drop: what is asked for, 0.2 for a fifth of the first loss.
        hint: ends the message, in place of general advice.
        name: of the loss, in the messages.

    Raises:
        CheckFailure: a loss is not finite, or they do not fall, or not far enough.
        CourseError: there are fewer than five epochs, too few for any verdict, or ``drop`` is no share.
    """
    if not 0 < drop < 1:
        raise CourseError(f"a loss cannot be asked to fall by {drop}: expected a share between 0 and 1")
    values = assert_numbers(losses, name=name, hint="Not a number or infinity: the steps are too large, or log(0).")
    if len(values) < FEWEST_EPOCHS:
        message = f"{len(values)} epochs show no trend: train for {FEWEST_EPOCHS} or more"
        raise CourseError(message)
    if values[0] <= 0:
        begins = f"The first value of {name} is not above 0."
        raise CheckFailure(begins, expected="a loss above 0 to begin with", received=f"{values[0]:.3g}", hint=hint)
    curve = _Curve(values)
    note(Evidence("fall of the loss", curve.told(name, drop), curve.fall, threshold=drop, items=len(values)))
    if not curve.falls(drop):
        raise CheckFailure(
            f"{name[:1].upper()}{name[1:]} {curve.in_words(drop)}.",
            expected=f"a fall by at least {drop:.0%}, from {values[0]:.3g} to {(1 - drop) * values[0]:.3g} or lower",
            received=f"from {values[0]:.3g} to {values[-1]:.3g} in {len(values)} epochs ({curve.listed()})",
            hint=hint or _ADVICE,
        )
    return curve.fall


@dataclass(frozen=True)
class _Curve:
    """At least five finite losses, of any size, the first one above 0."""

    losses: Losses

    @property
    def scaled(self) -> Losses:
        """The losses in units of the largest, so that no sum of them overflows."""
        return self.losses / float(np.abs(self.losses).max())

    @property
    def fall(self) -> float:
        """What the loss lost until the last epoch, as a share of the first one, which is above 0."""
        first, last = self.scaled[0], self.scaled[-1]
        with np.errstate(all="ignore"):  # from a first loss of almost nothing it may have risen beyond measure
            return float(1 - last / first)

    def falls(self, drop: float) -> bool:
        """True when it falls steadily, or fell and settled, by ``drop``."""
        target = (1 - drop) * self.scaled[0]
        settled = bool((self.scaled[len(self.losses) // 2 :] <= target).all())
        return settled or (self.has_trend() and self.scaled[0] + self.theil_sen() <= target)

    def has_trend(self) -> bool:
        """True when block means are ordered downwards better than chance would have it."""
        blocks = np.array([block.mean() for block in np.array_split(self.scaled, _BLOCKS)])
        return falling_probability(blocks) <= _LEVEL

    def theil_sen(self) -> float:
        """The change over the whole curve by the median slope of all pairs, in units of ``scaled``."""
        first, second = np.triu_indices(len(self.losses), 1)
        slopes = (self.scaled[second] - self.scaled[first]) / (second - first)
        return float(np.median(slopes)) * (len(self.losses) - 1)

    def in_words(self, drop: float) -> str:
        """Say what is wrong with a curve that does not pass."""
        if self.fall <= 0:
            return "does not fall: it ends no lower than it began"
        if self.fall < drop:
            return f"falls, but only by {self.fall:.0%}"
        return "ends lower, but goes up and down on the way: that may be chance"

    def told(self, name: str, drop: float) -> str:
        """Tell how far it fell, beside what was asked for."""
        way = f"{'falls' if self.fall >= 0 else 'rises'} by {abs(self.fall):.0%}"
        course = f"from {self.losses[0]:.3g} to {self.losses[-1]:.3g}, measured {len(self.losses)} times"
        reaches = ", which its trend reaches" if self.fall < drop else ""
        return f"{name[:1].upper()}{name[1:]} {way}, {course}; a fall by {drop:.0%} needed{reaches}."

    def listed(self) -> str:
        """Name the losses, the middle ones left out where there are many."""
        shown = [f"{loss:.3g}" for loss in self.losses]
        return ", ".join(shown if len(shown) <= 12 else [*shown[:5], "...", *shown[-5:]])


def falling_probability(values: Losses) -> float:
    """Return how likely values in random order would be at least as falling as these: Kendall's exact test, one-sided.

    Equal values count against a fall.
    """
    first, second = np.triu_indices(len(values), 1)
    out_of_order = int((values[first] <= values[second]).sum())
    return sum(_orders(len(values))[: out_of_order + 1]) / math.factorial(len(values))


def _orders(count: int) -> list[int]:
    """Return how many orders of ``count`` things have 0, 1, 2, ... pairs out of order (the Mahonian numbers)."""
    orders = [1]
    for size in range(2, count + 1):
        # The largest of ``size`` things can stand before 0 to size - 1 of the others.
        orders = [sum(orders[max(0, pairs - size + 1) : pairs + 1]) for pairs in range(len(orders) + size - 1)]
    return orders
