"""Changes to many items on their way into a version that is not published yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from datasets_app.actions.versions import COLUMNS, content_of, revision_row
from datasets_app.items import ItemContent
from datasets_app.models import ItemRevision
from evalhub.kit import bulk
from evalhub.kit.errors import Conflict

T = TypeVar("T")
LOOK_UP = 500  # SQLite takes a bounded number of parameters


class Changes:
    """Changes under `version`, kept until `flush`; the counts hold what was asked for since made.

    `next_number` is the number of the next added item. Needs an open transaction.
    """

    def __init__(self, dataset_id: int, version: int, next_number: int) -> None:
        self.dataset_id = dataset_id
        self.version = version
        self.next_number = next_number
        self.added = self.changed = self.removed = 0
        self._closed: list[ItemRevision] = []
        self._rows: list[tuple[object, ...]] = []

    def add(self, content: ItemContent) -> int:
        """Add an item; returns its number."""
        number = self.next_number
        self.next_number += 1
        self.added += 1
        self._rows.append(revision_row(self.dataset_id, number, self.version, content))
        return number

    def replace(self, revision: ItemRevision, content: ItemContent) -> None:
        """Put `content` in the place of the current revision; over a mark of removal, the item is
        there again.
        """
        if revision.deleted:
            self.added += 1
        else:
            self.changed += 1
        self._closed.append(revision)
        self._rows.append(revision_row(self.dataset_id, revision.number, self.version, content))

    def remove(self, revision: ItemRevision) -> None:
        """Remove an item, leaving a mark in its history."""
        self.removed += 1
        self._closed.append(revision)
        content = content_of(revision)
        self._rows.append(
            revision_row(self.dataset_id, revision.number, self.version, content, deleted=True)
        )

    def flush(self) -> None:
        """Write them. Raises Conflict, and the transaction is lost, when an item has changed
        meanwhile or an external id is taken.
        """
        closed, rows = self._closed, self._rows
        self._closed, self._rows = [], []
        for some in in_parts(closed):
            found = ItemRevision.objects.filter(
                pk__in=[revision.pk for revision in some], version_to=None
            ).update(version_to=self.version)
            if found != len(some):
                raise Conflict("An item has changed meanwhile. Nothing was changed.")
        if rows:
            bulk.insert(ItemRevision, COLUMNS, rows)


def holders(dataset_id: int, external_ids: Iterable[str]) -> dict[str, ItemRevision]:
    """{external id: the current item that has it}, of any number of ids."""
    found: dict[str, ItemRevision] = {}
    for some in in_parts(sorted(set(external_ids))):
        for revision in ItemRevision.objects.filter(
            dataset=dataset_id, external_id__in=some, version_to=None, deleted=False
        ):
            if revision.external_id is not None:
                found[revision.external_id] = revision
    return found


def in_parts(things: Sequence[T]) -> Iterable[Sequence[T]]:
    """The things in lists that are short enough for one query."""
    return (things[start : start + LOOK_UP] for start in range(0, len(things), LOOK_UP))
