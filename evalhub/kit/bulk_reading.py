"""Reading many rows of numbers fast: binary COPY on PostgreSQL, a bare cursor on SQLite."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from django.db import connection, models

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 20_000
# Of the format itself: a signature, flags, and the length of an extension that is never there.
_HEADER, _TRAILER = 19, 2


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
    columns = ", ".join(f"{name}::float8" for name in names)
    with connection.wrap_database_errors, connection.cursor() as cursor:
        inner = cursor.mogrify(sql, params)
        asked = f"SELECT {columns} FROM ({inner}) AS found ({', '.join(names)})"
        with cursor.copy(f"COPY ({asked}) TO STDOUT (FORMAT BINARY)") as copy:
            data = b"".join(copy)
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for name in names:
        fields += [(f"{name}_length", ">i4"), (name, ">f8")]
    layout = np.dtype(fields)
    count = (len(data) - _HEADER - _TRAILER) // layout.itemsize
    found = np.frombuffer(data, dtype=layout, count=count, offset=_HEADER)
    table = np.empty((count, width))
    for place, name in enumerate(names):
        table[:, place] = found[name]
    return table
