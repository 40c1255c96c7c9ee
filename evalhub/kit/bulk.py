"""Writing many rows fast: COPY on PostgreSQL, executemany on SQLite. The one module that knows
which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, models


def columns_of(model: type[models.Model], names: Sequence[str]) -> list[str]:
    """Database column names of the model's fields `names`, in order."""
    columns = {field.name: str(field.column) for field in model._meta.concrete_fields}
    return [columns[name] for name in names]


def insert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    skip_existing: bool = False,
) -> int:
    """Insert rows (values in the order of the field `names`, ready for the driver); returns how
    many were new.

    With `skip_existing` a row that meets any unique key already there is left out. Needs an open
    transaction on PostgreSQL when `skip_existing` is set (it goes through a temporary table).
    """
    columns = columns_of(model, names)
    table = connection.ops.quote_name(model._meta.db_table)
    listed = ", ".join(connection.ops.quote_name(column) for column in columns)
    if connection.vendor == "sqlite":
        return _insert_sqlite(table, listed, len(columns), rows, skip_existing)
    return _insert_postgresql(model._meta.db_table, table, listed, rows, skip_existing)


def timestamps() -> Callable[[datetime], datetime | str]:
    """A function that gives a time in UTC as the driver takes it, as Django itself would write it.

    Asked for once per batch, because finding out which database it is costs more than the rest.
    """
    return _as_text if connection.vendor == "sqlite" else _as_it_is


def _as_text(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ")


def _as_it_is(at: datetime) -> datetime:
    return at


def _insert_sqlite(
    table: str, listed: str, width: int, rows: Iterable[Sequence[Any]], skip_existing: bool
) -> int:
    verb = "INSERT OR IGNORE" if skip_existing else "INSERT"
    marks = ", ".join(["?"] * width)
    connection.ensure_connection()
    raw = connection.connection  # past Django's cursor, which would rewrite every placeholder
    with connection.wrap_database_errors:
        cursor = raw.executemany(f"{verb} INTO {table} ({listed}) VALUES ({marks})", rows)
    return int(cursor.rowcount) if cursor.rowcount > 0 else 0


def _insert_postgresql(
    name: str, table: str, listed: str, rows: Iterable[Sequence[Any]], skip_existing: bool
) -> int:
    # `copy` is psycopg's own; its errors become Django's here, as everywhere else.
    with connection.wrap_database_errors, connection.cursor() as cursor:
        if not skip_existing:
            count = 0
            with cursor.copy(f"COPY {table} ({listed}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
                    count += 1
            return count
        staging = connection.ops.quote_name(f"staging_{name}"[:63])
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} ON COMMIT DELETE ROWS "
            f"AS SELECT {listed} FROM {table} WITH NO DATA"
        )
        with cursor.copy(f"COPY {staging} ({listed}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO {table} ({listed}) SELECT {listed} FROM {staging} ON CONFLICT DO NOTHING"
        )
        count = cursor.rowcount
        cursor.execute(f"DELETE FROM {staging}")
        return int(count)
