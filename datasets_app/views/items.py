"""Items: the list with one item open beside it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from datasets_app import item_pages, queries
from datasets_app.item_query import ItemQuery
from datasets_app.models import Dataset, ItemRevision
from datasets_app.public import shell
from datasets_app.timeline import timeline
from datasets_app.views.common import actor, part_for, query
from datasets_app.views.listing import list_context
from datasets_app.views.notes import block_of
from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit import slots
from evalhub.kit.htmx import render_page
from evalhub.kit.json import dumps, loads

HISTORY_SHOWN = 20
VALUE_SHOWN = 4_000  # characters of one value of the open item before "Show all of it"
MORE_ROWS = "item-rows"  # the element to which the next page's rows are added


@project_view()
def list_items(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The items of a dataset at its current version, or at `?v=`."""
    context = shell(actor(request), project, slug, tab="items")
    context |= list_context(request, context["dataset"])
    part = part_for(request, items="list", **{MORE_ROWS: "list"})
    status = context["query_problem"].status if context["query_problem"] else 200
    return render_page(request, "datasets/items.html", context, part=part, status=status)


@project_view()
def show(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """One item as it was at the version, beside the list."""
    more = request.headers.get("HX-Target") == MORE_ROWS
    part = part_for(request, detail="detail", items="list", **{MORE_ROWS: "list"})
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    context |= list_context(request, dataset, number=number, rows=part != "detail", follow=not more)
    if part == "list":
        return render_page(request, "datasets/items.html", context, part=part)
    context |= _item_context(project, dataset, context["version"], number, context["item_query"])
    context["notes"] = block_of(request, dataset, number)
    context["value_limit"] = 0 if request.GET.get("all") == "1" else VALUE_SHOWN
    context["all_url"] = request.path + query(**(request.GET.dict() | {"all": "1"}))
    return render_page(request, "datasets/item.html", context, part=part)


def _item_context(
    project: Project, dataset: Dataset, version: int, number: int, item_query: ItemQuery
) -> dict[str, Any]:
    item = queries.find_item(dataset, version, number)
    history = queries.history(dataset, number)
    runs = slots.fill("item.runs", [number], dataset_id=dataset.pk, project_slug=project.slug).get(
        number, []
    )
    for run in runs:
        run["output"] = None if run["output_json"] is None else loads(run["output_json"])
    return {
        "item": item,
        "scorers": _scorer_names(item),
        "neighbours": item_pages.neighbours(dataset, version, item_query, number),
        "steps": timeline(history[:HISTORY_SHOWN]),
        "steps_more": max(0, len(history) - HISTORY_SHOWN),
        "newest": history[0].revision,
        "runs": runs,
        "item_links": slots.fill(
            "item.links", [number], dataset_slug=dataset.slug, project_slug=project.slug
        ).get(number, {}),
    }


def _scorer_names(item: ItemRevision) -> list[str] | None:
    """What the item's own scorers are called; None when it leaves them to the run."""
    if item.scorers_json is None:
        return None
    return [
        one if isinstance(one, str) else str(one.get("name") or one.get("use") or dumps(one))
        for one in loads(item.scorers_json)
        if isinstance(one, str | dict)
    ]
