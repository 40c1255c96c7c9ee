"""The one way in which items change: a change set, published as one version."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models.functions import Now

from datasets_app.item_schemas import ItemSchemas, compile_schemas
from datasets_app.items import ItemContent
from datasets_app.models import Dataset, DatasetJob, DatasetVersion, ItemRevision
from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit import bulk
from evalhub.kit.errors import Conflict, FieldError, Invalid, NotFound

MAX_PROBLEMS = 1_000

COLUMNS = (
    "dataset",
    "number",
    "version_from",
    "deleted",
    "input_json",
    "expected_json",
    "metadata_json",
    "context_json",
    "tags_json",
    "scorers_json",
    "split",
    "external_id",
    "source",
    "content_hash",
)


def revision_row(
    dataset_id: int, number: int, version: int, content: ItemContent, *, deleted: bool = False
) -> tuple[object, ...]:
    """One row for `bulk.insert(ItemRevision, COLUMNS, ...)`."""
    return (
        dataset_id,
        number,
        version,
        deleted,
        content.input_json,
        content.expected_json,
        content.metadata_json,
        content.context_json,
        content.tags_json,
        content.scorers_json,
        content.split,
        content.external_id,
        content.source,
        content.content_hash,
    )


def content_of(revision: ItemRevision) -> ItemContent:
    """The content of a stored revision."""
    return ItemContent(
        input_json=revision.input_json,
        expected_json=revision.expected_json,
        metadata_json=revision.metadata_json,
        context_json=revision.context_json,
        tags_json=revision.tags_json,
        scorers_json=revision.scorers_json,
        split=revision.split,
        external_id=revision.external_id,
        source=revision.source,
        content_hash=revision.content_hash,
    )


@dataclass(slots=True)
class ChangeSet:
    """Changes that become version `version` of `dataset` together, or not at all."""

    dataset: Dataset
    version: int
    added: int = 0
    changed: int = 0
    removed: int = 0
    _schemas: ItemSchemas | None = field(default=None, init=False)

    def add(
        self, contents: Sequence[ItemContent], *, places: Sequence[int] | None = None
    ) -> list[int]:
        """Add items; returns their numbers.

        Raises Invalid when one breaks a schema, with pointers such as /items/0/input/question;
        `places` are the indexes to name instead of those in `contents`.
        """
        self._require_schemas(
            (f"/items/{index}", content)
            for index, content in zip(places or range(len(contents)), contents, strict=True)
        )
        first = self.dataset.next_item_number
        numbers = list(range(first, first + len(contents)))
        self._insert(
            revision_row(self.dataset.pk, number, self.version, content)
            for number, content in zip(numbers, contents, strict=True)
        )
        self.dataset.next_item_number += len(contents)
        self.added += len(contents)
        return numbers

    def replace(self, revision: ItemRevision, content: ItemContent) -> None:
        """Put a new revision in the place of the current one. Raises Invalid when it breaks a
        schema, with pointers such as /input/question.
        """
        self._require_schemas([("", content)])
        self._close(revision)
        self._insert([revision_row(self.dataset.pk, revision.number, self.version, content)])
        self._stay_purged(revision, content)
        self.changed += 1

    def remove(self, revision: ItemRevision) -> None:
        """Remove an item, leaving a mark in its history."""
        self._close(revision)
        content = content_of(revision)
        self._insert(
            [revision_row(self.dataset.pk, revision.number, self.version, content, deleted=True)]
        )
        self._stay_purged(revision, content)
        self.removed += 1

    def revive(self, mark: ItemRevision, content: ItemContent) -> None:
        """Bring a removed item back with that content; `mark` is its removal in the history.

        Raises Invalid when it breaks a schema.
        """
        if not mark.purged:
            self._require_schemas([("", content)])
        self._close(mark)
        self._insert([revision_row(self.dataset.pk, mark.number, self.version, content)])
        self._stay_purged(mark, content)
        self.added += 1

    @property
    def empty(self) -> bool:
        return not (self.added or self.changed or self.removed)

    def _require_schemas(self, contents: Iterable[tuple[str, ItemContent]]) -> None:
        if self._schemas is None:
            self._schemas = schemas_at(self.dataset.pk, self.dataset.version)
        if self._schemas:
            require_schemas(self._schemas, contents)

    def _insert(self, rows: Iterable[tuple[object, ...]]) -> None:
        bulk.insert(ItemRevision, COLUMNS, rows)

    def _stay_purged(self, before: ItemRevision, content: ItemContent) -> None:
        """An item that was purged remains so until it is given a content again."""
        if before.purged and before.content_hash == content.content_hash:
            ItemRevision.objects.filter(
                dataset=self.dataset, number=before.number, version_from=self.version
            ).update(purged=True)

    def _close(self, revision: ItemRevision) -> None:
        closed = ItemRevision.objects.filter(pk=revision.pk, version_to=None).update(
            version_to=self.version
        )
        if not closed:
            raise Conflict(f"Item #{revision.number} has changed meanwhile. Load it again.")


@contextmanager
def change_set(*, dataset: Dataset, by: User, message: str = "") -> Iterator[ChangeSet]:
    """Open a change set under the dataset's lock; leaving it publishes one version (none when
    empty).

    Raises what `lock_for_change` does.
    """
    with transaction.atomic():
        locked = lock_for_change(dataset)
        changes = ChangeSet(locked, locked.version + 1)
        yield changes
        if not changes.empty:
            publish(changes, by=by, message=message)
    dataset.refresh_from_db()


def lock_for_change(dataset: Dataset) -> Dataset:
    """The dataset, locked until the transaction ends: the one place that says who may change it.

    Raises NotFound for a deleted one, Conflict for an archived one (it is read-only) and while an
    import or another job is writing the next version.
    """
    locked = (
        Dataset.objects.select_for_update(no_key=True, of=("self",))
        .select_related("project")
        .filter(pk=dataset.pk, deleted_at=None)
        .first()
    )
    if locked is None:
        raise NotFound("This dataset has been deleted.")
    if locked.archived_at is not None:
        raise Conflict(
            f"{locked.name} is archived, so it cannot be changed. Take it out of the archive first."
        )
    if locked.pending_version is not None:
        raise Conflict(
            f"{_writer(locked)} is writing version {locked.pending_version} of this dataset. "
            "Wait for it to end, or cancel it."
        )
    return locked


def _writer(dataset: Dataset) -> str:
    return "A bulk action" if DatasetJob.objects.writing(dataset).exists() else "An import"


def publish(changes: ChangeSet, *, by: User | None, message: str) -> DatasetVersion:
    """Make the version of `changes` the current one. The caller holds the dataset's lock.

    It keeps the schemas of the version before.
    """
    dataset = changes.dataset
    last = DatasetVersion.objects.filter(dataset=dataset, number=dataset.version).first()
    version = DatasetVersion.objects.create(
        dataset=dataset,
        number=changes.version,
        author=by,
        message=message[:500],
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed,
        item_count=(last.item_count if last else 0) + changes.added - changes.removed,
        schemas=last.schemas if last else {},
    )
    Dataset.objects.filter(pk=dataset.pk).update(
        version=changes.version,
        pending_version=None,
        next_item_number=dataset.next_item_number,
        updated_at=Now(),
    )
    audit(
        dataset.project,
        by,
        "dataset.version",
        f"{dataset.slug} v{changes.version}",
        added=changes.added,
        changed=changes.changed,
        removed=changes.removed,
    )
    return version


def item_count(dataset_id: int, version: int) -> int:
    """How many items the dataset has at `version`; 0 for version 0."""
    return (
        DatasetVersion.objects.filter(dataset=dataset_id, number=version)
        .values_list("item_count", flat=True)
        .first()
        or 0
    )


def stored_schemas(dataset_id: int, version: int) -> dict[str, str]:
    """The schemas that hold at `version`, as texts by field; {} when there are none."""
    return (
        DatasetVersion.objects.filter(dataset=dataset_id, number=version)
        .values_list("schemas", flat=True)
        .first()
        or {}
    )


def schemas_at(dataset_id: int, version: int) -> ItemSchemas:
    """The same, compiled."""
    return compile_schemas(stored_schemas(dataset_id, version))


def require_schemas(schemas: ItemSchemas, contents: Iterable[tuple[str, ItemContent]]) -> None:
    """Raises Invalid with what is wrong with the contents, each given with its JSON pointer."""
    problems: list[FieldError] = []
    broken = 0
    for pointer, content in contents:
        found = schemas.problems(content, pointer=pointer)
        broken += bool(found)
        problems += found[: MAX_PROBLEMS - len(problems)]
    if problems:
        first = problems[0]
        where = re.sub(r"^/items/\d+", "", first.pointer).lstrip("/")
        more = f" {broken:,} items do not match." if broken > 1 else ""
        raise Invalid(f"{where} does not match the schema: {first.detail}{more}", errors=problems)
