"""Duplicate a dataset: everything as it is now, under a new name.

Up to INLINE_ITEMS at once, above that as a job in the background (kind "duplicate"); both write the
copy's version 1, in which the items keep their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from datasets_app.actions.datasets import create_dataset
from datasets_app.actions.jobs import start_job
from datasets_app.actions.versions import (
    COLUMNS,
    change_set,
    content_of,
    item_count,
    revision_row,
)
from datasets_app.bulk.changes import Changes
from datasets_app.bulk.kinds import Kind
from datasets_app.models import Dataset, DatasetJob, DatasetVersion, ItemRevision
from evalhub.access.models import User
from evalhub.kit import bulk, events
from evalhub.kit.errors import NotFound

INLINE_ITEMS = 5_000
DUPLICATED = "dataset_duplicated"
"""The event: `source` and `copy` are ids of datasets, `by` a User."""


@transaction.atomic
def duplicate_dataset(
    *, dataset: Dataset, by: User, name: str = ""
) -> tuple[Dataset, DatasetJob | None]:
    """A new dataset with the items of the current version, external ids and numbers included, and
    with schemas, description, tags and defaults; its first version names where it came from.

    The job is None when all is there already. Raises Invalid, Conflict when the name is taken, and
    NotFound for a deleted dataset.
    """
    source = (
        Dataset.objects.select_related("project").filter(pk=dataset.pk, deleted_at=None).first()
    )
    if source is None:
        raise NotFound("This dataset has been deleted.")
    copy = create_dataset(
        project=source.project,
        name=name.strip() or _free_name(source),
        by=by,
        description=source.description,
        tags=source.tags,
    )
    events.tell(DUPLICATED, source=source.pk, copy=copy.pk, by=by)
    if not source.version:
        return copy, None
    message = f"Duplicated from {source.name} v{source.version}"
    total = item_count(source.pk, source.version)
    if total > INLINE_ITEMS:
        params = {"source": source.pk, "source_version": source.version}
        job = start_job(
            dataset=copy, kind="duplicate", params=params, by=by, message=message, total=total
        )
        copy.refresh_from_db()
        return copy, job
    _copy_now(source, copy, by, message)
    return copy, None


def _copy_now(source: Dataset, copy: Dataset, by: User, message: str) -> None:
    with change_set(dataset=copy, by=by, message=message) as changes:
        items = list(
            ItemRevision.objects.filter(dataset=source).at(source.version).order_by("number")
        )
        rows = (
            revision_row(copy.pk, item.number, changes.version, content_of(item)) for item in items
        )
        bulk.insert(ItemRevision, COLUMNS, rows)
        changes.added += len(items)
        if items:
            changes.dataset.next_item_number = items[-1].number + 1
    _take_schemas(source.pk, source.version, copy.pk)


def _free_name(source: Dataset) -> str:
    """ "Copy of X", numbered when there is one already."""
    stem = f"Copy of {source.name}"[:110]
    taken = set(
        Dataset.objects.filter(
            project=source.project, deleted_at=None, name__startswith=stem
        ).values_list("name", flat=True)
    )
    name, number = stem, 2
    while name in taken:
        name = f"{stem} {number}"
        number += 1
    return name


def _take_schemas(source: int, version: int, copy: int) -> None:
    schemas = (
        DatasetVersion.objects.filter(dataset=source, number=version)
        .values_list("schemas", flat=True)
        .first()
    )
    if schemas:
        DatasetVersion.objects.filter(dataset=copy, number=1).update(schemas=schemas)


def _read(job: DatasetJob, after: int, limit: int) -> list[ItemRevision]:
    found = ItemRevision.objects.filter(dataset=job.params["source"], number__gt=after)
    return list(found.at(job.params["source_version"]).order_by("number")[:limit])


def _count(job: DatasetJob) -> int:
    return item_count(job.params["source"], job.params["source_version"])


def _copy(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    for item in items:
        changes.next_number = item.number  # the copy's numbers are the source's, gaps and all
        changes.add(content_of(item))


def _published(job: DatasetJob, version: DatasetVersion) -> None:
    _take_schemas(job.params["source"], job.params["source_version"], job.dataset_id)


KIND = Kind(_read, (_copy,), _count, always=True, published=_published)
