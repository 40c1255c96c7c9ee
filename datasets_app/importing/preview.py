"""The first rows of a staged file as items, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

from datasets_app.importing.detect import Detected
from datasets_app.importing.draft import ItemDraft
from datasets_app.importing.drafts import compile
from datasets_app.importing.known import source_of
from datasets_app.importing.mapping import Mapping
from datasets_app.importing.problems import Problem
from datasets_app.importing.rows import open_rows
from datasets_app.items import ItemContent
from datasets_app.models import ImportJob
from evalhub.kit import json


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """One row: the item that it gives, or its problem; the other is None. `line` is its first."""

    line: int
    content: ItemContent | None
    problem: Problem | None


def preview(job: ImportJob, mapping: Mapping | None = None, n: int = 3) -> list[PreviewRow]:
    """The first `n` rows under `mapping` (None: the job's own).

    Raises ImportFileError when the file breaks off before, MappingError for a wrong mapping.
    """
    return list(islice(_preview_rows(job, mapping or Mapping.from_dict(job.mapping)), n))


def _preview_rows(job: ImportJob, mapping: Mapping) -> Iterator[PreviewRow]:
    with closing(open_rows(job.file, Detected.from_dict(job.reading))) as source:
        draft = compile(mapping, source.columns)
        for row in source:
            record = row if isinstance(row, Problem) else draft(row)
            if isinstance(record, Problem):
                yield PreviewRow(row.line, None, record)
            else:
                yield PreviewRow(
                    row.line, content_of_draft(record, job.filename, job.row_unit), None
                )


def content_of_draft(draft: ItemDraft, filename: str, unit: str = "line") -> ItemContent:
    """The draft as the content that is stored for it."""
    return ItemContent(
        input_json=draft.input_json,
        expected_json=draft.expected_json,
        metadata_json=draft.metadata_json,
        context_json=draft.context_json,
        tags_json=json.dumps(draft.tags),
        scorers_json=draft.scorers_json,
        split=draft.split,
        external_id=draft.external_id,
        source=draft.source or source_of(filename, draft.line, unit),
        content_hash=draft.content_hash,
    )
