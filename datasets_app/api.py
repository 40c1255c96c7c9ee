"""The API of datasets and versions. The routes of items and imports are in files of their own."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from datasets_app import actions, queries
from datasets_app.models import Dataset
from datasets_app.payloads import dataset_payload, version_payload
from datasets_app.schemas import (
    DatasetAnswer,
    DatasetChanges,
    DatasetQuery,
    NewDataset,
    VersionAnswer,
)
from evalhub.access.api_auth import reader, writer
from evalhub.access.idempotency import once
from evalhub.kit.api import answer
from evalhub.kit.api_lists import Listing, Paging, list_answer, page_down

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


def find_dataset(request: HttpRequest, ref: str) -> Dataset:
    """The caller's dataset by slug or uuid, with `item_count`. Raises NotFound."""
    caller = reader(request)
    return queries.find_dataset(caller.user, caller.project, ref)


def dataset_answer(dataset: Dataset) -> dict[str, Any]:
    # queries.datasets annotates item_count, which the type checker cannot know.
    return dataset_payload(dataset, getattr(dataset, "item_count", 0))
