"""What a result costs: latency, tokens and money of two runs, item by item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from runs_app.statistics.hodges_lehmann import hodges_lehmann
from runs_app.statistics.paired import paired_t
from runs_app.statistics.values import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Change = Literal["lower", "higher", "unclear", "none"]
Method = Literal["hodges_lehmann", "paired_t"]

LEAST_PAIRS = 10


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure over the ``n`` pairs in which both runs have it.

    ``a`` and ``b`` are means over these pairs. ``delta`` is the typical difference B - A for
    latency (Hodges-Lehmann), else the mean one; it, ``ci95`` and ``method`` are None below 10
    pairs. ``change`` is "none" then, "unclear" when the interval holds 0.
    """

    name: str
    n: int
    a: float | None
    b: float | None
    delta: float | None
    ci95: Interval | None
    method: Method | None
    p: float | None
    change: Change

    def to_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "a": self.a,
            "b": self.b,
            "delta": self.delta,
            "ci95": None if self.ci95 is None else self.ci95.to_json(),
            "method": self.method,
            "p": self.p,
            "change": self.change,
        }


def measure(name: str, a: NDArray[np.float64], b: NDArray[np.float64], method: Method) -> Measure:
    """The measure over aligned pairs; NaN where a run does not have it."""
    import numpy as np

    known = ~np.isnan(a) & ~np.isnan(b)
    a, b = a[known], b[known]
    n = len(a)
    mean_a, mean_b = (float(a.mean()), float(b.mean())) if n else (None, None)
    if n < LEAST_PAIRS:
        return Measure(name, n, mean_a, mean_b, None, None, None, None, "none")
    differences = b - a
    p: float | None = None
    if method == "hodges_lehmann":
        delta, ci95 = hodges_lehmann(differences)
    else:
        test = paired_t(differences)
        delta, ci95, p = test.mean, test.ci95, test.p
    change: Change = "lower" if ci95.high < 0 else "higher" if ci95.low > 0 else "unclear"
    return Measure(name, n, mean_a, mean_b, delta, ci95, method, p, change)
