"""Runs as numpy arrays, for comparisons. The unit is the item: repetitions are averaged first.

Three places are asked in turn: this process's memory, the packed copy of a large run
(`packing.py`), and the rows themselves. While a run goes on only its rows are. Treat all arrays as
read-only. numpy is imported when needed only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from evalhub.kit.dispatch import wake_now
from runs_app import packed
from runs_app.labels import Labels, read_labels
from runs_app.memory import Memory
from runs_app.models import Run, RunScorer, RunVector
from runs_app.reading import read_results, read_values
from runs_app.statistics.repetitions import ItemMoments, item_moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")
Arrays = dict[str, "NDArray[Any]"]

PACKED_FROM = 20_000  # results; smaller runs are read again in no time
MEMORY = Memory(limit_bytes=160_000_000)
RESULTS, COSTS = "results", "costs"


@dataclass(frozen=True, slots=True, eq=False)
class RunVectors:
    """The items of a run that have results, aligned and sorted by number; `errored` where the
    target failed, every time when there are repetitions."""

    numbers: NDArray[np.int64]
    revisions: NDArray[np.int64]
    errored: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """What each item took, a mean over its results without an error; NaN where nothing is known.
    `tokens` are input and output together."""

    latency_ms: NDArray[np.float64]
    tokens: NDArray[np.float64]
    cost_usd: NDArray[np.float64]


def results_of(run: Run) -> RunVectors:
    """The results that the run has now."""
    found = _arrays(run, RESULTS, lambda: results_arrays(read_results(run.pk)))
    return RunVectors(found["numbers"], found["revisions"], found["errored"])


def costs_of(run: Run, vectors: RunVectors) -> Costs:
    """What the items of `vectors` took."""
    found = _arrays(run, RESULTS, lambda: results_arrays(read_results(run.pk)))
    if "latency_ms" not in found:  # a packed run has them apart
        found = _arrays(run, COSTS, lambda: results_arrays(read_results(run.pk)))
    aligned = _aligner(found["numbers"], vectors.numbers)
    return Costs(*(aligned(found[name]) for name in ("latency_ms", "tokens", "cost_usd")))


def values_of(run: Run, scorer: RunScorer, vectors: RunVectors) -> NDArray[np.float64]:
    """The scorer's values aligned with `vectors`; NaN where it gave none.

    With repetitions an item's value is the mean over those that scored.
    """
    found = _scores(run, scorer)
    return _aligner(found["numbers"], vectors.numbers)(found["mean"])


def moments_of(run: Run, scorer: RunScorer, vectors: RunVectors) -> ItemMoments:
    """The scorer's values by item with what their repetitions tell, aligned with `vectors`."""
    import numpy as np

    found = _scores(run, scorer)
    aligned = _aligner(found["numbers"], vectors.numbers)
    mean = aligned(found["mean"])
    if "count" not in found:
        once = (~np.isnan(mean)).astype(np.int64)
        return ItemMoments(mean, np.full(len(mean), np.nan), once)
    count = np.nan_to_num(aligned(found["count"].astype(np.float64))).astype(np.int64)
    return ItemMoments(mean, aligned(found["variance"]), count)


def labels_of(run: Run, vectors: RunVectors, path: str) -> Labels:
    """The field `path` of the run's items, aligned with `vectors`. Never kept in memory: a purge
    must be able to take it back."""
    import numpy as np

    row = _stored(run, label_kind(path)) if _packs(run) else None
    if row is not None:
        arrays, names = packed.load(row)
        if len(arrays["codes"]) == len(vectors.numbers):
            return Labels(arrays["codes"].astype(np.int64), tuple(names))
    if _packs(run):
        wake_now("runs.pack", run.pk, path)
    return read_labels(vectors.revisions.tolist(), path)


