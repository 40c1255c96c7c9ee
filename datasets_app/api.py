"""The API of datasets, versions and imports. The items' routes are in api_items.py."""

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse
from ninja import File, Form, Query, Router, UploadedFile
from pydantic import ValidationError

from datasets_app import actions, queries
from datasets_app.actions import imports
from datasets_app.importing.mapping import Mapping
from datasets_app.models import Dataset, ImportJob
from datasets_app.payloads import dataset_payload, import_payload, version_payload
from datasets_app.schemas import (
    DatasetAnswer,
    DatasetChanges,
    DatasetQuery,
    ImportAnswer,
    ImportOptions,
    NewDataset,
    VersionAnswer,
)
from evalhub.access.api_auth import reader, writer
from evalhub.access.idempotency import once
from evalhub.kit.api import answer, field_errors, parse_json
from evalhub.kit.api_lists import Listing, Paging, list_answer, page_down
from evalhub.kit.errors import Invalid, NotFound

router = Router(tags=["datasets"])


@router.get("/datasets", response=Listing[DatasetAnswer])
def list_datasets(request: HttpRequest, query: Query[DatasetQuery]) -> HttpResponse:
    """The project's datasets, newest first, without those in the archive."""
    caller = reader(request)
    found = queries.datasets(caller.user, caller.project, q=query.q, archived=query.archived)
    rows, next_key = page_down(found, "pk", query)
    total = None if query.q else found.count()
    return list_answer([dataset_answer(row) for row in rows], next_key=next_key, total=total)


@router.post("/datasets", response={201: DatasetAnswer})
def create_dataset(request: HttpRequest, body: NewDataset) -> HttpResponse:
    """Make an empty dataset. Takes an Idempotency-Key."""
    caller = writer(request)

    def create() -> HttpResponse:
        made = actions.create_dataset(
            project=caller.project,
            name=body.name,
            by=caller.user,
            description=body.description,
            slug=body.slug,
            tags=body.tags,
        )
        return answer(dataset_answer(find_dataset(request, str(made.uuid))), 201)

    return once(request, caller, create)


@router.get("/datasets/{id}", response=DatasetAnswer)
def get_dataset(request: HttpRequest, id: str) -> HttpResponse:
    """A dataset by slug or uuid."""
    return answer(dataset_answer(find_dataset(request, id)))


@router.put("/datasets/{id}", response=DatasetAnswer)
def update_dataset(request: HttpRequest, id: str, body: DatasetChanges) -> HttpResponse:
    """Change name, description or tags. The slug stays, so that links hold."""
    caller = writer(request)
    dataset = find_dataset(request, id)
    actions.update_dataset(
        dataset=dataset,
        by=caller.user,
        name=body.name,
        description=body.description,
        tags=body.tags,
    )
    return answer(dataset_answer(find_dataset(request, str(dataset.uuid))))


@router.delete("/datasets/{id}", response={204: None})
def delete_dataset(request: HttpRequest, id: str) -> HttpResponse:
    """Hide the dataset. Its runs stay readable."""
    caller = writer(request)
    actions.delete_dataset(dataset=find_dataset(request, id), by=caller.user)
    return HttpResponse(status=204)


@router.get("/datasets/{id}/versions", response=Listing[VersionAnswer])
def list_versions(request: HttpRequest, id: str, query: Query[Paging]) -> HttpResponse:
    """The dataset's versions, newest first."""
    found = queries.versions(find_dataset(request, id))
    rows, next_key = page_down(found, "number", query)
    return list_answer(
        [version_payload(row) for row in rows], next_key=next_key, total=found.count()
    )


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

    Columns that are not named in the options are mapped by their names.
    """
    caller = writer(request)
    dataset = find_dataset(request, id)
    wanted = _options(options)
    job = imports.stage_import(
        dataset=dataset,
        filename=file.name or "upload",
        chunks=file.chunks(),
        by=caller.user,
        encoding=wanted.encoding,
        delimiter=wanted.delimiter,
        format=wanted.format,
        has_header=wanted.has_header,
    )
    try:
        if wanted.maps:
            mapping = Mapping.from_options(
                job.columns,
                input=wanted.input,
                expected=wanted.expected,
                metadata=wanted.metadata,
                external_id=wanted.external_id,
                rest=wanted.rest,
            )
            job = imports.map_import(job=job, mapping=mapping, by=caller.user)
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
    """All bad rows as CSV, with line numbers and reasons; 404 when there are none."""
    job = _find_import(request, id)
    if not job.problems_file.exists():
        raise NotFound("This import has no file of problems.")
    return FileResponse(
        job.problems_file.open("rb"),
        as_attachment=True,
        filename=f"{job.filename}.problems.csv",
        content_type="text/csv; charset=utf-8",
    )


def find_dataset(request: HttpRequest, ref: str) -> Dataset:
    """The caller's dataset by slug or uuid, with `item_count`. Raises NotFound."""
    caller = reader(request)
    return queries.find_dataset(caller.user, caller.project, ref)


def _find_import(request: HttpRequest, ref: str) -> ImportJob:
    caller = reader(request)
    return queries.find_import(caller.user, caller.project, ref)


def dataset_answer(dataset: Dataset) -> dict[str, Any]:
    # queries.datasets annotates item_count, which the type checker cannot know.
    return dataset_payload(dataset, getattr(dataset, "item_count", 0))


def _options(text: str) -> ImportOptions:
    given = parse_json(text or "{}", "Options")
    try:
        return ImportOptions.model_validate(given)
    except ValidationError as error:
        errors = field_errors(error.errors(), "/options")
        raise Invalid(f"{errors[0].pointer}: {errors[0].detail}", errors=errors) from error
