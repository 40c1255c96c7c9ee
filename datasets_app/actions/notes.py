"""Write a note on an item, and delete one."""

from __future__ import annotations

from django.db import transaction

from datasets_app.models import Dataset, ItemNote
from datasets_app.notes import require_item
from evalhub.access.actions import audit
from evalhub.access.models import Role, User
from evalhub.kit.errors import Conflict, FieldError, Forbidden, Invalid, NotFound

MAX_TEXT = 2_000
MOST_NOTES = 100  # of an item: pages show them all


@transaction.atomic
def add_note(*, dataset: Dataset, number: int, text: str, by: User) -> ItemNote:
    """Write a note on item `number`, a deleted one too.

    A note changes no data: an archived dataset takes it, and so does one whose next version is
    being written. Raises Invalid for no text or too much of it, NotFound, and Conflict for an item
    with MOST_NOTES notes.
    """
    text = _checked(text)
    # A purge removes what is there: a note waits for it, or it waits for the note.
    locked = Dataset.objects.select_for_update(no_key=True, of=("self",)).filter(deleted_at=None)
    current = locked.filter(pk=dataset.pk).first()
    if current is None:
        raise NotFound("This dataset has been deleted.")
    require_item(current, number)
    if ItemNote.objects.filter(dataset=current, number=number).count() >= MOST_NOTES:
        raise Conflict(f"An item has at most {MOST_NOTES} notes. Delete one that is settled.")
    note = ItemNote.objects.create(dataset=current, number=number, text=text, author=by)
    audit(dataset.project, by, "note.added", f"{current.slug} #{number}", note=note.pk)
    return note


@transaction.atomic
def delete_note(*, dataset: Dataset, number: int, note: int, by: User) -> None:
    """Remove a note for good: its author may, and an admin of the project.

    Raises NotFound, and Forbidden for others.
    """
    found = ItemNote.objects.filter(dataset=dataset, number=number, pk=note).first()
    if found is None:
        raise NotFound(f"Item #{number} of {dataset.name} has no such note.")
    if found.author_id != by.pk and dataset.project.role_of(by) != Role.ADMIN:
        raise Forbidden("A note is deleted by who wrote it, or by an admin of the project.")
    found.delete()
    audit(dataset.project, by, "note.deleted", f"{dataset.slug} #{number}", note=note)


def _checked(text: str) -> str:
    """With the ends of lines that are stored, without space around it. Raises Invalid."""
    text = text.replace("\r\n", "\n").strip()
    detail = ""
    if not text:
        detail = "Write something first."
    elif len(text) > MAX_TEXT:
        detail = f"A note has at most {MAX_TEXT:,} characters; this one has {len(text):,}."
    elif "\0" in text:
        detail = "A note cannot hold a NUL character."
    if detail:
        raise Invalid(detail, errors=[FieldError("/text", detail)])
    return text
