"""The difference of two runs on one scorer, from paired values: interval, p, and counts.

One function per kind of scorer. All arrays are aligned by pair and hold no NaN; nothing loops
over pairs, so a million of them take well under a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Literal

from runs_app.statistics import paired, power
from runs_app.statistics.clusters import ClusteredMean, clustered_mean
from runs_app.statistics.intervals import constant_mean, tango
from runs_app.statistics.values import Interval, PairedT, SecondOpinion, Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CiMethod = Literal["tango", "t", "cluster_t"]
PMethod = Literal["mcnemar_midp", "paired_t", "sign_flip", "cluster_t"]

# A smaller difference of two scores is what rounding leaves of equal ones.
ROUNDING = 1e-12
TARGET_POINTS = 3.0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pairs changed. ``rose`` and ``fell`` are about values, not about good or bad.

    ``both_pass`` and ``both_fail`` are None for a continuous scorer.
    """

    rose: int
    fell: int
    unchanged: int
    both_pass: int | None
    both_fail: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """B - A over n pairs.

    ``changed`` is False when every pair has equal values (changes within a scorer's tie tolerance
    are changes here, though not in the counts). The intervals are None when no value of a scorer
    without a range changed. ``exact_p`` is for binary scorers. ``omega2`` is the variance of the
    differences, enlarged as the clusters ask. ``detectable`` is the smallest difference found with
    80% power; None when the differences do not vary. ``clusters`` counts them and
    ``naive_standard_error`` is the one that takes no notice of them; None without clusters.
    """

    n: int
    delta: float
    ci95: Interval | None
    ci90: Interval | None
    ci_method: CiMethod | None
    p: float
    p_method: PMethod
    exact_p: float | None
    changed: bool
    standard_error: float
    correlation: float | None
    omega2: float
    detectable: float | None
    clusters: int | None = None
    naive_standard_error: float | None = None


