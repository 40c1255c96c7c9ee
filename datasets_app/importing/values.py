"""One cell or JSON value read as the type that its column is mapped to. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from datasets_app.importing.mapping import ReadAs
from evalhub.kit import json
from evalhub.kit.json import ABSENT

_TRUE = frozenset({"true", "yes", "y", "t", "1"})
_FALSE = frozenset({"false", "no", "n", "f", "0"})
_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER = re.compile(r"([-+]?)0*(\d*)(\.\d*)?([eE][-+]?\d+)?", re.ASCII)


class BadValue(Exception):
    """A value that cannot be read as its column's type; turned into a Problem by the caller."""

    def __init__(self, kind: str, reason: str, suggestion: str = "") -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.suggestion = suggestion


def reader(read_as: ReadAs) -> Callable[[Any], Any]:
    """A function from a cell's text or a JSON value to the value of the item.

    It gives ABSENT for an empty cell that is read as a number, true or false or JSON, and raises
    BadValue. Values of JSONL that have the type already pass unchanged.
    """
    return _READERS[read_as]


def _as_is(value: Any) -> Any:
    return value


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else json.dumps(value)


def _number(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else None
    if text == "":
        return ABSENT
    match = _NUMBER.fullmatch(text) if text is not None else None
    if text is None or match is None or not any(c.isdigit() for c in text.lower().split("e")[0]):
        grouped = text is not None and _GROUPED.fullmatch(text) is not None
        suggestion = text.replace(",", "") if text is not None and grouped else ""
        raise BadValue("not_a_number", "Not a number.", suggestion)
    sign, whole, fraction, exponent = match.groups()
    literal = ("-" if sign == "-" else "") + (whole or "0")
    if fraction and len(fraction) > 1:
        literal += fraction
    try:
        return json.loads(literal + (exponent or ""))
    except json.JsonError as error:
        raise BadValue("not_a_number", _fault(error)) from None


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else str(value)
    if word == "":
        return ABSENT
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise BadValue("not_a_boolean", "Not true or false (also read: yes, no, 1, 0).")


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return ABSENT
    try:
        return json.loads(value)
    except json.JsonError as error:
        raise BadValue("bad_json", f"Not valid JSON: {_fault(error)}") from None


def _fault(error: json.JsonError) -> str:
    return error.message[0].upper() + error.message[1:].rstrip(".") + "."


_READERS: dict[ReadAs, Callable[[Any], Any]] = {
    "auto": _as_is,
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "json": _json,
}
