"""What the SQL of a filter is made of on every database. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, TypeAlias

from datasets_app.filters import And, Compare, Contains, Field, Filter, In, Literal, Not, Or

Sql: TypeAlias = tuple[str, list[Any]]
"""A piece of SQL with a `%s` for each of its parameters."""

COLUMN_OF = {"input": "input_json", "expected_output": "expected_json", "metadata": "metadata_json"}
_LOWEST, _HIGHEST = -(2**31), 2**31 - 1  # of an integer column


def joined(word: str, pieces: Iterable[Sql]) -> Sql:
    """The pieces with `word` between them, in parentheses."""
    found = list(pieces)
    sql = f" {word} ".join(sql for sql, _ in found)
    return f"({sql})", [param for _, params in found for param in params]


class Renderer(ABC):
    """One database's way to say the conditions; `columns` are the names to use in SQL."""

    true: str
    false: str

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.columns = columns

    def condition(self, filter: Filter) -> Sql:
        """True or false for each row, never NULL."""
        if isinstance(filter, And | Or):
            word = "AND" if isinstance(filter, And) else "OR"
            return joined(word, map(self.condition, filter.parts))
        if isinstance(filter, Not):
            return self._not(self.condition(filter.part))
        if isinstance(filter, Compare) and filter.op == "!=":
            return self._not(self.condition(Compare(filter.field, "=", filter.value)))
        if isinstance(filter, In):
            return joined(
                "OR", (self.condition(Compare(filter.field, "=", v)) for v in filter.values)
            )
        field = filter.field
        if field.is_json:
            return self._json(filter, field)
        if field.name == "tags":
            return self._tags(filter)
        if field.name in ("number", "version_from"):
            assert isinstance(filter, Compare)
            assert isinstance(filter.value, Decimal)
            return self._number_column(self.columns[field.name], filter.op, filter.value)
        return self._text_column(filter, self.columns[field.name])

    def _json(self, filter: Compare | Contains | Any, field: Field) -> Sql:
        column = self.columns[COLUMN_OF[field.name]]
        if isinstance(filter, Contains):
            return self.json_contains(column, field.path, filter.value)
        if not isinstance(filter, Compare):
            return self.json_test(column, field.path, filter.what)
        if filter.op == "=":
            return self.json_equals(column, field.path, filter.value)
        if isinstance(filter.value, str):
            return self.json_text_order(column, field.path, filter.op, filter.value)
        assert isinstance(filter.value, Decimal)
        return self.json_number_order(column, field.path, filter.op, filter.value)

    def _tags(self, filter: Any) -> Sql:
        column = self.columns["tags_json"]
        if isinstance(filter, Contains):
            return self.json_contains(column, (), filter.value)
        if isinstance(filter, Compare):
            return self.has_tag(column, str(filter.value))
        return f"({column} {'<>' if filter.what == 'exists' else '='} '[]')", []

    def _text_column(self, filter: Any, column: str) -> Sql:
        """`column` may be NULL, which is nothing, as "" is."""
        if isinstance(filter, Contains):
            return self.text_contains(column, filter.value)
        if isinstance(filter, Compare):
            if filter.op == "=":  # the first part leaves an index on the column of use
                return f"({column} = %s AND {column} IS NOT NULL)", [filter.value]
            return self.text_order(column, filter.op, str(filter.value))
        test = "<>" if filter.what == "exists" else "="
        return f"(coalesce({column}, '') {test} '')", []

    def _number_column(self, column: str, op: str, value: Decimal) -> Sql:
        """A whole number is compared with the nearest whole one, so that an index serves."""
        whole = value == value.to_integral_value()
        if op == "=" and (not whole or not _LOWEST <= value <= _HIGHEST):
            return self.false, []
        rounding = ROUND_CEILING if op in ("<", ">=") else ROUND_FLOOR
        bound = int(value.to_integral_value(rounding))
        if bound < _LOWEST:
            return (self.true if op in (">", ">=") else self.false), []
        if bound > _HIGHEST:
            return (self.true if op in ("<", "<=") else self.false), []
        return f"({column} {op} %s)", [bound]

    @staticmethod
    def _not(piece: Sql) -> Sql:
        return f"(NOT {piece[0]})", piece[1]

    @abstractmethod
    def json_equals(self, column: str, path: tuple[str | int, ...], value: Literal) -> Sql: ...

    @abstractmethod
    def json_text_order(
        self, column: str, path: tuple[str | int, ...], op: str, value: str
    ) -> Sql: ...

    @abstractmethod
    def json_number_order(
        self, column: str, path: tuple[str | int, ...], op: str, value: Decimal
    ) -> Sql: ...

    @abstractmethod
    def json_contains(self, column: str, path: tuple[str | int, ...], value: str) -> Sql: ...

    @abstractmethod
    def json_test(self, column: str, path: tuple[str | int, ...], what: str) -> Sql: ...

    @abstractmethod
    def has_tag(self, column: str, tag: str) -> Sql: ...

    @abstractmethod
    def text_contains(self, column: str, value: str) -> Sql: ...

    @abstractmethod
    def text_order(self, column: str, op: str, value: str) -> Sql: ...


def stands_in_json(text: str) -> str | None:
    """The text as it stands in every JSON that holds it; None when it may be written otherwise."""
    plain = text.isascii() and text.isprintable() and not set(text) & set('"\\/')
    return text if plain else None
