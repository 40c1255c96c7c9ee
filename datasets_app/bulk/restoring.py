"""Restoring an old version: the items that differ become again what they were, as a new version.

A first pass writes them, a second one the external ids that moved: until the last batch another
item may still hold the id that the first one gets back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from datasets_app.actions.versions import content_of
from datasets_app.bulk.changes import Changes, in_parts
from datasets_app.bulk.kinds import Kind
from datasets_app.models import DatasetJob, ItemRevision
from datasets_app.touched import differences, latest_revisions, touched_between


def read_touched(job: DatasetJob, after: int, limit: int) -> list[ItemRevision]:
    """The newest rows of items that were touched since the version; in the second pass those that
    the job wrote without their external ids."""
    assert job.version is not None
    if job.params.get("pass", 0):
        found = ItemRevision.objects.filter(
            dataset=job.dataset_id, version_from=job.version, deleted=False, external_id=None
        )
        return list(found.filter(number__gt=after).order_by("number")[:limit])
    touched = touched_between(job.dataset_id, job.params["restored"], job.dataset.version)
    more: int | None = after
    while more is not None:
        numbers, more = touched.numbers(more, limit)
        if numbers:
            return _latest(job, numbers)
    return []


def count_touched(job: DatasetJob) -> int:
    """At most how many items will be looked at in one pass."""
    return touched_between(job.dataset_id, job.params["restored"], job.dataset.version).total


def restore_items(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    """Make the items what they were. What was purged stays as it is."""
    current = {item.number: item for item in items}
    earlier = _earlier(job, list(current))
    for number, was in earlier.items():
        item = current[number]
        if was is None:
            changes.remove(item)
        elif not was.purged and not item.purged:
            content = content_of(was)
            if content.external_id != item.external_id or item.deleted:
                content = replace(content, external_id=None)
            changes.replace(item, content)


def restore_external_ids(job: DatasetJob, items: Sequence[ItemRevision], changes: Changes) -> None:
    """Give the rows of the first pass their external ids: nobody has seen them yet."""
    latest = latest_revisions(job.dataset_id, job.params["restored"], [i.number for i in items])
    wanted: dict[int, str | None] = {}
    for some in in_parts(latest):
        found = ItemRevision.objects.filter(pk__in=some).exclude(external_id=None)
        wanted |= dict(found.values_list("number", "external_id"))
    for item in items:
        item.external_id = wanted.get(item.number)
    ItemRevision.objects.bulk_update(
        [item for item in items if item.external_id is not None], ["external_id"], batch_size=200
    )


def _latest(job: DatasetJob, numbers: Sequence[int]) -> list[ItemRevision]:
    found: list[ItemRevision] = []
    for some in in_parts(latest_revisions(job.dataset_id, job.dataset.version, numbers)):
        found += ItemRevision.objects.filter(pk__in=some)
    return sorted(found, key=lambda item: item.number)


def _earlier(job: DatasetJob, numbers: Sequence[int]) -> dict[int, ItemRevision | None]:
    """{number: what the item was} of those that differ; None where it was not there."""
    found = differences(job.dataset_id, job.dataset.version, job.params["restored"], numbers)
    revisions: dict[int, ItemRevision] = {}
    for some in in_parts([one.after for one in found if one.after is not None]):
        revisions |= ItemRevision.objects.in_bulk(list(some))
    return {one.number: None if one.after is None else revisions[one.after] for one in found}


KIND = Kind(read=read_touched, steps=(restore_items, restore_external_ids), count=count_touched)
