"""Asking the index for searches: `datasets_app_searchtext` (migration 0003, `indexing`).

Its answers are candidates. Who asks still puts the conditions to the items themselves, so an index
that knows too much, or of other versions, does no harm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db import OperationalError, connection, transaction

from datasets_app.filters import And, Compare, Field, Filter, In, value_text
from datasets_app.item_query import ItemQuery, conditions
from datasets_app.models import Dataset, ItemRevision
from datasets_app.models.search import SearchIndex as SearchIndex
from datasets_app.search_sql import needle_of
from evalhub.kit.json import dumps

TABLE = "datasets_app_searchtext"
MOST_HITS = 5_000
MOST_NEW = 1_000
"""Rows newer than the index that are looked through beside it."""
TIMEOUT_MS = 400
_ANY_TRIGRAM = re.compile(r"\w{3}")
_LIKE_SIGNS, _ESCAPED = re.compile(r"([\\%_])"), r"\\\1"


def hits(dataset: Dataset, version: int, query: ItemQuery) -> list[int] | None:
    """Ids of all revisions that may match at `version`; None when the index cannot tell, or there
    are so many that the items are walked more quickly."""
    index = SearchIndex.objects.filter(dataset=dataset).first()
    if index is None or index.version == 0:
        return None
    new = _new_rows(dataset, index.version, version, query)
    if new is None:
        return None
    if connection.vendor == "sqlite":
        found = _sqlite_hits(index, query)
    else:
        found = _postgresql_hits(index, query)
    return None if found is None else found + new


def _new_rows(dataset: Dataset, indexed: int, version: int, query: ItemQuery) -> list[int] | None:
    """Matching rows that the index lacks; None when there are too many to look through."""
    if version <= indexed:
        return []
    rows = ItemRevision.objects.filter(
        dataset=dataset, version_from__gt=indexed, version_from__lte=version
    )
    if rows[: MOST_NEW + 1].count() > MOST_NEW:
        return None
    wanted = conditions(ItemQuery(query.q, query.where))
    return list(rows.filter(*wanted).values_list("pk", flat=True))


def _sqlite_hits(index: SearchIndex, query: ItemQuery) -> list[int] | None:
    needle = needle_of(query.q.strip())
    trigrams = sorted({needle[start : start + 3] for start in range(len(needle) - 2)})
    if not trigrams or index.first_id is None:
        return None
    wanted = " AND ".join('"' + trigram.replace('"', '""') + '"' for trigram in trigrams)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s "
            "AND rowid BETWEEN %s AND %s LIMIT %s",
            [wanted, index.first_id, index.last_id, MOST_HITS + 1],
        )
        found = [row[0] for row in cursor.fetchall()]
    return found if len(found) <= MOST_HITS else None


def _postgresql_hits(index: SearchIndex, query: ItemQuery) -> list[int] | None:
    tests, params = [], []
    needle = needle_of(query.q.strip())
    if _ANY_TRIGRAM.search(needle) and _has_trigrams():
        tests.append("body LIKE %s")
        params.append(f"%{_LIKE_SIGNS.sub(_ESCAPED, needle)}%")
    for either in _contained(query.filter()):
        tests.append(f"({' OR '.join(['metadata @> %s::jsonb'] * len(either))})")
        params.extend(either)
    if not tests:
        return None
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Bounded, and by the index: a plan that reads the table is what we want to avoid.
            cursor.execute(
                f"SET LOCAL statement_timeout = {TIMEOUT_MS}; SET LOCAL enable_seqscan = off"
            )
            cursor.execute(
                f"SELECT revision_id FROM {TABLE} WHERE {' AND '.join(tests)} "
                "AND dataset_id = %s LIMIT %s",
                [*params, index.pk, MOST_HITS + 1],
            )
            found = [row[0] for row in cursor.fetchall()]
            cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on")
    except OperationalError:
        return None  # the time was over
    return found if len(found) <= MOST_HITS else None


def _has_trigrams() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{TABLE}_body"])
        row = cursor.fetchone()
    return bool(row and row[0])


def _contained(filter: Filter | None) -> Iterator[list[str]]:
    """For each part that has to hold, the objects of which the metadata must contain one."""
    parts = filter.parts if isinstance(filter, And) else () if filter is None else (filter,)
    for part in parts:
        if isinstance(part, In) and _is_named(part.field):
            yield [_object(part.field.path, value_text(value)) for value in part.values]
        elif isinstance(part, Compare) and part.op == "=" and _is_named(part.field):
            yield [_object(part.field.path, value_text(part.value))]


def _is_named(field: Field) -> bool:
    return (
        field.name == "metadata"
        and bool(field.path)
        and all(isinstance(part, str) for part in field.path)
    )


def _object(path: tuple[str | int, ...], value: str) -> str:
    """'{"a":{"b":1}}' for the path a.b and the value 1."""
    for part in reversed(path):
        value = f"{{{dumps(part)}:{value}}}"
    return value
