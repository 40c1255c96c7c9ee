"""Rows of one of our own exports: each is a whole item, taken back character by character. Pure.

The general rules trim and default (a split loses the space around it, an empty text as expected
output is absent), which is kind to files made by hand and would change what an export wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from datasets_app import exchange
from datasets_app.importing.draft import Compiled, ItemDraft
from datasets_app.importing.guessing import guess
from datasets_app.importing.mapping import Mapping
from datasets_app.importing.problems import Problem, shown
from datasets_app.importing.source import Row
from datasets_app.items import ItemContent
from evalhub.kit import json
from evalhub.kit.errors import Invalid

_KINDS = {
    "input": "missing_input",
    "metadata": "not_an_object",
    "context": "not_an_object",
    "tags": "not_tags",
    "scorers": "not_scorers",
    "split": "too_long",
    "external_id": "too_long",
    "source": "too_long",
}


def exact(mapping: Mapping, columns: Sequence[str]) -> Compiled | None:
    """The function that makes drafts of an export's rows; None when the file is none, or when its
    columns are mapped otherwise than they were written.
    """
    cells = exchange.recognise(columns, typed=False)
    if cells is not None and mapping == guess(columns, (), typed=False):
        places = [(cells[name], at) for at, name in enumerate(columns) if name in cells]
        number = columns.index(exchange.NUMBER) if exchange.NUMBER in columns else None
        return lambda row: _draft(row, places, number)
    if cells is None and exchange.recognise(columns, typed=True) is not None:
        return (
            (lambda row: _draft(row, (), None))
            if mapping == guess(columns, (), typed=True)
            else None
        )
    return None


def _draft(
    row: Row, places: Sequence[tuple[str, int]], number_at: int | None
) -> ItemDraft | Problem:
    values: Any = row.values
    number: Any = None
    try:
        if isinstance(values, list):
            number = None if number_at is None else values[number_at]
            given: dict[str, Any] = {field: values[at] for field, at in places}
            item = exchange.from_cells(given)
        else:
            number = values.get(exchange.NUMBER)
            given = {name: values[name] for name in exchange.FIELDS if name in values}
            item = exchange.from_object(given)
    except Invalid as error:
        return _problem(row.line, given, error)
    return _as_draft(row.line, item, _number(number))


def _number(given: Any) -> int:
    """The item's number; 0 for what is none."""
    if isinstance(given, str):
        return int(given) if given.isascii() and given.isdigit() and len(given) < 12 else 0
    return given if type(given) is int and given > 0 else 0


def _as_draft(line: int, item: ItemContent, number: int) -> ItemDraft:
    return ItemDraft(
        line,
        item.input_json,
        item.expected_json,
        item.metadata_json,
        item.context_json,
        json.loads(item.tags_json),
        item.split,
        item.scorers_json,
        item.external_id,
        item.source,
        item.content_hash,
        number,
    )


def _problem(line: int, given: dict[str, Any], error: Invalid) -> Problem:
    field = error.errors[0].pointer.lstrip("/") if error.errors else ""
    value = given.get(field, "")
    text = value if isinstance(value, str) else json.dumps(value)
    kind = (
        "bad_json" if error.detail.startswith("Not valid JSON") else _KINDS.get(field, "too_long")
    )
    return Problem(line, field or None, shown(text), kind, error.detail)
