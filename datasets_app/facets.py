"""What there is to filter by: splits with their counts, and names and values from a sample."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from datasets_app.filters import Compare, Field, field_text, to_text
from datasets_app.filters.building import typed_value
from datasets_app.models import Dataset, ItemRevision
from datasets_app.models.items import ItemRevisionQuerySet
from datasets_app.visible import is_plain, visible
from evalhub.kit.json import loads

MOST_SPLITS = 8
COUNTED = 5_000
"""Counting stops here, so that chips cost the same in front of a million items."""
TAGS_LOOKED_AT = 1_000
TAGS_S = 0.03
"""Long items take long to read, and each page of the list shows the chips."""
SAMPLE = 500
MOST_KEYS = 40
MOST_VALUES = 12
LONGEST_VALUE = 80
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Facet:
    """A value and how many items have it; more than `count` when not `exact`."""

    value: str
    count: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A field that items have, as a filter writes it, and its frequent values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What the first and the last items hold; `looked_at` says how many."""

    fields: tuple[Suggestion, ...]
    tags: tuple[str, ...]
    looked_at: int


def splits(dataset: Dataset, version: int) -> list[Facet]:
    """The splits of the items at `version`, by name, at most MOST_SPLITS of them.

    Each is found by a step in the index and counted up to COUNTED. At an old version, for which
    there is no index, only the first COUNTED items are looked through.
    """
    plain = is_plain(dataset, version)
    rows = visible(dataset, version, plain=plain)
    if not plain:
        counts = Counter(rows.order_by("number").values_list("split", flat=True)[:COUNTED])
        exact = counts.total() < COUNTED
        named = sorted(item for item in counts.items() if item[0])
        return [Facet(split, count, exact) for split, count in named[:MOST_SPLITS]]
    found: list[Facet] = []
    rest = rows.exclude(split="").order_by("split", "number").values_list("split", flat=True)
    split = rest.first()
    while split is not None and len(found) < MOST_SPLITS:
        same = rows.filter(split=split).exclude(split="")  # as the index says it
        count = same.order_by("number")[: COUNTED + 1].count()
        found.append(Facet(split, min(count, COUNTED), count <= COUNTED))
        split = rest.filter(split__gt=split).first()
    return found


def tags(dataset: Dataset, version: int, total: int) -> list[Facet]:
    """The most frequent tags of the first items: TAGS_LOOKED_AT of them, or as many as TAGS_S
    allows. When those are not all of `total`, no count is exact.
    """
    if not total:
        return []
    rows = visible(dataset, version, plain=is_plain(dataset, version)).order_by("number")
    texts = rows.values_list("tags_json", flat=True)[:TAGS_LOOKED_AT]
    counts: Counter[str] = Counter()
    give_up = time.monotonic() + TAGS_S
    looked_at = 0
    for text in texts.iterator(chunk_size=100):
        looked_at += 1
        if text != "[]":
            counts.update(set(loads(text)))
        if time.monotonic() > give_up:
            break
    return [Facet(tag, n, looked_at >= total) for tag, n in counts.most_common(MOST_SPLITS)]


def suggestions(dataset: Dataset, version: int) -> Suggestions:
    """Names of values in metadata, input and expected output, the frequent ones first."""
    rows = visible(dataset, version, plain=is_plain(dataset, version))
    first = _sample(rows, "number")
    last = _sample(rows, "-number") if len(first) == SAMPLE else []
    sample = {row.pk: row for row in [*first, *last]}.values()
    found: dict[Field, Counter[str]] = {}
    known_tags: Counter[str] = Counter()
    for row in sample:
        known_tags.update(set(row.tags))
        for name, value in (
            ("metadata", row.metadata),
            ("input", row.input),
            ("expected_output", row.expected_output),
        ):
            _collect(Field(name), value, found)
    by_frequency = sorted(found.items(), key=lambda item: (-item[1].total(), item[0].path))
    order = {"metadata": 0, "input": 1, "expected_output": 2}
    kept = sorted(by_frequency[:MOST_KEYS], key=lambda item: order[item[0].name])
    return Suggestions(
        tuple(Suggestion(field_text(field), _frequent(values)) for field, values in kept),
        tuple(tag for tag, _ in known_tags.most_common(MOST_VALUES)),
        len(sample),
    )


def _sample(rows: ItemRevisionQuerySet, order: str) -> list[ItemRevision]:
    fields = ("input_json", "expected_json", "metadata_json", "tags_json")
    return list(rows.only(*fields).order_by(order)[:SAMPLE])


def _collect(field: Field, value: Any, found: dict[Field, Counter[str]]) -> None:
    if isinstance(value, dict):
        if len(field.path) < _DEEPEST:
            for name, inner in value.items():
                _collect(Field(field.name, (*field.path, name)), inner, found)
        return
    if not field.path or isinstance(value, list):
        return
    typed = typed_value(value)
    counts = found.setdefault(field, Counter())
    counts[typed if len(typed) <= LONGEST_VALUE else ""] += 1


def _frequent(counts: Counter[str]) -> tuple[str, ...]:
    """Values that come more than once; of a field whose values are all different, none."""
    common = [value for value, n in counts.most_common(MOST_VALUES + 1) if value and n > 1]
    return tuple(common[:MOST_VALUES])


def tag_filter(tag: str) -> str:
    """The filter of the items that have the tag."""
    return to_text(Compare(Field("tags"), "=", tag))
