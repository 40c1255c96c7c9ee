"""Confidence intervals: of a share, of a mean, and of a difference between paired shares."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from runs_app.statistics.values import Interval, MeanInterval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def normal_quantile(confidence: float) -> float:
    """The z that a two-sided interval of this confidence uses: 1.959964 for 0.95."""
    from scipy.special import ndtri

    return float(ndtri((1.0 + confidence) / 2.0))


def t_quantile(degrees: int, confidence: float) -> float:
    """The t that a two-sided interval of this confidence uses."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1.0 + confidence) / 2.0))


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """The score interval of a share (Wilson 1927), within 0..1. Needs n >= 1."""
    if not 0 <= successes <= n or n < 1:
        raise ValueError(f"{successes} successes of {n} is not a share")
    z2 = normal_quantile(confidence) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = sqrt(z2 * (share * (1 - share) + z2 / (4 * n)) / n) / (1 + z2 / n)
    # At the ends centre and half are equal, and rounding must not leave 1e-17 instead of 0.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Interval(low, high)


def tango(improved: int, regressed: int, n: int, confidence: float = 0.95) -> Interval:
    """The score interval of (improved - regressed) / n over n pairs (Tango 1998).

    It holds every difference that the score test would not refuse, so it is right with few
    changed pairs, and has a width with none: +-z^2 / (n + z^2). Needs n >= 1.
    """
    if min(improved, regressed) < 0 or n < 1 or improved + regressed > n:
        raise ValueError(f"{improved} improved and {regressed} regressed are not among {n} pairs")
    z = normal_quantile(confidence)
    # The lower end is the mirrored upper end of the swapped runs: exactly, not nearly.
    low = 0.0 - _tango_upper(regressed, improved, n, z)
    return Interval(low, _tango_upper(improved, regressed, n, z))


def _tango_upper(improved: int, regressed: int, n: int, z: float) -> float:
    """The largest difference whose score statistic is not below -z.

    The squared statistic grows from the estimate to 1, so halving cannot miss; a root finder
    that needs slopes fails where the variance is 0.
    """
    net = improved - regressed
    if net == n:
        return 1.0
    low, high = net / n, 1.0
    while True:
        middle = (low + high) / 2
        if middle <= low or middle >= high:
            return high
        refused = (n * middle - net) ** 2 > z * z * _score_variance(improved, regressed, n, middle)
        low, high = (low, middle) if refused else (middle, high)


def _score_variance(improved: int, regressed: int, n: int, delta: float) -> float:
    """The variance of improved - regressed when the true difference is ``delta``.

    The share of regressed pairs takes its most likely value under that difference, the larger
    root of a*q^2 + b*q + c.
    """
    a = 2.0 * n
    b = (2 * n - improved + regressed) * delta - improved - regressed
    c = -regressed * delta * (1.0 - delta)
    root = sqrt(max(b * b - 4 * a * c, 0.0))
    return n * ((root - b) / a + delta * (1.0 - delta))


def mean_t(values: NDArray[np.float64], confidence: float = 0.95) -> MeanInterval:
    """Mean, standard error and t(n-1) interval; mean None without values."""
    n = len(values)
    if n == 0:
        return MeanInterval(0, None, None, None)
    mean = float(values.mean())
    if n == 1:
        return MeanInterval(1, mean, None, None)
    error = float(values.std(ddof=1)) / sqrt(n)
    half = t_quantile(n - 1, confidence) * error
    return MeanInterval(n, mean, error, Interval(mean - half, mean + half))


Bounds = tuple[float, float]
"""The least and the largest value that there can be."""


def constant_mean(value: float, n: int, bounds: Bounds, confidence: float = 0.95) -> Interval:
    """The means that n equal values do not exclude, where t would have no width and claim
    certainty. Needs n >= 1.

    So many items as pass in none of n (Wilson) may lie elsewhere, at worst at the bounds: for
    values at a bound of 0..1 this is Wilson's interval, for equal differences of 0 or at a bound of
    -1..1 Tango's.
    """
    elsewhere = wilson(0, n, confidence).high
    low, high = min(bounds[0], value), max(bounds[1], value)
    return Interval(value - (value - low) * elsewhere, value + (high - value) * elsewhere)


def mean_within(values: NDArray[np.float64], bounds: Bounds | None) -> MeanInterval:
    """Like `mean_t`, but no mean outside the bounds is claimed possible, and when all values are
    equal the interval is the one that the bounds give, None without bounds."""
    figures = mean_t(values)
    if figures.mean is None or figures.interval is None:
        return figures
    if _equal(values):
        interval = None if bounds is None else constant_mean(figures.mean, figures.n, bounds)
        return MeanInterval(figures.n, figures.mean, 0.0, interval)
    if bounds is None:
        return figures
    low = max(figures.interval.low, min(bounds[0], float(values.min())))
    high = min(figures.interval.high, max(bounds[1], float(values.max())))
    return MeanInterval(figures.n, figures.mean, figures.standard_error, Interval(low, high))


def _equal(values: NDArray[np.float64]) -> bool:
    """Whether nothing but rounding keeps the values apart."""
    low, high = float(values.min()), float(values.max())
    return high - low <= 1e-12 * max(abs(low), abs(high))
