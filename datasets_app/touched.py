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
"""Revisions up to which all of a range of versions are read at once; above, each version is
entered at the number where the walk is."""
SEEKED = 20_000
"""Revisions that one step reads of all versions together."""

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
    """Revisions that came with each version between two, of those that brought any."""

    dataset_id: int
    low: int
    high: int
    counts: dict[int, int]

    @property
    def total(self) -> int:
        """How many revisions; an item that changed twice counts twice."""
        return sum(self.counts.values())

    def numbers(self, after: int, want: int) -> tuple[list[int], int | None]:
        """Up to about `want` numbers of touched items above `after`, in order, and how far they
        are complete (None: there are no more)."""
        if not self.counts:
            return [], None
        if self.total <= SCANNED:
            found = self._scan(after, want + 1)
            return found[:want], found[want - 1] if len(found) > want else None
        return self._seek(after, want)

    def _scan(self, after: int, limit: int) -> list[int]:
        rows = _rows(
            f"WITH touched AS MATERIALIZED (SELECT number FROM {REVISIONS} "
            "WHERE dataset_id = %s AND version_from > %s AND version_from <= %s) "
            "SELECT DISTINCT number FROM touched WHERE number > %s ORDER BY number LIMIT %s",
            [self.dataset_id, self.low, self.high, after, limit],
        )
        return [row[0] for row in rows]

    def _seek(self, after: int, want: int) -> tuple[list[int], int | None]:
        each = max(8, min(want + 1, SEEKED // len(self.counts)))
        found: set[int] = set()
        horizon: int | None = None
        for numbers in self._heads(after, each):
            found.update(numbers)
            if len(numbers) == each:
                # Beyond its last number this version may have others.
                horizon = numbers[-1] if horizon is None else min(horizon, numbers[-1])
        numbers = sorted(found if horizon is None else (n for n in found if n <= horizon))
        if len(numbers) > want:
            return numbers[:want], numbers[want - 1]
        return numbers, horizon

    def _heads(self, after: int, limit: int) -> Iterable[list[int]]:
        """The first numbers above `after` of each version."""
        head = (
            f"SELECT number FROM {REVISIONS} WHERE dataset_id = %s AND version_from = {{}} "
            "AND number > %s ORDER BY number LIMIT %s"
        )
        if connection.vendor == "postgresql":
            rows = _rows(
                "SELECT version, array(" + head.format("version") + ") FROM unnest(%s) AS version",
                [self.dataset_id, after, limit, list(self.counts)],
            )
            return [row[1] for row in rows]
        return (
            [row[0] for row in _rows(head.format("%s"), [self.dataset_id, version, after, limit])]
            for version in self.counts
        )


REVISIONS = "datasets_app_itemrevision"
_SAME = ("input_json", "metadata_json", "tags_json", "split", "source", "content_hash")
_SAME_OR_NULL = ("expected_json", "context_json", "scorers_json", "external_id")


def touched_between(dataset_id: int, a: int, b: int) -> Touched:
    """What was touched after the older of two versions, up to the newer one."""
    low, high = sorted((a, b))
    found = DatasetVersion.objects.filter(dataset=dataset_id, number__gt=low, number__lte=high)
    counts = {
        number: added + changed + removed
        for number, added, changed, removed in found.values_list(
            "number", "added", "changed", "removed"
        )
        if added or changed or removed
    }
    return Touched(dataset_id, low, high, counts)


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
