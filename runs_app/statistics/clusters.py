"""Items that belong together: the standard error of a mean when only clusters are independent."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from runs_app.statistics.intervals import t_quantile
from runs_app.statistics.values import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_CLUSTERS = 2
LEAST_FOR_VERDICT = 10


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """A mean over n values in ``clusters`` clusters, with its t(clusters - 1) intervals and the p
    of the test that it is 0.

    ``ratio`` is the standard error over the one that takes every value for independent; None when
    that is 0. ``t`` is None when the standard error is 0: then the intervals have no width, and
    ``p`` is 1 for a mean of 0, else 0.
    """

    n: int
    clusters: int
    mean: float
    standard_error: float
    naive_standard_error: float
    t: float | None
    p: float
    ci95: Interval
    ci90: Interval

    @property
    def ratio(self) -> float | None:
        naive = self.naive_standard_error
        return self.standard_error / naive if naive > 0 else None


def count_clusters(codes: NDArray[np.int64]) -> int:
    """How many clusters the codes (0 and up) name."""
    import numpy as np

    return int(np.count_nonzero(np.bincount(codes))) if len(codes) else 0


def clustered_mean(values: NDArray[np.float64], codes: NDArray[np.int64]) -> ClusteredMean:
    """The mean of ``values`` with its cluster-robust standard error.

    ``codes`` (0 and up, aligned) name each value's cluster. Deviations are summed by cluster,
    squared and summed, times C / (C - 1). With every value a cluster of its own that is the plain
    standard error. Raises ValueError below two clusters.
    """
    import numpy as np
    from scipy.special import betainc

    n, count = len(values), count_clusters(codes)
    if count < LEAST_CLUSTERS:
        raise ValueError("a clustered mean needs at least two clusters")
    mean = float(values.mean())
    deviations = values - mean
    sums = np.bincount(codes, weights=deviations)
    error = sqrt(float((sums * sums).sum()) * count / (count - 1)) / n
    naive = sqrt(float((deviations * deviations).sum()) / (n - 1) / n)
    if error <= 1e-12 * max(abs(mean), naive):
        certain = Interval(mean, mean)
        p = 1.0 if mean == 0 else 0.0
        return ClusteredMean(n, count, mean, 0.0, naive, None, p, certain, certain)
    degrees, t = count - 1, mean / error
    half95, half90 = (t_quantile(degrees, level) * error for level in (0.95, 0.90))
    return ClusteredMean(
        n=n,
        clusters=count,
        mean=mean,
        standard_error=error,
        naive_standard_error=naive,
        t=t,
        p=float(betainc(degrees / 2, 0.5, degrees / (degrees + t * t))),
        ci95=Interval(mean - half95, mean + half95),
        ci90=Interval(mean - half90, mean + half90),
    )
