"""Which items were touched between two versions, and what became of them: in steps by key.

The queries are written out, because each has to go the way of one index whatever the planner knows
about a table that has just grown. Everything here goes by item number, in bounded steps; what a
step costs does not depend on how many revisions an item has, nor on how large the dataset is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import connection

from datasets_app.models import DatasetVersion

SCANNED = 50_000
"""Revisions that one step reads at once, of the versions that brought the fewest. Each of the other
versions is entered at the number where the walk is."""
SEEKED = 20_000
"""Revisions that one step reads of all those versions together."""

Kind = Literal["added", "removed", "changed"]
KINDS: tuple[Kind, ...] = ("added", "removed", "changed")


@dataclass(frozen=True, slots=True)
class Difference:
    """An item that two versions do not have alike, with the ids of its revisions (None: not
    there)."""

    number: int
    kind: Kind
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Touched:
    """Revisions that came with each version between two: `small` versions are read together,
    `large` ones one by one."""

    dataset_id: int
    small: tuple[int, ...]
    large: tuple[int, ...]
    added: int
    changed: int
    removed: int
    versions: int

    @property
    def total(self) -> int:
        """How many revisions; an item that changed twice counts twice."""
        return self.added + self.changed + self.removed

    def numbers(self, after: int, want: int) -> tuple[list[int], int | None]:
        """Up to `want` numbers of touched items above `after`, in order, and how far they are
        complete (None: there are no more)."""
        found: set[int] = set()
        horizon: int | None = None
        for heads, limit in ((self._scan, want + 1), (self._seek, self._each(want))):
            for numbers in heads(after, limit):
                found.update(numbers)
                if len(numbers) == limit:
                    # Beyond its last number there may be others.
                    horizon = numbers[-1] if horizon is None else min(horizon, numbers[-1])
        numbers = sorted(found if horizon is None else (n for n in found if n <= horizon))
        if len(numbers) > want:
            return numbers[:want], numbers[want - 1]
        return numbers, horizon

    def _each(self, want: int) -> int:
        return max(8, min(want + 1, SEEKED // max(1, len(self.large))))

    def _scan(self, after: int, limit: int) -> Iterable[list[int]]:
        """The first numbers above `after` of all small versions."""
        if not self.small:
            return []
        if connection.vendor == "postgresql":
            # An array is always found by its own index; a join might walk all items in order.
            rows = _rows(
                "SELECT DISTINCT number FROM unnest(%s) AS version, unnest(array("
                f"SELECT r.number FROM {REVISIONS} r WHERE r.dataset_id = %s "
                "AND r.version_from = version AND r.number > %s ORDER BY r.number LIMIT %s"
                ")) AS number ORDER BY number LIMIT %s",
                [list(self.small), self.dataset_id, after, limit, limit],
            )
        else:
            # SQLite keeps the order of a CROSS JOIN: one version after the other.
            source, listed = _listed(self.small)
            rows = _rows(
                f"SELECT DISTINCT r.number FROM {source} CROSS JOIN {REVISIONS} r "
                "INDEXED BY revision_by_version "
                "WHERE r.dataset_id = %s AND r.version_from = n.number AND r.number > %s "
                "ORDER BY r.number LIMIT %s",
                [listed, self.dataset_id, after, limit],
            )
        return [[row[0] for row in rows]]

    def _seek(self, after: int, limit: int) -> Iterable[list[int]]:
        """The first numbers above `after` of each large version."""
        if not self.large:
            return []
        head = (
            f"SELECT r.number FROM {REVISIONS} r WHERE r.dataset_id = %s AND r.version_from = {{}} "
            "AND r.number > %s ORDER BY r.number LIMIT %s"
        )
        if connection.vendor == "postgresql":
            rows = _rows(
                "SELECT array(" + head.format("version") + ") FROM unnest(%s) AS version",
                [self.dataset_id, after, limit, list(self.large)],
            )
            return [row[0] for row in rows]
        return [
            [row[0] for row in _rows(head.format("%s"), [self.dataset_id, version, after, limit])]
            for version in self.large
        ]


REVISIONS = "datasets_app_itemrevision"
_SAME = ("input_json", "metadata_json", "tags_json", "split", "source", "content_hash")
_SAME_OR_NULL = ("expected_json", "context_json", "scorers_json", "external_id")


def touched_between(dataset_id: int, a: int, b: int) -> Touched:
    """What was touched after the older of two versions, up to the newer one."""
    low, high = sorted((a, b))
    found = DatasetVersion.objects.filter(dataset=dataset_id, number__gt=low, number__lte=high)
    rows = list(found.values_list("number", "added", "changed", "removed"))
    small: list[int] = []
    large: list[int] = []
    left = SCANNED
    for size, number in sorted((sum(counts), number) for number, *counts in rows if any(counts)):
        left -= size
        (small if left >= 0 else large).append(number)
    added, changed, removed = (sum(row[at] for row in rows) for at in (1, 2, 3))
    return Touched(dataset_id, tuple(small), tuple(large), added, changed, removed, len(rows))


def differences(dataset_id: int, a: int, b: int, numbers: Sequence[int]) -> list[Difference]:
    """Those of the items `numbers` that are not alike at versions `a` and `b`, in order."""
    if not numbers:
        return []
    at = (
        f"(SELECT id FROM {REVISIONS} WHERE dataset_id = %s AND number = n.number "
        "AND version_from <= %s ORDER BY version_from DESC LIMIT 1)"
    )
    equal = "IS NOT DISTINCT FROM" if connection.vendor == "postgresql" else "IS"
    same = " AND ".join(
        [f"a.{name} = b.{name}" for name in _SAME]
        + [f"a.{name} {equal} b.{name}" for name in _SAME_OR_NULL]
    )
    source, listed = _listed(numbers)
    rows = _rows(
        f"SELECT t.number, a.id, b.id FROM (SELECT n.number, {at} AS a, {at} AS b FROM {source}) t "
        f"LEFT JOIN {REVISIONS} a ON a.id = t.a AND NOT a.deleted "
        f"LEFT JOIN {REVISIONS} b ON b.id = t.b AND NOT b.deleted "
        "WHERE (a.id IS NOT NULL OR b.id IS NOT NULL) "
        f"AND (a.id IS NULL OR b.id IS NULL OR (a.id <> b.id AND NOT ({same})))",
        [dataset_id, a, dataset_id, b, listed],
    )
    found = [
        Difference(number, _kind(before, after), before, after) for number, before, after in rows
    ]
    return sorted(found, key=lambda one: one.number)


def _kind(before: int | None, after: int | None) -> Kind:
    if before is None:
        return "added"
    return "removed" if after is None else "changed"


def latest_revisions(dataset_id: int, version: int, numbers: Sequence[int]) -> list[int]:
    """Ids of the revisions that the items had at `version`, marks of removal among them."""
    if not numbers:
        return []
    source, listed = _listed(numbers)
    rows = _rows(
        f"SELECT (SELECT id FROM {REVISIONS} WHERE dataset_id = %s AND number = n.number "
        f"AND version_from <= %s ORDER BY version_from DESC LIMIT 1) FROM {source}",
        [dataset_id, version, listed],
    )
    return [row[0] for row in rows if row[0] is not None]


def _listed(numbers: Sequence[int]) -> tuple[str, Any]:
    if connection.vendor == "postgresql":
        return "unnest(%s) AS n(number)", list(numbers)
    return "(SELECT value AS number FROM json_each(%s)) n", json.dumps(list(numbers))


def _rows(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
