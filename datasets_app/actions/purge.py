"""Remove what an item says for good, from every version and from the results of its runs."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from datasets_app.actions.versions import lock_for_change
from datasets_app.indexing import forget
from datasets_app.models import Dataset, ItemNote, ItemRevision
from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit import events
from evalhub.kit.errors import NotFound
from evalhub.kit.json import ABSENT, content_hash

ITEM_PURGED = "item_purged"
"""Told with dataset_id, project_id, number and inputs (JSON texts that were the item's input)."""

NOTHING = "null"


@transaction.atomic
def purge_item(*, dataset: Dataset, number: int, by: User) -> int:
    """Blank the content of item `number` in all versions; returns in how many revisions.

    Notes on it go as well. Its number, its split and its place in every version stay, so counts
    stay true; there is no new version, and no way back. Who listens to ITEM_PURGED blanks what was
    made of the item. Raises NotFound, and Conflict while an import, a job or a run is at work on
    the dataset.
    """
    locked = lock_for_change(dataset)
    # A run that begins refers to the dataset's row: it waits here, and then reads what is blank.
    Dataset.objects.select_for_update(of=("self",)).get(pk=locked.pk)
    revisions = ItemRevision.objects.filter(dataset=locked, number=number)
    inputs = set(revisions.filter(purged=False).values_list("input_json", flat=True))
    forget(locked.pk, number)
    blanked = revisions.update(
        input_json=NOTHING,
        expected_json=None,
        metadata_json="{}",
        context_json=None,
        tags_json="[]",
        scorers_json=None,
        external_id=None,
        source="",
        content_hash=content_hash(None, ABSENT, ABSENT),
        purged=True,
    )
    if not blanked:
        raise NotFound(f"There is no item #{number} in {locked.name}.")
    ItemNote.objects.filter(dataset=locked, number=number).delete()
    events.tell(
        ITEM_PURGED,
        dataset_id=locked.pk,
        project_id=locked.project_id,
        number=number,
        inputs=inputs,
    )
    Dataset.objects.filter(pk=locked.pk).update(updated_at=Now())
    audit(locked.project, by, "item.purged", f"{locked.slug} #{number}", revisions=blanked)
    return blanked
