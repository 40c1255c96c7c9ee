"""Changes to many items on their way into a version that is not published yet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from datasets_app.actions.versions import (
    COLUMNS,
    ChangeSet,
    content_of,
    require_schemas,
    revision_row,
    schemas_at,
)
from datasets_app.item_schemas import ItemSchemas
from datasets_app.items import ItemContent
from datasets_app.models import ItemRevision
from evalhub.kit import bulk
from evalhub.kit.errors import Conflict

T = TypeVar("T")
LOOK_UP = 500  # SQLite takes a bounded number of parameters


class Changes:
    """Changes under `version`, kept until `flush`; the counts are of all that was asked for.

    `next_number` is the number of the next added item. Contents keep to `schemas`, by default those
    of the version before. Needs an open transaction.
    """

    def __init__(self, dataset_id: int, version: int, next_number: int) -> None:
        self.dataset_id = dataset_id
        self.version = version
        self.next_number = next_number
        self.added = self.changed = self.removed = 0
        self.schemas: ItemSchemas | None = None
        self._closed: list[ItemRevision] = []
        self._rows: list[tuple[object, ...]] = []
        self._unchecked: list[tuple[str, ItemContent]] = []
        self._purged: list[int] = []

    def add(self, content: ItemContent, *, pointer: str = "") -> int:
        """Add an item; returns its number. `pointer` is where a broken schema is told."""
        number = self.next_number
        self.next_number += 1
        self.added += 1
        self._unchecked.append((pointer or f"/items/{number}", content))
        self._rows.append(revision_row(self.dataset_id, number, self.version, content))
        return number

    def replace(self, revision: ItemRevision, content: ItemContent, *, pointer: str = "") -> None:
        """Put `content` in the place of the current revision; over a mark of removal, the item is
        there again.
        """
        if revision.deleted:
            self.added += 1
        else:
            self.changed += 1
        if revision.deleted or not _reads_alike(revision, content):
            self._unchecked.append((pointer or f"/items/{revision.number}", content))
        self._put(revision, content, deleted=False)

    def remove(self, revision: ItemRevision) -> None:
        """Remove an item, leaving a mark in its history."""
        self.removed += 1
        self._put(revision, content_of(revision), deleted=True)

    def flush(self) -> None:
        """Write them. Raises Conflict when an item has changed meanwhile and Invalid when a content
        breaks a schema; then the transaction is lost.
        """
        closed, rows, unchecked, purged = self._closed, self._rows, self._unchecked, self._purged
        self._closed, self._rows, self._unchecked, self._purged = [], [], [], []
        if unchecked and self.schemas is None:
            self.schemas = schemas_at(self.dataset_id, self.version - 1)
        if self.schemas:
            require_schemas(self.schemas, unchecked)
        for some in in_parts(closed):
            found = ItemRevision.objects.filter(
                pk__in=[revision.pk for revision in some], version_to=None
            ).update(version_to=self.version)
            if found != len(some):
                raise Conflict("An item has changed meanwhile. Nothing was changed.")
        if rows:
            bulk.insert(ItemRevision, COLUMNS, rows)
        for numbers in in_parts(purged):
            ItemRevision.objects.filter(
                dataset=self.dataset_id, number__in=numbers, version_from=self.version
            ).update(purged=True)

    def _put(self, revision: ItemRevision, content: ItemContent, *, deleted: bool) -> None:
        self._closed.append(revision)
        self._rows.append(
            revision_row(self.dataset_id, revision.number, self.version, content, deleted=deleted)
        )
        if revision.purged and revision.content_hash == content.content_hash:
            self._purged.append(revision.number)  # it stays so until it is given a content again

    def give_to(self, changes: ChangeSet) -> None:
        """Count what was flushed in the change set beside which it was written."""
        changes.added += self.added
        changes.changed += self.changed
        changes.removed += self.removed
        changes.dataset.next_item_number = self.next_number


def _reads_alike(revision: ItemRevision, content: ItemContent) -> bool:
    """Whether no schema can tell them apart."""
    return (
        revision.input_json == content.input_json
        and revision.expected_json == content.expected_json
        and revision.metadata_json == content.metadata_json
    )


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
