"""What datasets put into the pages of the project."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from datasets_app.models import Dataset
from evalhub.kit import slots

PINNED_SHOWN = 8


def register() -> None:
    """Fill the slots of the page."""
    slots.provide("project.pinned", pinned)


def pinned(project_ids: Sequence[int], *, project_slug: str) -> dict[int, list[dict[str, str]]]:
    """{project: its pinned datasets as {"name", "href"}, by name}, of one project in fact."""
    found = Dataset.objects.filter(
        project__in=project_ids, deleted_at=None, archived_at=None, pinned_at__isnull=False
    )
    rows = found.order_by("name").values_list("project", "name", "slug")[:PINNED_SHOWN]
    places: dict[int, list[dict[str, str]]] = {}
    for project, name, slug in rows:
        href = reverse("datasets:root", args=[project_slug, slug])
        places.setdefault(project, []).append({"name": name, "href": href})
    return places
