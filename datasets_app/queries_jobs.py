"""Reading jobs over many items."""

from __future__ import annotations

import uuid

from datasets_app.models import Dataset, DatasetJob
from evalhub.access.models import Project, User
from evalhub.kit.errors import NotFound


def find_job(user: User, project: Project, ref: str) -> DatasetJob:
    """A job by uuid, with its dataset. Raises NotFound."""
    try:
        job = (
            DatasetJob.objects.for_user(user)
            .select_related("dataset", "dataset__project", "created_by")
            .filter(dataset__project=project, uuid=uuid.UUID(ref))
            .first()
        )
    except ValueError:
        job = None
    if job is None:
        raise NotFound("There is no such job.")
    return job


def writing_job(dataset: Dataset) -> DatasetJob | None:
    """The job that writes the dataset's pending version; None when none does (an import may)."""
    if dataset.pending_version is None:
        return None
    return DatasetJob.objects.writing(dataset).select_related("dataset").first()
