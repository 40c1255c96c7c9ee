"""Reading the notes of items, and the block in which every page shows them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, F, Q, TextField, Value, When
from django.urls import reverse

from datasets_app.models import Dataset, ItemNote, ItemRevision
from evalhub.access.models import Project, Role, User
from evalhub.kit.errors import NotFound

Place = tuple[int, int]
"""A dataset's id and the number of an item in it."""


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote on an item; `author_id` is None and `author` "" when the user is gone."""

    id: int
    text: str
    author_id: int | None
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NoteBlock:
    """The notes of one item for `datasets/_notes.html`, each with the address that deletes it, ""
    where the reader may not; `add_url` is "" when they may not add any either.

    `back` is the address of the page that shows the block. `problem` and `text` are those of a note
    that was refused; `answered` marks the block that answers a form.
    """

    rows: Sequence[tuple[Note, str]]
    add_url: str
    back: str
    problem: str = ""
    text: str = ""
    answered: bool = False


def require_item(dataset: Dataset, number: int) -> None:
    """Raises NotFound when no published version of the dataset ever had the item."""
    revisions = ItemRevision.objects.filter(dataset=dataset, number=number)
    if not revisions.filter(version_from__lte=dataset.version).exists():
        raise NotFound(f"There is no item #{number} in {dataset.name}.")


def read_notes(
    places: Collection[Place], *, opened: Place | None = None
) -> dict[Place, list[Note]]:
    """The notes of items that have some, oldest first; in one query. Scope is the caller's.

    With `opened` only those of that item bring their text: of the others a list shows the count.
    """
    numbers: dict[int, list[int]] = {}
    for dataset, number in places:
        numbers.setdefault(dataset, []).append(number)
    if not numbers:
        return {}
    wanted = Q()
    for dataset, some in numbers.items():
        wanted |= Q(dataset=dataset, number__in=some)
    text = F("text") if opened is None else _text_of(opened)
    found = ItemNote.objects.filter(wanted).annotate(said=text).defer("text")
    notes: dict[Place, list[Note]] = {}
    for row in found.select_related("author").order_by("pk"):
        author = row.author.display_name if row.author else ""
        note = Note(row.pk, row.said, row.author_id, author, row.created_at)
        notes.setdefault((row.dataset_id, row.number), []).append(note)
    return notes


def notes_of(dataset: Dataset, number: int) -> list[Note]:
    """The notes of one item, oldest first."""
    place = (dataset.pk, number)
    return read_notes([place]).get(place, [])


def note_block(
    notes: Sequence[Note],
    *,
    project: Project,
    user: User,
    role: str,
    slug: str,
    number: int,
    back: str,
    problem: str = "",
    text: str = "",
    answered: bool = False,
) -> NoteBlock:
    """The block of item `number` of the dataset `slug`, as `user` with `role` may use it.

    A dataset without a slug is deleted: its notes are there to read.
    """
    writes = bool(slug) and Role.allows(role, Role.EDITOR)

    def delete_url(note: Note) -> str:
        if not writes or (note.author_id != user.pk and role != Role.ADMIN):
            return ""
        return reverse("datasets:item_note_delete", args=[project.slug, slug, number, note.id])

    return NoteBlock(
        rows=[(note, delete_url(note)) for note in notes],
        add_url=reverse("datasets:item_notes", args=[project.slug, slug, number]) if writes else "",
        back=back,
        problem=problem,
        text=text,
        answered=answered,
    )


def _text_of(place: Place) -> Case:
    """The text of the notes of one item, "" for all others."""
    dataset, number = place
    mine = When(dataset=dataset, number=number, then=F("text"))
    return Case(mine, default=Value(""), output_field=TextField())
