"""What differs between two versions of a dataset: bounded pages by item number, and counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from datasets_app.models import Dataset, ItemRevision
from datasets_app.touched import Difference, Kind, Touched, differences, touched_between

PAGE_SIZE = 50
STEP = 500
LOOKED_AT = 2_000
"""Touched items that one page looks at: most may be alike, changed and changed back."""

COUNTED = 1_000
"""Touched items that are counted one by one where the versions' own counts do not tell."""


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
    touched: Touched | None = None,
) -> DiffPage:
    """Items that differ between versions `a` and `b`, with numbers above `after`, in order.

    `kind` keeps those that were added, removed or changed. Looks at about LOOKED_AT items at most.
    `touched` is what `touched_between` gave, when the caller has it.
    """
    touched = touched or touched_between(dataset.pk, a, b)
    found: list[Difference] = []
    looked, more = 0, after if touched.total else None
    while more is not None and len(found) <= size and looked < LOOKED_AT:
        # The first step is as small as the page: in most diffs every touched item differs.
        numbers, more = touched.numbers(more, size + 1 if not looked else STEP)
        differing = differences(dataset.pk, a, b, numbers)
        found += [one for one in differing if not kind or one.kind == kind]
        looked += max(1, len(numbers))
    if len(found) > size:
        found = found[:size]
        more = found[-1].number
    return DiffPage(_with_items(found), more)


def diff_counts(dataset: Dataset, a: int, b: int, *, touched: Touched | None = None) -> DiffCounts:
    """How many items differ between versions `a` and `b`.

    Exact for neighbours, for versions between which items were only added, and where few items were
    touched; else what the first COUNTED of them come to.
    """
    touched = touched or touched_between(dataset.pk, a, b)
    if touched.versions <= 1 or not (touched.changed or touched.removed):
        counts = DiffCounts(touched.added, touched.changed, touched.removed, True)
        return counts if a <= b else replace(counts, added=counts.removed, removed=counts.added)
    numbers, more = _first(touched)
    kinds = [one.kind for one in differences(dataset.pk, a, b, numbers)]
    added, changed, removed = (kinds.count(kind) for kind in ("added", "changed", "removed"))
    return DiffCounts(added, changed, removed, more is None)


def find_change(dataset: Dataset, a: int, b: int, number: int) -> ItemChange | None:
    """How one item differs between two versions; None when it does not."""
    found = _with_items(differences(dataset.pk, a, b, [number]))
    return found[0] if found else None


def _first(touched: Touched) -> tuple[list[int], int | None]:
    """The numbers of the first touched items, COUNTED at most, and where there are more."""
    numbers: list[int] = []
    more: int | None = 0
    steps = 0
    while more is not None and len(numbers) < COUNTED and steps < 4:
        some, more = touched.numbers(more, COUNTED - len(numbers))
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
