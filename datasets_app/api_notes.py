"""The API of the notes on an item."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from datasets_app.actions.notes import add_note, delete_note
from datasets_app.api import find_dataset
from datasets_app.models import ItemNote
from datasets_app.notes import require_item
from evalhub.access.api_auth import writer
from evalhub.access.idempotency import once
from evalhub.kit.api import StrictBody, answer
from evalhub.kit.api_lists import Listing, list_answer

router = Router(tags=["items"])
NOTES = "/datasets/{id}/items/{int:number}/notes"


class NewNote(StrictBody):
    """`text` is plain text of at most 2,000 characters."""

    text: str


class NoteAnswer(Schema):
    """`author` is null when the user is gone."""

    id: int
    text: str
    author: str | None
    created_at: str


@router.get(NOTES, response=Listing[NoteAnswer])
def list_notes(request: HttpRequest, id: str, number: int) -> HttpResponse:
    """What people wrote on an item, oldest first, in one page; whatever the item's version."""
    dataset = find_dataset(request, id)
    require_item(dataset, number)
    found = ItemNote.objects.filter(dataset=dataset, number=number).select_related("author")
    rows = [_payload(note) for note in found.order_by("pk")]
    return list_answer(rows, total=len(rows))


@router.post(NOTES, response={201: NoteAnswer})
def create_note(request: HttpRequest, id: str, number: int, body: NewNote) -> HttpResponse:
    """Write a note on an item, of an archived dataset too: it changes no data.

    Takes an Idempotency-Key. 409 when the item has 100 notes already.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)

    def create() -> HttpResponse:
        note = add_note(dataset=dataset, number=number, text=body.text, by=caller.user)
        return answer(_payload(note), 201)

    return once(request, caller, create)


@router.delete(NOTES + "/{int:note}", response={204: None})
def remove_note(request: HttpRequest, id: str, number: int, note: int) -> HttpResponse:
    """Delete a note for good: its author may, and an admin of the project."""
    caller = writer(request)
    dataset = find_dataset(request, id)
    delete_note(dataset=dataset, number=number, note=note, by=caller.user)
    return HttpResponse(status=204)


def _payload(note: ItemNote) -> dict[str, Any]:
    return {
        "id": note.pk,
        "text": note.text,
        "author": note.author.username if note.author else None,
        "created_at": note.created_at.isoformat(),
    }
