"""What a run came to, computed from its rows. Stored on the run when it ends.

Counts are aggregated in the database; values and latencies are read through a cursor into numpy, so
a million results take megabytes and a second or two. scipy and numpy are imported when needed only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q, QuerySet

from runs_app import passing
from runs_app.models import Result, Run, RunScorer, Score
from runs_app.results import count_failing, count_not_scored
from runs_app.statistics.intervals import mean_within, wilson
from runs_app.statistics.values import Interval
from runs_app.usage import usage
from runs_app.vectors import read_scores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BINS = 10
LATENCY_BINS = 40
CHUNK = 20_000

Counts = dict[str, int]


def summarise(run: Run, scorers: Sequence[RunScorer] | None = None) -> dict[str, Any]:
    """The run's figures as JSON values. Shares are 0..1, latencies milliseconds.

    `scorers` are the run's own unless given, in their order.

    - `primary`: name of the first scorer, None without scorers
    - `total_items total_results succeeded failed skipped`: skipped results are those that an ended
      run never made
    - `scores`: {name: {n, scored, mean, ci95 [low, high], passed, errors, not_scored}}: `n` items
      with a score, `scored` results with one (the same without repetitions); the mean and its
      interval (Wilson for a binary scorer, else t) are over items, each the mean of its
      repetitions, and then always by t (by `constant_mean` where all are equal, None without a
      range); `passed` results, None without a threshold
    - `latency_ms`: {p50, p95, p99} of the results that succeeded, None each when there are none
    - `errors`: {type: count}, most frequent first
    - `tokens`: {input, output}, `cost_usd`: None when no result says them; `retries`: all of them
    - `distribution`: {name: {kind, passed, failed} or {kind, low, high, bins}}, counts of results
    - `latency_bins`: {counts, max_ms}, None without latencies; see `kit.plots.LatencyProfile`
    - `filters`: {fail, not_scored}: results that at least one scorer fails, or did not score
    """
    scorers = list(run.scorers.all() if scorers is None else scorers)
    used = usage(run)
    failed, succeeded = used.failed, used.results - used.failed
    scores, distribution = {}, {}
    states = _states(scorers)
    for scorer in scorers:
        counts = states.get(scorer.pk, {})
        scores[scorer.name], distribution[scorer.name] = _figures(scorer, counts, run.repetitions)
    latencies = _latencies(run)
    return {
        "primary": scorers[0].name if scorers else None,
        "total_items": run.total_items,
        "total_results": run.total_results,
        "succeeded": succeeded,
        "failed": failed,
        "skipped": 0 if run.active else max(0, run.total_results - succeeded - failed),
        "scores": scores,
        "latency_ms": _percentiles(latencies),
        "errors": used.errors,
        "tokens": used.tokens,
        "cost_usd": used.cost_usd,
        "retries": used.retries,
        "distribution": distribution,
        "latency_bins": _latency_bins(latencies),
        "filters": {"fail": count_failing(scorers), "not_scored": count_not_scored(scorers)},
    }


def latency_percentiles(run: Run) -> dict[str, float | None]:
    """{p50, p95, p99} in milliseconds over the results that succeeded, None each when there are
    none."""
    return _percentiles(_latencies(run))


def _states(scorers: list[RunScorer]) -> dict[int, Counts]:
    """{run scorer: {state: rows}}, and under "ones" how many scored 1 (what a binary scorer
    needs)."""
    found = (
        Score.objects.filter(run_scorer__in=scorers)
        .values_list("run_scorer", "state")
        .annotate(
            n=Count("item_number"),
            ones=Count("item_number", filter=Q(value__gte=passing.BINARY_MARK)),
        )
        .order_by()
    )
    states: dict[int, Counts] = {}
    for scorer, state, n, ones in found if scorers else ():
        counts = states.setdefault(scorer, {})
        counts[state] = n
        counts["ones"] = counts.get("ones", 0) + ones
    return states


def _figures(
    scorer: RunScorer, counts: Counts, repetitions: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scorer's entry in `scores` and in `distribution`."""
    n = scored = counts.get("scored", 0)
    mean: float | None
    interval: Interval | None
    passed: int | None
    if scorer.kind == "binary":
        ones = counts.get("ones", 0)
        mean = ones / n if n else None
        interval = wilson(ones, n) if n else None
        passed = ones if scorer.higher_is_better else n - ones
        shape: dict[str, Any] = {"kind": "binary", "passed": passed, "failed": n - passed}
    else:
        values = _read(Score.objects.filter(run_scorer=scorer, state="scored"), "value")
        figures = mean_within(values, _range(scorer))
        mean, interval = figures.mean, figures.interval
        passed = _passed(scorer, values)
        shape = {"kind": "continuous", **_bins(scorer, values)}
    if repetitions > 1:
        # Results of one item are no independent evidence: the unit is the item.
        bounds = (0.0, 1.0) if scorer.kind == "binary" else _range(scorer)
        of_items = mean_within(read_scores(scorer.pk)[1], bounds)
        n, mean, interval = of_items.n, of_items.mean, of_items.interval
    entry = {
        "n": n,
        "scored": scored,
        "mean": mean,
        "ci95": interval.to_json() if interval else None,
        "passed": passed,
        "errors": counts.get("error", 0),
        "not_scored": counts.get("not_scored", 0),
    }
    return entry, shape


