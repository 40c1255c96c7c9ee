"""The API of a dataset's items."""

from collections.abc import Mapping
from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router

from datasets_app import actions, item_pages, queries
from datasets_app.actions.items import current_item
from datasets_app.actions.revisions import find_revision
from datasets_app.api import find_dataset
from datasets_app.item_query import NUMBER, ItemQuery
from datasets_app.items import FIELDS, ItemContent, parse_item
from datasets_app.models import Dataset, ItemRevision
from datasets_app.payloads import changes_payload, payload_of, version_payload
from datasets_app.schemas import (
    ITEM_CHANGES_BODY,
    NEW_ITEMS_BODY,
    AddedAnswer,
    HistoryAnswer,
    ItemAnswer,
    ItemsQuery,
)
from evalhub.access.api_auth import writer
from evalhub.access.idempotency import once
from evalhub.kit.api import answer
from evalhub.kit.api_lists import Listing, list_answer
from evalhub.kit.errors import Conflict, FieldError, Invalid, NotFound, StaleRevision
from evalhub.kit.json import loads
from evalhub.kit.paging import encode_cursor

router = Router(tags=["items"])

MAX_PROBLEMS = 1000
REMOVABLE = tuple(field for field in FIELDS if field != "input")


@router.get("/datasets/{id}/items", response=Listing[ItemAnswer])
def list_items(request: HttpRequest, id: str, query: Query[ItemsQuery]) -> HttpResponse:
    """The items at a version that match, in number order or as `sort` says.

    Where no index knows the answer a page looks for a bounded time: then it has fewer items than
    asked for, or none, and its `next_cursor` goes on from there.
    """
    dataset = find_dataset(request, id)
    version = queries.find_version(dataset, query.version)
    wanted = ItemQuery(query.q, query.where, query.sort, query.split)
    by_number = query.sort == NUMBER
    after = query.after if by_number else query.cursor
    page = item_pages.page(
        dataset, version, wanted, after="" if after is None else str(after), size=query.limit
    )
    next_cursor = encode_cursor(int(page.after)) if by_number and page.after else page.after
    return list_answer(
        [payload_of(row) for row in page.rows], next_cursor=next_cursor, total=page.total
    )


@router.post("/datasets/{id}/items", response={201: AddedAnswer}, openapi_extra=NEW_ITEMS_BODY)
def add_items(request: HttpRequest, id: str, body: Body[dict[str, Any]]) -> HttpResponse:
    """Add one item, or `{"items": [...]}` as one version. Takes an Idempotency-Key.

    An external id that is there with the same content keeps its item; with other content it is a
    conflict, and nothing is added.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)
    contents, message = _new_items(body)

    def add() -> HttpResponse:
        try:
            numbers = actions.add_items(
                dataset=dataset, contents=contents, by=caller.user, message=message
            )
        except (Conflict, Invalid) as error:
            if "items" not in body:
                error.errors = [
                    FieldError(one.pointer.removeprefix("/items/0"), one.detail)
                    for one in error.errors
                ]
            raise
        return answer({"numbers": numbers, "version": dataset.version}, 201)

    return once(request, caller, add)


@router.get("/datasets/{id}/items/{int:number}", response=ItemAnswer)
def get_item(
    request: HttpRequest, id: str, number: int, version: int | None = None
) -> HttpResponse:
    """An item, at the current or an older version."""
    dataset = find_dataset(request, id)
    found = queries.find_item(dataset, queries.find_version(dataset, version), number)
    return answer(payload_of(found))


@router.patch(
    "/datasets/{id}/items/{int:number}", response=ItemAnswer, openapi_extra=ITEM_CHANGES_BODY
)
def update_item(
    request: HttpRequest, id: str, number: int, body: Body[dict[str, Any]]
) -> HttpResponse:
    """Change the fields given, take those in `remove` away, leave the rest.

    With `revision` the change is refused when somebody else has changed the item since: 409, with
    the `item` as it is now, the `base` that was read and `yours`, the fields as they were to be.
    JSON null is a value: it does not remove an expected output.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)
    current = queries.find_item(dataset, dataset.version, number)
    revision = _revision(body, current.pk)
    content = parse_item(merged(current, body))
    try:
        updated = actions.update_item(
            dataset=dataset,
            number=number,
            revision=revision,
            content=content,
            by=caller.user,
            message=message_of(body),
        )
    except StaleRevision as error:
        _tell_both(error, dataset, number, revision, body)
        raise
    return answer(payload_of(updated))


