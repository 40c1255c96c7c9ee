"""What a bulk action makes of a batch of items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from datasets_app.actions.versions import content_of
from datasets_app.bulk.action import BulkAction
from datasets_app.bulk.changes import Changes, holders
from datasets_app.items import ItemContent, with_source
from datasets_app.models import ItemRevision
from evalhub.kit.errors import Conflict, FieldError, Invalid
from evalhub.kit.json import dumps, loads

MAX_OFFENDERS = 1_000
SHOWN = 5


@dataclass(slots=True)
class Copied:
    """What became of items that were to be copied: `there` have the same content already."""

    there: int = 0
    skipped: list[FieldError] = field(default_factory=list)


def apply_here(action: BulkAction, items: Sequence[ItemRevision], changes: Changes) -> None:
    """Do to the items what the action says, in their own dataset.

    An item on which nothing changes gets no revision. Raises Conflict for items that were changed
    after they were selected.
    """
    require_current(items)
    if action.kind in ("delete", "move_to"):
        for item in items:
            changes.remove(item)
        return
    change = _label_change(action)
    for item in items:
        before = content_of(item)
        after = change(before)
        if after is not before:
            changes.replace(item, after)


def apply_copy(
    action: BulkAction, origin: str, items: Sequence[ItemRevision], changes: Changes
) -> Copied:
    """Add the items to the dataset of `changes`; `origin` ("Tickets v3") is noted as their source.

    An external id that is taken by other content raises Conflict with every offender, or leaves the
    item out when the action skips those.
    """
    copied = Copied()
    ids = [item.external_id for item in items if item.external_id is not None]
    known = holders(changes.dataset_id, ids)
    for item in items:
        content = with_source(content_of(item), f"{origin} #{item.number}")
        holder = known.get(item.external_id or "")
        if holder is None:
            changes.add(content)
        elif content_of(holder).same_payload(content):
            copied.there += 1
        else:
            detail = (
                f"External ID “{item.external_id}” of item #{item.number} is that of item "
                f"#{holder.number} there, whose content differs."
            )
            copied.skipped.append(FieldError(f"/items/{item.number}/external_id", detail))
    if copied.skipped and action.on_conflict != "skip":
        taken = (
            "An external id is taken"
            if len(copied.skipped) == 1
            else f"{len(copied.skipped):,} external ids are taken"
        )
        raise Conflict(
            f"{taken} by items with other content. Nothing was added.",
            errors=copied.skipped[:MAX_OFFENDERS],
        )
    return copied


def require_current(items: Sequence[ItemRevision]) -> None:
    """Raises Conflict, naming the first few, when one of the revisions is no longer the current."""
    stale = [item.number for item in items if item.version_to is not None]
    if stale:
        raise Conflict(
            f"{numbers_text(stale)} changed after the selection was made. Nothing was changed. "
            "Load the list again."
        )


def numbers_text(numbers: Sequence[int]) -> str:
    """ "Item #4 was", "Items #4 and #5 were", "Items #1, #2, #3 and 7 more were"."""
    if len(numbers) == 1:
        return f"Item #{numbers[0]} was"
    named = [f"#{number}" for number in numbers[:SHOWN]]
    more = len(numbers) - len(named)
    last = f"{more:,} more" if more else named.pop()
    return f"Items {', '.join(named)} and {last} were"


def _label_change(action: BulkAction) -> Callable[[ItemContent], ItemContent]:
    """The function that gives the item with its new label, or the very same when it has it."""
    tags = action.tags

    def split(content: ItemContent) -> ItemContent:
        return content if content.split == action.split else replace(content, split=action.split)

    def add(content: ItemContent) -> ItemContent:
        have = loads(content.tags_json)
        return _with_tags(content, have, [*have, *(tag for tag in tags if tag not in have)])

    def remove(content: ItemContent) -> ItemContent:
        have = loads(content.tags_json)
        return _with_tags(content, have, [tag for tag in have if tag not in tags])

    changes = {"set_split": split, "add_tags": add, "remove_tags": remove}
    if action.kind not in changes:
        raise Invalid(f"The action {action.kind} changes no label.")
    return changes[action.kind]


def _with_tags(content: ItemContent, have: list[str], tags: list[str]) -> ItemContent:
    return content if tags == have else replace(content, tags_json=dumps(tags))
