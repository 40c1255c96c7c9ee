"""Many different changes to items as one version: add, update and delete together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from datasets_app.actions.versions import change_set, content_of
from datasets_app.bulk.changes import Changes, holders, in_parts
from datasets_app.items import ItemContent
from datasets_app.models import Dataset, ItemRevision
from evalhub.access.models import User
from evalhub.kit.errors import Conflict, FieldError, Invalid, NotFound, StaleRevision

MAX_CHANGES = 5_000
MAX_LISTED = 1_000


@dataclass(frozen=True, slots=True)
class ItemUpdate:
    """`revision` is the id of the one that the change is based on."""

    number: int
    revision: int
    content: ItemContent


@dataclass(frozen=True, slots=True)
class ItemRemoval:
    """`revision` None: whatever the item says now."""

    number: int
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """`numbers` are those of the added items, in order; `version` is None when nothing changed."""

    version: int | None
    numbers: list[int]
    added: int
    changed: int
    removed: int


def batch_items(
    *,
    dataset: Dataset,
    add: Sequence[ItemContent] = (),
    update: Sequence[ItemUpdate] = (),
    delete: Sequence[ItemRemoval] = (),
    by: User,
    message: str = "",
) -> BatchOutcome:
    """Make all changes as one version, or none of them.

    An external id may go from one item to another in the same batch. Raises Invalid, NotFound,
    StaleRevision and Conflict, each with all offenders.
    """
    if len(add) + len(update) + len(delete) > MAX_CHANGES:
        raise Invalid(
            f"A batch has at most {MAX_CHANGES:,} changes. Import a file, or use a bulk action."
        )
    _refuse_twice(update, delete)
    with change_set(dataset=dataset, by=by, message=message) as changes:
        current = _current(changes.dataset, update, delete)
        _require_revisions(current, update, delete)
        made = Changes(dataset.pk, changes.version, changes.dataset.next_item_number)
        kept = _settle_external_ids(changes.dataset, current, add, update, delete)
        numbers = [
            number or made.add(content, pointer=f"/add/{at}")
            for at, (content, number) in enumerate(zip(add, kept, strict=True))
        ]
        for at, one in enumerate(update):
            before = current[one.number]
            if not content_of(before).same_payload(one.content):
                made.replace(before, one.content, pointer=f"/update/{at}")
        for gone in delete:
            made.remove(current[gone.number])
        made.flush()
        made.give_to(changes)
        version = None if changes.empty else changes.version
    return BatchOutcome(version, numbers, made.added, made.changed, made.removed)


def _refuse_twice(update: Sequence[ItemUpdate], delete: Sequence[ItemRemoval]) -> None:
    named = Counter([one.number for one in update]) + Counter([one.number for one in delete])
    twice = sorted(number for number, count in named.items() if count > 1)
    if twice:
        raise Invalid(
            f"Item #{twice[0]} is named more than once.",
            errors=[FieldError(f"/items/{n}", "Named more than once.") for n in twice[:MAX_LISTED]],
        )


def _current(
    dataset: Dataset, update: Sequence[ItemUpdate], delete: Sequence[ItemRemoval]
) -> dict[int, ItemRevision]:
    """{number: the current revision} of the items named. Raises NotFound with every missing one."""
    pointers = {one.number: f"/update/{at}/number" for at, one in enumerate(update)}
    pointers |= {one.number: f"/delete/{at}/number" for at, one in enumerate(delete)}
    found: dict[int, ItemRevision] = {}
    for some in in_parts(sorted(pointers)):
        for revision in ItemRevision.objects.filter(
            dataset=dataset, number__in=some, version_to=None, deleted=False
        ):
            found[revision.number] = revision
    missing = [
        FieldError(pointer, f"There is no item #{number} in {dataset.name}.")
        for number, pointer in pointers.items()
        if number not in found
    ]
    if missing:
        raise NotFound(f"{missing[0].detail} Nothing was changed.", errors=missing[:MAX_LISTED])
    return found


def _require_revisions(
    current: dict[int, ItemRevision], update: Sequence[ItemUpdate], delete: Sequence[ItemRemoval]
) -> None:
    stated = [(f"/update/{at}", one.number, one.revision) for at, one in enumerate(update)]
    stated += [
        (f"/delete/{at}", one.number, one.revision)
        for at, one in enumerate(delete)
        if one.revision is not None
    ]
    stale = [
        FieldError(
            f"{pointer}/revision",
            f"Item #{number} was changed in v{current[number].version_from} after it was read.",
        )
        for pointer, number, revision in stated
        if current[number].pk != revision
    ]
    if stale:
        raise StaleRevision(f"{stale[0].detail} Nothing was changed.", errors=stale[:MAX_LISTED])


def _settle_external_ids(
    dataset: Dataset,
    current: dict[int, ItemRevision],
    add: Sequence[ItemContent],
    update: Sequence[ItemUpdate],
    delete: Sequence[ItemRemoval],
) -> list[int | None]:
    """For each added item the number of the one that is the same already, else None.

    Raises Conflict for every external id that two items would have afterwards.
    """
    wanted = [content.external_id for content in add]
    wanted += [one.content.external_id for one in update]
    owners = holders(dataset.pk, [key for key in wanted if key is not None])
    named = {one.number for one in update} | {one.number for one in delete}
    taken = {key: holder for key, holder in owners.items() if holder.number not in named}
    conflicts: list[FieldError] = []
    places: dict[str, str] = {}  # the external ids of this batch, with their places

    def take(pointer: str, key: str | None) -> bool:
        if key is None:
            return True
        other = f"item #{taken[key].number}" if key in taken else places.get(key)
        if other is not None:
            detail = f"External ID “{key}” is that of {other}."
            conflicts.append(FieldError(f"{pointer}/external_id", detail))
            return False
        places[key] = pointer
        return True

    for at, one in enumerate(update):
        take(f"/update/{at}", one.content.external_id)
    kept: list[int | None] = []
    for at, content in enumerate(add):
        holder = taken.get(content.external_id or "")
        if holder is not None and content_of(holder).same_payload(content):
            kept.append(holder.number)
        else:
            take(f"/add/{at}", content.external_id)
            kept.append(None)
    if conflicts:
        raise Conflict(f"{conflicts[0].detail} Nothing was changed.", errors=conflicts[:MAX_LISTED])
    return kept
