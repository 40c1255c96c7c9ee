"""What rows become: the draft of an item, and the problems that keep a row from it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from datasets_app.importing.mapping import ColumnMapping
from datasets_app.importing.problems import Problem, shown
from datasets_app.importing.source import Row
from datasets_app.importing.values import BadValue
from datasets_app.items import MAX_ITEM_CHARS
from evalhub.kit import json


class ItemDraft(NamedTuple):
    """One item, JSON as compact text; None stands for absent, and empty text for no source.

    `line` is where its row begins in the file, `number` what an export says that the item has, 0
    without one.
    """

    line: int
    input_json: str
    expected_json: str | None
    metadata_json: str
    context_json: str | None
    tags: list[str]
    split: str
    scorers_json: str | None
    external_id: str | None
    source: str
    content_hash: str
    number: int = 0


Compiled = Callable[[Row], ItemDraft | Problem]
Texts = tuple[str, str]
"""A value as compact JSON in its own order, and as canonical JSON."""
NOTHING = (None, None)


class At(Exception):
    """A value that could not be read, with its column."""

    def __init__(self, column: str, value: Any, error: BadValue) -> None:
        super().__init__(error.reason)
        self.column, self.value, self.error = column, value, error

    def problem(self, line: int) -> Problem:
        error = self.error
        value = self.value if isinstance(self.value, str) else json.dumps(self.value)
        return Problem(line, self.column, shown(value), error.kind, error.reason, error.suggestion)


def place(into: dict[str, Any], path: Sequence[str], value: Any, what: str) -> None:
    """Put a value at a path of names; without one, the fields of the object that it must be.

    Raises BadValue.
    """
    if not path:
        if not isinstance(value, dict):
            raise BadValue(
                "not_an_object",
                f"Not a JSON object, whose fields would be those of the {what.replace('_', ' ')}.",
                "Give the column a key.",
            )
        into.update(value)
        return
    for name in path[:-1]:
        inner = into.get(name)
        if not isinstance(inner, dict):
            inner = into[name] = {}
        into = inner
    into[path[-1]] = value


def digest(given: str, expected: str | None, context: str | None) -> str:
    """evalhub.kit.json.content_hash, of texts that are canonical already; None is absent.

    There, an absent context counts as null. A test holds the two equal.
    """
    parts = "\0".join((given, expected or "", context or "null"))
    return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()


def missing_input(line: int, inputs: list[ColumnMapping], is_text: bool) -> Problem:
    names = ", ".join(repr(one.column) for one in inputs)
    if is_text:
        what = "The cell is empty" if len(inputs) == 1 else "The cells are empty"
    else:
        what = "The object has no such key"
    reason = f"{what}, so the item has no input ({names})."
    return Problem(line, inputs[0].column, "", "missing_input", reason)


def too_large(line: int) -> Problem:
    reason = f"An item's input and expected output hold at most {MAX_ITEM_CHARS:,} characters."
    return Problem(line, None, "", "too_long", reason)
