"""Reading many rows of numbers fast: arrays on PostgreSQL, a bare cursor on SQLite."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import connection, models

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 20_000
# Of COPY's format: a signature with flags, and how many fields the row has.
_HEADER, _FIELDS = 19, 2
# Of an array's: dimensions, whether there are nulls, type, length, lower bound.
_ARRAY_HEAD = 20


def read_numbers(rows: models.QuerySet[Any, Any], width: int) -> NDArray[np.float64]:
    """The `width` columns of a `values_list` query as a table of floats, a row for each row.

    None of them may be null. A float holds every whole number up to 2^53 exactly.
    """
    sql, params = rows.query.sql_with_params()
    if connection.vendor == "sqlite":
        return _read_sqlite(sql, params, width)
    return _read_postgresql(sql, params, width)


def _read_sqlite(sql: str, params: Any, width: int) -> NDArray[np.float64]:
    import numpy as np

    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        chunks = iter(lambda: cursor.fetchmany(CHUNK), [])
        flat = chain.from_iterable(chain.from_iterable(chunks))
        return np.fromiter(flat, dtype=np.float64).reshape(-1, width)


def _read_postgresql(sql: str, params: Any, width: int) -> NDArray[np.float64]:
    import numpy as np

    names = [f"c{place}" for place in range(width)]
    # One row of arrays: the driver would take longer over each row than the database does.
    columns = ", ".join(f"array_agg({name}::float8)" for name in names)
    with connection.wrap_database_errors, connection.cursor() as cursor:
        inner = cursor.mogrify(sql, params)
        asked = f"SELECT {columns} FROM ({inner}) AS found ({', '.join(names)})"
        with cursor.copy(f"COPY ({asked}) TO STDOUT (FORMAT BINARY)") as copy:
            data = b"".join(copy)
    element = np.dtype([("length", ">i4"), ("value", ">f8")])
    found = []
    at = _HEADER + _FIELDS
    for _ in names:
        size = int.from_bytes(data[at : at + 4], "big", signed=True)
        at += 4
        if size < 0:  # null: there are no rows
            return np.empty((0, width))
        count = (size - _ARRAY_HEAD) // element.itemsize
        values = np.frombuffer(data, dtype=element, count=count, offset=at + _ARRAY_HEAD)
        found.append(values["value"])
        at += size
    table = np.empty((len(found[0]), width))
    for place, values in enumerate(found):
        table[:, place] = values
    return table
