"""What a filter is made of. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

Literal: TypeAlias = str | Decimal | bool | None
"""A value in a filter. Numbers are exact: 1 and 1.0 are one number, 2**64 is not its neighbour."""

JSON_FIELDS = ("input", "expected_output", "metadata")
TEXT_FIELDS = ("split", "external_id", "source")
NUMBER_FIELDS = ("number", "version_from")
FIELDS = (*JSON_FIELDS, "tags", *TEXT_FIELDS, *NUMBER_FIELDS)
ALIASES = {"tag": "tags", "changed": "version_from"}

ORDERS = ("<", "<=", ">", ">=")
COMPARISONS = ("=", "!=", *ORDERS)

MAX_CHARS = 4_000
MAX_DEPTH = 20
MAX_VALUES = 200
MAX_PATH_PARTS = 12


class FilterError(Exception):
    """A text that is no filter. `position` counts characters from 0; `detail` is a sentence."""

    def __init__(self, position: int, detail: str) -> None:
        super().__init__(detail)
        self.position = position
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an item, and for JSON ones the way to a value in it: names and list indexes."""

    name: str
    path: tuple[str | int, ...] = ()

    @property
    def is_json(self) -> bool:
        return self.name in JSON_FIELDS


@dataclass(frozen=True, slots=True)
class Compare:
    """`field op value`. For tags `=` asks whether one of them is the value."""

    field: Field
    op: str
    value: Literal


@dataclass(frozen=True, slots=True)
class In:
    """`field in (values)`: it equals one of them."""

    field: Field
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """A text in the value, however deep in lists and objects, has `value` in it.

    Upper and lower case of A to Z are the same; names in objects are not looked at.
    """

    field: Field
    value: str


@dataclass(frozen=True, slots=True)
class Presence:
    """`what` is "exists", "missing" or "null" (JSON null, which is there)."""

    field: Field
    what: str


@dataclass(frozen=True, slots=True)
class Not:
    part: Filter


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple[Filter, ...]


Filter: TypeAlias = Compare | In | Contains | Presence | Not | And | Or
