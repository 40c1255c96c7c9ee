"""Reading the selected items, a batch at a time in number order, at any size of the dataset."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from datasets_app.actions.versions import item_count
from datasets_app.bulk.changes import LOOK_UP
from datasets_app.item_query import select
from datasets_app.models import ItemRevision
from datasets_app.selection import Selection


def read_selected(
    dataset_id: int, selection: Selection, after: int, limit: int
) -> list[ItemRevision]:
    """Selected items as they were at the selection's version, with numbers above `after`; [] is
    the end. A named item that was not there then is left out.
    """
    if not selection.everything:
        return _named(dataset_id, selection, after, limit)
    query = replace(selection.query, sort="number")
    excepted = frozenset(selection.except_numbers)
    while True:
        found = select(dataset_id, selection.version, query).filter(number__gt=after)[:limit]
        rows = list(found)
        wanted = [row for row in rows if row.number not in excepted] if excepted else rows
        if wanted or not rows:
            return wanted
        after = rows[-1].number


def _named(dataset_id: int, selection: Selection, after: int, limit: int) -> list[ItemRevision]:
    found = ItemRevision.objects.filter(dataset=dataset_id).at(selection.version)
    numbers, step = selection.numbers, min(limit, LOOK_UP)
    for start in range(bisect_right(numbers, after), len(numbers), step):
        some = numbers[start : start + step]
        rows = list(found.filter(number__in=some).order_by("number"))
        if rows:
            return rows
    return []


def count_selected(dataset_id: int, selection: Selection) -> int:
    """How many items are selected; a query has to look at all items for that."""
    if not selection.everything:
        return _count_named(dataset_id, selection.version, selection.numbers)
    query, excepted = selection.query, selection.except_numbers
    if query.is_empty:
        there = item_count(dataset_id, selection.version)
        return there - _count_named(dataset_id, selection.version, excepted)
    numbers = select(dataset_id, selection.version, query).order_by("number")
    left_out = 0
    for start in range(0, len(excepted), LOOK_UP):
        left_out += numbers.filter(number__in=excepted[start : start + LOOK_UP]).count()
    return numbers.count() - left_out


def _count_named(dataset_id: int, version: int, numbers: tuple[int, ...]) -> int:
    found = ItemRevision.objects.filter(dataset=dataset_id).at(version)
    return sum(
        found.filter(number__in=numbers[start : start + LOOK_UP]).count()
        for start in range(0, len(numbers), LOOK_UP)
    )
