"""The items that an export holds, read page by page.

Pages by key, not one server-side cursor: a version never changes, so a page more or less of
patience is all that a slow reader costs. A cursor would hold a transaction open (on SQLite with the
write-ahead log growing behind it) for as long as somebody's download takes, and one that outlives
its transaction makes PostgreSQL store the whole answer before its first row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from datasets_app import exporting, queries
from datasets_app.exporting import ExportRow
from datasets_app.item_query import ItemQuery, select
from datasets_app.models import Dataset, ItemRevision
from evalhub.kit.errors import FieldError, Invalid

Items = QuerySet[ItemRevision]

FIRST_PAGE = 200  # small, so that the first piece comes at once
LARGEST_PAGE = 2_000
SMALLEST_WINDOW = 10
_LONG = tuple(map(ExportRow._fields.index, ("input_json", "expected_json", "metadata_json")))
PAGE_CHARS = 4_000_000  # that a page aims at: large items make short pages
NUMBERS_AT_ONCE = 500  # SQLite takes a bounded number of parameters
MAX_NUMBERS = 100_000


@dataclass(frozen=True, slots=True)
class Export:
    """A file on its way out: `chunks` reads the database as it is consumed."""

    filename: str
    content_type: str
    chunks: Iterator[bytes]


def open_export(
    dataset: Dataset,
    *,
    format: str,
    version: int | None = None,
    q: str = "",
    where: str = "",
    split: str = "",
    numbers: Sequence[int] | None = None,
    except_numbers: Sequence[int] = (),
) -> Export:
    """The dataset's items at `version` (None: now) that match, in number order.

    `numbers` keeps the items so numbered, `except_numbers` leaves them out. Raises Invalid for an
    unknown format or a filter that cannot be read and NotFound for an unknown version, before
    anything is read.
    """
    if format not in exporting.FORMATS:
        detail = f"The format “{format[:20]}” is not known. Choose csv, json or jsonl."
        raise Invalid(detail, errors=[FieldError("/format", detail)])
    at = queries.find_version(dataset, version)
    query = ItemQuery(q=q, where=where, split=split)
    found = select(dataset.pk, at, query)
    part = not query.is_empty or numbers is not None or bool(except_numbers)
    if numbers is None:
        rows = _pages(found, 0, dataset.next_item_number - 1)
    else:
        rows = _numbered(found, sorted(numbers))
    if except_numbers:
        left_out = frozenset(except_numbers)
        rows = (row for row in rows if row.number not in left_out)
    return Export(
        exporting.file_name(dataset.slug, at, format, timezone.now().date(), part=part),
        exporting.FORMATS[format],
        exporting.exported(format, rows),
    )


def parse_numbers(text: str) -> list[int] | None:
    """The item numbers that "1-50,60" names, in order; None for "". Raises Invalid."""
    if not text.strip():
        return None
    numbers: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        if not all(end.isascii() and end.isdigit() and len(end) < 10 for end in ends):
            raise _not_numbers(f"“{part[:20]}” is no item number. Write them as 1-50,60.")
        low, high = int(ends[0]), int(ends[1])
        if high - low >= MAX_NUMBERS or len(numbers) > MAX_NUMBERS:
            raise _not_numbers(f"At most {MAX_NUMBERS:,} items can be named by their numbers.")
        numbers.update(range(low, high + 1))
    return sorted(numbers)


def _not_numbers(detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError("/numbers", detail)])


def _pages(found: Items, after: int, last: int) -> Iterator[ExportRow]:
    """The rows with numbers above `after` up to `last`, which is at least the highest.

    Each page is a window of numbers. A LIMIT alone would do where the database knows the table; on
    one that has just been filled PostgreSQL reads and sorts all that is left, for every page.
    """
    rows = found.order_by("number").values_list(*ExportRow._fields)
    window = FIRST_PAGE
    while after < last:
        page = list(rows.filter(number__gt=after, number__lte=after + window)[:LARGEST_PAGE])
        yield from map(tuple.__new__, repeat(ExportRow), page)  # what ExportRow._make does, slowly
        after = page[-1][0] if len(page) == LARGEST_PAGE else after + window
        chars = sum(_chars(page, column) for column in _LONG)
        room = min(PAGE_CHARS / (chars + 1), LARGEST_PAGE / (len(page) + 1), 4.0)
        window = max(SMALLEST_WINDOW, int(window * room))


def _chars(page: Sequence[tuple[Any, ...]], column: int) -> int:
    return sum(map(len, filter(None, map(itemgetter(column), page))))


def _numbered(found: Items, numbers: Sequence[int]) -> Iterator[ExportRow]:
    for start in range(0, len(numbers), NUMBERS_AT_ONCE):
        some = numbers[start : start + NUMBERS_AT_ONCE]
        yield from _pages(found.filter(number__in=some), some[0] - 1, some[-1])
