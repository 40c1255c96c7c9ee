"""The body of a batch of changes: what it may say, and what it means for the items as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from datasets_app.actions.batch import MAX_CHANGES, ItemRemoval, ItemUpdate
from datasets_app.api_items import merged
from datasets_app.bulk.changes import in_parts
from datasets_app.items import ItemContent, parse_item
from datasets_app.models import Dataset, ItemRevision
from evalhub.kit.errors import FieldError, Invalid, NotFound
from evalhub.kit.whole import LARGEST_NUMBER

MAX_PROBLEMS = 1_000
_LISTS = ("add", "update", "delete")


@dataclass(frozen=True, slots=True)
class Batch:
    """The changes in a body, ready for `batch_items`."""

    add: list[ItemContent]
    update: list[ItemUpdate]
    delete: list[ItemRemoval]
    message: str


def parse_batch(dataset: Dataset, body: Mapping[str, Any]) -> Batch:
    """Read `{add: [...], update: [...], delete: [...], message}`.

    Raises Invalid with every problem and its pointer, NotFound when an item to update is not there.
    """
    problems: list[FieldError] = [
        FieldError(f"/{name}", "A batch has “add”, “update”, “delete” and “message”.")
        for name in body
        if name not in (*_LISTS, "message")
    ]
    message = body.get("message", "")
    if not isinstance(message, str) or len(message) > 500:
        problems.append(FieldError("/message", "A message is a text of at most 500 characters."))
    lists: dict[str, list[Any]] = {}
    for name in _LISTS:
        found = body.get(name, [])
        if not isinstance(found, list):
            problems.append(FieldError(f"/{name}", "This is a list."))
            found = []
        lists[name] = found
    if not problems and not any(lists.values()):
        problems.append(FieldError("", "A batch has at least one change."))
    if sum(len(found) for found in lists.values()) > MAX_CHANGES:
        raise Invalid(
            f"A batch has at most {MAX_CHANGES:,} changes. Import a file, or use a bulk action."
        )
    add = [_added(one, f"/add/{at}", problems) for at, one in enumerate(lists["add"])]
    delete = [_removal(one, f"/delete/{at}", problems) for at, one in enumerate(lists["delete"])]
    update = _updates(dataset, lists["update"], problems)
    if problems:
        first = problems[0]
        place = f"{first.pointer.lstrip('/')}: " if first.pointer else ""
        raise Invalid(f"{place}{first.detail} Nothing was changed.", errors=problems[:MAX_PROBLEMS])
    return Batch(
        [one for one in add if one is not None],
        update,
        [one for one in delete if one is not None],
        message,
    )


def _added(given: Any, pointer: str, problems: list[FieldError]) -> ItemContent | None:
    if not isinstance(given, dict):
        problems.append(FieldError(pointer, "An item is an object, such as {“input”: …}."))
        return None
    return _parsed(given, pointer, problems)


def _removal(given: Any, pointer: str, problems: list[FieldError]) -> ItemRemoval | None:
    stated = given if isinstance(given, dict) else {"number": given}
    number, revision = stated.get("number"), stated.get("revision")
    if not _is_number(number) or stated.keys() - {"number", "revision"}:
        problems.append(FieldError(pointer, "Give an item's number, or {number, revision}."))
    elif revision is not None and type(revision) is not int:
        detail = "A revision is the number that the item came with."
        problems.append(FieldError(f"{pointer}/revision", detail))
    else:
        return ItemRemoval(number, revision)
    return None


def _updates(dataset: Dataset, given: list[Any], problems: list[FieldError]) -> list[ItemUpdate]:
    stated: list[tuple[str, dict[str, Any]]] = []
    for at, one in enumerate(given):
        if isinstance(one, dict) and _is_number(one.get("number")):
            stated.append((f"/update/{at}", one))
        else:
            detail = "An update is an object with the item's number and what changes."
            problems.append(FieldError(f"/update/{at}", detail))
    current: dict[int, ItemRevision] = {}
    for some in in_parts([one["number"] for _, one in stated]):
        found = ItemRevision.objects.filter(dataset=dataset, number__in=some)
        current |= {item.number: item for item in found.at(dataset.version)}
    missing = [
        FieldError(f"{pointer}/number", f"There is no item #{one['number']} in {dataset.name}.")
        for pointer, one in stated
        if one["number"] not in current
    ]
    if missing and not problems:
        raise NotFound(f"{missing[0].detail} Nothing was changed.", errors=missing[:MAX_PROBLEMS])
    updates: list[ItemUpdate] = []
    for pointer, one in stated:
        item = current.get(one["number"])
        if item is None:
            continue
        revision = one.get("revision", item.pk)
        if type(revision) is not int:
            detail = "A revision is the number that the item came with."
            problems.append(FieldError(f"{pointer}/revision", detail))
            continue
        changes = {name: value for name, value in one.items() if name != "number"}
        try:
            payload = merged(item, changes)
        except Invalid as error:
            problems += [FieldError(pointer + each.pointer, each.detail) for each in error.errors]
            continue
        content = _parsed(payload, pointer, problems)
        if content is not None:
            updates.append(ItemUpdate(item.number, revision, content))
    return updates


def _parsed(
    payload: Mapping[str, Any], pointer: str, problems: list[FieldError]
) -> ItemContent | None:
    try:
        return parse_item(payload, pointer=pointer)
    except Invalid as error:
        problems += error.errors
        return None


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 < value <= LARGEST_NUMBER
