"""The API of imports."""

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import File, Form, Query, Router, UploadedFile
from pydantic import ValidationError

from datasets_app import queries
from datasets_app.actions import imports
from datasets_app.api import find_dataset
from datasets_app.importing.bad_rows import open_bad_rows
from datasets_app.importing.mapping import Mapping
from datasets_app.importing.preview import PreviewRow, preview
from datasets_app.models import ImportJob
from datasets_app.payloads import import_payload
from datasets_app.schemas_imports import (
    ImportAnswer,
    ImportApplication,
    ImportNames,
    ImportOptions,
    ImportPreview,
    ImportPreviewQuery,
    ImportReading,
)
from datasets_app.views.exports import file_answer
from evalhub.access.api_auth import reader, writer
from evalhub.kit import json
from evalhub.kit.api import answer, field_errors, parse_json
from evalhub.kit.api_lists import Listing, Paging, list_answer, page_down
from evalhub.kit.errors import Invalid, NotFound

router = Router(tags=["imports"])


@router.get("/datasets/{id}/imports", response=Listing[ImportAnswer])
def list_imports(request: HttpRequest, id: str, query: Query[Paging]) -> HttpResponse:
    """The dataset's imports, newest first."""
    caller = reader(request)
    found = queries.imports(caller.user, find_dataset(request, id)).select_related("dataset")
    rows, next_key = page_down(found, "pk", query)
    return list_answer(
        [import_payload(row) for row in rows], next_key=next_key, total=found.count()
    )


@router.post("/datasets/{id}/imports", response={201: ImportAnswer})
def import_file(
    request: HttpRequest, id: str, file: File[UploadedFile], options: Form[str] = "{}"
) -> HttpResponse:
    """Upload a file and import its rows, unless `apply` is false in the options (a JSON object).

    Where no columns are named in the options, they go where the project put them last, or where
    their names say.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)
    wanted = _options(options)
    job = imports.stage_import(
        dataset=dataset,
        filename=file.name or "upload",
        chunks=file.chunks(),
        path=imports.uploaded_path(file),
        by=caller.user,
        member=wanted.member,
        encoding=wanted.encoding,
        delimiter=wanted.delimiter,
        format=wanted.format,
        has_header=wanted.has_header,
    )
    try:
        mapping = _mapping(job, wanted) if wanted.maps else Mapping.from_dict(job.mapping)
        job = imports.map_import(
            job=job,
            mapping=mapping,
            by=caller.user,
            known_by=wanted.known_by,
            known_are=wanted.known_are,
        )
        if wanted.apply:
            job = imports.apply_import(job=job, by=caller.user, on_error=wanted.on_error)
    except Exception:
        imports.cancel_import(job=job, by=caller.user)
        raise
    return answer(import_payload(job), 201)


@router.get("/imports/{id}", response=ImportAnswer)
def get_import(request: HttpRequest, id: str) -> HttpResponse:
    """An import and how far it is."""
    return answer(import_payload(_find_import(request, id)))


@router.put("/imports/{id}/reading", response=ImportAnswer)
def read_import(request: HttpRequest, id: str, body: ImportReading) -> HttpResponse:
    """Read an import that was not applied another way; what is left out is detected."""
    caller = writer(request)
    job = imports.reread_import(
        job=_find_import(request, id),
        by=caller.user,
        encoding=body.encoding,
        delimiter=body.delimiter,
        format=body.format,
        has_header=body.has_header,
    )
    return answer(import_payload(job))


@router.put("/imports/{id}/mapping", response=ImportAnswer)
def map_import(request: HttpRequest, id: str, body: ImportNames) -> HttpResponse:
    """Say where the columns of an import that was not applied go."""
    caller = writer(request)
    job = _find_import(request, id)
    job = imports.map_import(
        job=job,
        mapping=_mapping(job, body),
        by=caller.user,
        known_by=body.known_by,
        known_are=body.known_are,
    )
    return answer(import_payload(job))


@router.get("/imports/{id}/preview", response=ImportPreview)
def preview_import(request: HttpRequest, id: str, query: Query[ImportPreviewQuery]) -> HttpResponse:
    """The first rows as the items that they would become, or with their problems."""
    job = _find_import(request, id)
    if not job.file.exists():
        raise NotFound("The uploaded file is no longer kept.")
    return answer({"rows": [_preview_payload(row) for row in preview(job, n=query.rows)]})


@router.post("/imports/{id}/check", response=ImportAnswer)
def check_import(request: HttpRequest, id: str) -> HttpResponse:
    """Look for problems in every row, in the background; nothing is written."""
    caller = writer(request)
    job = imports.check_import(job=_find_import(request, id), by=caller.user)
    return answer(import_payload(job))


@router.post("/imports/{id}/apply", response=ImportAnswer)
def apply_import(request: HttpRequest, id: str, body: ImportApplication) -> HttpResponse:
    """Write the rows as the dataset's next version, in the background."""
    caller = writer(request)
    job = imports.apply_import(
        job=_find_import(request, id), by=caller.user, on_error=body.on_error
    )
    return answer(import_payload(job))


