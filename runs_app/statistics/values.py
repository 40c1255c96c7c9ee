"""The values that the statistics hand out. All are frozen and hold plain Python numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, both ends included, in the unit of what it is about."""

    low: float
    high: float

    def mirrored(self) -> Interval:
        """The interval of the same quantity with its sign turned."""
        return Interval(0.0 - self.high, 0.0 - self.low)

    def hull(self, other: Interval) -> Interval:
        """The smallest interval that holds both: what both agree cannot be excluded."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def to_json(self) -> list[float]:
        return [self.low, self.high]


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean of ``n`` values; ``standard_error`` and ``interval`` are None below two values."""

    n: int
    mean: float | None
    standard_error: float | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class PairedT:
    """The paired t-test of n differences, with its 95% and 90% intervals.

    ``t`` is None when all differences are equal: there is no standard error to divide by. Then
    the intervals have no width, and ``p`` is 1 for differences of 0, else 0.
    """

    n: int
    mean: float
    standard_error: float
    t: float | None
    p: float
    ci95: Interval
    ci90: Interval


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What sign-flip and BCa say where the t-test's assumptions are in doubt."""

    reason: str
    sign_flip_p: float
    bca95: Interval
    bca90: Interval


@dataclass(frozen=True, slots=True)
class Target:
    """A difference worth looking for, in points, and the items (not rounded) that it needs at 80%
    power."""

    points: float
    items: float
