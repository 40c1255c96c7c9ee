"""Datasets: the list, and a new one."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, F, IntegerField, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.aggregates import Count
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from datasets_app import actions, queries
from datasets_app.forms import DatasetForm, add_errors
from datasets_app.models import Dataset
from datasets_app.views.common import actor, number_in, part_for, posted, query
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit import slots
from evalhub.kit.errors import EvalhubError
from evalhub.kit.htmx import render_page

PAGE_SIZE = 50
# ?sort= -> what it sorts by, and whether the largest comes first
SORTS: dict[str, tuple[Any, bool]] = {
    "changed": (F("updated_at"), True),
    "name": (Lower("name"), False),
    "items": (F("item_count"), True),
}
SHOWN = ("", "mine", "archived")


@project_view()
def list_datasets(request: HttpRequest, project: Project) -> HttpResponse:
    """The project's datasets, pinned ones first, with the last run of each."""
    user = actor(request)
    state = {name: request.GET.get(name, "").strip() for name in ("q", "tag", "show", "sort")}
    state["show"] = state["show"] if state["show"] in SHOWN else ""
    state["sort"] = state["sort"] if state["sort"] in SORTS else ""
    at_hand = queries.datasets(user, project, q=state["q"], archived=False)
    archived = queries.datasets(user, project, q=state["q"], archived=True)
    found = archived if state["show"] == "archived" else at_hand
    if state["show"] == "mine":
        found = found.filter(created_by=user)
    if state["tag"]:
        found = queries.tagged(found, state["tag"])
    totals = found.aggregate(datasets=Count("pk"), items=Sum("item_count"))
    cursor = number_in(request, "cursor")
    rows = list(_page(found, state["sort"] or "changed", cursor)[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    last_runs = slots.fill("dataset.last_run", [dataset.pk for dataset in shown])
    links = slots.fill(
        "dataset.links", [dataset.slug for dataset in shown], project_slug=project.slug
    )
    context = state | {
        "rows": [
            {
                "dataset": dataset,
                "last_run": last_runs.get(dataset.pk),
                "links": links.get(dataset.slug, {}),
            }
            for dataset in shown
        ],
        "has_runs": bool(last_runs),
        "totals": totals,
        "chips": _chips(user.pk, state, at_hand, archived),
        "sorts": {name: query(**state | {"sort": name}) for name in SORTS},
        "without_tag": query(**state | {"tag": ""}) or "?",
        "is_filtered": bool(state["q"] or state["tag"] or state["show"]),
        "next": query(**state, cursor=shown[-1].pk) if len(rows) > PAGE_SIZE else "",
        "previous": query(**state) or "?" if cursor is not None else "",
    }
    part = part_for(request, datasets="rows")
    return render_page(request, "datasets/list.html", context, part=part)


def _chips(
    user_id: int, state: dict[str, str], at_hand: QuerySet[Dataset], archived: QuerySet[Dataset]
) -> list[dict[str, Any]]:
    """All, mine and archived, each with how many there are; none where there is nothing to tell."""
    counts = at_hand.aggregate(all=Count("pk"), mine=Count("pk", filter=Q(created_by=user_id)))
    found = [("", "All", counts["all"]), ("mine", "Mine", counts["mine"])]
    in_archive = archived.count()
    if in_archive or state["show"] == "archived":
        found.append(("archived", "Archived", in_archive))
    return [
        {
            "label": label,
            "count": count,
            "href": query(**state | {"show": name}) or "?",
            "current": state["show"] == name,
        }
        for name, label, count in found
    ]


def _page(found: QuerySet[Dataset], sort: str, after: int | None) -> QuerySet[Dataset]:
    """The datasets in order, pinned ones first, after the one with id `after`."""
    place, falling = SORTS[sort]
    unpinned = When(pinned_at=None, then=Value(1))
    found = found.annotate(
        unpinned=Case(unpinned, default=Value(0), output_field=IntegerField()), place=place
    )
    found = found.order_by("unpinned", "-place" if falling else "place", "-pk")
    if after is None:
        return found
    last = found.order_by().filter(pk=after)
    if not last.exists():
        return found
    # Subqueries, not their values: SQLite compares times as text, and Python writes them longer.
    at = {name: Subquery(last.values(name)[:1]) for name in ("unpinned", "place")}
    beyond = Q(**{"place__lt" if falling else "place__gt": at["place"]})
    return found.filter(
        Q(unpinned__gt=at["unpinned"])
        | Q(unpinned=at["unpinned"]) & (beyond | Q(place=at["place"], pk__lt=after))
    )


@project_view(needs=Role.EDITOR)
def new(request: HttpRequest, project: Project) -> HttpResponse:
    """Make a dataset: a dialog in the list, and a page. Goes on to the import when asked to."""
    form = DatasetForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                dataset = actions.create_dataset(
                    project=project, by=actor(request), **form.cleaned_data
                )
            except EvalhubError as error:
                add_errors(form, error)
                status = error.status
            else:
                going_to = "import" if request.POST.get("then") == "import" else "detail"
                return redirect(f"datasets:{going_to}", project.slug, dataset.slug)
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/new.html", {"form": form}, part=part, status=status)


@project_view()
def root(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """A dataset's own address leads to its items."""
    return redirect("datasets:detail", project.slug, slug)
