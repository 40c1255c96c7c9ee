"""A page of items, their neighbours and their number, whatever the query: always in bounded time.

Where no index knows the answer the items are walked in the order of the list, some thousand at a
time, until the page is full or the time is over; a page then says how far it came, and the next
one goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from datasets_app.item_cursors import Place, decode, encode
from datasets_app.item_query import ItemQuery, conditions, select
from datasets_app.item_search import SearchIndex, hits
from datasets_app.item_sorts import SORTS, KeyCompare, Stretch
from datasets_app.models import Dataset, DatasetVersion, ItemRevision
from datasets_app.models.items import ItemRevisionQuerySet
from datasets_app.visible import is_plain, visible

PAGE_SIZE = 50
BUDGET_S = 0.25
COUNT_LIMIT = 10_000
FIRST_CHUNK = 2_000
LARGEST_CHUNK = 100_000
CHUNK_S = 0.05


@dataclass(frozen=True, slots=True)
class Searched:
    """How far a walk came before its time was over: `looked_at` of `total` items."""

    looked_at: int
    total: int
    index_is_built: bool


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Rows in order. `after` and `before` are the cursors of the next and the previous page.

    `total` counts what matches, None when only reading all of it could tell. `searched` is set
    when the time was over before the page was full: `after` then goes on from there.
    """

    rows: Sequence[ItemRevision]
    after: str | None
    before: str | None
    total: int | None = None
    searched: Searched | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Item numbers before and after one, within the query; None at the ends."""

    previous: int | None
    next: int | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many items match; more than `n` when it is not exact."""

    n: int
    exact: bool


@dataclass(slots=True)
class _Found:
    rows: list[ItemRevision] = field(default_factory=list)
    looked_at: int = 0
    stopped_at: Place | None = None  # where the time was over


def page(
    dataset: Dataset,
    version: int,
    query: ItemQuery,
    *,
    after: str = "",
    before: str = "",
    at: int | None = None,
    seen: int = 0,
    size: int = PAGE_SIZE,
) -> ItemPage:
    """The page after the cursor `after`, or that ends before `before`, or begins with item `at`.

    `seen` is how many items the pages before have looked at without filling up. Raises Invalid for
    a query or a cursor that is not understood.
    """
    backwards = bool(before)
    place = decode(query.sort, before or after)
    inclusive = False
    if at is not None:
        place, inclusive = _place_of(dataset, version, query, at) or place, True
    found = _find(dataset, version, query, place, size + 1, backwards, inclusive=inclusive)
    more = len(found.rows) > size or found.stopped_at is not None
    rows = found.rows[:size]
    end = _place(query, rows[-1]) if rows else None
    if found.stopped_at is not None and len(found.rows) <= size:
        end = found.stopped_at
    if backwards:
        rows = rows[::-1]
    start = place is not None
    first = encode(query.sort, _place(query, rows[0])) if rows and start else None
    further = None if end is None or not more else encode(query.sort, end)
    total = _total(dataset, version, query)
    searched = None
    if found.stopped_at is not None:
        whole = total_of(dataset, version)
        looked_at = min(whole, seen + found.looked_at)
        searched = Searched(looked_at, whole, not SearchIndex.objects.is_behind(dataset))
    if backwards:
        last = encode(query.sort, _place(query, rows[-1])) if rows else before
        return ItemPage(rows, last, further, total, searched)
    return ItemPage(rows, further, first, total, searched)


def neighbours(dataset: Dataset, version: int, query: ItemQuery, number: int) -> Neighbours:
    """The items before and after item `number` in the list of the query, looked for so far as the
    time allows."""
    place = _place_of(dataset, version, query, number)
    if place is None:
        return Neighbours(None, None)
    back = _find(dataset, version, query, place, 1, True).rows
    forth = _find(dataset, version, query, place, 1, False).rows
    return Neighbours(back[0].number if back else None, forth[0].number if forth else None)


def count(dataset: Dataset, version: int, query: ItemQuery, *, limit: int = COUNT_LIMIT) -> Count:
    """How many items match, counted up to `limit` and as far as the time allows."""
    total = _total(dataset, version, query)
    if total is not None:
        return Count(total, True)
    unsorted = ItemQuery(query.q, query.where, split=query.split)
    found = _find(dataset, version, unsorted, None, limit + 1, False, only=("pk", "number"))
    exact = found.stopped_at is None and len(found.rows) <= limit
    return Count(min(len(found.rows), limit), exact)


def matching_numbers(dataset: Dataset, version: int, query: ItemQuery) -> list[int]:
    """The numbers of all items that match, in order: for what has to know every one of them."""
    ids = None if query.is_empty else hits(dataset, version, query)
    if ids is None:
        found = select(dataset.pk, version, replace(query, sort="number"))
        return list(found.values_list("number", flat=True))
    rows = visible(dataset, version, plain=False, by_id=True).filter(pk__in=ids)
    return sorted(rows.filter(*conditions(query)).values_list("number", flat=True))


def total_of(dataset: Dataset, version: int) -> int:
    """How many items the dataset has at `version`."""
    counts = DatasetVersion.objects.filter(dataset=dataset, number=version)
    return counts.values_list("item_count", flat=True).first() or 0


def _total(dataset: Dataset, version: int, query: ItemQuery) -> int | None:
    return total_of(dataset, version) if query.is_empty else None


