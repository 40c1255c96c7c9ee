"""External ids: which rows are in the dataset already, and which claim an id of other content."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from django.db import connection

from datasets_app.importing.batches import Record
from datasets_app.importing.drafts import ItemDraft
from datasets_app.importing.problems import Problem, shown
from datasets_app.models import ItemRevision
from evalhub.kit import json

LOOK_UP = 500  # SQLite takes a bounded number of parameters

_FIELDS = (
    "external_id",
    "number",
    "version_from",
    "source",
    "input_json",
    "expected_json",
    "metadata_json",
    "context_json",
    "tags_json",
    "split",
    "scorers_json",
)


@dataclass(frozen=True, slots=True)
class Holder:
    """What has an external id: its place for people, and the digest of its content."""

    place: str
    digest: bytes


class ExternalIds:
    """The external ids of a dataset and of the rows of one file before the one at hand.

    While rows are written (`version` is theirs) the earlier rows are found in the database. A check
    writes none, so it remembers them in a temporary file; memory stays flat either way.
    """

    def __init__(
        self, dataset_id: int, current: int, version: int | None, filename: str, column: str
    ) -> None:
        self._dataset_id = dataset_id
        self._current = current
        self._version = version
        self._filename = filename
        self._column = column
        self._seen = None if version is not None else sqlite3.connect("")
        if self._seen is not None:
            self._seen.execute(
                "CREATE TABLE seen (external_id TEXT PRIMARY KEY, line INTEGER, digest BLOB)"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._seen is not None:
            self._seen.close()

    def judge(self, records: Iterable[Record]) -> list[Record | None]:
        """The records as they are to be taken: None for a row that is known already, a Problem for
        one whose external id is taken, every other unchanged.
        """
        records = list(records)
        wanted = [one.external_id for one in records if isinstance(one, ItemDraft)]
        holders = self._holders([key for key in wanted if key is not None])
        judged: list[Record | None] = []
        new: list[tuple[str, int, bytes]] = []
        for one in records:
            key = one.external_id if isinstance(one, ItemDraft) else None
            if isinstance(one, Problem) or key is None:
                judged.append(one)
                continue
            digest = _digest(_content(one))
            holder = holders.get(key)
            if holder is None:
                judged.append(one)
                holders[key] = Holder(self._place(one.line), digest)
                new.append((key, one.line, digest))
            elif holder.digest == digest:
                judged.append(None)
            else:
                reason = f"External id “{key}” belongs to {holder.place}, whose content differs."
                cure = "Give the row an id of its own, or change that item instead."
                judged.append(
                    Problem(one.line, self._column, shown(key), "external_id_taken", reason, cure)
                )
        if self._seen is not None and new:
            self._seen.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", new)
        return judged

    def _holders(self, wanted: Sequence[str]) -> dict[str, Holder]:
        holders: dict[str, Holder] = {}
        for start in range(0, len(wanted), LOOK_UP):
            some = wanted[start : start + LOOK_UP]
            holders |= self._in_file(some)
            holders |= self._in_dataset(some)
        return holders

    def _in_file(self, wanted: Sequence[str]) -> dict[str, Holder]:
        if self._seen is None:
            return {}
        marks = ", ".join("?" * len(wanted))
        query = f"SELECT external_id, line, digest FROM seen WHERE external_id IN ({marks})"
        with closing(self._seen.execute(query, wanted)) as rows:
            return {key: Holder(self._place(line), digest) for key, line, digest in rows}

    def _in_dataset(self, wanted: Sequence[str]) -> dict[str, Holder]:
        holders: dict[str, Holder] = {}
        for key, number, version_from, source, *content in self._revisions(wanted):
            if version_from == self._version:
                place = source
            elif version_from <= self._current:
                place = f"item #{number}"
            else:
                continue  # of another import, which may come to nothing
            holders[key] = Holder(place, _digest(content))
        return holders

    def _revisions(self, wanted: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        if connection.vendor != "postgresql":
            return ItemRevision.objects.filter(
                dataset=self._dataset_id, external_id__in=wanted, version_to=None, deleted=False
            ).values_list(*_FIELDS)
        # On a table without statistics `= ANY(array)` reads the dataset once for each id.
        columns = ", ".join(f"found.{name}" for name in _FIELDS)
        table = connection.ops.quote_name(ItemRevision._meta.db_table)
        query = f"""
            SELECT {columns} FROM unnest(%s::text[]) AS wanted (external_id)
            CROSS JOIN LATERAL (
                SELECT * FROM {table} AS item
                WHERE item.dataset_id = %s AND item.external_id = wanted.external_id
                    AND item.version_to IS NULL AND NOT item.deleted
                LIMIT 1
            ) AS found"""
        with connection.cursor() as cursor:
            cursor.execute(query, [list(set(wanted)), self._dataset_id])
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def _place(self, line: int) -> str:
        return source_of(self._filename, line)


def source_of(filename: str, line: int) -> str:
    """Where a row came from, as its item keeps it."""
    return f"{filename}, line {line}"


def _content(draft: ItemDraft) -> list[str | None]:
    """The same fields, in the same order, as `_FIELDS` has after the source."""
    return [
        draft.input_json,
        draft.expected_json,
        draft.metadata_json,
        draft.context_json,
        json.dumps(draft.tags),
        draft.split,
        None,
    ]


def _digest(content: list[str | None]) -> bytes:
    # NUL is in no stored text, so absent (one NUL more) differs from every text.
    parts = "\0".join(["\0" if one is None else one for one in content])
    return hashlib.blake2b(parts.encode(), digest_size=16).digest()
