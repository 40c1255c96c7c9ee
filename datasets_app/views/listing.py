"""The list of items that stands beside every item page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from datasets_app import facets, item_pages, queries
from datasets_app.item_pages import ItemPage
from datasets_app.item_query import NUMBER, ItemQuery
from datasets_app.item_sorts import SORTS
from datasets_app.models import Dataset
from datasets_app.views.common import number_in, query
from evalhub.kit import slots
from evalhub.kit.errors import Invalid, NotFound
from evalhub.kit.whole import LARGEST_NUMBER

MARKS = {"p": True, "f": False}
STATE = ("v", "q", "where", "split", "sort", "after", "before", "from", "seen")
"""What of the list stands in its address."""


def list_context(
    request: HttpRequest,
    dataset: Dataset,
    *,
    number: int | None = None,
    rows: bool = True,
    follow: bool = True,
) -> dict[str, Any]:
    """Context of the item list: its version and query, and, unless `rows` is False, the rows.

    With an item `number` open, the list shows a page that holds it, unless `follow` is False. A
    query that is not understood shows no rows and `query_problem`.
    """
    asked = request.GET.get("v", "")
    version = queries.find_version(dataset, _version(dataset, asked, number_in(request, "v")))
    item_query = query_of(request)
    problem = _problem(item_query)
    old = version if version != dataset.version else None
    state = {"v": old, **item_query.params()}
    context: dict[str, Any] = {
        "version": version,
        "old": old is not None,
        "q": item_query.q,
        "item_query": ItemQuery() if problem else item_query,
        "query_problem": problem,
        "open_number": number,
        "list_query": list_query(request),
        "version_query": query(v=old),
    }
    if not rows:
        return context
    total = item_pages.total_of(dataset, version)
    context |= {
        "item_total": total,
        "where": item_query.where,
        "split": item_query.split,
        "sort": item_query.sort,
        "split_chips": _split_chips(dataset, version, total, state),
        "tag_chips": _tag_chips(dataset, version, total, state),
        "sorts": [
            {"name": name, "label": sort.label, "query": query(**state | {"sort": _sort(name)})}
            for name, sort in SORTS.items()
        ],
        "sort_label": SORTS[item_query.sort].label if item_query.sort in SORTS else "",
        "unfiltered_query": query(v=old, sort=state.get("sort")),
        "state_query": query(**state),
        "select_query": query(version=old, **item_query.params()),
        "no_where_query": query(**state | {"where": None}),
        "where_caret": _caret(item_query.where, problem),
        "hidden_state": [
            (name, value) for name, value in state.items() if value and name not in ("q", "where")
        ],
    }
    if problem is not None:
        return context | {"rows": [], "is_filtered": True}
    page = _page(request, dataset, version, item_query, number if follow else None)
    numbers = [item.number for item in page.rows]
    results = slots.fill("item.last_results", numbers, dataset_id=dataset.pk)
    first = numbers[0] if numbers and page.before else None
    return context | {
        "list_query": query(**state, **({"from": first} if first else {})),
        "rows": [
            {"item": item, "ticks": _ticks(results.get(item.number, ""))} for item in page.rows
        ],
        "is_filtered": not item_query.is_empty,
        "has_results": bool(results),
        "has_tags": any(item.tags for item in page.rows),
        "shown": _shown(page, item_query, total),
        "searched": page.searched,
        "next": _next(page, state),
        "previous": query(**state, before=page.before) if page.before else "",
    }


def query_of(request: HttpRequest) -> ItemQuery:
    """The query that the address says, understood or not."""
    given = request.GET
    return ItemQuery(
        q=given.get("q", "").strip(),
        where=given.get("where", "").strip(),
        sort=given.get("sort", "") or NUMBER,
        split=given.get("split", ""),
    )


def list_query(request: HttpRequest) -> str:
    """The list's state as the request has it, for links that keep it."""
    return query(**{name: request.GET.get(name) for name in STATE})


def _problem(item_query: ItemQuery) -> Invalid | None:
    try:
        item_query.check()
    except Invalid as problem:
        return problem
    return None


def _caret(where: str, problem: Invalid | None) -> str:
    """A mark to stand below the first fault of the filter; "" when that is no help."""
    position = problem.extra.get("position") if problem is not None else None
    if position is None or "\n" in where or not where:
        return ""
    return " " * int(position) + "^"


def _version(dataset: Dataset, asked: str, number: int | None) -> int | None:
    if asked and number is None:
        raise NotFound(f"{dataset.name} has no version “{asked[:20]}”.")
    return number


def _page(
    request: HttpRequest,
    dataset: Dataset,
    version: int,
    item_query: ItemQuery,
    number: int | None,
) -> ItemPage:
    """The page that is asked for, or, when the open item is not on it, one that begins with it."""
    page = item_pages.page(
        dataset,
        version,
        item_query,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        at=number_in(request, "from"),
        seen=number_in(request, "seen") or 0,
    )
    if number is None or number > LARGEST_NUMBER or not page.rows:
        return page
    if number in [item.number for item in page.rows] or not (page.after or page.before):
        return page
    return item_pages.page(dataset, version, item_query, at=number)


def _sort(name: str) -> str | None:
    return None if name == NUMBER else name


def _next(page: ItemPage, state: dict[str, Any]) -> str:
    if page.after is None:
        return ""
    seen = page.searched.looked_at if page.searched else None
    return query(**state, after=page.after, seen=seen)


def _split_chips(
    dataset: Dataset, version: int, total: int, state: dict[str, Any]
) -> list[dict[str, Any]]:
    """All items and each split with its count; none when items have no splits."""
    found = facets.splits(dataset, version)
    if not found:
        return []
    rest = {name: value for name, value in state.items() if name != "split"}
    chosen = state.get("split", "")
    everything = {
        "label": "All",
        "count": total,
        "exact": True,
        "query": query(**rest),
        "on": not chosen,
    }
    return [everything] + [
        {
            "label": facet.value,
            "count": facet.count,
            "exact": facet.exact,
            "query": query(**rest, split=facet.value),
            "on": facet.value == chosen,
        }
        for facet in found
    ]


def _tag_chips(
    dataset: Dataset, version: int, total: int, state: dict[str, Any]
) -> list[dict[str, Any]]:
    """The frequent tags; choosing one makes it the filter, choosing it again takes that away."""
    found = []
    for facet in facets.tags(dataset, version, total):
        where = facets.tag_filter(facet.value)
        on = state.get("where") == where
        chosen = state | {"where": None if on else where}
        found.append(
            {
                "label": facet.value,
                "count": facet.count,
                "exact": facet.exact,
                "query": query(**chosen),
                "on": on,
            }
        )
    return found


def _shown(page: ItemPage, item_query: ItemQuery, total: int) -> str:
    """ "Items 0001 to 0050 of 1,319", "12 of 1,319 items match", or what is on the page alone."""
    if not page.rows:
        return ""
    count = len(page.rows)
    if page.total is None and not (page.after or page.before or page.searched):
        return f"{count:,} of {total:,} items {'matches' if count == 1 else 'match'}"
    if item_query.sort != NUMBER:
        word = "item" if count == 1 else "items"
        return f"{count:,} {word}" + ("" if page.total is None else f" of {page.total:,}")
    first, last = page.rows[0].number, page.rows[-1].number
    text = f"Items {first:04d} to {last:04d}" if first != last else f"Item {first:04d}"
    return text if page.total is None else f"{text} of {page.total:,}"


def _ticks(marks: str) -> list[bool | None]:
    """ "ppf-" as what the chart takes: True, True, False, None."""
    return [MARKS.get(mark) for mark in marks]
