"""What a schema found wrong, in words for the person who wrote the value. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from evalhub.kit.json import JsonError, dumps

SHOWN: Final = 60
NAMES_SHOWN: Final = 5

KINDS: Final = {
    "required": "missing field",
    "dependentRequired": "missing field",
    "type": "wrong type",
    "enum": "not in enum",
    "const": "not in enum",
    "pattern": "pattern",
    "format": "format",
    "additionalProperties": "unknown field",
    "unevaluatedProperties": "unknown field",
    "falseSchema": "unknown field",
    "minLength": "length",
    "maxLength": "length",
    "minItems": "length",
    "maxItems": "length",
    "minProperties": "length",
    "maxProperties": "length",
    "minimum": "out of range",
    "maximum": "out of range",
    "exclusiveMinimum": "out of range",
    "exclusiveMaximum": "out of range",
    "multipleOf": "out of range",
}
"""What problems are counted by, from the keyword that was not met; else "other"."""

_TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_BOUNDS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}
_LENGTHS = {
    "minLength": ("at least", "character"),
    "maxLength": ("at most", "character"),
    "minItems": ("at least", "entry"),
    "maxItems": ("at most", "entry"),
    "minProperties": ("at least", "field"),
    "maxProperties": ("at most", "field"),
}


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """One part of an item that a schema refuses; `pointer` begins with the field."""

    pointer: str
    kind: str
    detail: str


def problems_of(error: Any, field: str) -> Iterator[SchemaProblem]:
    """The problems in one ValidationError about `field`: one, or one for each unknown field."""
    keyword = str(error.kind.name)
    kind = KINDS.get(keyword, "other")
    path = [field, *error.instance_path]
    value = error.kind.value
    if keyword == "required":
        yield SchemaProblem(pointer_of([*path, value]), kind, f"“{_cut(value)}” is missing.")
    elif kind == "unknown field" and isinstance(value, list):
        for name in value[:NAMES_SHOWN]:
            detail = f"The schema has no field “{_cut(str(name))}”."
            yield SchemaProblem(pointer_of([*path, name]), kind, detail)
    else:
        yield SchemaProblem(pointer_of(path), kind, _detail(keyword, value, error))


def schema_fault(error: Exception) -> str:
    """Why a schema is none, in a sentence."""
    path = list(getattr(error, "instance_path", ()))
    value = getattr(error, "instance", None)
    message = str(getattr(error, "message", error)).splitlines()[0]
    if path[-1:] == ["type"]:
        return f"{_shown(value)} is not a type. Types are {', '.join(_TYPES)}."
    if (path and path[-1] == "pattern") or path[:1] == ["patternProperties"]:
        return (
            f"{_shown(value)} is not a pattern that can be used: patterns are regular expressions "
            "of bounded size, without look-around and back references."
        )
    if "does not exist" in message:
        return f"{message.replace(chr(39), '“', 1).replace(chr(39), '”', 1)} in this schema."
    return f"This is not a valid JSON Schema: {_cut(message, 200).rstrip('.')}."


def pointer_of(path: Sequence[str | int]) -> str:
    """The JSON pointer of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _detail(keyword: str, value: Any, error: Any) -> str:
    instance = error.instance
    if keyword == "type":
        wanted = " or ".join(words for name, words in _TYPES.items() if name in value)
        return f"{_shown(instance)} is {_type_of(instance)}; {wanted} is needed."
    if keyword == "enum":
        listed = ", ".join(_shown(one) for one in value[:10])
        return f"{_shown(instance)} is not one of {listed}{' …' if len(value) > 10 else ''}."
    if keyword == "const":
        return f"{_shown(instance)} is not {_shown(value)}."
    if keyword == "pattern":
        return f"{_shown(instance)} does not match the pattern {_cut(value, 100)}."
    if keyword == "format":
        return f"{_shown(instance)} is not in the format “{value}”."
    if keyword == "falseSchema":
        return "The schema allows nothing here."
    if keyword in _BOUNDS:
        return f"{_shown(instance)} is out of range: {_BOUNDS[keyword]} {value} is needed."
    if keyword in _LENGTHS:
        words, unit = _LENGTHS[keyword]
        plural = unit if value == 1 else "entries" if unit == "entry" else f"{unit}s"
        return f"This needs {words} {value:,} {plural}."
    return f"{_cut(str(error.message).splitlines()[0], 200).rstrip('.')}."


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    names: dict[type, str] = {str: "text", int: "a number", float: "a number", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return f"“{_cut(value)}”"
    try:
        return _cut(dumps(value))
    except JsonError:
        return "The value"


def _cut(text: str, longest: int = SHOWN) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
