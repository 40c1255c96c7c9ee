"""Which rows are the items of a version, in the form that is quickest to read."""

from __future__ import annotations

from django.db.models import F, Sum

from datasets_app.models import Dataset, ItemRevision
from datasets_app.models.items import ItemRevisionQuerySet


def is_plain(dataset: Dataset, version: int, *, afresh: bool = False) -> bool:
    """Whether the rows without an end are the items of `version`: it is the newest one, and nobody
    is writing the next, which closes rows before it is published.

    `afresh` asks the database instead of `dataset`.
    """
    if not afresh:
        return version == dataset.version and dataset.pending_version is None
    now = Dataset.objects.filter(pk=dataset.pk, version=version, pending_version=None)
    return now.exists()


def visible(
    dataset: Dataset, version: int, *, plain: bool, by_id: bool = False
) -> ItemRevisionQuerySet:
    """The items at `version`. With `plain` (see `is_plain`) no row of the past is read on the way.

    Else the numbers end where those of the version ended, so that a list of ten items does not
    look through a million that came later. With `by_id` no index can go by the dataset: SQLite,
    asked for a few rows by their ids, would walk the whole list for them.
    """
    found = ItemRevision.objects.all()
    if by_id:
        found = found.alias(of_dataset=F("dataset_id") + 0).filter(of_dataset=dataset.pk)
    else:
        found = found.filter(dataset=dataset)
    if plain:
        return found.filter(version_to=None, deleted=False)
    last = last_number(dataset, version)
    found = found.at(version)
    return found if last is None else found.filter(number__lte=last)


def last_number(dataset: Dataset, version: int) -> int | None:
    """No item of `version` has a higher number; None when that is not known.

    Numbers only rise, so the items added so far tell the last of them, unless some were never used
    or an item was added again. Whether they do is asked of the first item above.
    """
    if version >= dataset.version:
        return dataset.next_item_number - 1
    until = dataset.versions.filter(number__lte=version).aggregate(n=Sum("added", default=0))["n"]
    above = ItemRevision.objects.filter(dataset=dataset, number__gt=until)
    first = above.order_by("number", "version_from").values_list("version_from", flat=True).first()
    return int(until) if first is None or first > version else None
