"""The items of several runs beside each other, those on which the runs disagree most first.

Order and values come from the arrays of the runs; only what the page shows of items is fetched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from datasets_app.public import ItemRow, revisions_by_id
from evalhub.kit.errors import NotFound
from runs_app.comparing_many import Items, shared_by_all
from runs_app.joining import join
from runs_app.models import Run
from runs_app.statistics.difference import ROUNDING
from runs_app.vectors import MEMORY, RunVectors, key_of, results_of, values_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Places = NDArray[np.int64]

PAGE_SIZE = 20
State = Literal["scored", "error", "not_scored", "missing"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One item in one run. `number` is the item's in that run, None when it is "missing": not there
    or with other content. `value` is there when it is "scored"; `change` is it minus the
    baseline's, None where either is missing."""

    number: int | None
    state: State
    value: float | None
    change: float | None


@dataclass(frozen=True, slots=True)
class ManyItem:
    """One item of the baseline in every run, in their order."""

    number: int
    item: ItemRow
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class ManyItems:
    """A page of the grid. `disagreeing` counts the items whose scores are not all the same, `total`
    all rows; `after` and `before` are offsets of other pages, None at the ends."""

    scorer: str
    binary: bool
    higher_is_better: bool
    rows: tuple[ManyItem, ...]
    disagreeing: int
    total: int
    first: int
    after: int | None
    before: int | None


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Aligned by the baseline's items: for each run the values, NaN without one, and its place, -1
    without one; and the order of the rows."""

    values: NDArray[np.float64]
    places: Places
    order: Places
    disagreeing: int

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + self.places.nbytes + self.order.nbytes


def items_page(
    runs: Sequence[Run],
    *,
    baseline: int = 0,
    scorer: str = "",
    items: Items = "common",
    after: int | None = None,
    size: int = PAGE_SIZE,
) -> ManyItems | None:
    """A page of the grid from offset `after`; the primary scorer for "". None when the runs share
    no scorer. Raises NotFound for another name."""
    shared = shared_by_all(runs, baseline)
    row = next((each for each in shared if each[0].name == scorer or not scorer), None)
    if row is None and scorer:
        raise NotFound(f"The runs share no scorer “{scorer}”.")
    if row is None:
        return None

    def make() -> _Grid:
        values = [
            values_of(run, each, results_of(run)) for run, each in zip(runs, row, strict=True)
        ]
        return _grid(runs, baseline, values, items)

    key = ("grid", *(key_of(run) for run in runs), baseline, row[0].name, items)
    active = any(run.active for run in runs)
    grid = make() if active else MEMORY.get(key, make, lambda found: found.nbytes)
    total = len(grid.order)
    first = min(max(after or 0, 0), total)
    chosen = grid.order[first : first + size]
    return ManyItems(
        scorer=row[0].name,
        binary=row[baseline].kind == "binary" and all(run.repetitions == 1 for run in runs),
        higher_is_better=row[baseline].higher_is_better,
        rows=tuple(_rows(runs, baseline, grid, chosen.tolist())),
        disagreeing=grid.disagreeing,
        total=total,
        first=first,
        after=first + size if first + size < total else None,
        before=max(0, first - size) if first else None,
    )


def _grid(runs: Sequence[Run], baseline: int, values: Sequence[Values], items: Items) -> _Grid:
    import numpy as np

    count = len(results_of(runs[baseline]).numbers)
    places = np.full((len(runs), count), -1, dtype=np.int64)
    laid = np.full((len(runs), count), np.nan)
    for at, (run, own) in enumerate(zip(runs, values, strict=True)):
        if at == baseline:
            places[at] = np.arange(count)
        else:
            pairs = join(runs[baseline], run).pairs
            places[at, pairs.a] = pairs.b
        there = places[at] >= 0
        found = np.where(results_of(run).errored, np.nan, own)
        laid[at, there] = found[places[at, there]]
    known = ~np.isnan(laid)
    # The spread of the scores that there are: 0 when all agree, most when the runs are split.
    number = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, laid, 0.0).sum(axis=0) / number
    spread = np.sqrt((np.where(known, laid - mean, 0.0) ** 2).sum(axis=0) / number)
    spread[spread <= ROUNDING] = 0.0
    use = known.all(axis=0) if items == "common" else np.ones(count, dtype=bool)
    rows = np.flatnonzero(use)
    order = rows[np.lexsort((rows, -spread[rows]))]
    return _Grid(laid, places, order, int(np.count_nonzero(spread[rows])))


def _rows(runs: Sequence[Run], baseline: int, grid: _Grid, chosen: Sequence[int]) -> list[ManyItem]:
    vectors = [results_of(run) for run in runs]
    ours = vectors[baseline]
    revisions = [int(ours.revisions[place]) for place in chosen]
    items = revisions_by_id(revisions)
    return [
        ManyItem(
            number=int(ours.numbers[place]),
            item=items[revision],
            cells=tuple(_cell(grid, at, baseline, place, vectors[at]) for at in range(len(runs))),
        )
        for place, revision in zip(chosen, revisions, strict=True)
        if revision in items
    ]


def _cell(grid: _Grid, at: int, baseline: int, place: int, vectors: RunVectors) -> Cell:
    spot = int(grid.places[at, place])
    if spot < 0:
        return Cell(None, "missing", None, None)
    number = int(vectors.numbers[spot])
    value, base = float(grid.values[at, place]), float(grid.values[baseline, place])
    if math.isnan(value):
        return Cell(number, "error" if vectors.errored[spot] else "not_scored", None, None)
    change = None if math.isnan(base) or at == baseline else value - base
    return Cell(number, "scored", value, change)
