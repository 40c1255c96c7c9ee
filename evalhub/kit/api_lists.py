"""Lists of the API: paged by a key that never changes, with an opaque cursor."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from ninja import Schema
from pydantic import Field

from evalhub.kit.api import answer
from evalhub.kit.paging import decode_cursor, encode_cursor

M = TypeVar("M", bound=Model)
T = TypeVar("T")


class Paging(Schema):
    """What every list takes in its address."""

    cursor: str | None = Field(None, max_length=100, description="next_cursor of the page before")
    limit: int = Field(100, ge=1, le=1000, description="rows in this page")

    @property
    def after(self) -> int | None:
        """The key of the last row of the page before, None for the first page. Raises Invalid."""
        return decode_cursor(self.cursor) if self.cursor else None


class Listing(Schema, Generic[T]):
    """A page of a list. `total` counts all pages; null when that would take too long."""

    items: list[T]
    next_cursor: str | None
    total: int | None


def list_answer(
    items: Sequence[Any],
    *,
    next_key: int | None = None,
    next_cursor: str | None = None,
    total: int | None = None,
) -> HttpResponse:
    """A page of a list; when there are more, `next_key` is the key of its last row, or the list
    has cursors of its own."""
    cursor = next_cursor if next_key is None else encode_cursor(next_key)
    return answer({"items": items, "next_cursor": cursor, "total": total})


def page_down(found: QuerySet[M], key: str, paging: Paging) -> tuple[list[M], int | None]:
    """A page of `found`, highest `key` first, and the key to go on from (None: no more)."""
    found = found.order_by(f"-{key}")
    if paging.after is not None:
        found = found.filter(**{f"{key}__lt": paging.after})
    rows = list(found[: paging.limit + 1])
    more = len(rows) > paging.limit
    rows = rows[: paging.limit]
    return rows, getattr(rows[-1], key) if more else None
