"""What is exported comes back through an import as it was, in every format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasets_app.exporting import ExportRow, exported
from datasets_app.importing.detect import detect
from datasets_app.importing.draft import ItemDraft
from datasets_app.importing.drafts import compile
from datasets_app.importing.guessing import guess
from datasets_app.importing.rows import Row, open_rows
from datasets_app.items import ItemContent, parse_item

PAYLOADS: list[dict[str, Any]] = [
    {"input": "plain", "expected_output": "=1+1", "external_id": "-x", "split": "test"},
    {"input": {"b": 1, "a": [1.0, 10**30, None]}, "expected_output": None, "tags": ["a, b", "é"]},
    {"input": "'quoted'", "metadata": {"a.b": {"c": "\u2028"}, "": 1}, "context": {}},
    {"input": -5, "context": {"k": "line\nend"}, "scorers": [], "source": "@home"},
    {"input": "", "scorers": [{"use": "exact_match"}], "metadata": {"input": "x"}},
]


def export_row(number: int, content: ItemContent) -> ExportRow:
    return ExportRow(
        number,
        content.external_id,
        content.input_json,
        content.expected_json,
        content.metadata_json,
        content.context_json,
        content.tags_json,
        content.split,
        content.scorers_json,
        content.source,
    )


@pytest.mark.parametrize("format", ["csv", "json", "jsonl"])
def test_every_field_and_every_hash_comes_back(tmp_path: Path, format: str) -> None:
    items = [parse_item(one) for one in PAYLOADS]
    path = tmp_path / f"export.{format}"
    rows = (export_row(number, content) for number, content in enumerate(items, 1))
    path.write_bytes(b"".join(exported(format, rows)))
    detected = detect(path, path.name)
    with open_rows(path, detected) as source:
        draft = compile(guess(source.columns, [], typed=detected.typed), source.columns)
        drafts = [draft(row) for row in source if isinstance(row, Row)]
    for item, back in zip(items, drafts, strict=True):
        assert isinstance(back, ItemDraft)
        assert back.content_hash == item.content_hash
        for name in ("input_json", "expected_json", "metadata_json", "context_json"):
            assert getattr(back, name) == getattr(item, name), name
        assert (back.split, back.external_id, back.source) == (
            item.split,
            item.external_id,
            item.source,
        )
        assert back.scorers_json == item.scorers_json
