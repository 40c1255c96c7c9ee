"""Fields of a run's items that are worth grouping by, for the selectors of a comparison."""

from __future__ import annotations

import re
from typing import Any

from datasets_app import public
from evalhub.kit.json import loads
from runs_app.models import Run

LOOKED_AT = 50  # items
MOST_FIELDS = 30
MOST_CLASSES = 12  # different expected outputs that still make slices
PLAIN_KEY = re.compile(r"[\w-]{1,80}")


def group_fields(run: Run) -> list[str]:
    """Paths such as "metadata.topic" whose values are single ones in the dataset's first items; by
    name, "expected_output" last when it has a few values. Empty without a dataset."""
    if run.dataset_id is None:
        return []
    rows = public.read_items(run.dataset_id, run.dataset_version, after=0, limit=LOOKED_AT)
    found: set[str] = set()
    expected: set[str] = set()
    for row in rows:
        metadata: Any = loads(row.metadata_json)
        found |= {
            f"metadata.{key}"
            for key, value in metadata.items()
            if PLAIN_KEY.fullmatch(key) and isinstance(value, str | int | float)
        }
        if row.expected_json is not None:
            expected.add(row.expected_json)
    fields = sorted(found)[:MOST_FIELDS]
    few = 2 <= len(expected) <= min(MOST_CLASSES, len(rows) // 2)
    plain = all(text[0] not in "[{" for text in expected)
    return [*fields, "expected_output"] if few and plain else fields
