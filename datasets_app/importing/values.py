"""One cell or JSON value read as the type that its column is mapped to. Pure."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable
from json.encoder import encode_basestring as quoted
from typing import Any

import orjson

from datasets_app.importing.mapping import ReadAs
from evalhub.kit import json
from evalhub.kit.json import ABSENT

_TRUE = frozenset({"true", "yes", "y", "t", "1"})
_FALSE = frozenset({"false", "no", "n", "f", "0"})
_MEANT = {
    **dict.fromkeys(("on", "x", "ja", "oui", "si", "1.0", "✓", "wahr", "vrai", "correct"), "true"),
    **dict.fromkeys(("off", "nein", "non", "0.0", "falsch", "faux", "wrong"), "false"),
}
_CLOSE = {"true": "true", "false": "false", "yes": "true", "no": "false"}
_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_COMMA = re.compile(r"[-+]?\d+,\d+")
_COMMA_DECIMAL = re.compile(
    r"[-+]?(?:\d{1,3}(?:\.\d{3})+|\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+)(?:,\d+)?", re.ASCII
)
_TO_POINT = str.maketrans({",": ".", **dict.fromkeys(". \u00a0\u202f")})
_POINT_DECIMAL = re.compile(r"[-+]?\d+\.\d+", re.ASCII)
_WITH_UNIT = re.compile(r"[^\w.,+-]?\s?([-+]?\d+(?:\.\d+)?)\s?(?:%|[^\W\d]{0,5}\.?|[^\w\s]?)")
_NUMBER = re.compile(r"([-+]?)0*(\d*)(\.\d*)?([eE][-+]?\d+)?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"0|-?[1-9]\d{0,14}", re.ASCII)
_PYTHON_CHARS = 10_000


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
    BadValue. Values that have the type already pass unchanged.
    """
    return _READERS[read_as]


def text_reader(read_as: ReadAs) -> Callable[[str], str | None]:
    """Like `reader`, from a cell to compact JSON text; None for ABSENT."""
    if read_as in ("auto", "text"):
        return quoted
    if read_as == "json":
        return compact
    if read_as == "json_or_text":
        return _compact_or_quoted
    read = reader(read_as)

    def text(cell: str) -> str | None:
        value = read(cell)
        return None if value is ABSENT else json.dumps(value)

    return text


def compact(cell: str) -> str | None:
    """JSON text as `evalhub.kit.json` would write its value, and a quicker way there; None when
    there is nothing but space. Raises BadValue.
    """
    if "\\u" not in cell and cell.count("[") + cell.count("{") <= json.MAX_DEPTH:
        try:
            value = orjson.loads(cell)
        except orjson.JSONDecodeError:
            pass  # and the strict parser says why
        else:
            if _is_plain(value):
                return orjson.dumps(value).decode()
    value = _json(cell)
    return None if value is ABSENT else json.dumps(value)


def _compact_or_quoted(cell: str) -> str | None:
    try:
        return compact(cell) if _begins_structure(cell) or not cell.strip() else quoted(cell)
    except BadValue:
        return quoted(cell)


def _is_plain(value: Any) -> bool:
    """Whether orjson reads and writes the value as the strict parser does. It takes integers of
    over 64 bits for floats, and writes floats another way.
    """
    kind = type(value)
    if kind is dict:
        return all(map(_is_plain, value.values()))
    if kind is list:
        return all(map(_is_plain, value))
    return kind is not float


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
        raise BadValue("not_a_number", "Not a number.", "" if text is None else _cure(text))
    sign, whole, fraction, exponent = match.groups()
    literal = ("-" if sign == "-" else "") + (whole or "0")
    if fraction and len(fraction) > 1:
        literal += fraction
    try:
        return json.loads(literal + (exponent or ""))
    except json.JsonError as error:
        raise BadValue("not_a_number", f"Not a number{_fault(error)}.") from None


def _decimal_comma(value: Any) -> Any:
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        return _number(value)
    if _COMMA_DECIMAL.fullmatch(text):
        return _number(text.translate(_TO_POINT))
    meant = text.replace(".", ",") if _POINT_DECIMAL.fullmatch(text) else ""
    raise BadValue(
        "not_a_number",
        "Not a number with a decimal comma.",
        f"Did you mean {meant}?" if meant else "",
    )


def _cure(text: str) -> str:
    """What to do about a text that is no number; empty when nothing is sure."""
    meant = _number_meant(text)
    asked = f"Did you mean {meant}?" if meant else ""
    if "," not in text or not _COMMA_DECIMAL.fullmatch(text):
        return asked
    otherwise = "read the column as numbers with a decimal comma."
    return f"{asked} Or {otherwise}" if asked else otherwise.capitalize()


def _number_meant(text: str) -> str:
    """The one number that a text such as 1,234 or 5 % holds; empty when that is not sure."""
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    if _COMMA.fullmatch(text):
        return text.replace(",", ".")
    found = _WITH_UNIT.fullmatch(text) if len(text) <= 40 else None
    return found[1] if found else ""


def _boolean(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else str(value)
    if word == "":
        return ABSENT
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    close = difflib.get_close_matches(word, _CLOSE, 1, 0.6)
    meant = _MEANT.get(word) or (_CLOSE[close[0]] if close else "")
    raise BadValue(
        "not_a_boolean",
        "Not true or false (also read: yes, no, 1, 0).",
        f"Did you mean {meant}?" if meant else "",
    )


def _json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return ABSENT
    try:
        return json.loads(value)
    except json.JsonError as error:
        raise BadValue("bad_json", f"Not valid JSON{_fault(error)}.", _json_meant(value)) from None


def _json_meant(text: str) -> str:
    """What to write instead, when the text is a value as Python writes it."""
    if len(text) > _PYTHON_CHARS or not text.lstrip().startswith(("{", "[", "(")):
        return ""
    try:
        meant = json.dumps(ast.literal_eval(text.strip()))
    except (ValueError, SyntaxError, RecursionError, MemoryError, json.JsonError, TypeError):
        return ""
    return f"It is written as in Python. Did you mean {meant if len(meant) < 200 else 'JSON'}?"


def _fault(error: json.JsonError) -> str:
    """Where in the cell and what. The file's line and column are told beside it, so the words of
    the place are others.
    """
    if error.line is None:
        return f": {error.message.rstrip('.')}"
    fault = error.message.partition(": ")[2].rstrip(".")
    line = f"line {error.line:,} of the cell, " if error.line > 1 else ""
    return f", at {line}character {error.column:,}: {fault}"


def _number_or_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if is_plain_number(value):
        return int(value)
    return value if value.strip() else ABSENT


def _json_or_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not value.strip():
        return ABSENT
    try:
        return json.loads(value) if _begins_structure(value) else value
    except json.JsonError:
        return value


def is_plain_number(text: str) -> bool:
    """Whether a text is a whole number that would be written just so: 007 and +1 are codes, and
    1.1 may be a version before 1.10."""
    return _PLAIN_NUMBER.fullmatch(text) is not None


def is_structure(text: str) -> bool:
    """Whether the text is a JSON object or list."""
    return _begins_structure(text) and _json_or_text(text) is not text


def _begins_structure(text: str) -> bool:
    return text.lstrip().startswith(("{", "["))


_READERS: dict[ReadAs, Callable[[Any], Any]] = {
    "auto": _as_is,
    "text": _text,
    "number": _number,
    "decimal_comma": _decimal_comma,
    "boolean": _boolean,
    "json": _json,
    "number_or_text": _number_or_text,
    "json_or_text": _json_or_text,
}