def differences_of(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """B - A by pair, with exact zeros where only rounding keeps equal scores apart."""
    differences = b - a
    differences[abs(differences) <= ROUNDING] = 0.0
    return differences


def count_binary(a: NDArray[np.float64], b: NDArray[np.float64]) -> Counts:
    """The four cells of the table of paired passes and fails."""
    import numpy as np

    passed_a, passed_b = a > 0.5, b > 0.5
    both = int(np.count_nonzero(passed_a & passed_b))
    rose = int(np.count_nonzero(passed_b)) - both
    fell = int(np.count_nonzero(passed_a)) - both
    return Counts(rose, fell, len(a) - rose - fell, both, len(a) - rose - fell - both)


def count_continuous(
    a: NDArray[np.float64], b: NDArray[np.float64], tie_tolerance: float
) -> Counts:
    """Differences of at most ``tie_tolerance`` are unchanged."""
    import numpy as np

    differences = differences_of(a, b)
    rose = int(np.count_nonzero(differences > tie_tolerance))
    fell = int(np.count_nonzero(differences < -tie_tolerance))
    return Counts(rose, fell, len(a) - rose - fell, None, None)


def binary_difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> Difference:
    """Tango's interval and mid-p McNemar, for values of 0 and 1. Needs two pairs."""
    counts, n = count_binary(a, b), len(a)
    rose, fell = counts.rose, counts.fell
    delta = (rose - fell) / n
    omega2 = max(0.0, (rose + fell) / n - delta * delta) * n / (n - 1)
    return Difference(
        n=n,
        delta=delta,
        ci95=tango(rose, fell, n, 0.95),
        ci90=tango(rose, fell, n, 0.90),
        ci_method="tango",
        p=paired.mcnemar_midp(rose, fell),
        p_method="mcnemar_midp",
        exact_p=paired.mcnemar_exact(rose, fell),
        changed=rose + fell > 0,
        standard_error=sqrt(omega2 / n),
        correlation=paired.correlation(a, b),
        omega2=omega2,
        detectable=power.smallest_detectable_binary(rose + fell, delta, n) or None,
    )


def continuous_difference(
    a: NDArray[np.float64], b: NDArray[np.float64], value_range: float | None
) -> Difference:
    """The paired t interval and p. Needs two pairs.

    When nothing changed, or every value from one end of ``value_range`` to the other, t has no
    width and would claim certainty. A value cannot move further than the range, so the interval
    of a binary scorer, times the range, is a safe one.
    """
    differences = differences_of(a, b)
    changed = bool(differences.any())
    test = paired.paired_t(differences)
    ci95: Interval | None = test.ci95
    ci90: Interval | None = test.ci90
    method: CiMethod | None = "t"
    if not changed or _from_end_to_end(test, value_range):
        ci95 = constant_change(test.mean, len(a), value_range, 0.95)
        ci90 = constant_change(test.mean, len(a), value_range, 0.90)
        method = None if value_range is None else "tango"
    return Difference(
        n=len(a),
        delta=test.mean,
        ci95=ci95,
        ci90=ci90,
        ci_method=method,
        p=test.p,
        p_method="paired_t",
        exact_p=None,
        changed=changed,
        standard_error=test.standard_error,
        correlation=paired.correlation(a, b),
        omega2=test.standard_error**2 * test.n,
        detectable=power.reach() * test.standard_error or None,
    )


def clustered_difference(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    value_range: float | None,
    codes: NDArray[np.int64],
) -> Difference:
    """The mean difference with its cluster-robust interval. Needs two clusters.

    When nothing changed, or everything from end to end, a whole cluster counts as one pair: the
    bound is then a safe one.
    """
    differences = differences_of(a, b)
    changed = bool(differences.any())
    test = clustered_mean(differences, codes)
    ci95: Interval | None = test.ci95
    ci90: Interval | None = test.ci90
    method: CiMethod | None = "cluster_t"
    if not changed or _from_end_to_end(test, value_range):
        ci95 = constant_change(test.mean, test.clusters, value_range, 0.95)
        ci90 = constant_change(test.mean, test.clusters, value_range, 0.90)
        method = None if value_range is None else "tango"
    return Difference(
        n=test.n,
        delta=test.mean,
        ci95=ci95,
        ci90=ci90,
        ci_method=method,
        p=test.p,
        p_method="cluster_t",
        exact_p=None,
        changed=changed,
        standard_error=test.standard_error,
        correlation=paired.correlation(a, b),
        omega2=test.standard_error**2 * test.n,
        detectable=power.reach() * test.standard_error or None,
        clusters=test.clusters,
        naive_standard_error=test.naive_standard_error,
    )


def constant_change(
    delta: float, n: int, value_range: float | None, confidence: float = 0.95
) -> Interval | None:
    """The mean changes that n equal ones do not exclude; None without a range."""
    if value_range is None:
        return None
    return constant_mean(delta, n, (-value_range, value_range), confidence)


def _from_end_to_end(test: PairedT | ClusteredMean, value_range: float | None) -> bool:
    """Whether every value went from one end of the range to the other."""
    if value_range is None or test.standard_error > 0:
        return False
    return abs(abs(test.mean) - value_range) <= ROUNDING


SECOND_OPINION_BELOW = 50
NO_SECOND_OPINION_ABOVE = 1_000
SKEWED = 1.0


def second_opinion(differences: NDArray[np.float64], seed: int) -> SecondOpinion | None:
    """Sign-flip and BCa where t is in doubt; None where it is not, or n is above 1,000.

    ``seed`` (0 or more) fixes the draws: the same pair of runs always gets the same figures.
    """
    import numpy as np

    n = len(differences)
    if n > NO_SECOND_OPINION_ABOVE:
        return None
    if n < SECOND_OPINION_BELOW:
        reason = f"fewer than {SECOND_OPINION_BELOW} pairs"
    elif 2 * np.count_nonzero(differences) < n:
        reason = "more than half of the differences are 0"
    elif abs(paired.skewness(differences)) > SKEWED:
        reason = "the differences are skewed"
    else:
        return None
    bca95, bca90 = paired.bca(differences, seed)
    return SecondOpinion(reason, paired.sign_flip(differences, seed), bca95, bca90)


def target(
    difference: Difference, counts: Counts, point: float | None, margin_points: float
) -> Target | None:
    """The next difference worth looking for, and its items: 3 points, or the margin when this
    comparison detects 3 points already; None when it detects both, or there are no points."""
    if point is None or difference.detectable is None:
        return None
    for aim in (TARGET_POINTS, margin_points):
        if 0 < aim * point < difference.detectable:
            return Target(aim, _items_needed(difference, counts, aim * point))
    return None


def _items_needed(difference: Difference, counts: Counts, delta: float) -> float:
    if counts.both_pass is not None and difference.clusters is None:
        return power.required_items_binary(counts.rose + counts.fell, difference.n, delta)
    return power.required_items(difference.omega2, delta)
