"""Contents: which rows ask and expect what an item of the dataset, or an earlier row, does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from datasets_app.importing.batches import Record
from datasets_app.importing.draft import ItemDraft
from datasets_app.importing.known_rows import (
    Current,
    Facts,
    Judged,
    KnownAre,
    Update,
    by_number,
    row_of,
)
from datasets_app.importing.problems import Problem
from datasets_app.models import ItemRevision

LOOK_UP = 500  # SQLite takes a bounded number of parameters
_READ_ROWS = 5_000


class Contents:
    """The content hashes of a dataset, and of the rows of one file before the one at hand.

    No index has them, so those of the dataset are read once into a temporary file. A place there
    is a line of the file, or below 0 the number of an item.
    """

    def __init__(self, facts: Facts, are: KnownAre) -> None:
        self._facts = facts
        self._are = are
        self._seen = sqlite3.connect("")
        self._seen.execute("CREATE TABLE seen (hash BLOB PRIMARY KEY, place INTEGER) WITHOUT ROWID")
        if facts.current:
            self._add((bytes.fromhex(found), -number) for found, number in self._of_dataset())

    def close(self) -> None:
        self._seen.close()

    def judge(self, records: Sequence[Record]) -> list[Judged]:
        """The records: None for a row that is known and changes nothing, a Problem where that is
        refused, an Update where the item's other fields differ. Once for each batch, in order.
        """
        hashes = [bytes.fromhex(one.content_hash) for one in records if type(one) is ItemDraft]
        places = self._places(hashes)
        items = self._items(places.values()) if self._are == "update" else {}
        judged: list[Judged] = []
        for one in records:
            if type(one) is not ItemDraft:
                judged.append(one)
                continue
            found = bytes.fromhex(one.content_hash)
            place = places.get(found)
            judged.append(one if place is None else self._against(one, place, items))
            if place is None or type(judged[-1]) is Update:
                places[found] = one.line
        lines = [(found, line) for found, line in places.items() if line > 0]
        self._seen.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", lines)
        return judged

    def _against(self, draft: ItemDraft, place: int, items: dict[int, Current]) -> Judged:
        where = f"item #{-place}" if place < 0 else self._facts.place(place)
        if self._are == "refuse":
            reason = f"The content is known: {where} asks and expects the same."
            cure = "Take the row out."
            return Problem(draft.line, None, "", "known", reason, cure, row_of(draft))
        item = items.get(-place)
        if item is None:
            return None
        merged, content_hash = self._facts.merged(draft, item.content)
        # The item is itself, whatever external id the row has.
        content = (*merged[:-1], item.content[-1])
        if content == item.content:
            return None
        return Update(draft, item.revision_id, item.number, content, content_hash)

    def _of_dataset(self) -> Iterable[tuple[str, int]]:
        items = ItemRevision.objects.filter(dataset=self._facts.dataset_id).at(self._facts.current)
        found = items.filter(purged=False).order_by("number").values_list("content_hash", "number")
        return found.iterator(chunk_size=_READ_ROWS)

    def _add(self, rows: Iterable[tuple[bytes, int]]) -> None:
        self._seen.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", rows)

    def _places(self, hashes: Sequence[bytes]) -> dict[bytes, int]:
        places: dict[bytes, int] = {}
        for start in range(0, len(hashes), LOOK_UP):
            some = hashes[start : start + LOOK_UP]
            marks = ", ".join("?" * len(some))
            query = f"SELECT hash, place FROM seen WHERE hash IN ({marks})"
            places.update(self._seen.execute(query, some).fetchall())
        return places

    def _items(self, places: Iterable[int]) -> dict[int, Current]:
        numbers = [-place for place in places if place < 0]
        items: dict[int, Current] = {}
        for start in range(0, len(numbers), LOOK_UP):
            some = numbers[start : start + LOOK_UP]
            items |= by_number(self._facts.dataset_id, self._facts.current, some)
        return items
