"""Rows held to the JSON Schemas of their dataset. Pure."""

from __future__ import annotations

import difflib
import re

from datasets_app.importing.draft import Compiled, ItemDraft
from datasets_app.importing.mapping import Destination, Mapping
from datasets_app.importing.problems import Problem, shown
from datasets_app.importing.source import Row
from datasets_app.item_schemas import ItemSchemas
from evalhub.kit import json

_CHOICES = re.compile(r"“([^”]+)”")


def keeping_to(schemas: ItemSchemas, draft: Compiled, mapping: Mapping) -> Compiled:
    """`draft`, with a Problem for each item that breaks a schema; `draft` itself without any."""
    if not schemas:
        return draft

    def checked(row: Row) -> ItemDraft | Problem:
        made = draft(row)
        if isinstance(made, Problem):
            return made
        found = schemas.find(made)
        if not found:
            return made
        names = _names(found[0].pointer)
        text, is_there = _value(made, names)
        detail = found[0].detail
        if len(found) > 1:
            more = len(found) - 1
            detail += f" And {more:,} more {'problem' if more == 1 else 'problems'} of the row."
        column = _column(mapping, names)
        suggestion = _meant(text, found[0].detail) if is_there else ""
        return Problem(made.line, column, shown(text), "schema", detail, suggestion)

    return checked


def _names(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _value(draft: ItemDraft, names: list[str]) -> tuple[str, bool]:
    """(the value at a path as text, whether it is there)."""
    texts = {
        "input": draft.input_json,
        "expected_output": draft.expected_json,
        "metadata": draft.metadata_json,
    }
    value = json.loads(texts.get(names[0]) or "null")
    for name in names[1:]:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return "", False
    return (value if isinstance(value, str) else json.dumps(value)), True


def _column(mapping: Mapping, names: list[str]) -> str | None:
    """The column that gave the value at a path; None when no single one did."""
    destination: Destination = names[0]  # type: ignore[assignment]  # schemas are of these
    ones = mapping.to(destination)
    if len(ones) == 1 and (destination != "metadata" or not ones[0].key):
        return ones[0].column
    path = tuple(names[1:])
    fitting = [one for one in ones if one.path and path[: len(one.path)] == one.path]
    return fitting[0].column if len(fitting) == 1 else None


def _meant(text: str, detail: str) -> str:
    """The value that a schema names and that is nearly this one."""
    listed = detail.partition(" is not one of ")[2]
    choices = {one.lower(): one for one in _CHOICES.findall(listed)}
    close = difflib.get_close_matches(text.strip().lower(), choices, 1, 0.6)
    return f"Did you mean {choices[close[0]]}?" if close else ""
