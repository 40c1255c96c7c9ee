"""The conditions of a filter on SQLite, by its JSON functions and two of our own.

SQLite reads a big or broken number as a float and knows no escape in paths; where that would tell
we ask Python: `evalhub_json_at(text, path)` and `evalhub_compare(number, number)`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from datasets_app.filter_sql_common import Renderer, Sql, joined, stands_in_json
from datasets_app.filters import Filter, Literal
from datasets_app.filters.matching import lower
from evalhub.kit.json import dumps

Path = tuple[str | int, ...]
_SMALL = 2**63


def condition(filter: Filter, columns: Mapping[str, str]) -> Sql:
    """See `filter_sql.Condition`."""
    return _SQLite(columns).condition(filter)


class _SQLite(Renderer):
    true, false = "1", "0"

    def json_equals(self, column: str, path: Path, value: Literal) -> Sql:
        if isinstance(value, Decimal):
            return self.json_number_order(column, path, "=", value)
        document, params, place = _at(column, path)
        params = [*params, place]
        kind = f"json_type({document}, %s)"
        if not isinstance(value, str):
            return f"({kind} IS '{dumps(value)}')", params
        equal: Sql = (
            f"({kind} IS 'text' AND json_extract({document}, %s) IS %s)",
            [*params, *params, value],
        )
        plain = stands_in_json(value)
        if plain is None:
            return equal
        # Looking for the letters is much cheaper than reading the JSON, and leaves most rows out.
        return joined("AND", [(f"coalesce(instr({column}, %s), 0)", [plain]), equal])

    def json_text_order(self, column: str, path: Path, op: str, value: str) -> Sql:
        document, params, place = _at(column, path)
        params = [*params, place]
        kind = f"json_type({document}, %s) IS 'text'"
        compared = f"json_extract({document}, %s) {op} %s"
        return f"({kind} AND {compared})", [*params, *params, value]

    def json_number_order(self, column: str, path: Path, op: str, value: Decimal) -> Sql:
        document, params, place = _at(column, path)
        params = [*params, place]
        exact = f"evalhub_compare({document} -> %s, %s) {op} 0"
        compared, given = exact, [*params, str(value)]
        if value == value.to_integral_value() and -_SMALL <= value < _SMALL:
            # A whole number that SQLite holds as one needs no help.
            extracted = f"json_extract({document}, %s)"
            compared = (
                f"CASE typeof({extracted}) WHEN 'integer' THEN {extracted} {op} %s ELSE {exact} END"
            )
            given = [*params, *params, int(value), *given]
        sql = f"(CASE WHEN json_type({document}, %s) IN ('integer', 'real') THEN {compared}"
        return f"{sql} ELSE 0 END)", [*params, *given]

    def json_contains(self, column: str, path: Path, value: str) -> Sql:
        document, params, place = _at(column, path)
        exact: Sql = (
            f"EXISTS (SELECT 1 FROM json_tree({document}, %s) AS part "
            "WHERE part.type = 'text' AND instr(lower(part.atom), %s) > 0)",
            [*params, place, lower(value)],
        )
        plain = stands_in_json(lower(value))
        if plain is None:
            return exact
        return joined("AND", [(f"coalesce(instr(lower({column}), %s), 0)", [plain]), exact])

    def json_test(self, column: str, path: Path, what: str) -> Sql:
        document, params, place = _at(column, path)
        test = {"null": "IS 'null'", "exists": "IS NOT NULL", "missing": "IS NULL"}[what]
        return f"(json_type({document}, %s) {test})", [*params, place]

    def has_tag(self, column: str, tag: str) -> Sql:
        inside = f"EXISTS (SELECT 1 FROM json_each({column}) AS tag WHERE tag.value = %s)"
        return f"({column} <> '[]' AND {inside})", [tag]

    def text_contains(self, column: str, value: str) -> Sql:
        return f"(coalesce(instr(lower({column}), %s), 0) > 0)", [lower(value)]

    def text_order(self, column: str, op: str, value: str) -> Sql:
        return f"coalesce({column} {op} %s, 0)", [value]


def _at(column: str, path: Path) -> tuple[str, list[Any], str]:
    """A JSON document with its parameters, and the path in it as SQLite takes it."""
    if any(isinstance(part, str) and not _is_plain(part) for part in path):
        return f"evalhub_json_at({column}, %s)", [json.dumps(path)], "$"
    steps = "".join(f"[{part}]" if isinstance(part, int) else f'."{part}"' for part in path)
    return column, [], f"${steps}"


def _is_plain(name: str) -> bool:
    """Whether the name stands in JSON as it is: SQLite compares names without reading escapes."""
    return name != "" and name.isprintable() and not set(name) & set('"\\')


def _json_at(text: str | None, path: str) -> str | None:
    if text is None:
        return None
    value = json.loads(text)
    for part in json.loads(path):
        try:
            if isinstance(value, dict if isinstance(part, str) else list):
                value = value[part]
            else:
                return None
        except (KeyError, IndexError):
            return None
    return json.dumps(value, ensure_ascii=False)


def _compare(left: str, right: str) -> int:
    a, b = Decimal(left), Decimal(right)
    return (a > b) - (a < b)


def add_functions(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Teach a new connection to SQLite what the conditions ask of it."""
    if connection.vendor == "sqlite":
        raw = connection.connection
        raw.create_function("evalhub_json_at", 2, _json_at, deterministic=True)
        raw.create_function("evalhub_compare", 2, _compare, deterministic=True)
