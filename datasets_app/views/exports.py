"""Downloading items."""

from __future__ import annotations

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from datasets_app import queries
from datasets_app.exports import Export, open_export, parse_numbers
from datasets_app.views.common import actor, number_in
from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.errors import NotFound


@require_safe
@project_view()
def export(request: HttpRequest, project: Project, slug: str) -> StreamingHttpResponse:
    """The items that the list shows, all pages of it, or those with the given `numbers`."""
    dataset = queries.find_dataset(actor(request), project, slug)
    given = request.GET
    return file_answer(
        open_export(
            dataset,
            format=given.get("format", "csv"),
            version=_version(request),
            q=given.get("q", "").strip(),
            where=given.get("where", "").strip(),
            split=given.get("split", "").strip(),
            numbers=parse_numbers(given.get("numbers", "")),
        )
    )


def _version(request: HttpRequest) -> int | None:
    """What ?v= (as in the list's address) or ?version= says; None for the current version."""
    for name in ("v", "version"):
        if request.GET.get(name):
            number = number_in(request, name)
            if number is None:
                raise NotFound(f"There is no version “{request.GET[name][:20]}”.")
            return number
    return None


def file_answer(export: Export) -> StreamingHttpResponse:
    """The export as a download, sent as it is read. It must not be stored on the way."""
    headers = {
        "Content-Disposition": content_disposition_header(True, export.filename) or "attachment",
        "Cache-Control": "private, no-store",
    }
    return StreamingHttpResponse(export.chunks, content_type=export.content_type, headers=headers)
