"""Tests of paired results: McNemar on counts, and t, sign-flip and BCa on differences."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from runs_app.statistics.intervals import mean_t, t_quantile
from runs_app.statistics.values import Interval, PairedT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT_SIGN_FLIPS = 14
DRAWS = 9_999
# Draws are made in pieces, so that memory stays near 8 MB whatever n is.
DRAWN_AT_ONCE = 1_000_000


def mcnemar_exact(b: int, c: int) -> float:
    """The exact two-sided p of b changes one way and c the other; 1 without changes."""
    return min(1.0, 2 * _at_most(min(b, c), b + c))


def mcnemar_midp(b: int, c: int) -> float:
    """The mid-p of McNemar's test: half of the observed count's own weight; 1 when b = c.

    Twice the tail less one weight is the sum of two tails, so nothing is subtracted and a p of
    1e-99 keeps its digits.
    """
    fewer = min(b, c)
    if b == c:
        return 1.0
    return _at_most(fewer, b + c) + _at_most(fewer - 1, b + c)


def _at_most(k: int, n: int) -> float:
    """The chance of at most k heads in n throws of a fair coin.

    By the incomplete beta function: scipy's bdtr is off by 1e-9 at a million throws.
    """
    from scipy.special import betainc

    if k < 0:
        return 0.0
    return 1.0 if k >= n else float(betainc(n - k, k + 1, 0.5))


def paired_t(differences: NDArray[np.float64]) -> PairedT:
    """The t-test that the mean difference is 0, with its intervals. Needs two differences.

    Differences that only rounding keeps apart are taken as equal.
    """
    from scipy.special import betainc

    figures = mean_t(differences)
    mean, error, ci95 = figures.mean, figures.standard_error, figures.interval
    if mean is None or error is None or ci95 is None:
        raise ValueError("a paired t-test needs at least two differences")
    if error <= 1e-12 * abs(mean):
        certain = Interval(mean, mean)
        return PairedT(figures.n, mean, 0.0, None, 1.0 if mean == 0 else 0.0, certain, certain)
    half90 = t_quantile(figures.n - 1, 0.90) * error
    ci90 = Interval(mean - half90, mean + half90)
    t = mean / error
    degrees = figures.n - 1
    # As a beta tail, because 1 - cdf would lose a p of 1e-35.
    p = float(betainc(degrees / 2, 0.5, degrees / (degrees + t * t)))
    return PairedT(figures.n, mean, error, t, p, ci95, ci90)


def sign_flip(differences: NDArray[np.float64], seed: int) -> float:
    """The two-sided p of the sum of differences if each could as well have the other sign.

    Exact up to 14 differences that are not 0, else from 9,999 draws with this seed, where the
    observed signs count as one draw more, so that p is never 0. It is 1 without differences.
    """
    import numpy as np

    sizes = np.abs(differences[differences != 0])
    if len(sizes) == 0:
        return 1.0
    total = float(sizes.sum())
    # Sums that are equal on paper differ in the last bits.
    bar = abs(float(differences.sum())) - 1e-12 * total
    if len(sizes) <= EXACT_SIGN_FLIPS:
        numbers = np.arange(2 ** len(sizes))[:, None]
        positive = (numbers >> np.arange(len(sizes))) & 1
        return float(np.mean(np.abs(2 * (positive @ sizes) - total) >= bar))
    generator = np.random.default_rng(seed)
    extreme = 0
    for rows in _pieces(len(sizes)):
        positive = generator.integers(0, 2, size=(rows, len(sizes)), dtype=np.int8)
        extreme += int(np.count_nonzero(np.abs(2 * (positive @ sizes) - total) >= bar))
    return (1 + extreme) / (1 + DRAWS)


def bca(
    differences: NDArray[np.float64], seed: int, confidences: tuple[float, ...] = (0.95, 0.90)
) -> tuple[Interval, ...]:
    """Bias-corrected and accelerated bootstrap intervals of the mean (Efron 1987).

    One interval for each confidence, all from the same 9,999 draws with this seed. Equal
    differences give intervals without width. Needs at least one difference.
    """
    import numpy as np
    from scipy.special import ndtr, ndtri

    n = len(differences)
    mean = float(differences.mean())
    deviations = differences - mean
    spread = float((deviations**2).sum())
    if spread == 0:
        return tuple(Interval(mean, mean) for _ in confidences)
    generator = np.random.default_rng(seed)
    means = np.concatenate(
        [
            differences[generator.integers(0, n, size=(rows, n), dtype=np.int32)].mean(axis=1)
            for rows in _pieces(n)
        ]
    )
    # Ties with the mean count half; the bounds keep the correction finite.
    below = np.count_nonzero(means < mean) + 0.5 * np.count_nonzero(means == mean)
    correction = float(ndtri(min(max(below, 0.5), DRAWS - 0.5) / DRAWS))
    acceleration = float((deviations**3).sum()) / (6 * spread**1.5)

    def end(probability: float) -> float:
        z = correction + float(ndtri(probability))
        shifted = correction + z / (1 - acceleration * z)
        return float(np.quantile(means, ndtr(shifted)))

    return tuple(Interval(end((1 - level) / 2), end((1 + level) / 2)) for level in confidences)


def skewness(differences: NDArray[np.float64]) -> float:
    """The third standardised moment; 0 when all differences are equal."""
    deviations = differences - differences.mean()
    squares = float((deviations**2).mean())
    return 0.0 if squares == 0 else float((deviations**3).mean()) / squares**1.5


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Pearson's r of the item scores; None when the scores of a run are all equal."""
    a, b = a - a.mean(), b - b.mean()
    scale = sqrt(float((a * a).sum()) * float((b * b).sum()))
    return None if scale == 0 else float((a * b).sum()) / scale


def _pieces(width: int) -> list[int]:
    """How many draws to make at a time, for draws of this width."""
    rows = max(1, DRAWN_AT_ONCE // width)
    full, rest = divmod(DRAWS, rows)
    return [rows] * full + ([rest] if rest else [])
