"""The notes on an item where runs show it."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest

from datasets_app import public
from datasets_app.public import DatasetRow, Note, NoteBlock
from evalhub.access.models import Project
from runs_app.views.common import actor


def block(
    request: HttpRequest,
    project: Project,
    dataset: DatasetRow,
    number: int,
    *,
    notes: Sequence[Note] | None = None,
    back: str = "",
) -> NoteBlock:
    """The notes of one item, read unless they are given, for whoever asks; `back` is this page
    unless given."""
    if notes is None:
        place = (dataset.id, number)
        notes = public.read_notes([place]).get(place, [])
    return public.note_block(
        notes,
        project=project,
        user=actor(request),
        role=request.role,  # type: ignore[attr-defined]
        slug="" if dataset.deleted else dataset.slug,
        number=number,
        back=back or request.get_full_path(),
    )
