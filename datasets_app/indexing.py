"""Building the index for searches, in the background and after publishing.

A batch of revisions and the place in the work are one transaction, so a crash repeats nothing and
leaves nothing out. Only published revisions are indexed, in the order of their versions.
"""

from __future__ import annotations

import os
import socket
import time
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from datasets_app.filters.matching import lower
from datasets_app.item_search import TABLE
from datasets_app.models import Dataset, ItemRevision, SearchIndex
from datasets_app.models.search import INDEX_FROM
from evalhub.kit.dispatch import wake_now
from evalhub.kit.json import dumps
from evalhub.kit.stopping import stopping

BATCH = 1_000
BUDGET_SECONDS = 300.0
REST_S = 0.02  # between batches: SQLite has one writer, and others wait for it
_COLUMNS = (
    *("pk", "version_from", "number", "deleted", "purged"),
    *("input_json", "expected_json", "metadata_json", "external_id"),
)


def sweep() -> int:
    """Wake the building of every index that is behind and that nobody works on; returns how
    many."""
    large = Dataset.objects.filter(deleted_at=None, next_item_number__gt=INDEX_FROM)
    SearchIndex.objects.bulk_create(
        [
            SearchIndex(dataset_id=pk)
            for pk in large.filter(search_index=None).values_list("pk", flat=True)
        ],
        ignore_conflicts=True,
    )
    SearchIndex.objects.behind().filter(state="ready").update(state="building")
    waiting = list(SearchIndex.objects.claimable().values_list("pk", flat=True))
    for dataset_id in waiting:
        wake_now("datasets.index", dataset_id)
    return len(waiting)


def build(dataset_id: int) -> None:
    """Go on with an index until it is done, another worker has it, or this one has to leave."""
    leave_at = time.monotonic() + BUDGET_SECONDS
    owner = f"{socket.gethostname()[:50]}:{os.getpid()}"
    index = SearchIndex.objects.filter(pk=dataset_id).claim(owner)
    if index is None:
        return
    while _add_batch(index):
        if stopping() or time.monotonic() >= leave_at:
            if index.release(attempts=0):
                wake_now("datasets.index", dataset_id)
            return
        time.sleep(REST_S)


def _add_batch(index: SearchIndex) -> bool:
    """Index some revisions; False when there are no more, or the lease was lost.

    The first write locks the index's row, which a purge takes as well (`forget`): so no content is
    read before it is removed and written after.
    """
    with transaction.atomic():
        if not index.extend(attempts=0):
            return False
        published = Dataset.objects.values_list("version", flat=True).get(pk=index.pk)
        rows = list(
            _rows(index.pk)
            .filter(
                Q(version_from__gt=index.at_version) | Q(number__gt=index.after_number),
                version_from__gte=index.at_version,
                version_from__lte=published,
            )
            .order_by("version_from", "number")[:BATCH]
        )
        if rows:
            ids = [row[0] for row in rows]
            index.at_version, index.after_number = rows[-1][1:3]
            index.first_id = min(ids if index.first_id is None else [index.first_id, *ids])
            index.last_id = max(ids if index.last_id is None else [index.last_id, *ids])
        index.held().update(
            at_version=index.at_version,
            after_number=index.after_number,
            first_id=index.first_id,
            last_id=index.last_id,
        )
        _insert(index.pk, [row for row in rows if _has_text(row)])
        if len(rows) == BATCH:
            return True
        index.release(state="ready", version=published, attempts=0)
    return False


def forget(dataset_id: int, number: int) -> None:
    """Take an item out of the index, in all versions. Call it in the transaction that removes its
    content, before that: SQLite's index has to be told what to forget."""
    index = SearchIndex.objects.select_for_update().filter(pk=dataset_id).first()
    if index is None:
        return
    rows = [
        row
        for row in _rows(dataset_id).filter(number=number)
        if _has_text(row) and row[1:3] <= (index.at_version, index.after_number)
    ]
    with connection.cursor() as cursor:
        for row in rows:
            if connection.vendor == "sqlite":
                cursor.execute(
                    f"INSERT INTO {TABLE} ({TABLE}, rowid, body) VALUES ('delete', %s, %s)",
                    [row[0], body_of(*row[5:])],
                )
            else:
                cursor.execute(f"DELETE FROM {TABLE} WHERE revision_id = %s", [row[0]])


def _rows(dataset_id: int) -> QuerySet[ItemRevision, tuple[Any, ...]]:
    return ItemRevision.objects.filter(dataset=dataset_id).values_list(*_COLUMNS)


def _has_text(row: tuple[Any, ...]) -> bool:
    deleted, purged = row[3:5]
    return not (deleted or purged)


def body_of(
    input_json: str, expected_json: str | None, metadata_json: str, external_id: str | None
) -> str:
    """What of a revision is searched; line breaks part the fields, as JSON text has none."""
    parts = [input_json, expected_json or "", metadata_json]
    parts.append(dumps(external_id)[1:-1] if external_id else "")
    return lower("\n".join(parts))


def _insert(dataset_id: int, rows: list[tuple[Any, ...]]) -> None:
    """Rows as `_COLUMNS`."""
    with connection.wrap_database_errors, connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            sql = f"INSERT INTO {TABLE} (rowid, body) VALUES (%s, %s)"
            cursor.executemany(sql, [(row[0], body_of(*row[5:])) for row in rows])
            return
        columns = "revision_id, dataset_id, body, metadata"
        with cursor.copy(f"COPY {TABLE} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((row[0], dataset_id, body_of(*row[5:]), row[7]))
