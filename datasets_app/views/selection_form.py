"""The selection that the select page holds: shown rows as check boxes, all others as text."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest, QueryDict

from datasets_app import queries
from datasets_app.exports import parse_numbers
from datasets_app.item_query import ItemQuery
from datasets_app.models import Dataset
from datasets_app.selection import Selection, in_order
from evalhub.kit.errors import Invalid
from evalhub.kit.whole import whole

HELD = ("version", "q", "where", "split", "sort", "all", "also")
"""The fields that carry a selection from form to form."""


def selection_in(request: HttpRequest, dataset: Dataset) -> Selection:
    """The selection in a query string or a form, which may be empty. Raises Invalid.

    Named are the `numbers` of checked boxes, and those of other pages in `also`. With `all` it is
    everything that matches: then `also` are exceptions, and of the items in `shown` those whose box
    is not checked.
    """
    data = request.POST if request.method == "POST" else request.GET
    text = data.get("version") or data.get("v") or ""
    number = whole(text)
    version = queries.find_version(dataset, number)
    query = query_in(data)
    also = set(parse_numbers(data.get("also", "")) or ())
    checked = set(_numbers(data.getlist("numbers")))
    shown = set(parse_numbers(data.get("shown", "")) or ())
    if data.get("all"):
        excepted = (also - shown) | (shown - checked)
        return Selection(
            version, query, everything=True, except_numbers=in_order(excepted, "/except")
        )
    numbers = in_order((also - shown) | checked, "/numbers")
    return Selection(version, query, numbers=numbers)


def query_in(data: QueryDict) -> ItemQuery:
    """The query of the list, as its address has it."""
    return ItemQuery(
        q=data.get("q", "").strip(),
        where=data.get("where", "").strip(),
        sort=data.get("sort", "") or "number",
        split=data.get("split", "").strip(),
    )


def _numbers(texts: Iterable[str]) -> Iterable[int]:
    for text in texts:
        found = parse_numbers(text)
        if found is None:
            raise Invalid("An item number is missing.")
        yield from found
