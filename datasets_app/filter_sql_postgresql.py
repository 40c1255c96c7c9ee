"""The conditions of a filter on PostgreSQL: JSON text cast to jsonb, whose numbers are exact."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from datasets_app.filter_sql_common import Renderer, Sql, joined, stands_in_json
from datasets_app.filters import Filter, Literal, value_text
from datasets_app.filters.matching import lower
from evalhub.kit.json import dumps

Path = tuple[str | int, ...]


def condition(filter: Filter, columns: Mapping[str, str]) -> Sql:
    """See `filter_sql.Condition`."""
    return _PostgreSQL(columns).condition(filter)


class _PostgreSQL(Renderer):
    true, false = "true", "false"

    def json_equals(self, column: str, path: Path, value: Literal) -> Sql:
        sql, params = _at(column, path)
        equal: Sql = f"coalesce({sql} = %s::jsonb, false)", [*params, value_text(value)]
        plain = stands_in_json(value) if isinstance(value, str) else None
        if plain is None:
            return equal
        # Looking for the letters is much cheaper than the cast, and leaves most rows out.
        return joined("AND", [(f"coalesce(strpos({column}, %s) > 0, false)", [plain]), equal])

    def json_text_order(self, column: str, path: Path, op: str, value: str) -> Sql:
        sql, params = _at(column, path)
        compared = f"(({sql}) #>> '{{}}') COLLATE \"C\" {op} %s"
        # CASE, because only in it the planner leaves the order of evaluation alone.
        case = f"(CASE WHEN jsonb_typeof({sql}) = 'string' THEN {compared} ELSE false END)"
        return case, [*params, *params, value]

    def json_number_order(self, column: str, path: Path, op: str, value: Decimal) -> Sql:
        sql, params = _at(column, path)
        compared = f"(({sql}) #>> '{{}}')::numeric {op} %s::numeric"
        case = f"(CASE WHEN jsonb_typeof({sql}) = 'number' THEN {compared} ELSE false END)"
        return case, [*params, *params, str(value)]

    def json_contains(self, column: str, path: Path, value: str) -> Sql:
        sql, params = _at(column, path)
        inside = (
            f"EXISTS (SELECT 1 FROM jsonb_path_query({sql}, 'strict $.**') AS part(value) "
            "WHERE jsonb_typeof(part.value) = 'string' "
            "AND strpos(lower((part.value #>> '{}') COLLATE \"C\"), %s) > 0)"
        )
        exact: Sql = inside, [*params, lower(value)]
        plain = stands_in_json(lower(value))
        if plain is None:
            return exact
        cheap = f'coalesce(strpos(lower({column} COLLATE "C"), %s) > 0, false)'
        return joined("AND", [(cheap, [plain]), exact])

    def json_test(self, column: str, path: Path, what: str) -> Sql:
        sql, params = _at(column, path)
        if what == "null":
            return f"coalesce({sql} = 'null'::jsonb, false)", params
        return f"({sql} IS {'NOT ' if what == 'exists' else ''}NULL)", params

    def has_tag(self, column: str, tag: str) -> Sql:
        return f"({column} <> '[]' AND jsonb_exists({column}::jsonb, %s))", [tag]

    def text_contains(self, column: str, value: str) -> Sql:
        sql = f'coalesce(strpos(lower({column} COLLATE "C"), %s) > 0, false)'
        return sql, [lower(value)]

    def text_order(self, column: str, op: str, value: str) -> Sql:
        return f'coalesce({column} COLLATE "C" {op} %s, false)', [value]


def _at(column: str, path: Path) -> Sql:
    """The jsonb at the path; SQL's NULL when nothing is there."""
    if not any(isinstance(part, int) for part in path):
        return f"({column}::jsonb{' -> %s::text' * len(path)})", list(path)
    # Strict: an index is for lists alone, a name for objects alone. Silent: else there is nothing.
    steps = "".join(f"[{part}]" if isinstance(part, int) else f".{dumps(part)}" for part in path)
    sql = f"jsonb_path_query_first({column}::jsonb, %s::jsonpath, '{{}}', true)"
    return sql, [f"strict ${steps}"]
