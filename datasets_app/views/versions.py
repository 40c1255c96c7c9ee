"""The versions of a dataset."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from datasets_app import queries
from datasets_app.public import shell
from datasets_app.views.common import actor, number_in
from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit.htmx import render_page

PAGE_SIZE = 50


@project_view()
def list_versions(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """All versions, newest first; each leads to the items as they were."""
    context = shell(actor(request), project, slug, tab="versions")
    before = number_in(request, "before")
    found = queries.versions(context["dataset"])
    if before is not None:
        found = found.filter(number__lt=before)
    rows = list(found[: PAGE_SIZE + 1])
    context |= {
        "rows": rows[:PAGE_SIZE],
        "next": f"?before={rows[PAGE_SIZE - 1].number}" if len(rows) > PAGE_SIZE else "",
        "previous": "?" if before is not None else "",
    }
    return render_page(request, "datasets/versions.html", context)
