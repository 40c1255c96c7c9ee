"""Notes on an item: written and deleted from every page that shows the item."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from datasets_app import queries
from datasets_app.actions.notes import add_note, delete_note
from datasets_app.models import Dataset
from datasets_app.notes import NoteBlock, note_block, notes_of, require_item
from datasets_app.public import shell
from datasets_app.views.common import actor
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.addresses import local
from evalhub.kit.errors import Conflict, Invalid
from evalhub.kit.htmx import wants_fragment

BLOCK = "datasets/_notes.html"
ANCHOR = "#notes"


@require_POST
@project_view(needs=Role.EDITOR)
def add(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Write a note; a refused one comes back with what was typed."""
    dataset = queries.find_dataset(actor(request), project, slug)
    require_item(dataset, number)
    text = request.POST.get("text", "")
    try:
        add_note(dataset=dataset, number=number, text=text, by=actor(request))
    except (Invalid, Conflict) as error:
        refused = block_of(request, dataset, number, problem=error.detail, text=text, answered=True)
        if wants_fragment(request):
            return render(request, BLOCK, {"notes": refused}, status=error.status)
        context = shell(actor(request), project, slug, tab="items")
        context |= {"notes": refused, "number": number}
        return render(request, "datasets/notes.html", context, status=error.status)
    return _shown(request, dataset, number)


@require_POST
@project_view(needs=Role.EDITOR)
def delete(
    request: HttpRequest, project: Project, slug: str, number: int, note: int
) -> HttpResponse:
    """Remove a note for good."""
    dataset = queries.find_dataset(actor(request), project, slug)
    delete_note(dataset=dataset, number=number, note=note, by=actor(request))
    return _shown(request, dataset, number)


def block_of(request: HttpRequest, dataset: Dataset, number: int, **more: Any) -> NoteBlock:
    """The notes of an item for whoever asks, on the page that they are on or come from."""
    project: Project = request.project  # type: ignore[attr-defined]
    if request.method == "POST":
        item = reverse("datasets:item", args=[project.slug, dataset.slug, number])
        back = local(request, request.POST.get("back", "")) or item
    else:
        back = request.get_full_path()
    return note_block(
        notes_of(dataset, number),
        project=project,
        user=actor(request),
        role=request.role,  # type: ignore[attr-defined]
        slug=dataset.slug,
        number=number,
        back=back,
        **more,
    )


def _shown(request: HttpRequest, dataset: Dataset, number: int) -> HttpResponse:
    """The block as it is now, or the page that it was on."""
    block = block_of(request, dataset, number, answered=True)
    if wants_fragment(request):
        return render(request, BLOCK, {"notes": block})
    return redirect(block.back.partition("#")[0] + ANCHOR)
