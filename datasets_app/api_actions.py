"""The API of what can be done with a whole dataset."""

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from datasets_app import actions
from datasets_app.actions.duplicate import duplicate_dataset
from datasets_app.api import dataset_answer, find_dataset
from datasets_app.models import DatasetJob
from datasets_app.schemas import DatasetAnswer
from evalhub.access.api_auth import writer
from evalhub.access.idempotency import once
from evalhub.kit.api import StrictBody, answer

router = Router(tags=["datasets"])


class NewDuplicate(StrictBody):
    """`name` is "Copy of ..." unless given."""

    name: str = ""


class DuplicateAnswer(Schema):
    """`job` is the id of the job that fills the new dataset; null when all is there already."""

    dataset: DatasetAnswer
    job: str | None


@router.post("/datasets/{id}/duplicate", response={201: DuplicateAnswer})
def duplicate_a_dataset(request: HttpRequest, id: str, body: NewDuplicate) -> HttpResponse:
    """Make a dataset with all that this one has now. Takes an Idempotency-Key."""
    caller = writer(request)
    dataset = find_dataset(request, id)

    def make() -> HttpResponse:
        made, job = duplicate_dataset(dataset=dataset, by=caller.user, name=body.name)
        found = dataset_answer(find_dataset(request, str(made.uuid)))
        return answer({"dataset": found, "job": _id(job)}, 201)

    return once(request, caller, make)


@router.post("/datasets/{id}/archive", response=DatasetAnswer)
def archive_dataset(request: HttpRequest, id: str) -> HttpResponse:
    """Make the dataset read-only and take it out of the list. 409 while a version is written."""
    caller = writer(request)
    dataset = find_dataset(request, id)
    return answer(dataset_answer(actions.archive_dataset(dataset=dataset, by=caller.user)))


@router.post("/datasets/{id}/unarchive", response=DatasetAnswer)
def unarchive_dataset(request: HttpRequest, id: str) -> HttpResponse:
    """Take the dataset back out of the archive."""
    caller = writer(request)
    dataset = find_dataset(request, id)
    return answer(dataset_answer(actions.unarchive_dataset(dataset=dataset, by=caller.user)))


@router.post("/datasets/{id}/pin", response=DatasetAnswer)
def pin_dataset(request: HttpRequest, id: str) -> HttpResponse:
    """Let the dataset come first in lists, for everybody in the project."""
    caller = writer(request)
    dataset = find_dataset(request, id)
    return answer(dataset_answer(actions.pin_dataset(dataset=dataset, by=caller.user)))


@router.post("/datasets/{id}/unpin", response=DatasetAnswer)
def unpin_dataset(request: HttpRequest, id: str) -> HttpResponse:
    """Let the dataset stand where its last change puts it."""
    caller = writer(request)
    dataset = find_dataset(request, id)
    unpinned = actions.pin_dataset(dataset=dataset, by=caller.user, pinned=False)
    return answer(dataset_answer(unpinned))


def _id(job: DatasetJob | None) -> str | None:
    return None if job is None else str(job.uuid)
