"""An input as a form: the fields of a JSON Schema's object, each with a control of its own. Pure.

What the schema does not name stays in the input as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from evalhub.kit.json import JsonError, dumps, loads, pretty

MOST_FIELDS: Final = 30
PREFIX: Final = "in-"
_TYPES: Final = {"string": "text", "number": "number", "integer": "integer", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class InputField:
    """One property. `kind` is text, number, integer, boolean, choice or json; `value` is the text
    in its control, for a boolean "on" or "". `options` are JSON texts with what is shown."""

    name: str
    key: str
    label: str
    help: str
    kind: str
    required: bool
    options: tuple[tuple[str, str], ...] = ()
    value: str = ""
    problem: str = ""


def fields_of(schema: Any) -> tuple[InputField, ...]:
    """The fields of an object's schema; none for any other schema, and for a large one."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict) or not 1 <= len(properties) <= MOST_FIELDS:
        return ()
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    return tuple(
        _field(place, key, inner if isinstance(inner, dict) else {}, key in needed)
        for place, (key, inner) in enumerate(properties.items())
    )


def filled(fields: Sequence[InputField], value: Mapping[str, Any]) -> tuple[InputField, ...]:
    """The fields with what the input says."""
    return tuple(
        replace(field, value=_shown(field, value[field.key])) if field.key in value else field
        for field in fields
    )


def composed(
    fields: Sequence[InputField], data: Mapping[str, str], base: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[InputField, ...]]:
    """The input that the controls say, over what `base` has besides; and the fields as they were
    sent, with their problems. An empty control leaves its property out unless it is a needed text.
    """
    made = dict(base)
    sent = []
    for field in fields:
        text = data.get(field.name, "")
        made.pop(field.key, None)
        problem = ""
        try:
            if field.kind == "boolean":
                made[field.key] = text == "on"
            elif text or (field.kind == "text" and field.required):
                made[field.key] = _read(field, text)
        except ValueError as error:
            problem = str(error)
        sent.append(replace(field, value=text, problem=problem))
    return made, tuple(sent)


def _field(place: int, key: str, schema: dict[str, Any], required: bool) -> InputField:
    kind = "json"
    options: tuple[tuple[str, str], ...] = ()
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        kind = "choice"
        options = tuple(
            (dumps(each), each if isinstance(each, str) else dumps(each)) for each in choices
        )
    elif isinstance(schema.get("type"), str):
        kind = _TYPES.get(schema["type"], "json")
    title, about = schema.get("title"), schema.get("description")
    return InputField(
        name=f"{PREFIX}{place}",
        key=key,
        label=title if isinstance(title, str) and title else key,
        help=about if isinstance(about, str) else "",
        kind=kind,
        required=required,
        options=options,
    )


def _shown(field: InputField, value: Any) -> str:
    if field.kind == "boolean":
        return "on" if value is True else ""
    if field.kind == "choice":
        return dumps(value)
    if field.kind == "text" and isinstance(value, str):
        return value
    return pretty(value)


def _read(field: InputField, text: str) -> Any:
    """The value that a control says. Raises ValueError in words."""
    if field.kind == "text":
        return text.replace("\r\n", "\n")
    try:
        value = loads(text.strip())
    except JsonError as error:
        wanted = {"number": "a number", "integer": "a whole number"}.get(field.kind, "JSON")
        raise ValueError(f"{field.label}: give {wanted}.") from error
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if field.kind == "number" and not is_number:
        raise ValueError(f"{field.label}: give a number.")
    if field.kind == "integer" and not (is_number and value == int(value)):
        raise ValueError(f"{field.label}: give a whole number.")
    return value
