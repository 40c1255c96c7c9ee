"""An item's history as sentences: what each version changed, in excerpts short enough to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from datasets_app.diffing import Segment, changed_fields, diff_json
from datasets_app.models import DatasetVersion, ItemRevision
from datasets_app.queries import HistoryEntry
from evalhub.kit.json import ABSENT

AROUND = 24  # characters kept on each side of a change
LONGEST = 120  # characters shown of what was taken out or put in
CHANGES_SHOWN = 6
LABELS = {
    "input": "Input",
    "expected_output": "Expected output",
    "metadata": "Metadata",
    "context": "Context",
    "tags": "Tags",
    "split": "Split",
    "external_id": "External ID",
}

Kind = Literal["changed", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Change:
    """One changed field: its part of the item, the path inside it ("" for all), an excerpt."""

    label: str
    path: str
    kind: Kind
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One revision: what its version did to the item. `more` counts changes that are not shown."""

    revision: ItemRevision
    version: DatasetVersion
    created: bool
    removed: bool
    changes: tuple[Change, ...]
    more: int


def timeline(entries: Sequence[HistoryEntry]) -> list[Step]:
    """The steps of an item's history, in the order of `entries`."""
    return [_step(entry) for entry in entries]


def field_changes(before: ItemRevision, after: ItemRevision) -> list[Change]:
    """The fields in which two revisions differ."""
    found = changed_fields(_fields(before), _fields(after))
    return [_change(change.path, change.before, change.after) for change in found]


def _step(entry: HistoryEntry) -> Step:
    revision, before = entry.revision, entry.before
    if before is None or revision.deleted:
        return Step(revision, entry.version, before is None, revision.deleted, (), 0)
    changes = field_changes(before, revision)
    return Step(
        revision,
        entry.version,
        False,
        False,
        tuple(changes[:CHANGES_SHOWN]),
        max(0, len(changes) - CHANGES_SHOWN),
    )


def _fields(revision: ItemRevision) -> dict[str, Any]:
    fields: dict[str, Any] = {"input": revision.input, "metadata": revision.metadata}
    if revision.has_expected_output:
        fields["expected_output"] = revision.expected_output
    if revision.context_json is not None:
        fields["context"] = revision.context
    if revision.tags:
        fields["tags"] = revision.tags
    if revision.split:
        fields["split"] = revision.split
    if revision.external_id is not None:
        fields["external_id"] = revision.external_id
    return fields


def _change(path: str, before: Any, after: Any) -> Change:
    name, _, rest = path.partition(".")
    kind: Kind = "added" if before is ABSENT else "removed" if after is ABSENT else "changed"
    return Change(LABELS[name], rest, kind, excerpt(diff_json(before, after).segments))


def excerpt(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The segments with long stretches cut to "…": the change and a little around it."""
    last = len(segments) - 1
    return tuple(
        Segment(segment.op, _cut(segment, index == 0, index == last))
        for index, segment in enumerate(segments)
    )


def _cut(segment: Segment, first: bool, last: bool) -> str:
    text = segment.text
    if segment.op != "same":
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    if first and last:
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    if first:
        return text if len(text) <= AROUND else "…" + _tail(text)
    if last:
        return text if len(text) <= AROUND else _head(text) + "…"
    return text if len(text) <= 2 * AROUND else f"{_head(text)} … {_tail(text)}"


def _head(text: str) -> str:
    """The first AROUND characters, without a word that would be cut."""
    return text[:AROUND].rpartition(" ")[0] or text[:AROUND]


def _tail(text: str) -> str:
    """The last AROUND characters, without a word that would be cut."""
    return text[-AROUND:].partition(" ")[2] or text[-AROUND:]
