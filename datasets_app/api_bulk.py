"""The API of changes to many items: one action on a selection, a batch, and undo."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, Router, Schema
from pydantic import Field

from datasets_app.actions.batch import BatchOutcome, batch_items
from datasets_app.actions.bulk import Outcome, apply_bulk, undo_version
from datasets_app.api import find_dataset
from datasets_app.api_jobs import JobAnswer, job_payload
from datasets_app.batch_body import parse_batch
from datasets_app.bulk.action import parse_action
from datasets_app.selection import parse_selection
from evalhub.access.api_auth import writer
from evalhub.access.idempotency import once
from evalhub.kit.api import StrictBody, answer

router = Router(tags=["items"])


class BulkRequest(StrictBody):
    """`selection` is `{where, q, split}` or `{"all": true}`, both with `except`, or `{numbers}`;
    `action` such as `{"type": "set_split", "split": "test"}`.
    """

    selection: dict[str, Any]
    action: dict[str, Any]
    message: str = Field("", max_length=500, description="of the version")


class UndoRequest(StrictBody):
    message: str = Field("", max_length=500, description="of the version")


class SkippedAnswer(Schema):
    pointer: str
    detail: str


class BulkAnswer(Schema):
    """`version` is null when nothing changed, and with a `job`, which does the work.

    `dataset` is where the version is. Of copies, `there` were in it already and those in `skipped`
    were left out.
    """

    dataset: str
    version: int | None
    job: JobAnswer | None
    added: int
    changed: int
    removed: int
    there: int
    skipped: list[SkippedAnswer]


class BatchAnswer(Schema):
    """`numbers` are those of the added items, in order; `version` is null when nothing changed."""

    version: int | None
    numbers: list[int]
    added: int
    changed: int
    removed: int


@router.post("/datasets/{id}/items/bulk", response={200: BulkAnswer, 202: BulkAnswer})
def bulk_items(request: HttpRequest, id: str, body: BulkRequest) -> HttpResponse:
    """Do one action to all selected items, as one version. Takes an Idempotency-Key.

    Above 5,000 items a job does it in the background (202). An item that changed since the
    `version` that the selection names is a conflict, and nothing is changed.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)
    selection = parse_selection(body.selection, dataset.version, pointer="/selection")
    action = parse_action(body.action, pointer="/action")

    def act() -> HttpResponse:
        outcome = apply_bulk(
            dataset=dataset,
            selection=selection,
            action=action,
            by=caller.user,
            message=body.message,
        )
        return _answer(outcome)

    return once(request, caller, act)


_BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "add": {"type": "array", "items": {"type": "object"}},
                        "update": {
                            "type": "array",
                            "items": {"type": "object", "required": ["number"]},
                            "description": "the fields that change, `remove` and `revision`",
                        },
                        "delete": {
                            "type": "array",
                            "items": {"oneOf": [{"type": "integer"}, {"type": "object"}]},
                            "description": "numbers, or {number, revision}",
                        },
                        "message": {"type": "string"},
                    },
                }
            }
        }
    }
}


@router.post("/datasets/{id}/items/batch", response=BatchAnswer, openapi_extra=_BATCH_BODY)
def batch_of_items(request: HttpRequest, id: str, body: Body[dict[str, Any]]) -> HttpResponse:
    """Add, update and delete items as one version, or change nothing. Takes an Idempotency-Key.

    Updates are as those of one item. Where a `revision` is given, an item that has changed since is
    a conflict.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)

    def act() -> HttpResponse:
        batch = parse_batch(dataset, body)
        outcome = batch_items(
            dataset=dataset,
            add=batch.add,
            update=batch.update,
            delete=batch.delete,
            by=caller.user,
            message=batch.message,
        )
        return answer(_batch_payload(outcome))

    return once(request, caller, act)


@router.post(
    "/datasets/{id}/versions/{int:number}/undo", response={200: BulkAnswer, 202: BulkAnswer}
)
def undo(request: HttpRequest, id: str, number: int, body: UndoRequest) -> HttpResponse:
    """Reverse exactly what a version changed, as a new version. Takes an Idempotency-Key.

    A conflict when one of its items has changed since.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)

    def act() -> HttpResponse:
        return _answer(
            undo_version(dataset=dataset, version=number, by=caller.user, message=body.message)
        )

    return once(request, caller, act)


def _answer(outcome: Outcome) -> HttpResponse:
    job = outcome.job
    payload = {
        "dataset": outcome.dataset.slug,
        "version": outcome.version,
        "job": None if job is None else job_payload(job),
        "added": outcome.added,
        "changed": outcome.changed,
        "removed": outcome.removed,
        "there": outcome.there,
        "skipped": [one.to_json() for one in outcome.skipped[:1_000]],
    }
    return answer(payload, 200 if job is None else 202)


def _batch_payload(outcome: BatchOutcome) -> dict[str, Any]:
    return {
        "version": outcome.version,
        "numbers": outcome.numbers,
        "added": outcome.added,
        "changed": outcome.changed,
        "removed": outcome.removed,
    }