def _passed(scorer: RunScorer, values: NDArray[np.float64]) -> int | None:
    import numpy as np

    mark = passing.pass_mark(scorer)
    if mark is None:
        return None
    return int(np.count_nonzero(values >= mark if scorer.higher_is_better else values <= mark))


def _bins(scorer: RunScorer, values: NDArray[np.float64]) -> dict[str, Any]:
    """Counts in ten equal parts of the declared range, or of the values' own when there is none."""
    import numpy as np

    own = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    low, high = _range(scorer) or own
    width = (high - low) / BINS or 1.0
    # The small addition keeps 0.3 in the bin that begins there, where 0.3 / 0.1 is
    # 2.9999999999999996.
    places = np.clip(np.floor((values - low) / width + 1e-9), 0, BINS - 1).astype(np.int64)
    return {"low": low, "high": high, "bins": np.bincount(places, minlength=BINS).tolist()}


def _range(scorer: RunScorer) -> tuple[float, float] | None:
    """The range that the scorer declares; None without one."""
    if scorer.low is None or scorer.high is None or scorer.high <= scorer.low:
        return None
    return scorer.low, scorer.high


def _latencies(run: Run) -> NDArray[np.float64]:
    return _read(Result.objects.filter(run=run, error_type=""), "latency_ms")


def _percentiles(latencies: NDArray[np.float64]) -> dict[str, float | None]:
    import numpy as np

    if not len(latencies):
        return {"p50": None, "p95": None, "p99": None}
    p50, p95, p99 = np.percentile(latencies, (50, 95, 99)).tolist()
    return {"p50": p50, "p95": p95, "p99": p99}


def _latency_bins(latencies: NDArray[np.float64]) -> dict[str, Any] | None:
    """Bin i of n counts latencies from (i/n)^2 of the largest: a square-root axis."""
    import numpy as np

    if not len(latencies):
        return None
    longest = float(latencies.max()) or 1.0
    places = np.sqrt(np.clip(latencies, 0, None) / longest) * LATENCY_BINS
    places = np.minimum(places.astype(np.int64), LATENCY_BINS - 1)
    return {"counts": np.bincount(places, minlength=LATENCY_BINS).tolist(), "max_ms": longest}


def _read(found: QuerySet[Any], column: str) -> NDArray[np.float64]:
    import numpy as np

    values = found.order_by().values_list(column, flat=True).iterator(chunk_size=CHUNK)
    return np.fromiter(values, dtype=np.float64)
