"""The list of items that stands beside every item page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from datasets_app import queries
from datasets_app.models import Dataset, ItemRevision
from datasets_app.views.common import number_in, query
from evalhub.kit import slots
from evalhub.kit.errors import NotFound
from evalhub.kit.paging import Page

MARKS = {"p": True, "f": False}


def list_context(
    request: HttpRequest, dataset: Dataset, *, number: int | None = None, rows: bool = True
) -> dict[str, Any]:
    """Context of the item list: its version and search, and, unless `rows` is False, the rows.

    With an item `number` open, the list shows a page that holds it.
    """
    asked = request.GET.get("v", "")
    version = queries.find_version(dataset, _version(dataset, asked, number_in(request, "v")))
    q = request.GET.get("q", "").strip()
    old = version if version != dataset.version else None
    context: dict[str, Any] = {
        "version": version,
        "old": old is not None,
        "q": q,
        "open_number": number,
        "list_query": list_query(request),
        "version_query": query(v=old),
        "search_query": query(v=old, q=q),
    }
    if not rows:
        return context
    page = _page(request, dataset, version, q, number)
    numbers = [item.number for item in page.rows]
    results = slots.fill("item.last_results", numbers, dataset_id=dataset.pk)
    start = numbers[0] - 1 if numbers and page.before else None
    return context | {
        "list_query": query(v=old, q=q, after=start),
        "rows": [
            {"item": item, "ticks": _ticks(results.get(item.number, ""))} for item in page.rows
        ],
        "has_results": bool(results),
        "has_tags": any(item.tags for item in page.rows),
        "shown": _shown(page),
        "next": query(v=old, q=q, after=page.after) if page.after else "",
        "previous": query(v=old, q=q, before=page.before) if page.before else "",
        "item_total": queries.item_count(dataset, version) if page.total is None else page.total,
    }


def list_query(request: HttpRequest) -> str:
    """The list's state as the request has it, for links that keep it."""
    return query(**{name: request.GET.get(name) for name in ("v", "q", "after", "before")})


def _version(dataset: Dataset, asked: str, number: int | None) -> int | None:
    if asked and number is None:
        raise NotFound(f"{dataset.name} has no version “{asked[:20]}”.")
    return number


def _page(
    request: HttpRequest, dataset: Dataset, version: int, q: str, number: int | None
) -> Page[ItemRevision]:
    """The page that is asked for, or, when the open item is not on it, one that holds the item."""
    page = queries.items_page(
        dataset,
        version,
        q=q,
        after=number_in(request, "after"),
        before=number_in(request, "before"),
    )
    if number is None or not page.rows:
        return page
    if number < page.rows[0].number and page.before:
        return queries.items_page(dataset, version, q=q, before=number + 1)
    if number > page.rows[-1].number and page.after:
        return queries.items_page(dataset, version, q=q, after=number - 1)
    return page


def _shown(page: Page[ItemRevision]) -> str:
    """ "Items 0001 to 0050 of 1,319"; without a total while searching."""
    if not page.rows:
        return ""
    first, last = page.rows[0].number, page.rows[-1].number
    text = f"Items {first:04d} to {last:04d}" if first != last else f"Item {first:04d}"
    return text if page.total is None else f"{text} of {page.total:,}"


def _ticks(marks: str) -> list[bool | None]:
    """ "ppf-" as what the chart takes: True, True, False, None."""
    return [MARKS.get(mark) for mark in marks]
