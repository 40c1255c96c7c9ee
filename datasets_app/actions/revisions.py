"""Bring an earlier revision of an item back, and copy an item."""

from __future__ import annotations

from datasets_app.actions.items import add_items, current_item, require_free_external_id
from datasets_app.actions.versions import change_set, content_of
from datasets_app.items import with_source, without_external_id
from datasets_app.models import Dataset, ItemRevision
from evalhub.access.models import User
from evalhub.kit.errors import Conflict, NotFound, StaleRevision


def restore_revision(
    *,
    dataset: Dataset,
    number: int,
    revision: int,
    by: User,
    current: int | None = None,
    message: str = "",
) -> ItemRevision:
    """Make the content of `revision` (an id) the item's own again, as a new version.

    An item that was removed comes back under its number. `current` is the id of the newest row of
    the item's history that the caller knows of; StaleRevision when there is a newer one. The same
    content again makes no version. Raises NotFound, and Conflict for a purged revision or a taken
    external id.
    """
    with change_set(dataset=dataset, by=by, message=message) as changes:
        wanted = find_revision(changes.dataset, number, revision)
        newest = ItemRevision.objects.get(dataset=dataset, number=number, version_to=None)
        if current is not None and newest.pk != current:
            raise StaleRevision(
                f"Item #{number} was changed in v{newest.version_from} meanwhile, so nothing was "
                "restored. Look at its history first.",
                current=newest.pk,
            )
        if wanted.purged and not newest.deleted:
            raise Conflict(f"This revision of item #{number} was purged: nothing is left of it.")
        content = content_of(wanted)
        if not newest.deleted and content_of(newest).same_payload(content):
            return newest
        require_free_external_id(changes, content, number)
        if newest.deleted:
            changes.revive(newest, content)
        else:
            changes.replace(newest, content)
    return current_item(dataset, number)


def copy_item(*, item: ItemRevision, of: Dataset, to: Dataset, by: User, message: str = "") -> int:
    """Add a copy of an item of dataset `of` to `to`, the same or another one; returns its number.

    In the same dataset the copy has no external id. In another one it keeps it, and an item there
    with the same id and content counts as the copy. Raises what `add_items` does, and Conflict for
    a purged item.
    """
    if item.purged:
        raise Conflict(f"Item #{item.number} was purged: there is nothing to copy.")
    source = f"{of.name}, item {item.number}, v{item.version_from}"
    content = with_source(content_of(item), source)
    if of.pk == to.pk:
        content = without_external_id(content)
    return add_items(dataset=to, contents=[content], by=by, message=message)[0]


def find_revision(dataset: Dataset, number: int, revision: int) -> ItemRevision:
    """The published revision with that id of item `number`. Raises NotFound."""
    found = ItemRevision.objects.filter(
        pk=revision, dataset=dataset, number=number, version_from__lte=dataset.version
    ).first()
    if found is None:
        raise NotFound(f"Item #{number} of {dataset.name} has no such revision.")
    return found
