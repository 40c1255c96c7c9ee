"""Add, change and delete items."""

from __future__ import annotations

from collections.abc import Sequence

from datasets_app.actions.versions import ChangeSet, change_set, content_of
from datasets_app.items import ItemContent
from datasets_app.models import Dataset, ItemRevision
from evalhub.access.models import User
from evalhub.kit.errors import Conflict, FieldError, NotFound, StaleRevision


def add_items(
    *, dataset: Dataset, contents: Sequence[ItemContent], by: User, message: str = ""
) -> list[int]:
    """Add items as one version; returns their numbers, in order.

    An external id that is there already with the same payload keeps its item (adding twice changes
    nothing); with another payload it is a Conflict that lists every offender. Raises Invalid when
    an item breaks a schema of the dataset.
    """
    with change_set(dataset=dataset, by=by, message=message) as changes:
        known = _current_by_external_id(changes, contents)
        conflicts: list[FieldError] = []
        holders: list[int] = []  # of the ids in conflict, where they are items already
        fresh: list[ItemContent] = []
        fresh_at: list[int] = []
        places: list[int | None] = []  # the item's number when known, else None: the next fresh one
        seen: dict[str, tuple[int, ItemContent]] = {}
        for index, content in enumerate(contents):
            key = content.external_id
            revision = known.get(key) if key else None
            earlier = seen.get(key) if key else None
            if revision is not None:
                places.append(revision.number)
                if not content_of(revision).same_payload(content):
                    conflicts.append(_offender(index, content, f"item #{revision.number}"))
                    holders.append(revision.number)
            elif earlier is not None:
                places.append(-1 - earlier[0])
                if not earlier[1].same_payload(content):
                    conflicts.append(_offender(index, content, "an item before it"))
            else:
                if key:
                    seen[key] = (len(fresh), content)
                places.append(None)
                fresh.append(content)
                fresh_at.append(index)
        if conflicts:
            taken = (
                "An external id is taken by an item"
                if len(conflicts) == 1
                else f"{len(conflicts):,} external ids are taken by items"
            )
            raise Conflict(
                f"{taken} with other content. Nothing was added.",
                errors=conflicts[:1000],
                **({"taken_by": holders[0]} if len(contents) == 1 and holders else {}),
            )
        numbers = changes.add(fresh, places=fresh_at) if fresh else []
    new = iter(numbers)
    return [
        next(new) if place is None else numbers[-1 - place] if place < 0 else place
        for place in places
    ]


def update_item(
    *,
    dataset: Dataset,
    number: int,
    revision: int,
    content: ItemContent,
    by: User,
    message: str = "",
) -> ItemRevision:
    """Save a new revision of item `number`; `revision` is the id of the one that the editor read.

    The same content again makes no version. Raises StaleRevision (with `current`, the newer
    revision) when somebody was faster, NotFound, or Conflict when the external id is taken.
    """
    with change_set(dataset=dataset, by=by, message=message) as changes:
        current = current_item(changes.dataset, number)
        if current.pk != revision:
            raise StaleRevision(
                f"Item #{number} was changed in v{current.version_from} after you opened it.",
                current=current.pk,
            )
        if content_of(current).same_payload(content):
            return current
        require_free_external_id(changes, content, number)
        changes.replace(current, content)
    return current_item(dataset, number)


def delete_item(
    *, dataset: Dataset, number: int, by: User, revision: int | None = None, message: str = ""
) -> ItemRevision:
    """Remove item `number`; returns the mark of it in the item's history.

    Raises StaleRevision when `revision` is given and no longer the current.
    """
    with change_set(dataset=dataset, by=by, message=message) as changes:
        current = current_item(changes.dataset, number)
        if revision is not None and current.pk != revision:
            raise StaleRevision(
                f"Item #{number} was changed in v{current.version_from} after you opened it.",
                current=current.pk,
            )
        changes.remove(current)
        return ItemRevision.objects.get(
            dataset=dataset, number=number, version_from=changes.version
        )


def require_free_external_id(changes: ChangeSet, content: ItemContent, number: int) -> None:
    """Raise Conflict, with the other's number in `taken_by`, when not item `number` but another one
    has the content's external id.
    """
    for other in _current_by_external_id(changes, [content]).values():
        if other.number != number:
            raise Conflict(
                f"The external id “{content.external_id}” belongs to item #{other.number}.",
                errors=[FieldError("/external_id", "Taken.")],
                taken_by=other.number,
            )


def current_item(dataset: Dataset, number: int) -> ItemRevision:
    """The current revision of item `number`. Raises NotFound."""
    found = ItemRevision.objects.filter(
        dataset=dataset, number=number, version_to=None, deleted=False
    )
    revision = found.first()
    if revision is None:
        raise NotFound(f"There is no item #{number} in {dataset.name}.")
    return revision


def _current_by_external_id(
    changes: ChangeSet, contents: Sequence[ItemContent]
) -> dict[str, ItemRevision]:
    wanted = [content.external_id for content in contents if content.external_id]
    found: dict[str, ItemRevision] = {}
    for start in range(0, len(wanted), 500):  # SQLite takes a bounded number of parameters
        for revision in ItemRevision.objects.filter(
            dataset=changes.dataset,
            external_id__in=wanted[start : start + 500],
            version_to=None,
            deleted=False,
        ):
            if revision.external_id is not None:
                found[revision.external_id] = revision
    return found


def _offender(index: int, content: ItemContent, other: str) -> FieldError:
    detail = f"External ID “{content.external_id}” is that of {other}, whose content differs."
    return FieldError(f"/items/{index}/external_id", detail)