@router.delete("/datasets/{id}/items/{int:number}", response={204: None})
def delete_item(
    request: HttpRequest, id: str, number: int, revision: int | None = None
) -> HttpResponse:
    """Remove an item. With `revision`: only when it is still the current one (else 409)."""
    caller = writer(request)
    dataset = find_dataset(request, id)
    try:
        actions.delete_item(dataset=dataset, number=number, by=caller.user, revision=revision)
    except StaleRevision as error:
        error.extra["item"] = payload_of(current_item(dataset, number))
        raise
    return HttpResponse(status=204)


@router.get("/datasets/{id}/items/{int:number}/history", response=Listing[HistoryAnswer])
def get_item_history(request: HttpRequest, id: str, number: int) -> HttpResponse:
    """All that happened to an item, newest first, in one page; deleted items too.

    `changes` are the fields that differ from the revision before.
    """
    dataset = find_dataset(request, id)
    entries = queries.history(dataset, number)
    if not entries:
        queries.find_item(dataset, dataset.version, number)
    rows = [
        {
            "version": version_payload(entry.version),
            "deleted": entry.revision.deleted,
            "changes": changes_payload(entry),
            "item": payload_of(entry.revision),
        }
        for entry in entries
    ]
    return list_answer(rows, total=len(rows))


def _tell_both(
    error: StaleRevision, dataset: Dataset, number: int, revision: int, body: Mapping[str, Any]
) -> None:
    """Put the item as it is now, as it was read, and as it was meant to be, into the error."""
    error.extra["item"] = payload_of(current_item(dataset, number))
    try:
        base = find_revision(dataset, number, revision)
    except NotFound:
        return
    error.extra |= {"base": payload_of(base), "yours": merged(base, body)}


def _new_items(body: Mapping[str, Any]) -> tuple[list[ItemContent], str]:
    """The items of a body and the message of their version. Raises Invalid with every problem."""
    if "items" not in body:
        return [parse_item(body)], ""
    problems = [
        FieldError(f"/{name}", "Next to “items” there can be a “message”, nothing else.")
        for name in body
        if name not in ("items", "message")
    ]
    message = message_of(body)
    given = body["items"]
    if not isinstance(given, list) or not given:
        problems.append(FieldError("/items", "Items are a list with at least one item."))
        given = []
    contents: list[ItemContent] = []
    for index, payload in enumerate(given):
        pointer = f"/items/{index}"
        if not isinstance(payload, dict):
            problems.append(FieldError(pointer, "An item is an object, such as {“input”: …}."))
            continue
        try:
            contents.append(parse_item(payload, pointer=pointer))
        except Invalid as error:
            problems.extend(error.errors)
    if problems:
        first = problems[0]
        raise Invalid(
            f"{first.pointer.lstrip('/')}: {first.detail} Nothing was added.",
            errors=problems[:MAX_PROBLEMS],
        )
    return contents, message


def merged(current: ItemRevision, body: Mapping[str, Any]) -> dict[str, Any]:
    """The item's fields after the change. Raises Invalid for a field that cannot be removed."""
    payload: dict[str, Any] = {
        "input": current.input,
        "metadata": current.metadata,
        "context": current.context,
        "tags": current.tags,
        "split": current.split,
        "scorers": None if current.scorers_json is None else loads(current.scorers_json),
        "external_id": current.external_id,
        "source": current.source,
    }
    if current.has_expected_output:
        payload["expected_output"] = current.expected_output
    given = {
        name: value for name, value in body.items() if name not in ("revision", "message", "remove")
    }
    remove = body.get("remove", [])
    if not isinstance(remove, list):
        refuse("/remove", "“remove” is a list of field names.")
    for index, name in enumerate(remove):
        if name not in REMOVABLE:
            refuse(f"/remove/{index}", f"What can be removed: {', '.join(REMOVABLE)}.")
        if name in given:
            refuse(f"/remove/{index}", f"“{name}” is both given and removed.")
        payload.pop(name, None)
    return payload | given


def _revision(body: Mapping[str, Any], current: int) -> int:
    """The revision that a change is based on; the current one when it does not say."""
    revision = body.get("revision", current)
    if type(revision) is not int:
        refuse("/revision", "A revision is the number that the item came with.")
    return revision


def message_of(body: Mapping[str, Any]) -> str:
    message = body.get("message", "")
    if not isinstance(message, str) or len(message) > 500:
        refuse("/message", "A message is a text of at most 500 characters.")
    return message


def refuse(pointer: str, detail: str) -> NoReturn:
    raise Invalid(detail, errors=[FieldError(pointer, detail)])
