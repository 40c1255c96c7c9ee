"""An item's history as sentences: what each version changed, in excerpts short enough to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from datasets_app.diffing import Segment, changed_fields, diff_json
from datasets_app.models import DatasetVersion, ItemRevision
from datasets_app.queries import HistoryEntry
from evalhub.kit.json import ABSENT, loads

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
    "scorers": "Scorers",
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
    """One revision: what its version did to the item. `more` counts changes that are not shown.

    `revived` means that it was removed before. A purged revision has no changes to tell.
    """

    revision: ItemRevision
    version: DatasetVersion
    created: bool
    removed: bool
    revived: bool
    changes: tuple[Change, ...]
    more: int


def timeline(entries: Sequence[HistoryEntry], *, shown: int = CHANGES_SHOWN) -> list[Step]:
    """The steps of an item's history in the order of `entries`, with up to `shown` changes each."""
    return [_step(entry, shown) for entry in entries]


def field_changes(before: ItemRevision, after: ItemRevision) -> list[Change]:
    """The fields in which two revisions differ."""
    found = changed_fields(fields_of(before), fields_of(after))
    return [_change(change.path, change.before, change.after) for change in found]


def _step(entry: HistoryEntry, shown: int) -> Step:
    revision, before = entry.revision, entry.before
    silent = before is None or revision.deleted or revision.purged or before.purged
    changes = [] if before is None or silent else field_changes(before, revision)
    return Step(
        revision,
        entry.version,
        created=before is None,
        removed=revision.deleted,
        revived=before is not None and before.deleted and not revision.deleted,
        changes=tuple(changes[:shown]),
        more=max(0, len(changes) - shown),
    )


def fields_of(revision: ItemRevision) -> dict[str, Any]:
    """What the item says, by field, without what is absent or empty."""
    fields: dict[str, Any] = {"input": revision.input}
    if revision.has_expected_output:
        fields["expected_output"] = revision.expected_output
    fields["metadata"] = revision.metadata
    if revision.context_json is not None:
        fields["context"] = revision.context
    if revision.tags:
        fields["tags"] = revision.tags
    if revision.split:
        fields["split"] = revision.split
    if revision.scorers_json is not None:
        fields["scorers"] = loads(revision.scorers_json)
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