def _find(
    dataset: Dataset,
    version: int,
    query: ItemQuery,
    place: Place | None,
    need: int,
    backwards: bool,
    *,
    inclusive: bool = False,
    only: tuple[str, ...] = (),
) -> _Found:
    """Up to `need` rows past the place."""
    plain = is_plain(dataset, version)
    walk = _Walk(dataset, version, query, need, backwards, plain, only)
    found = walk.go(place, inclusive)
    if plain and not is_plain(dataset, version, afresh=True):
        # An import began or ended meanwhile, and may have closed rows that belong to this version.
        walk = _Walk(dataset, version, query, need, backwards, False, only)
        found = walk.go(place, inclusive)
    return found


class _Walk:
    def __init__(
        self,
        dataset: Dataset,
        version: int,
        query: ItemQuery,
        need: int,
        backwards: bool,
        plain: bool,
        only: tuple[str, ...],
    ) -> None:
        self.need, self.backwards, self.plain = need, backwards, plain
        self.dataset, self.version, self.query = dataset, version, query
        self.conditions = conditions(ItemQuery(query.q, query.where, query.sort))
        rows = visible(dataset, version, plain=plain)
        if query.split:
            # What the index of splits leaves out is said as well, or SQLite does not take it.
            rows = rows.filter(split=query.split).exclude(split="")
        self.rows = rows.only(*only) if only else rows
        self.leave_at = time.monotonic() + BUDGET_S
        self.chunk = FIRST_CHUNK
        self.found = _Found()

    def go(self, place: Place | None, inclusive: bool) -> _Found:
        stretches = SORTS[self.query.sort].stretches
        order = range(len(stretches))
        for index in reversed(order) if self.backwards else order:
            key = place.key if place is not None and place.stretch == index else None
            if place is not None and (
                index > place.stretch if self.backwards else index < place.stretch
            ):
                continue
            self._stretch(index, stretches[index], key, inclusive)
            if self._is_full or self.found.stopped_at is not None:
                break
        return self.found

    @property
    def _is_full(self) -> bool:
        return len(self.found.rows) >= self.need

    def _stretch(
        self, index: int, stretch: Stretch, key: tuple[Any, ...] | None, inclusive: bool
    ) -> None:
        base = self.rows.filter(stretch.only).order_by(*stretch.order(backwards=self.backwards))
        while True:
            rest = base
            if key is not None:
                rest = base.filter(
                    stretch.after(key, backwards=self.backwards, inclusive=inclusive)
                )
            if not self.conditions:
                self._take(rest)
                return
            began = time.monotonic()
            end = self._end_of_chunk(rest, stretch)
            part = rest if end is None else rest.filter(self._up_to(stretch, end))
            self._take(part.filter(*self.conditions))
            self.found.looked_at += self.chunk
            if self._is_full or end is None:
                return
            key, inclusive = end, False
            if self.found.looked_at == FIRST_CHUNK and self._by_index(stretch, key):
                return
            now = time.monotonic()
            if now >= self.leave_at:
                self.found.stopped_at = Place(index, key)
                return
            pace = (now - began) / self.chunk
            left = max(0.01, min(CHUNK_S, self.leave_at - now))
            self.chunk = int(max(500, min(LARGEST_CHUNK, left / pace, self.chunk * 4)))

    def _end_of_chunk(self, rest: ItemRevisionQuerySet, stretch: Stretch) -> tuple[Any, ...] | None:
        """The key of the last row of the next chunk; None when fewer are left."""
        keys = rest.values_list(*stretch.fields)
        return next(iter(keys[self.chunk - 1 : self.chunk]), None)

    def _up_to(self, stretch: Stretch, end: tuple[Any, ...]) -> KeyCompare:
        return stretch.after(end, backwards=not self.backwards, inclusive=True)

    def _by_index(self, stretch: Stretch, key: tuple[Any, ...]) -> bool:
        """Read what is left of the stretch by the index, when there is one that knows."""
        ids = hits(self.dataset, self.version, self.query)
        if ids is None:
            return False
        # First which, then in which order: asked for both at once, SQLite walks the list.
        rest = visible(self.dataset, self.version, plain=self.plain, by_id=True)
        rest = rest.filter(stretch.only, stretch.after(key, backwards=self.backwards), pk__in=ids)
        if self.query.split:
            rest = rest.filter(split=self.query.split)
        right = list(rest.filter(*self.conditions).values_list("pk", flat=True))
        rows = ItemRevision.objects.filter(pk__in=right)
        self._take(rows.order_by(*stretch.order(backwards=self.backwards)))
        return True

    def _take(self, rows: ItemRevisionQuerySet) -> None:
        self.found.rows.extend(rows[: self.need - len(self.found.rows)])


def _place(query: ItemQuery, row: ItemRevision) -> Place:
    """Where a row stands in the list."""
    stretches = SORTS[query.sort].stretches
    index = len(stretches) - 1
    if len(stretches) > 1 and getattr(row, stretches[0].fields[0]):
        index = 0
    return Place(index, tuple(getattr(row, name) for name in stretches[index].fields))


def _place_of(dataset: Dataset, version: int, query: ItemQuery, number: int) -> Place | None:
    # Without the bound on numbers of `visible`, by which SQLite would go instead.
    found = ItemRevision.objects.filter(dataset=dataset, number=number).at(version)
    row = found.order_by("number").first()
    return None if row is None else _place(query, row)
