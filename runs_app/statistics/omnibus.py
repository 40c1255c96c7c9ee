"""Whether at least one of several runs differs: Friedman's test, Cochran's Q for 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Omnibus:
    """``statistic`` is chi-squared with ``degrees`` if all runs are alike. ``p`` is 1 when no item
    tells the runs apart."""

    test: Literal["friedman", "cochran_q"]
    statistic: float
    degrees: int
    p: float

    def to_json(self) -> dict[str, Any]:
        return {
            "test": self.test,
            "statistic": self.statistic,
            "degrees": self.degrees,
            "p": self.p,
        }


def cochran_q(runs: Sequence[NDArray[np.float64]]) -> Omnibus:
    """Cochran's Q over aligned values of 0 and 1, for two runs or more."""
    import numpy as np

    k = len(runs)
    passed = np.array([float(values.sum()) for values in runs])
    by_item = np.sum(runs, axis=0)
    spread = float((by_item * (k - by_item)).sum())
    if spread == 0:
        return Omnibus("cochran_q", 0.0, k - 1, 1.0)
    statistic = k * (k - 1) * float(((passed - passed.mean()) ** 2).sum()) / spread
    return Omnibus("cochran_q", statistic, k - 1, _tail(statistic, k - 1))


def friedman(runs: Sequence[NDArray[np.float64]]) -> Omnibus:
    """Friedman's test over aligned values, corrected for ties, for two runs or more.

    Ranks come from comparing runs with each other, so memory stays that of a few arrays.
    """
    import numpy as np

    k, n = len(runs), len(runs[0])
    rank_sums, tied = np.zeros(k), 0.0
    for place, values in enumerate(runs):
        below = np.zeros(n)
        equal = np.zeros(n)
        for other in runs:
            below += other < values
            equal += other == values
        rank_sums[place] = float((below + (equal + 1) / 2).sum())
        # A group of t equal values adds t^3 - t, which its t members share.
        tied += float((equal * equal - 1).sum())
    spread = n * k * (k * k - 1) - tied
    if spread <= 0:
        return Omnibus("friedman", 0.0, k - 1, 1.0)
    off = float(((rank_sums - n * (k + 1) / 2) ** 2).sum())
    statistic = 12 * (k - 1) * off / spread
    return Omnibus("friedman", statistic, k - 1, _tail(statistic, k - 1))


def _tail(statistic: float, degrees: int) -> float:
    """The chance of a larger chi-squared."""
    from scipy.special import chdtrc

    return float(chdtrc(degrees, statistic))
