"""Taking one version back: a new version that reverses exactly what that one changed."""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.actions.versions import content_of
from datasets_app.bulk.applying import MAX_OFFENDERS, numbers_text
from datasets_app.bulk.changes import Changes, holders, in_parts
from datasets_app.models import ItemRevision
from evalhub.kit.errors import Conflict, FieldError


def read_changed(dataset_id: int, version: int, after: int, limit: int) -> list[ItemRevision]:
    """The revisions that `version` brought, with numbers above `after`, in number order."""
    found = ItemRevision.objects.filter(
        dataset=dataset_id, version_from=version, number__gt=after
    ).order_by("number")
    return list(found[:limit])


def take_back(version: int, items: Sequence[ItemRevision], changes: Changes) -> None:
    """Make each item again what it was before `version`, whose revisions `items` are.

    Raises Conflict when one of them has changed since, was purged, or when the external id of one
    that was deleted is another's now.
    """
    _require_unchanged(version, items)
    before = _before(changes.dataset_id, version, items)
    _require_free_ids(changes.dataset_id, items, before)
    for item in items:
        earlier = before.get(item.number)
        if earlier is not None and not earlier.deleted:
            changes.replace(item, content_of(earlier))
        elif not item.deleted:
            changes.remove(item)


def _require_unchanged(version: int, items: Sequence[ItemRevision]) -> None:
    changed = [item.number for item in items if item.version_to is not None]
    if changed:
        raise Conflict(
            f"{numbers_text(changed)} changed again after v{version}, so that version cannot be "
            "undone as a whole. Nothing was changed.",
            errors=[FieldError(f"/items/{n}", "Changed since.") for n in changed[:MAX_OFFENDERS]],
        )


def _before(
    dataset_id: int, version: int, items: Sequence[ItemRevision]
) -> dict[int, ItemRevision]:
    """{number: what the item was before}, without those that the version brought."""
    found: dict[int, ItemRevision] = {}
    for some in in_parts([item.number for item in items]):
        for earlier in ItemRevision.objects.filter(
            dataset=dataset_id, number__in=some, version_to=version
        ):
            found[earlier.number] = earlier
    purged = sorted(number for number, earlier in found.items() if earlier.purged)
    if purged:
        raise Conflict(
            f"{numbers_text(purged)} purged: what it said before v{version} is gone for good. "
            "Nothing was changed."
        )
    return found


def _require_free_ids(
    dataset_id: int, items: Sequence[ItemRevision], before: dict[int, ItemRevision]
) -> None:
    own = {item.number for item in items}
    wanted = [one.external_id for one in before.values() if one.external_id is not None]
    taken = {
        key: holder
        for key, holder in holders(dataset_id, wanted).items()
        if holder.number not in own
    }
    if taken:
        errors = [
            FieldError(
                f"/items/{one.number}/external_id",
                f"External ID “{one.external_id}” of item #{one.number} belongs to item "
                f"#{taken[one.external_id].number} now.",
            )
            for one in before.values()
            if one.external_id in taken
        ]
        raise Conflict(
            f"{errors[0].detail} Nothing was changed.",
            errors=errors[:MAX_OFFENDERS],
        )
