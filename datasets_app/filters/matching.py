"""What a filter means, item by item: the measure for the SQL that databases get. Pure."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Protocol

from datasets_app.filters.nodes import And, Compare, Contains, Field, Filter, In, Literal, Not, Or
from evalhub.kit.json import ABSENT

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COLUMNS = {"input": "input_json", "expected_output": "expected_json", "metadata": "metadata_json"}
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


class Filterable(Protocol):
    """What a filter looks at, JSON as text; `expected_json` and `external_id` None: absent."""

    input_json: Any
    expected_json: Any
    metadata_json: Any
    tags_json: Any
    split: Any
    external_id: Any
    source: Any
    number: Any
    version_from: Any


def matches(filter: Filter, item: Filterable) -> bool:
    """Whether the item passes. `not` keeps exactly what its part leaves out: nothing is unknown."""
    if isinstance(filter, And):
        return all(matches(part, item) for part in filter.parts)
    if isinstance(filter, Or):
        return any(matches(part, item) for part in filter.parts)
    if isinstance(filter, Not):
        return not matches(filter.part, item)
    value = value_of(filter.field, item)
    if isinstance(filter, Contains):
        wanted = lower(filter.value)
        return any(wanted in lower(text) for text in _texts(value))
    if filter.field.name == "tags" and isinstance(filter, Compare | In):
        return _tags(filter, value)
    if isinstance(filter, In):
        return any(_equal(value, wanted) for wanted in filter.values)
    if isinstance(filter, Compare):
        return _compare(filter.op, value, filter.value)
    if filter.what == "null":
        return value is None
    if not filter.field.is_json and not value:
        value = ABSENT  # no split, no tags
    return (value is ABSENT) == (filter.what == "missing")


def lower(text: str) -> str:
    """The text with A to Z in lower case, and nothing else: both databases can do the same."""
    return text.translate(_LOWER)


def value_of(field: Field, item: Filterable) -> Any:
    """What the item has there; ABSENT for nothing. Numbers with a fraction are Decimals."""
    if field.name == "tags":
        return json.loads(item.tags_json)
    if not field.is_json:
        value = getattr(item, field.name)
        return ABSENT if value is None else value
    text = getattr(item, _COLUMNS[field.name])
    value = ABSENT if text is None else json.loads(text, parse_float=Decimal)
    for part in field.path:
        if isinstance(part, int):
            value = value[part] if isinstance(value, list) and part < len(value) else ABSENT
        else:
            value = value.get(part, ABSENT) if isinstance(value, dict) else ABSENT
    return value


def _tags(filter: Compare | In, tags: list[str]) -> bool:
    if isinstance(filter, In):
        return any(tag in filter.values for tag in tags)
    return (filter.value in tags) == (filter.op == "=")


def _compare(op: str, value: Any, wanted: Literal) -> bool:
    if op in ("=", "!="):
        return _equal(value, wanted) == (op == "=")
    if isinstance(wanted, str):
        return isinstance(value, str) and _ORDER[op](value, wanted)
    return _is_number(value) and _ORDER[op](value, wanted)


def _equal(value: Any, wanted: Literal) -> bool:
    if isinstance(wanted, Decimal):
        return _is_number(value) and bool(value == wanted)
    if isinstance(wanted, str):
        return isinstance(value, str) and value == wanted
    return value is wanted


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _texts(value: Any) -> Iterator[str]:
    """The value when it is a text, and every text within it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)
