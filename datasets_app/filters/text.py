"""A filter as text, in one form: parsing it gives the same filter. Pure."""

from __future__ import annotations

import re
from decimal import Decimal

from datasets_app.filters.nodes import (
    ALIASES,
    And,
    Compare,
    Contains,
    Field,
    Filter,
    In,
    Literal,
    Not,
    Or,
)
from evalhub.kit.json import dumps

PLAIN_NAME = re.compile(r"[^\W\d][\w-]*")
_SHOWN = {name: alias for alias, name in ALIASES.items()}


def to_text(filter: Filter) -> str:
    """The filter as a person may write it; `parse` of it gives an equal filter."""
    if isinstance(filter, And | Or):
        word = " and " if isinstance(filter, And) else " or "
        return word.join(_part(part) for part in filter.parts)
    if isinstance(filter, Not):
        return f"not {_part(filter.part)}"
    field = field_text(filter.field)
    if isinstance(filter, Compare):
        return f"{field} {filter.op} {value_text(filter.value)}"
    if isinstance(filter, In):
        return f"{field} in ({', '.join(map(value_text, filter.values))})"
    if isinstance(filter, Contains):
        return f"{field} contains {value_text(filter.value)}"
    return f"{field} exists" if filter.what == "exists" else f"{field} is {filter.what}"


def field_text(field: Field) -> str:
    """ "metadata.topic", 'metadata."a.b"', "input.messages[0].content"."""
    text = _SHOWN.get(field.name, field.name)
    for part in field.path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += "." + (part if PLAIN_NAME.fullmatch(part) else dumps(part))
    return text


def value_text(value: Literal) -> str:
    """A value as it stands in a filter."""
    return str(value) if isinstance(value, Decimal) else dumps(value)


def _part(part: Filter) -> str:
    text = to_text(part)
    return f"({text})" if isinstance(part, And | Or) else text
