"""One scorer in N runs: each run's own mean, its difference to the baseline, and who leads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs_app.statistics.clusters import LEAST_CLUSTERS, clustered_mean, count_clusters
from runs_app.statistics.difference import CiMethod, PMethod
from runs_app.statistics.intervals import Bounds, constant_mean, mean_within, wilson
from runs_app.statistics.judging import Judged, Kind, count, judge
from runs_app.statistics.multiplicity import holm
from runs_app.statistics.omnibus import Omnibus, cochran_q, friedman
from runs_app.statistics.values import Interval, MeanInterval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_ITEMS = 10
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Against:
    """A run's paired difference to the baseline over ``n`` items. ``p_holm`` is adjusted for all
    runs of the scorer; with a check where t is in doubt, for the larger p of both."""

    n: int
    delta: float
    ci95: Interval | None
    ci_method: CiMethod | None
    p: float
    p_method: PMethod
    p_holm: float
    rose: int
    fell: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class ManyRun:
    """One run. ``against`` is None for the baseline and below 10 items in both.

    ``in_top_group``: not significantly behind the best mean. None when that cannot be said.
    """

    n: int
    mean: float | None
    ci95: Interval | None
    against: Against | None
    in_top_group: bool | None


@dataclass(frozen=True, slots=True)
class Many:
    """N runs on one scorer. ``common`` counts the items that all runs scored; ``omnibus`` is over
    them, None below 10. ``best`` is the place of the run with the best mean, the first of equals;
    None without any."""

    common: int
    runs: tuple[ManyRun, ...]
    omnibus: Omnibus | None
    best: int | None


def mean_of(
    kind: Kind,
    values: NDArray[np.float64],
    bounds: Bounds | None,
    clusters: NDArray[np.int64] | None = None,
) -> MeanInterval:
    """A run's own mean: a pass rate with Wilson's interval, else with t; with clusters by
    cluster. Equal values have the interval of `constant_mean`, in which a whole cluster counts as
    one, and none without bounds."""
    n = len(values)
    if clusters is not None and n and count_clusters(clusters) >= LEAST_CLUSTERS:
        found = clustered_mean(values, clusters)
        interval: Interval | None = found.ci95
        if found.standard_error == 0:
            interval = bounds and constant_mean(found.mean, found.clusters, bounds)
        return MeanInterval(n, found.mean, found.standard_error, interval)
    figures = mean_within(values, bounds)
    if kind == "binary" and n:
        passed = int(values.sum())
        return MeanInterval(n, passed / n, figures.standard_error, wilson(passed, n))
    return figures


def compare_many(
    runs: Sequence[NDArray[np.float64]],
    baseline: int,
    kind: Kind,
    *,
    higher_is_better: bool = True,
    bounds: Bounds | None = (0.0, 1.0),
    seed: int = 0,
    clusters: NDArray[np.int64] | None = None,
    pairwise: bool = False,
) -> Many:
    """All runs on one scorer, from aligned values with NaN where a run has none.

    Each figure is over the items that all runs scored; with ``pairwise`` a mean is over all that
    the run scored, and a difference over what both runs have. ``bounds`` are those of the
    scorer's values, None without a declared range. ``clusters`` are codes by item.
    Raises ValueError for fewer than two runs and for arrays that are not aligned.
    """
    import numpy as np

    if len(runs) < 2 or len({len(values) for values in runs}) > 1:
        raise ValueError("a comparison takes two runs or more, aligned by item")
    present = [~np.isnan(values) for values in runs]
    everywhere = np.logical_and.reduce(present)
    use = present if pairwise else [everywhere] * len(runs)

    def part(mask: NDArray[np.bool_]) -> NDArray[np.int64] | None:
        return None if clusters is None else clusters[mask]

    def against(place: int, other: int) -> Judged | None:
        mask = use[place] & use[other]
        if np.count_nonzero(mask) < LEAST_ITEMS:
            return None
        a, b = runs[other][mask], runs[place][mask]
        return judge(kind, a, b, bounds and bounds[1] - bounds[0], seed, part(mask))

    means = [
        mean_of(kind, values[mask], bounds, part(mask))
        for values, mask in zip(runs, use, strict=True)
    ]
    best = _best([figures.mean for figures in means], higher_is_better)
    top = _top_group(len(runs), best, against)
    judged = {
        place: found
        for place in range(len(runs))
        if place != baseline and (found := against(place, baseline)) is not None
    }
    adjusted = dict(zip(judged, holm([found.cautious_p for found in judged.values()]), strict=True))
    rows = []
    for place, figures in enumerate(means):
        line = None
        if place in judged:
            mask = use[place] & use[baseline]
            line = _against(
                judged[place], adjusted[place], kind, runs[baseline][mask], runs[place][mask]
            )
        rows.append(ManyRun(figures.n, figures.mean, figures.interval, line, top[place]))
    common = int(np.count_nonzero(everywhere))
    omnibus = None
    if common >= LEAST_ITEMS:
        shared = [values[everywhere] for values in runs]
        omnibus = cochran_q(shared) if kind == "binary" else friedman(shared)
    return Many(common, tuple(rows), omnibus, best)


def _best(means: Sequence[float | None], higher_is_better: bool) -> int | None:
    sign = 1.0 if higher_is_better else -1.0
    known = [(sign * mean, -place) for place, mean in enumerate(means) if mean is not None]
    return -max(known)[1] if known else None


def means_only(
    runs: Sequence[NDArray[np.float64]],
    kind: Kind,
    *,
    bounds: Bounds | None = (0.0, 1.0),
    clusters: Sequence[NDArray[np.int64]] | None = None,
) -> Many:
    """Runs that are not all over: each one's mean over the values that it has so far, and no
    comparison. ``clusters`` are codes aligned with each run's values."""
    codes: Sequence[NDArray[np.int64] | None] = clusters or [None] * len(runs)
    means = [
        mean_of(kind, values, bounds, of_run) for values, of_run in zip(runs, codes, strict=True)
    ]
    rows = tuple(ManyRun(each.n, each.mean, each.interval, None, None) for each in means)
    return Many(0, rows, None, None)


def _top_group(
    count: int, best: int | None, against: Callable[[int, int], Judged | None]
) -> list[bool | None]:
    """Who is not significantly behind the best; None without enough items to say so."""
    top: list[bool | None] = [None] * count
    if best is None:
        return top
    judged = {
        place: found
        for place in range(count)
        if place != best and (found := against(place, best)) is not None
    }
    if judged:
        top[best] = True
    ps = holm([found.cautious_p for found in judged.values()])
    for place, p in zip(judged, ps, strict=True):
        top[place] = p >= SIGNIFICANT
    return top


def _against(
    judged: Judged,
    p_holm: float,
    kind: Kind,
    a: NDArray[np.float64],
    b: NDArray[np.float64],
) -> Against:
    counts, found = count(kind, a, b), judged.found
    return Against(
        n=found.n,
        delta=found.delta,
        ci95=found.ci95,
        ci_method=found.ci_method,
        p=judged.p,
        p_method=judged.p_method,
        p_holm=p_holm,
        rose=counts.rose,
        fell=counts.fell,
        unchanged=counts.unchanged,
    )
