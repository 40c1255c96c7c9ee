"""Selecting items in the list, and taking them out as a file."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from datasets_app import item_pages, queries
from datasets_app.exports import open_export
from datasets_app.models import Dataset
from datasets_app.public import shell
from datasets_app.selection import Selection, written
from datasets_app.views.common import actor, query
from datasets_app.views.exports import file_answer
from datasets_app.views.listing import MARKS
from datasets_app.views.selection_form import selection_in
from evalhub.access.doors import project_view
from evalhub.access.models import Project
from evalhub.kit import slots
from evalhub.kit.errors import Invalid
from evalhub.kit.htmx import render_page


@project_view()
def select(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The list with check boxes. Its pages are sent for by POST, with what is selected so far."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    selection = selection_in(request, dataset)
    return render_page(
        request, "datasets/select.html", context | select_context(request, dataset, selection)
    )


def select_context(request: HttpRequest, dataset: Dataset, selection: Selection) -> dict[str, Any]:
    """The page of items that is asked for, with what of it is selected."""
    data = request.POST if request.method == "POST" else request.GET
    page = item_pages.page(
        dataset,
        selection.version,
        selection.query,
        after=data.get("after", ""),
        before=data.get("before", ""),
    )
    shown = [item.number for item in page.rows]
    everything = selection.everything
    named = frozenset(selection.except_numbers if everything else selection.numbers)
    also = named.difference(shown)
    count = count_of(dataset, selection, page.total)
    checked = {number for number in shown if (number in named) != everything}
    ticks = slots.fill("item.last_results", shown, dataset_id=dataset.pk)
    return {
        "selection": selection,
        "version": selection.version,
        "list_query": list_query(dataset, selection),
        "rows": [
            {
                "item": item,
                "checked": item.number in checked,
                "ticks": [MARKS.get(mark) for mark in ticks.get(item.number, "")],
            }
            for item in page.rows
        ],
        "has_results": bool(ticks),
        "has_tags": any(item.tags for item in page.rows),
        "also": written(also),
        "shown_numbers": written(shown),
        "selected": count,
        "elsewhere": None if count is None else count - len(checked),
        "total": page.total,
        "shown_first": shown[0] if shown else None,
        "shown_last": shown[-1] if shown else None,
        "page": page,
        "all_query": _state(dataset, selection, all=1),
        "none_query": _state(dataset, selection),
    }


def count_of(dataset: Dataset, selection: Selection, total: int | None) -> int | None:
    """How many items are selected; None when only reading all of them could tell."""
    if not selection.everything:
        return len(selection.numbers)
    if total is None:
        found = item_pages.count(dataset, selection.version, selection.query)
        total = found.n if found.exact else None
    return None if total is None else total - len(selection.except_numbers)


def list_query(dataset: Dataset, selection: Selection) -> str:
    """The query string with which the list shows what can be selected here."""
    old = selection.version if selection.version != dataset.version else None
    return query(v=old, **selection.query.params())


def _state(dataset: Dataset, selection: Selection, **more: Any) -> str:
    old = selection.version if selection.version != dataset.version else None
    return query(version=old, **selection.query.params(), **more)


@require_POST
@project_view()
def export(
    request: HttpRequest, project: Project, slug: str
) -> HttpResponse | StreamingHttpResponse:
    """The selected items as a file. What a query alone says goes to the address that exports it."""
    dataset = queries.find_dataset(actor(request), project, slug)
    selection = selection_in(request, dataset)
    format = request.POST.get("format", "csv")
    if selection.is_empty:
        raise Invalid("No item is selected. Choose some, or select all that match.")
    asked = selection.query
    if selection.everything and not selection.except_numbers:
        address = reverse("datasets:export", args=[project.slug, dataset.slug])
        params = {"q": asked.q, "where": asked.where, "split": asked.split}
        return redirect(address + query(format=format, v=selection.version, **params))
    return file_answer(
        open_export(
            dataset,
            format=format,
            version=selection.version,
            q=asked.q if selection.everything else "",
            where=asked.where if selection.everything else "",
            split=asked.split if selection.everything else "",
            numbers=None if selection.everything else selection.numbers,
            except_numbers=selection.except_numbers,
        )
    )
