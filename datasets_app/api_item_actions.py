"""The API of what else becomes of an item: copied, restored, purged."""

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from datasets_app import actions, queries
from datasets_app.api import find_dataset
from datasets_app.payloads import payload_of
from datasets_app.schemas import ItemAnswer
from evalhub.access.api_auth import writer
from evalhub.access.idempotency import once
from evalhub.kit.api import StrictBody, answer
from evalhub.kit.errors import FieldError, Invalid

router = Router(tags=["items"])
ITEM = "/datasets/{id}/items/{int:number}"


class NewCopy(StrictBody):
    """`dataset` (slug or uuid) is where the copy goes, `version` which state of the item it is."""

    dataset: str | None = None
    version: int | None = None
    message: str = Field("", max_length=500)


class CopyAnswer(Schema):
    """The copy's dataset and number, and the version of that dataset that has it."""

    dataset: str
    number: int
    version: int


class NewRestore(StrictBody):
    """`revision` is the one whose content comes back, `current` the newest one that is known."""

    revision: int
    current: int | None = None
    message: str = Field("", max_length=500)


class NewPurge(StrictBody):
    """`confirm` is true: it is known that this cannot be undone."""

    confirm: bool


class PurgeAnswer(Schema):
    """How many revisions of the item were blanked."""

    number: int
    revisions: int


@router.post(f"{ITEM}/duplicate", response={201: CopyAnswer})
def duplicate_item(request: HttpRequest, id: str, number: int, body: NewCopy) -> HttpResponse:
    """Copy the item, into another dataset or beside itself (then without its external id).

    Takes an Idempotency-Key.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)
    to = dataset if body.dataset is None else find_dataset(request, body.dataset)
    item = queries.find_item(dataset, queries.find_version(dataset, body.version), number)

    def copy() -> HttpResponse:
        made = actions.copy_item(item=item, of=dataset, to=to, by=caller.user, message=body.message)
        return answer({"dataset": to.slug, "number": made, "version": to.version}, 201)

    return once(request, caller, copy)


@router.post(f"{ITEM}/restore", response=ItemAnswer)
def restore_item(request: HttpRequest, id: str, number: int, body: NewRestore) -> HttpResponse:
    """Make a revision of the item's history its content again; a deleted item comes back.

    With `current` it is refused (409) when there is a newer row in the history.
    """
    caller = writer(request)
    restored = actions.restore_revision(
        dataset=find_dataset(request, id),
        number=number,
        revision=body.revision,
        current=body.current,
        by=caller.user,
        message=body.message,
    )
    return answer(payload_of(restored))


@router.post(f"{ITEM}/purge", response=PurgeAnswer)
def purge_item(request: HttpRequest, id: str, number: int, body: NewPurge) -> HttpResponse:
    """Remove the item's content from all versions and from the results of runs, for good.

    Notes on it go as well; its number, split and scores stay. 409 while an import, a job or a run
    is at work.
    """
    caller = writer(request)
    if not body.confirm:
        detail = "A purge cannot be undone: confirm it with true."
        raise Invalid(detail, errors=[FieldError("/confirm", detail)])
    revisions = actions.purge_item(dataset=find_dataset(request, id), number=number, by=caller.user)
    return answer({"number": number, "revisions": revisions})
