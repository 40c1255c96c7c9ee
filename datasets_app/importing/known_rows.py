"""What is said of rows that may be known, and how a row changes the item that it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from django.db import connection

from datasets_app.importing.batches import Record
from datasets_app.importing.draft import ItemDraft
from datasets_app.importing.mapping import Mapping
from datasets_app.models import ItemRevision
from evalhub.kit import json
from evalhub.kit.json import ABSENT

KnownAre = Literal["skip", "update", "refuse"]

FIELDS = (
    "input_json",
    "expected_json",
    "metadata_json",
    "context_json",
    "tags_json",
    "scorers_json",
    "split",
    "external_id",
)
"""What an item holds beside its source, in the order of a Content."""

Content = tuple[str | None, ...]


class Update(NamedTuple):
    """A row that gives an item of the dataset a new revision. `revision_id` is the current one."""

    draft: ItemDraft
    revision_id: int
    number: int
    content: Content
    content_hash: str


Judged = Record | Update | None
"""None is a row that would change nothing."""


@dataclass(frozen=True, slots=True)
class Current:
    """An item as it is now in the dataset, or a row of this import that is written already."""

    revision_id: int
    number: int
    version: int
    source: str
    content: Content


@dataclass(frozen=True, slots=True)
class Facts:
    """About the import. `version` is the one that it writes, None while it checks; `column` gives
    the external ids, if any; `parts` are the fields of an item that a column goes to.
    """

    dataset_id: int
    current: int
    version: int | None
    filename: str
    unit: str
    column: str
    parts: frozenset[str]

    @classmethod
    def of(cls, mapping: Mapping, **others: Any) -> Facts:
        ids = mapping.to("external_id")
        parts = {one.destination for one in mapping.columns}
        if mapping.rest == "metadata":
            parts.add("metadata")
        return cls(column=ids[0].column if ids else "", parts=frozenset(parts), **others)

    def place(self, line: int) -> str:
        return source_of(self.filename, line, self.unit)

    def merged(self, draft: ItemDraft, now: Content) -> tuple[Content, str]:
        """(content, hash) of the item once the row is in it.

        What no column of the file gives stays as it is.
        """
        parts, old = self.parts, dict(zip(FIELDS, now, strict=True))
        expected = draft.expected_json if "expected_output" in parts else old["expected_json"]
        context = draft.context_json if "context" in parts else old["context_json"]
        content = (
            draft.input_json,
            expected,
            draft.metadata_json if "metadata" in parts else old["metadata_json"],
            context,
            json.dumps(draft.tags) if "tags" in parts else old["tags_json"],
            draft.scorers_json if "scorers" in parts else old["scorers_json"],
            draft.split if "split" in parts else old["split"],
            draft.external_id or old["external_id"],
        )
        if (expected, context) == (draft.expected_json, draft.context_json):
            return content, draft.content_hash
        values = (json.loads(draft.input_json), *(_value(one) for one in (expected, context)))
        return content, json.content_hash(*values)


def source_of(filename: str, line: int, unit: str = "line") -> str:
    """Where a row came from, as its item keeps it."""
    return f"{filename}, {unit} {line}"


def row_of(draft: ItemDraft) -> str:
    """The item as JSON, for the file of problems: the row itself is not at hand any more."""
    parts = [
        f'"external_id":{json.dumps(draft.external_id)}',
        f'"input":{draft.input_json}',
        f'"expected_output":{draft.expected_json or "null"}',
        f'"metadata":{draft.metadata_json}',
    ]
    return "{" + ",".join(parts) + "}"


def digest_of(draft: ItemDraft) -> bytes:
    """16 bytes that tell the contents of two rows of one file apart."""
    # NUL is in no stored text, so absent (one NUL more) differs from every text.
    parts = (*draft[1:5], json.dumps(draft.tags), draft.split, draft.scorers_json)
    text = "\0".join(["\0" if one is None else one for one in parts])
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def by_external_id(dataset_id: int, wanted: Sequence[str]) -> Iterable[Current]:
    """What has one of the external ids now, rows of an import that is writing as well."""
    if connection.vendor != "postgresql":
        found = ItemRevision.objects.filter(
            dataset=dataset_id, external_id__in=wanted, version_to=None, deleted=False
        )
        return [_current(row) for row in found.values_list(*_COLUMNS)]
    # On a table without statistics `= ANY(array)` reads the dataset once for each id.
    columns = ", ".join(f"found.{name}" for name in _COLUMNS)
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
        cursor.execute(query, [list(set(wanted)), dataset_id])
        return [_current(row) for row in cursor.fetchall()]


def by_number(dataset_id: int, version: int, wanted: Sequence[int]) -> dict[int, Current]:
    """{number: the item as it was at `version`}."""
    found = ItemRevision.objects.filter(dataset=dataset_id, number__in=wanted).at(version)
    return {row[1]: _current(row) for row in found.values_list(*_COLUMNS)}


_COLUMNS = ("id", "number", "version_from", "source", *FIELDS)


def _current(row: tuple[Any, ...]) -> Current:
    return Current(row[0], row[1], row[2], row[3], tuple(row[4:]))


def _value(text: str | None) -> Any:
    return ABSENT if text is None else json.loads(text)
