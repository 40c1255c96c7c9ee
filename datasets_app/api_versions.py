"""The API of versions: one of them, its label and message, the difference of two, and restoring."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from datasets_app.actions.history import restore_version, update_version
from datasets_app.api import find_dataset
from datasets_app.api_jobs import JobAnswer, job_payload
from datasets_app.item_schemas import schema_values
from datasets_app.models import Dataset, DatasetVersion
from datasets_app.payloads import field_rows, payload_of, version_payload
from datasets_app.queries_versions import EDIT, find_version_row, origins
from datasets_app.schemas import FieldChangeAnswer, ItemAnswer, VersionAnswer
from datasets_app.touched import touched_between
from datasets_app.version_diff import ItemChange, diff_counts, diff_page
from evalhub.access.api_auth import writer
from evalhub.kit.api import StrictBody, answer
from evalhub.kit.api_lists import Paging
from evalhub.kit.errors import FieldError, Invalid
from evalhub.kit.paging import encode_cursor

router = Router(tags=["versions"])


class VersionChanges(StrictBody):
    """What is left out stays; an empty label takes the label away."""

    label: str | None = None
    message: str | None = None


class NewRestore(StrictBody):
    message: str = ""


class OneVersionAnswer(VersionAnswer):
    """`origin` is import, edit, restore, schema, undo, duplicate or bulk; schemas by field."""

    origin: str
    import_id: str | None
    schemas: dict[str, Any]


class DiffQuery(Paging):
    from_: str = Field(
        "", alias="from", description="version or label before; default: the one before `to`"
    )
    to: str = Field("", description="version or label after; default: the current version")
    kind: Literal["", "added", "changed", "removed"] = ""


class ChangeAnswer(Schema):
    """An item that differs. `before` is null when it was added, `after` when it was removed."""

    number: int
    kind: str
    before: ItemAnswer | None
    after: ItemAnswer | None
    changes: list[FieldChangeAnswer]


class CountsAnswer(Schema):
    """How many items differ; when not `exact`, there are at least as many."""

    added: int
    changed: int
    removed: int
    exact: bool


class DiffAnswer(Schema):
    """A page of a difference. It may have fewer items than asked for, or none, and go on."""

    from_: int = Field(alias="from")
    to: int
    counts: CountsAnswer
    items: list[ChangeAnswer]
    next_cursor: str | None


@router.get("/datasets/{id}/versions/{version}", response=OneVersionAnswer)
def get_version(request: HttpRequest, id: str, version: str) -> HttpResponse:
    """A version by number or label, with its schemas."""
    dataset = find_dataset(request, id)
    return answer(_version(dataset, find_version_row(dataset, version)))


@router.patch("/datasets/{id}/versions/{version}", response=OneVersionAnswer)
def change_version(
    request: HttpRequest, id: str, version: str, body: VersionChanges
) -> HttpResponse:
    """Change the label or the message of a version. A label belongs to one version (else 409)."""
    caller = writer(request)
    dataset = find_dataset(request, id)
    row = find_version_row(dataset, version)
    update_version(
        dataset=dataset, number=row.number, by=caller.user, label=body.label, message=body.message
    )
    return answer(_version(dataset, find_version_row(dataset, str(row.number))))


@router.get("/datasets/{id}/diff", response=DiffAnswer)
def diff_versions(request: HttpRequest, id: str, query: Query[DiffQuery]) -> HttpResponse:
    """The items that differ between two versions, in number order, field by field."""
    dataset = find_dataset(request, id)
    b = find_version_row(dataset, query.to).number if query.to else dataset.version
    a = _from(dataset, query.from_, b)
    touched = touched_between(dataset.pk, a, b)
    after = query.after or 0
    page = diff_page(dataset, a, b, kind=query.kind, after=after, size=query.limit, touched=touched)
    counts = diff_counts(dataset, a, b, touched=touched)
    return answer(
        {
            "from": a,
            "to": b,
            "counts": {
                "added": counts.added,
                "changed": counts.changed,
                "removed": counts.removed,
                "exact": counts.exact,
            },
            "items": [_change(row) for row in page.rows],
            "next_cursor": None if page.next is None else encode_cursor(page.next),
        }
    )


@router.post("/datasets/{id}/versions/{version}/restore", response=JobAnswer)
def restore_a_version(
    request: HttpRequest, id: str, version: str, body: NewRestore
) -> HttpResponse:
    """Make the items what they were at a version, as a new version; nothing is lost.

    With many changed items the job is still working: ask for it again. 422 when an item would break
    a schema of now.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)
    row = find_version_row(dataset, version)
    job = restore_version(dataset=dataset, number=row.number, by=caller.user, message=body.message)
    if job.state == "failed":
        raise Invalid(
            job.message,
            errors=[FieldError(**problem) for problem in job.problems],
            job=str(job.uuid),
        )
    return answer(job_payload(job))


def _from(dataset: Dataset, ref: str, to: int) -> int:
    """The version to begin at; 0, which has no items, is one too."""
    if not ref:
        return max(0, to - 1)
    return 0 if ref == "0" else find_version_row(dataset, ref).number


def _version(dataset: Dataset, row: DatasetVersion) -> dict[str, Any]:
    origin = origins(dataset, [row.number]).get(row.number, EDIT)
    return version_payload(row) | {
        "origin": origin.kind,
        "import_id": str(origin.import_job.uuid) if origin.import_job else None,
        "schemas": schema_values(row.schemas),
    }


def _change(row: ItemChange) -> dict[str, Any]:
    both = row.before is not None and row.after is not None
    return {
        "number": row.number,
        "kind": row.kind,
        "before": None if row.before is None else payload_of(row.before),
        "after": None if row.after is None else payload_of(row.after),
        "changes": field_rows(row.before, row.after) if both and row.before and row.after else [],
    }
