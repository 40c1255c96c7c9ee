"""A filter as rows of field, operator and value, for a form; and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from datasets_app.filters.nodes import (
    COMPARISONS,
    And,
    Compare,
    Contains,
    Filter,
    FilterError,
    In,
    Literal,
    Not,
    Presence,
)
from datasets_app.filters.parsing import parse
from datasets_app.filters.text import field_text, to_text, value_text
from evalhub.kit.json import dumps

OPERATORS: Final[dict[str, str]] = {
    "=": "is",
    "!=": "is not",
    "in": "is one of",
    "not in": "is none of",
    "contains": "contains",
    "not contains": "does not contain",
    "<": "less than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
    "exists": "exists",
    "is missing": "is missing",
    "is null": "is null",
}
"""What a row may say, with its words in the form."""
WITHOUT_VALUE: Final = ("exists", "is missing", "is null")
MAX_ROWS: Final = 12

_LITERAL = re.compile(
    r'-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|"(?:[^"\\]|\\.)*"', re.ASCII
)
_VALUE_IN_LIST = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[^,]*)\s*(?:,|$)')
_ONLY_TEXT = ("tag", "tags", "split", "external_id", "source")


@dataclass(frozen=True, slots=True)
class Row:
    """One condition. `value` is as a person types it: quotes are needed only where 5 is a text."""

    field: str = ""
    op: str = "="
    value: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.field.strip()


class RowError(Exception):
    """A row that is no condition; `row` counts from 0, `detail` is a sentence."""

    def __init__(self, row: int, detail: str) -> None:
        super().__init__(detail)
        self.row = row
        self.detail = detail


def compose(rows: Sequence[Row]) -> str:
    """The text of the filter in which all rows hold; empty rows count nothing. Raises RowError."""
    parts: list[Filter] = []
    for index, row in enumerate(rows):
        if row.is_empty:
            continue
        try:
            parts.append(parse(_text(row)))
        except FilterError as error:
            raise RowError(index, error.detail) from None
    if not parts:
        return ""
    return to_text(parts[0] if len(parts) == 1 else And(tuple(parts)))


def rows_of(filter: Filter | None) -> list[Row] | None:
    """The filter as rows; None when it says more than rows can."""
    parts = () if filter is None else filter.parts if isinstance(filter, And) else (filter,)
    rows = [_row(part) for part in parts]
    found = [row for row in rows if row is not None]
    return found if len(found) == len(rows) <= MAX_ROWS else None


def _row(part: Filter) -> Row | None:
    negated = isinstance(part, Not)
    inner = part.part if isinstance(part, Not) else part
    word = "not " if negated else ""
    if isinstance(inner, Contains):
        return Row(field_text(inner.field), f"{word}contains", inner.value)
    if isinstance(inner, In):
        values = ", ".join(_typed(value, in_list=True) for value in inner.values)
        return Row(field_text(inner.field), f"{word}in", values)
    if isinstance(inner, Compare) and not negated:
        return Row(field_text(inner.field), inner.op, _typed(inner.value))
    if isinstance(inner, Presence) and not (negated and inner.what == "null"):
        if negated:
            what = "exists" if inner.what == "missing" else "is missing"
        else:
            what = "exists" if inner.what == "exists" else f"is {inner.what}"
        return Row(field_text(inner.field), what)
    return None


def typed_value(value: Any) -> str:
    """A value of an item as a person would type it into a row."""
    return _typed(value) if isinstance(value, str) else dumps(value)


def _typed(value: Literal, *, in_list: bool = False) -> str:
    if not isinstance(value, str):
        return value_text(value)
    plain = value == value.strip() and value and not _LITERAL.fullmatch(value)
    plain = plain and not value.startswith('"') and not (in_list and "," in value)
    return value if plain else dumps(value)


def _text(row: Row) -> str:
    field, value = row.field.strip(), row.value.strip()
    if row.op in WITHOUT_VALUE:
        return f"{field} {row.op}"
    if row.op in ("contains", "not contains"):
        text = f"{field} contains {dumps(row.value)}"
        return f"not {text}" if row.op.startswith("not") else text
    if row.op in ("in", "not in"):
        values = [found for found in _VALUE_IN_LIST.findall(value) if found.strip()]
        return f"{field} {row.op} ({', '.join(_written(field, one.strip()) for one in values)})"
    if row.op not in COMPARISONS:
        raise FilterError(0, f"There is no operator “{row.op}”.")
    return f"{field} {row.op} {_written(field, value)}"


def _written(field: str, value: str) -> str:
    """A typed value as it stands in a filter."""
    if value.startswith('"') and _LITERAL.fullmatch(value):
        return value
    if field.casefold() not in _ONLY_TEXT and _LITERAL.fullmatch(value):
        return value
    return dumps(value)
