"""Runs as numpy arrays, for comparisons: one query for the results and one for each scorer.

The unit is the item: repetitions are averaged inside it first.

The arrays of finished runs of moderate size are kept in the process, because every page of a
comparison's items needs them again. numpy is imported when needed only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from runs_app.models import Result, Run, RunScorer, Score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 20_000
KEPT_RESULTS = 200_000  # larger runs are read again each time: 16 runs of this size are about 50 MB
KEPT_RUNS = 16
KEPT_SCORERS = 64


@dataclass(frozen=True, slots=True, eq=False)
class RunVectors:
    """The items of a run that have results, aligned and sorted by number; `errored` where the
    target failed, every time when there are repetitions."""

    numbers: NDArray[np.int64]
    revisions: NDArray[np.int64]
    errored: NDArray[np.bool_]


def results_of(run: Run) -> RunVectors:
    """The results that the run has now. Treat the arrays as read-only."""
    if _kept(run):
        return _kept_results(_key(run), run.pk)
    return _read_results(run.pk)


def values_of(run: Run, scorer: RunScorer, vectors: RunVectors) -> NDArray[np.float64]:
    """The scorer's values aligned with `vectors`; NaN where it gave none.

    With repetitions an item's value is the mean over those that scored.
    """
    import numpy as np

    pairs = _kept_scores(_key(run), scorer.pk) if _kept(run) else read_scores(scorer.pk)
    values = np.full(len(vectors.numbers), np.nan)
    if not len(values):
        return values
    places = np.searchsorted(vectors.numbers, pairs[0])
    # While a run goes on, scores may have come in after its results were read.
    places = np.minimum(places, len(values) - 1)
    known = vectors.numbers[places] == pairs[0]
    values[places[known]] = pairs[1][known]
    return values


def _kept(run: Run) -> bool:
    return not run.active and run.succeeded + run.failed <= KEPT_RESULTS


def _key(run: Run) -> str:
    # A database may give the same primary key twice, a uuid is never given again.
    # A retry or a rescore changes what is behind the same counts.
    return f"{run.uuid}:{run.succeeded}:{run.failed}:{run.score_revision}"


@lru_cache(maxsize=KEPT_RUNS)
def _kept_results(key: str, run_id: int) -> RunVectors:
    return _read_results(run_id)


@lru_cache(maxsize=KEPT_SCORERS)
def _kept_scores(key: str, scorer_id: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    return read_scores(scorer_id)


def read_scores(scorer_id: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Item numbers, each once, and the mean of their values, in no useful order.

    Answered from the index of values alone.
    """
    import numpy as np

    found = Score.objects.filter(run_scorer=scorer_id, state="scored")
    rows = found.values_list("item_number", "value").iterator(chunk_size=CHUNK)
    # A float holds every item number exactly, so one array takes both columns.
    flat: Any = chain.from_iterable(rows)
    table = np.fromiter(flat, dtype=np.float64).reshape(-1, 2)
    numbers, values = table[:, 0].astype(np.int64), np.ascontiguousarray(table[:, 1])
    items, places, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    if len(items) == len(numbers):
        return numbers, values
    return items, np.bincount(places, weights=values) / counts


def _read_results(run_id: int) -> RunVectors:
    import numpy as np

    results = Result.objects.filter(run=run_id)
    rows = results.values_list("item_number", "revision_id").iterator(chunk_size=CHUNK)
    table = np.fromiter(chain.from_iterable(rows), dtype=np.int64).reshape(-1, 2)
    numbers, first, counts = np.unique(table[:, 0], return_index=True, return_counts=True)
    # Asked for apart, because this is answered from the index of errors alone.
    errors = results.exclude(error_type="").values_list("item_number", flat=True)
    failed = np.fromiter(errors.iterator(chunk_size=CHUNK), dtype=np.int64)
    # While a run goes on, errors may have come in after its results were read.
    failed = failed[np.isin(failed, numbers)]
    errored = np.bincount(np.searchsorted(numbers, failed), minlength=len(numbers)) >= counts
    return RunVectors(numbers, np.ascontiguousarray(table[first, 1]), errored)
