"""What differs between two versions of a dataset: bounded pages by item number, and counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from datasets_app.models import Dataset, DatasetVersion, ItemRevision
from datasets_app.touched import Difference, Kind, Touched, differences, touched_between

PAGE_SIZE = 50
STEP = 500
LOOKED_AT = 2_000
"""Touched items that one page looks at: most may be alike, changed and changed back."""


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One item that differs; `before` None means added, `after` None removed."""

    number: int
    kind: Kind
    before: ItemRevision | None
    after: ItemRevision | None

    @property
    def item(self) -> ItemRevision:
        """The item as it is after, or as it was."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class DiffPage:
    """A page of differences. `next` is the number to go on after; None at the end. A page may hold
    fewer rows than asked for, or none, and still have a next one."""

    rows: list[ItemChange]
    next: int | None


@dataclass(frozen=True, slots=True)
class DiffCounts:
    """How many items differ. When not `exact`, there are at least as many of each."""

    added: int
    changed: int
    removed: int
    exact: bool

    @property
    def total(self) -> int:
        return self.added + self.changed + self.removed


def diff_page(
    dataset: Dataset,
    a: int,
    b: int,
    *,
    kind: str = "",
    after: int = 0,
    size: int = PAGE_SIZE,
) -> DiffPage:
    """Items that differ between versions `a` and `b`, with numbers above `after`, in order.

    `kind` keeps those that were added, removed or changed. Looks at LOOKED_AT items at most.
    """
    touched = touched_between(dataset.pk, a, b)
    found: list[Difference] = []
    looked, at = 0, after
    more: int | None = after
    while more is not None and len(found) <= size and looked < LOOKED_AT:
        # The first step is as small as the page: in most diffs every touched item differs.
        numbers, more = touched.numbers(at, size + 1 if not looked else STEP)
        for one in differences(dataset.pk, a, b, numbers):
            if not kind or one.kind == kind:
                found.append(one)
        looked += max(1, len(numbers))
        at = more if more is not None else at
    if len(found) > size:
        found = found[:size]
        more = found[-1].number
    return DiffPage(_with_items(found), more)


def diff_counts(dataset: Dataset, a: int, b: int) -> DiffCounts:
    """How many items differ between versions `a` and `b`.

    Exact for neighbours, for versions between which items were only added, and where few items were
    touched; else what the first LOOKED_AT of them come to.
    """
    if a > b:
        turned = diff_counts(dataset, b, a)
        return DiffCounts(turned.removed, turned.changed, turned.added, turned.exact)
    between = list(
        DatasetVersion.objects.filter(dataset=dataset, number__gt=a, number__lte=b).values_list(
            "added", "changed", "removed"
        )
    )
    added, changed, removed = (
        (sum(column) for column in zip(*between, strict=True)) if between else (0, 0, 0)
    )
    if len(between) <= 1 or not (changed or removed):
        return DiffCounts(added, changed, removed, True)
    touched = touched_between(dataset.pk, a, b)
    numbers, more = _first(touched)
    found = differences(dataset.pk, a, b, numbers)
    kinds = [one.kind for one in found]
    return DiffCounts(
        kinds.count("added"), kinds.count("changed"), kinds.count("removed"), more is None
    )


def find_change(dataset: Dataset, a: int, b: int, number: int) -> ItemChange | None:
    """How one item differs between two versions; None when it does not."""
    found = _with_items(differences(dataset.pk, a, b, [number]))
    return found[0] if found else None


def _first(touched: Touched) -> tuple[list[int], int | None]:
    """The numbers of the first touched items, LOOKED_AT at most, and where there are more."""
    numbers: list[int] = []
    more: int | None = 0
    steps = 0
    while more is not None and len(numbers) < LOOKED_AT and steps < 4:
        some, more = touched.numbers(more, LOOKED_AT - len(numbers))
        numbers += some
        steps += 1
    return numbers, more


def _with_items(found: Iterable[Difference]) -> list[ItemChange]:
    rows = list(found)
    ids = [pk for one in rows for pk in (one.before, one.after) if pk is not None]
    items: dict[int, ItemRevision] = {}
    for start in range(0, len(ids), 500):  # SQLite takes a bounded number of parameters
        items |= ItemRevision.objects.in_bulk(ids[start : start + 500])
    return [
        ItemChange(
            one.number,
            one.kind,
            None if one.before is None else items[one.before],
            None if one.after is None else items[one.after],
        )
        for one in rows
    ]
