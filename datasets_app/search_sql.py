"""A search for a text as a condition in SQL. It says the same on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F
from django.db.models.sql.compiler import SQLCompiler

from datasets_app.filters.matching import lower
from evalhub.kit.json import dumps

JSON_COLUMNS = ("input_json", "expected_json", "metadata_json")


def needle_of(text: str) -> str:
    """What is looked for: lower case of A to Z, written as it stands within JSON."""
    return lower(dumps(text)[1:-1])


class Search(Expression):
    """Whether the text stands in the input, expected output, metadata or external id of an item."""

    output_field = BooleanField()

    def __init__(self, text: str) -> None:
        super().__init__()
        self.needle, self.plain = needle_of(text), lower(text)
        self.columns: list[Any] = [F(name) for name in (*JSON_COLUMNS, "external_id")]

    def get_source_expressions(self) -> list[Any]:
        return self.columns

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        self.columns = list(exprs)

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        names = [compiler.compile(column)[0] for column in self.columns]
        if connection.vendor == "sqlite":
            tests = [f"coalesce(instr(lower({name}), %s), 0) > 0" for name in names]
        else:
            tests = [
                f'coalesce(strpos(lower({name} COLLATE "C"), %s) > 0, false)' for name in names
            ]
        return f"({' OR '.join(tests)})", (*(self.needle,) * len(JSON_COLUMNS), self.plain)