@router.post("/imports/{id}/cancel", response=ImportAnswer)
def cancel_import(request: HttpRequest, id: str) -> HttpResponse:
    """Stop an import; nothing of it stays. One that has ended stays as it is."""
    caller = writer(request)
    job = imports.cancel_import(job=_find_import(request, id), by=caller.user)
    return answer(import_payload(job))


@router.get(
    "/imports/{id}/problems",
    openapi_extra={"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}},
)
def get_import_problems(request: HttpRequest, id: str) -> FileResponse:
    """All bad rows as CSV, with line numbers, reasons and the rows; 404 when there are none."""
    job = _find_import(request, id)
    if not job.problems_file.exists():
        raise NotFound("This import has no file of problems.")
    return FileResponse(
        job.problems_file.open("rb"),
        as_attachment=True,
        filename=f"{job.filename}.problems.csv",
        content_type="text/csv; charset=utf-8",
    )


@router.get(
    "/imports/{id}/rows-to-mend",
    openapi_extra={"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}},
)
def get_rows_to_mend(request: HttpRequest, id: str) -> StreamingHttpResponse:
    """The bad rows of a CSV or TSV file in its own columns, after three that say what is wrong.

    Mended, the file can be imported as it is. 404 when there are no such rows.
    """
    return file_answer(open_bad_rows(_find_import(request, id)))


def _find_import(request: HttpRequest, ref: str) -> ImportJob:
    caller = reader(request)
    return queries.find_import(caller.user, caller.project, ref)


def _mapping(job: ImportJob, wanted: ImportNames) -> Mapping:
    return Mapping.from_options(
        job.columns,
        input=wanted.input,
        expected=wanted.expected,
        metadata=wanted.metadata,
        external_id=wanted.external_id,
        columns_as=[one.model_dump(exclude_none=True) for one in wanted.columns],
        rest=wanted.rest,
    )


def _preview_payload(row: PreviewRow) -> dict[str, Any]:
    content = row.content
    item: dict[str, Any] | None = None
    if content is not None:
        texts = {
            "input": content.input_json,
            "expected_output": content.expected_json,
            "metadata": content.metadata_json,
            "context": content.context_json,
            "tags": content.tags_json,
            "scorers": content.scorers_json,
        }
        item = {name: json.loads(text) for name, text in texts.items() if text is not None}
        item |= {"split": content.split, "external_id": content.external_id}
        item["source"] = content.source
    problem = row.problem.to_dict() if row.problem else None
    return {"line": row.line, "item": item, "problem": problem}


def _options(text: str) -> ImportOptions:
    given = parse_json(text or "{}", "Options")
    try:
        return ImportOptions.model_validate(given)
    except ValidationError as error:
        errors = field_errors(error.errors(), "/options")
        raise Invalid(f"{errors[0].pointer}: {errors[0].detail}", errors=errors) from error
