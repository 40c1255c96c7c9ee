"""One query for items, for pages, API, export, runs and bulk actions: `?q=&where=&split=&sort=`.

`select` gives all that match, in order. Reading a page is in `item_pages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from datasets_app.filter_sql import Condition
from datasets_app.filters import Filter, FilterError, parse
from datasets_app.item_sorts import SORTS
from datasets_app.models import ItemRevision
from datasets_app.search_sql import Search
from evalhub.kit.errors import FieldError, Invalid

MAX_SEARCH_CHARS = 500
NUMBER = "number"


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """Which items, and in which order. Each part is the text that stands in an address.

    `q` is looked for in the JSON of input, expected output and metadata, and in external ids;
    `where` is a filter (`datasets_app.filters`); `split` keeps the items of one split.
    """

    q: str = ""
    where: str = ""
    sort: str = NUMBER
    split: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether every item passes."""
        return not (self.q.strip() or self.where.strip() or self.split)

    def filter(self) -> Filter | None:
        """What `where` says; None when it is empty. Raises Invalid with `position` in its extra."""
        if not self.where.strip():
            return None
        try:
            return parse(self.where)
        except FilterError as error:
            raise Invalid(
                f"The filter is not understood at character {error.position + 1}: {error.detail}",
                errors=[FieldError("/where", error.detail)],
                position=error.position,
            ) from None

    def check(self) -> None:
        """Raises Invalid for what cannot be asked."""
        self.filter()
        if self.sort not in SORTS:
            detail = f"There is no order “{self.sort}”. It is one of {', '.join(SORTS)}."
            raise Invalid(detail, errors=[FieldError("/sort", detail)])
        if len(self.q) > MAX_SEARCH_CHARS:
            detail = f"A search has at most {MAX_SEARCH_CHARS} characters."
            raise Invalid(detail, errors=[FieldError("/q", detail)])
        if "\0" in self.q + self.split:
            raise Invalid("A search has no NUL characters.")

    def params(self) -> dict[str, str]:
        """The query for an address, without what is as usual."""
        given = {"q": self.q.strip(), "where": self.where.strip(), "split": self.split}
        if self.sort != NUMBER:
            given["sort"] = self.sort
        return {name: value for name, value in given.items() if value}


def conditions(query: ItemQuery) -> list[Any]:
    """What a row has to pass, for `QuerySet.filter(*...)`. Raises Invalid."""
    query.check()
    found: list[Any] = []
    if query.split:
        found.append(Q(split=query.split))
    where = query.filter()
    if where is not None:
        found.append(Condition(where))
    if query.q.strip():
        found.append(Search(query.q.strip()))
    return found


def select(dataset_id: int, version: int, query: ItemQuery) -> QuerySet[ItemRevision]:
    """All items at `version` that match, in the order of the query. Raises Invalid.

    It reads every item, so it is for what does so anyway: an export, a bulk action, a run.
    """
    found = ItemRevision.objects.filter(dataset=dataset_id).at(version)
    return found.filter(*conditions(query)).order_by(*SORTS[query.sort].everything)
