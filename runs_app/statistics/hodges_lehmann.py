"""A typical difference that a few extremes cannot move: Hodges-Lehmann, for latency.

The estimate is the median of all pairwise means (Walsh averages) of the differences, and the
interval holds every shift that Wilcoxon's signed-rank test would not refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, sqrt
from typing import TYPE_CHECKING

from runs_app.statistics.intervals import normal_quantile
from runs_app.statistics.values import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EXACT_RANKS = 50
ALL_AVERAGES = 1_200  # up to here every average is made; above, they are only counted
GUIDES = 600
PRECISION = 1e-6  # of the distance between the quartiles
GUESSES = 12


def hodges_lehmann(
    differences: NDArray[np.float64], confidence: float = 0.95
) -> tuple[float, Interval]:
    """The estimate and its interval. Needs one difference; below six the interval is the whole
    range, which holds less than 95%.

    Above 1,200 differences the ends are found to a millionth of their quartile range by counting,
    in memory that grows with n and not with its square.
    """
    import numpy as np

    n = len(differences)
    if n == 0:
        raise ValueError("a Hodges-Lehmann estimate needs a difference")
    total = n * (n + 1) // 2
    low = _critical(n, confidence)
    ranks = [low, (total + 1) // 2, total // 2 + 1, total + 1 - low]
    ordered = np.sort(differences)
    found = _exact(ordered, ranks) if n <= ALL_AVERAGES else _counted(ordered, ranks)
    return (found[1] + found[2]) / 2, Interval(found[0], found[3])


def _critical(n: int, confidence: float) -> int:
    """The rank of the lower end among the averages, 1 for the smallest."""
    import numpy as np

    if n > EXACT_RANKS:
        spread = sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return max(1, floor(n * (n + 1) / 4 - normal_quantile(confidence) * spread))
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        ways[rank:] = ways[rank:] + ways[:-rank]
    chances = np.cumsum(ways) / 2.0**n
    return max(1, int(np.searchsorted(chances, (1 - confidence) / 2)))


def _exact(ordered: NDArray[np.float64], ranks: Sequence[int]) -> list[float]:
    import numpy as np

    rows, columns = np.triu_indices(len(ordered))
    averages = (ordered[rows] + ordered[columns]) / 2
    places = [rank - 1 for rank in ranks]
    return [float(value) for value in np.partition(averages, sorted(set(places)))[places]]


def _counted(ordered: NDArray[np.float64], ranks: Sequence[int]) -> list[float]:
    """The averages of these ranks, each between two bounds that halving brings together.

    A few hundred quantiles stand for all values at first: their averages tell where to look.
    """
    import numpy as np

    n = len(ordered)
    total = n * (n + 1) // 2
    spread = float(ordered[-1] - ordered[0])
    if spread == 0:
        return [float(ordered[0])] * len(ranks)
    guides = ordered[np.linspace(0, n - 1, GUIDES).astype(np.int64)]
    rows, columns = np.triu_indices(GUIDES)
    averages = np.sort((guides[rows] + guides[columns]) / 2)
    found: list[float] = []
    previous = 0
    # Between quartiles a difference has a scale that one slow call in a million cannot stretch.
    width = PRECISION * (float(ordered[3 * n // 4] - ordered[n // 4]) or spread)
    for rank in ranks:
        if found and rank - previous <= 1:
            found.append(found[-1])  # the two middle ones of an even number are neighbours
            continue
        previous = rank
        low, high = _bounds(ordered, averages, int((rank - 1) / total * len(averages)), rank)
        found.append(_between(ordered, rank, low, high, width))
    return found


def _between(
    ordered: NDArray[np.float64], rank: int, low: float, high: float, width: float
) -> float:
    """The average of ``rank``, which lies above ``low`` and up to ``high``, to within ``width``.

    By false position, for the count is all but a straight line there; by halving where ties make
    stairs of it.
    """
    short, past = _count(ordered, low) - rank + 0.5, _count(ordered, high) - rank + 0.5
    guesses = 0
    while high - low > width:
        guesses += 1
        middle = (low + high) / 2
        if guesses <= GUESSES:
            middle = low + (high - low) * short / (short - past)
        if not low < middle < high:
            break
        off = _count(ordered, middle) - rank + 0.5
        # Halving the other end's weight (Illinois) keeps it from standing still.
        if off < 0:
            low, short, past = middle, off, past / 2
        else:
            high, past, short = middle, off, short / 2
    return high


def _bounds(
    ordered: NDArray[np.float64], averages: NDArray[np.float64], place: int, rank: int
) -> tuple[float, float]:
    """Two values between which the average of ``rank`` lies, the first below it."""
    step = max(1, len(averages) // 2_000)
    left = right = place
    while True:
        left = max(0, left - step)
        if _count(ordered, float(averages[left])) < rank:
            low = float(averages[left])
            break
        if left == 0:
            low = float(ordered[0]) - (float(ordered[-1] - ordered[0]) or 1.0)
            break
        step *= 4
    step = max(1, len(averages) // 2_000)
    while True:
        right = min(len(averages) - 1, right + step)
        if right == len(averages) - 1 or _count(ordered, float(averages[right])) >= rank:
            return low, float(averages[right])
        step *= 4


def _count(ordered: NDArray[np.float64], bar: float) -> int:
    """How many averages of two values (one with itself too) are at most ``bar``."""
    import numpy as np

    both = int(np.searchsorted(ordered, 2 * bar - ordered, side="right").sum())
    alone = int(np.searchsorted(ordered, bar, side="right"))
    return (both + alone) // 2
