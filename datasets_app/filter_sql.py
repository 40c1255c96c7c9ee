"""A filter as a condition in SQL, for SQLite and PostgreSQL: what `filters.matches` says, no more.

Every piece is true or false and never NULL, so that `not` is a plain complement. Whatever a person
wrote goes to the database as a parameter, paths too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F
from django.db.models.sql.compiler import SQLCompiler

from datasets_app import filter_sql_postgresql, filter_sql_sqlite
from datasets_app.filters import Filter

COLUMNS = (
    "input_json",
    "expected_json",
    "metadata_json",
    "tags_json",
    "split",
    "external_id",
    "source",
    "number",
    "version_from",
)


class Condition(Expression):
    """`ItemRevision.objects.filter(Condition(parse(text)))`."""

    output_field = BooleanField()

    def __init__(self, filter: Filter) -> None:
        super().__init__()
        self.filter = filter
        self.columns: list[Any] = [F(name) for name in COLUMNS]

    def get_source_expressions(self) -> list[Any]:
        return self.columns

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.columns = list(exprs)

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        named = zip(COLUMNS, self.columns, strict=True)
        columns: Mapping[str, str] = {name: compiler.compile(column)[0] for name, column in named}
        if connection.vendor == "sqlite":
            sql, params = filter_sql_sqlite.condition(self.filter, columns)
        else:
            sql, params = filter_sql_postgresql.condition(self.filter, columns)
        return sql, tuple(params)
