"""One pair of aligned values judged: the difference, the check where t is in doubt, and its p.

The one place that says which method a kind of scorer gets: two runs and N runs ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from runs_app.statistics import difference as differences
from runs_app.statistics.clusters import LEAST_CLUSTERS, count_clusters
from runs_app.statistics.difference import Counts, Difference, PMethod
from runs_app.statistics.values import SecondOpinion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["binary", "continuous"]


@dataclass(frozen=True, slots=True)
class Judged:
    """``p`` is the p that is reported, by ``p_method``. A verdict needs ``second`` to agree."""

    found: Difference
    second: SecondOpinion | None
    p: float
    p_method: PMethod

    @property
    def cautious_p(self) -> float:
        """The larger p of the test and its check: what both agree on."""
        return self.p if self.second is None else max(self.p, self.second.sign_flip_p)


def count(
    kind: Kind, a: NDArray[np.float64], b: NDArray[np.float64], tie_tolerance: float = 0.0
) -> Counts:
    """How many pairs rose and fell."""
    if kind == "binary":
        return differences.count_binary(a, b)
    return differences.count_continuous(a, b, tie_tolerance)


def difference_of(
    kind: Kind,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    value_range: float | None,
    clusters: NDArray[np.int64] | None = None,
) -> Difference:
    """B - A by the method of the kind. Needs two pairs. One cluster is as good as none."""
    if clusters is not None and count_clusters(clusters) >= LEAST_CLUSTERS:
        return differences.clustered_difference(a, b, value_range, clusters)
    if kind == "binary":
        return differences.binary_difference(a, b)
    return differences.continuous_difference(a, b, value_range)


def judge(
    kind: Kind,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    value_range: float | None,
    seed: int,
    clusters: NDArray[np.int64] | None = None,
) -> Judged:
    """B against A. ``seed`` (0 or more) fixes the draws of the check."""
    found = difference_of(kind, a, b, value_range, clusters)
    if found.changed and found.clusters is not None and found.standard_error == 0:
        return Judged(found, None, _of_signs(found.clusters), "sign_flip")
    if kind == "binary" or not found.changed or found.clusters is not None:
        return Judged(found, None, found.p, found.p_method)
    second = differences.second_opinion(differences.differences_of(a, b), seed)
    if second is not None and found.standard_error == 0:
        # Equal differences: t would divide by 0, and its p of 0 claims too much.
        return Judged(found, second, second.sign_flip_p, "sign_flip")
    if found.standard_error == 0:
        return Judged(found, None, _of_signs(found.n), "sign_flip")
    return Judged(found, second, found.p, found.p_method)


def _of_signs(n: int) -> float:
    """The p of n equal differences by their signs alone: all alike are two of the 2^n patterns."""
    return 2.0 ** (1 - n)
