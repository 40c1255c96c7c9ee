"""External ids: which rows are in the dataset already, and which claim an id of other content."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from datasets_app.importing.draft import ItemDraft
from datasets_app.importing.known_rows import (
    Content,
    Current,
    Facts,
    Judged,
    KnownAre,
    Update,
    by_external_id,
    digest_of,
    row_of,
)
from datasets_app.importing.problems import Problem, shown

LOOK_UP = 500  # SQLite takes a bounded number of parameters


@dataclass(frozen=True, slots=True)
class _Holder:
    """What has an external id: an item, or an earlier row of the file with its digest or content.

    `item` is None for an earlier row.
    """

    place: str
    item: Current | None = None
    digest: bytes = b""
    content: Content = ()


class ExternalIds:
    """The external ids of a dataset and of the rows of one file before the one at hand.

    While rows are written the earlier rows are found in the database. A check writes none, so it
    remembers them in a temporary file; memory stays flat either way.
    """

    def __init__(self, facts: Facts, are: KnownAre) -> None:
        self._facts = facts
        self._are = are
        self._guessing = facts.version is not None
        self._seen = None if facts.version is not None else sqlite3.connect("")
        if self._seen is not None:
            self._seen.execute(
                "CREATE TABLE seen (external_id TEXT PRIMARY KEY, line INTEGER, digest BLOB)"
            )

    def close(self) -> None:
        if self._seen is not None:
            self._seen.close()

    def guess(self, records: Sequence[Judged]) -> Sequence[Judged] | None:
        """The records as they are while nothing of them is known, nor twice among them."""
        if not self._guessing:
            return None
        keys = [one.external_id for one in records if type(one) is ItemDraft and one.external_id]
        return records if len(set(keys)) == len(keys) else None

    def judge(self, records: Sequence[Judged]) -> list[Judged]:
        """The records as they are to be taken: None for a row that is known already, a Problem for
        one whose external id is taken, an Update for one that changes its item.
        """
        holders = self._holders(
            [one.external_id for one in records if type(one) is ItemDraft and one.external_id]
        )
        self._guessing = not holders and self._facts.version is not None
        judged: list[Judged] = []
        new: list[tuple[str, int, bytes]] = []
        for one in records:
            key = one.external_id if type(one) is ItemDraft else None
            if type(one) is not ItemDraft or key is None:
                judged.append(one)
                continue
            digest = digest_of(one)
            holder = holders.get(key)
            found = one if holder is None else self._against(one, key, holder, digest)
            if type(found) is ItemDraft or type(found) is Update:
                holders[key] = _Holder(self._facts.place(one.line), None, digest)
                new.append((key, one.line, digest))
            judged.append(found)
        if self._seen is not None and new:
            self._seen.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", new)
        return judged

    def _against(self, draft: ItemDraft, key: str, holder: _Holder, digest: bytes) -> Judged:
        """What a row is whose external id is there already."""
        item = holder.item
        if item is not None:
            content, content_hash = self._facts.merged(draft, item.content)
            same = content == item.content
        elif holder.digest:
            same = digest == holder.digest
        else:
            same = self._facts.merged(draft, holder.content)[0] == holder.content
        if self._are == "refuse":
            reason = f"External ID “{key}” is known: {holder.place} has it."
            return self._problem(draft, key, "known", reason, "Take the row out.")
        if same:
            return None
        if item is not None and self._are == "update":
            return Update(draft, item.revision_id, item.number, content, content_hash)
        reason = f"External ID “{key}” belongs to {holder.place}, whose content differs."
        cure = "Give the row an id of its own, or have known items updated."
        if item is None:
            cure = "Give the row an id of its own, or take one of the two out."
        return self._problem(draft, key, "external_id_taken", reason, cure)

    def _problem(self, draft: ItemDraft, key: str, kind: str, reason: str, cure: str) -> Problem:
        place = (draft.line, self._facts.column, shown(key))
        return Problem(*place, kind, reason, cure, row_of(draft))

    def _holders(self, wanted: Sequence[str]) -> dict[str, _Holder]:
        holders: dict[str, _Holder] = {}
        look_in_dataset = self._facts.current > 0 or self._facts.version is not None
        for start in range(0, len(wanted), LOOK_UP):
            some = wanted[start : start + LOOK_UP]
            if look_in_dataset:
                holders |= self._in_dataset(some)
            holders |= self._in_file(some)
        return holders

    def _in_file(self, wanted: Sequence[str]) -> dict[str, _Holder]:
        if self._seen is None:
            return {}
        marks = ", ".join("?" * len(wanted))
        query = f"SELECT external_id, line, digest FROM seen WHERE external_id IN ({marks})"
        with closing(self._seen.execute(query, wanted)) as rows:
            return {
                key: _Holder(self._facts.place(line), None, digest) for key, line, digest in rows
            }

    def _in_dataset(self, wanted: Sequence[str]) -> dict[str, _Holder]:
        holders: dict[str, _Holder] = {}
        for item in by_external_id(self._facts.dataset_id, wanted):
            key = str(item.content[-1])
            if item.version == self._facts.version:
                holders[key] = _Holder(item.source, content=item.content)
            elif item.version <= self._facts.current:
                holders[key] = _Holder(f"item #{item.number}", item)
            # else of another import, which may come to nothing
        return holders
