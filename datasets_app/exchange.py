"""The form in which items leave evalhub and come back without loss: columns and their marks. Pure.

Exporting writes it, importing reads it; both take the names and the rules from here.

CSV: a header such as `number,external_id:text,input:json,...`. A cell of a `:json` column is JSON
text, an empty one means absent; a cell of a `:text` column is the text itself. A cell that a
spreadsheet could take for a formula has one apostrophe before it, and so has one that begins with
an apostrophe: taking one away gives back what was there. Columns that are not marked are not ours.

JSON and JSONL: objects with the fields' names as keys and their values as they are, `number` beside
them. An object is ours when it has an `input` and no key that is not in FIELDS or READ_PAST.

An importer asks `recognise`; when that knows the columns, `from_cells` or `from_object` makes the
whole item of each row, checked like one that comes through the API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datasets_app.items import ItemContent, parse_item
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.json import JsonError, loads

NUMBER = "number"
JSON_FIELDS = ("input", "expected_output", "metadata", "context", "tags", "scorers")
TEXT_FIELDS = ("external_id", "split", "source")
FIELDS = (
    "external_id",
    "input",
    "expected_output",
    "metadata",
    "context",
    "tags",
    "split",
    "scorers",
    "source",
)
"""What is written of an item after its number, in this order."""

READ_PAST = (NUMBER, "revision", "version", "content_hash", "purged")
"""What an item carries besides, in exports and the API's answers. An import takes the number alone,
and only into a dataset that never had an item."""

_JSON_MARK, _TEXT_MARK = ":json", ":text"
_GUARD = "'"
_RISKY = frozenset("=+-@\t\r\n＝＋－＠" + _GUARD)  # full width: read as formulas too


def marked(field: str) -> str:
    """The field's column in a CSV header, such as `input:json`."""
    return field + (_JSON_MARK if field in JSON_FIELDS else _TEXT_MARK)


CSV_HEADER = (NUMBER, *(marked(field) for field in FIELDS))


def guarded(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula; `unguarded` gives it back."""
    return _GUARD + text if text[:1] in _RISKY and text else text


def unguarded(cell: str) -> str:
    """The text that `guarded` made the cell of."""
    return cell[1:] if cell[:1] == _GUARD else cell


def recognise(columns: Sequence[str], *, typed: bool) -> dict[str, str] | None:
    """{column: field} when the columns are those of an export, else None.

    `typed` says that the rows are JSON objects; else they are cells of CSV or TSV, where columns
    that somebody has put beside ours are left out of the answer.
    """
    if typed:
        known = all(column in FIELDS or column in READ_PAST for column in columns)
        found = {column: column for column in columns if column in FIELDS}
    else:
        by_column = {marked(field): field for field in FIELDS}
        found = {column: by_column[column] for column in columns if column in by_column}
        known = True
    return found if known and "input" in found.values() else None


def from_cells(fields: Mapping[str, str], *, source: str = "") -> ItemContent:
    """The item that the cells of a row are, given as {field: cell}.

    `source` is for an item that names none. Raises Invalid with a pointer (`/metadata`) for what a
    cell cannot be.
    """
    payload: dict[str, Any] = {}
    for field, cell in fields.items():
        text = unguarded(cell)
        if text == "":
            continue
        if field in TEXT_FIELDS:
            payload[field] = text
            continue
        try:
            payload[field] = loads(text)
        except JsonError as error:
            detail = f"Not valid JSON: {error.message}"
            raise Invalid(detail, errors=[FieldError(f"/{field}", detail)]) from error
    return parse_item(payload, source=source)


def from_object(row: Mapping[str, Any], *, source: str = "") -> ItemContent:
    """The item that a row of JSON or JSONL is. Raises Invalid with pointers."""
    payload = {name: value for name, value in row.items() if name not in READ_PAST}
    return parse_item(payload, source=source)
