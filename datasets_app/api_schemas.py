"""The API of a dataset's JSON Schemas."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from ninja import Router, Schema

from datasets_app import queries_jobs
from datasets_app.actions.item_schemas import set_schemas
from datasets_app.actions.versions import stored_schemas
from datasets_app.api import find_dataset
from datasets_app.api_jobs import JobAnswer, job_payload
from datasets_app.bulk.schema_check import problems_file
from datasets_app.item_schemas import schema_values
from datasets_app.models import Dataset, DatasetJob
from datasets_app.queries import find_version
from datasets_app.queries_versions import sample_values
from datasets_app.schema_inference import infer_schema
from evalhub.access.api_auth import reader, writer
from evalhub.kit.api import StrictBody, answer
from evalhub.kit.errors import FieldError, Invalid, NotFound

router = Router(tags=["schemas"])


class NewSchemas(StrictBody):
    """All three: a field that is left out or null has no schema from then on."""

    input: Any = None
    expected_output: Any = None
    metadata: Any = None
    message: str = ""


class SchemasAnswer(Schema):
    """The schemas by field at `version`; with a `job`, they hold once it is done."""

    version: int
    schemas: dict[str, Any]
    job: JobAnswer | None


@router.get("/datasets/{id}/schemas", response=SchemasAnswer)
def get_schemas(request: HttpRequest, id: str, version: int | None = None) -> HttpResponse:
    """The JSON Schemas that items keep to, at the current or an older version."""
    dataset = find_dataset(request, id)
    return _answer(dataset, find_version(dataset, version), None)


@router.put("/datasets/{id}/schemas", response=SchemasAnswer)
def put_schemas(request: HttpRequest, id: str, body: NewSchemas) -> HttpResponse:
    """Let other schemas hold from a new version on, once every item keeps to them.

    422 when items do not: the first ten, how many problems there are of each kind, and the address
    of the whole list. With many items the check is a job that is still working.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)
    given = {
        "input": body.input,
        "expected_output": body.expected_output,
        "metadata": body.metadata,
    }
    job = set_schemas(dataset=dataset, schemas=given, by=caller.user, message=body.message)
    if job is not None and job.state == "failed":
        raise Invalid(
            job.message,
            errors=[FieldError(**problem) for problem in job.problems],
            kinds=job.params.get("kinds", {}),
            job=str(job.uuid),
            problems=f"/api/v1/jobs/{job.uuid}/problems",
        )
    return _answer(dataset, dataset.version, job)


@router.get("/datasets/{id}/schemas/inferred", response=dict[str, Any])
def infer_schemas(request: HttpRequest, id: str) -> HttpResponse:
    """Schemas that a sample of the current items keeps to, by field: a draft to change and put."""
    dataset = find_dataset(request, id)
    values = sample_values(dataset, dataset.version)
    return answer({field: infer_schema(found) for field, found in values.items() if found})


@router.get(
    "/jobs/{id}/problems",
    openapi_extra={"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}},
)
def get_job_problems(request: HttpRequest, id: str) -> FileResponse:
    """Every item that breaks the schemas, as CSV; 404 when there are none."""
    caller = reader(request)
    return problems_answer(queries_jobs.find_job(caller.user, caller.project, id))


def problems_answer(job: DatasetJob) -> FileResponse:
    """The file of a job's problems as a download. Raises NotFound."""
    file = problems_file(job)
    if job.active or not file.exists():
        raise NotFound("This job has no file of problems.")
    return FileResponse(
        file.open("rb"),
        as_attachment=True,
        filename=f"{job.dataset.slug}.schema-problems.csv",
        content_type="text/csv; charset=utf-8",
    )


def _answer(dataset: Dataset, version: int, job: DatasetJob | None) -> HttpResponse:
    return answer(
        {
            "version": version,
            "schemas": schema_values(stored_schemas(dataset.pk, version)),
            "job": None if job is None else job_payload(job),
        }
    )
