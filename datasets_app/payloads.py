"""Datasets and items as the API's JSON."""

from __future__ import annotations

import json
from typing import Any

from datasets_app.diffing import changed_fields
from datasets_app.models import Dataset, DatasetVersion, ImportJob, ItemRevision
from datasets_app.queries import HistoryEntry
from datasets_app.timeline import fields_of
from evalhub.kit.json import ABSENT


def dataset_payload(dataset: Dataset, item_count: int) -> dict[str, Any]:
    """A dataset; `item_count` is that of its current version."""
    return {
        "id": dataset.slug,
        "uuid": str(dataset.uuid),
        "name": dataset.name,
        "description": dataset.description,
        "tags": dataset.tags,
        "version": dataset.version,
        "item_count": item_count,
        "pinned": dataset.pinned_at is not None,
        "archived": dataset.archived_at is not None,
        "created_at": dataset.created_at.isoformat(),
        "updated_at": dataset.updated_at.isoformat(),
    }


def version_payload(version: DatasetVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "author": version.author.username if version.author else None,
        "created_at": version.created_at.isoformat(),
        "message": version.message,
        "label": version.label,
        "schema_fields": list(version.schemas),
        "added": version.added,
        "changed": version.changed,
        "removed": version.removed,
        "item_count": version.item_count,
    }


def import_payload(job: ImportJob) -> dict[str, Any]:
    """An import: counts are rows of the file, `share_done` is 0..1 by bytes."""
    return {
        "id": str(job.uuid),
        "dataset": job.dataset.slug,
        "filename": job.filename,
        "state": job.state,
        "active": job.active,
        "reading": job.reading,
        "columns": job.columns,
        "mapping": job.mapping,
        "known_by": job.known_by,
        "known_are": job.known_are,
        "on_error": job.on_error,
        "rows_done": job.rows_done,
        "rows_good": job.rows_good,
        "rows_bad": job.rows_bad,
        "rows_known": job.rows_known,
        "rows_updated": job.rows_updated,
        "rows_total": job.rows_total,
        "share_done": job.share_done,
        "problems": job.problems,
        "version": job.version if job.state == "done" else None,
        "message": job.message,
        "created_at": job.created_at.isoformat(),
        "started_at": job.started_at.isoformat() if job.started_at else None,
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
    }


def payload_of(revision: ItemRevision) -> dict[str, Any]:
    """The item as API JSON; `expected_output` is left out when absent."""
    payload: dict[str, Any] = {
        "number": revision.number,
        "revision": revision.pk,
        "version": revision.version_from,
        "input": revision.input,
        "metadata": revision.metadata,
        "tags": revision.tags,
        "split": revision.split,
        "external_id": revision.external_id,
        "source": revision.source,
        "content_hash": revision.content_hash,
        "purged": revision.purged,
    }
    if revision.has_expected_output:
        payload["expected_output"] = revision.expected_output
    if revision.context_json is not None:
        payload["context"] = revision.context
    if revision.scorers_json is not None:
        payload["scorers"] = json.loads(revision.scorers_json)
    return payload


def changes_payload(entry: HistoryEntry) -> list[dict[str, Any]]:
    """The fields that differ from the revision before: a dotted `path`, `before` and `after`, each
    left out where the field was absent; [] for the first revision, a removal and a purged one.
    """
    before, revision = entry.before, entry.revision
    if before is None or revision.deleted or revision.purged or before.purged:
        return []
    return field_rows(before, revision)


def field_rows(before: ItemRevision, after: ItemRevision) -> list[dict[str, Any]]:
    """The fields in which two revisions differ, as `changes_payload` tells them."""
    rows = []
    for change in changed_fields(fields_of(before), fields_of(after)):
        row: dict[str, Any] = {"path": change.path}
        if change.before is not ABSENT:
            row["before"] = change.before
        if change.after is not ABSENT:
            row["after"] = change.after
        rows.append(row)
    return rows