def read_scores(scorer_id: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Item numbers, each once, and the mean of their values."""
    found = scores_arrays(*read_values(scorer_id))
    return found["numbers"], found["mean"]


def key_of(run: Run) -> str:
    """What tells one state of a run from another.

    A database may give the same primary key twice, a uuid is never given again. A retry or a
    rescore changes what is behind the same counts.
    """
    return f"{run.uuid}:{run.succeeded}:{run.failed}:{run.score_revision}"


def scorer_kind(scorer: RunScorer) -> str:
    return f"scorer:{scorer.pk}"


def label_kind(path: str) -> str:
    return f"label:{path}"


def results_arrays(table: NDArray[np.float64]) -> Arrays:
    """Results and costs by item, sorted by number, from what `read_results` gives."""
    import numpy as np

    numbers, first, places, counts = np.unique(
        table[:, 0].astype(np.int64), return_index=True, return_inverse=True, return_counts=True
    )
    failed = table[:, 2] > 0
    arrays: Arrays = {
        "numbers": numbers,
        "revisions": table[first, 1].astype(np.int64),
        "errored": np.bincount(places, weights=failed, minlength=len(numbers)) >= counts,
    }
    spoken = np.maximum(table[:, 4], 0) + np.maximum(table[:, 5], 0)
    spoken[(table[:, 4] < 0) & (table[:, 5] < 0)] = -1
    for name, column in (
        ("latency_ms", table[:, 3]),
        ("tokens", spoken),
        ("cost_usd", table[:, 6]),
    ):
        known = ~failed & (column >= 0)
        arrays[name] = _means(places[known], column[known], len(numbers))
    return arrays


def scores_arrays(numbers: NDArray[np.int64], values: NDArray[np.float64]) -> Arrays:
    """A scorer's values by item, sorted by number: `numbers` and `mean`, and where an item has
    several also `variance` and `count`."""
    import numpy as np

    if np.all(numbers[1:] > numbers[:-1]):
        return {"numbers": numbers, "mean": values}
    order = np.argsort(numbers, kind="stable")
    numbers, values = numbers[order], values[order]
    if np.all(numbers[1:] > numbers[:-1]):
        return {"numbers": numbers, "mean": values}
    items, places = np.unique(numbers, return_inverse=True)
    moments = item_moments(places, values, len(items))
    return {
        "numbers": items,
        "mean": moments.mean,
        "variance": moments.variance,
        "count": moments.count,
    }


def _scores(run: Run, scorer: RunScorer) -> Arrays:
    return _arrays(run, scorer_kind(scorer), lambda: scores_arrays(*read_values(scorer.pk)))


def _arrays(run: Run, kind: str, read: Callable[[], Arrays]) -> Arrays:
    if run.active:
        return read()

    def find() -> Arrays:
        if not _packs(run):
            return read()
        data = _stored(run, kind)
        if data is None:
            wake_now("runs.pack", run.pk, "")
            return read()
        return packed.load(data)[0]

    return MEMORY.get(
        (key_of(run), kind), find, lambda found: sum(array.nbytes for array in found.values())
    )


def _packs(run: Run) -> bool:
    return not run.active and run.succeeded + run.failed >= PACKED_FROM


def label_stamp(run: Run, path: str) -> int | None:
    """Names the packed field of a run's items; None without one. A purge leaves another."""
    found = RunVector.objects.filter(run=run, kind=label_kind(path), key=key_of(run))
    return found.values_list("pk", flat=True).first()


def _stored(run: Run, kind: str) -> bytes | None:
    """The packed part, None when there is none of this state of the run."""
    found = RunVector.objects.filter(run=run, kind=kind, key=key_of(run))
    data = found.values_list("data", flat=True).first()
    return None if data is None else bytes(data)


def _aligner(
    numbers: NDArray[np.int64], wanted: NDArray[np.int64]
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """A function that lays out values of `numbers` by `wanted`, NaN where one is not there."""
    import numpy as np

    if np.array_equal(numbers, wanted):
        return lambda values: values
    places = np.searchsorted(wanted, numbers)
    # While a run goes on, scores may have come in after its results were read.
    places = np.minimum(places, max(0, len(wanted) - 1))
    known = wanted[places] == numbers if len(wanted) else np.zeros(len(numbers), dtype=bool)

    def lay_out(values: NDArray[np.float64]) -> NDArray[np.float64]:
        out = np.full(len(wanted), np.nan)
        out[places[known]] = values[known]
        return out

    return lay_out


def _means(
    places: NDArray[np.intp], values: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    import numpy as np

    with np.errstate(invalid="ignore"):
        sums = np.bincount(places, weights=values, minlength=count)
        return np.asarray(sums / np.bincount(places, minlength=count))
