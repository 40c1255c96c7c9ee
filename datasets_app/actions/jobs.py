"""Start and cancel a job over many items. The work itself is done by bulk/job.py.

Locks are taken in one order: the dataset, then the job.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from datasets_app.actions.versions import lock_for_change
from datasets_app.models import Dataset, DatasetJob, JobState
from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import NotFound

TASK = "datasets.job"
CANCELLED = "Cancelled. Nothing was changed."


@transaction.atomic
def start_job(
    *,
    dataset: Dataset,
    kind: str,
    params: dict[str, Any],
    by: User,
    message: str = "",
    total: int = 0,
    writes: bool = True,
) -> DatasetJob:
    """Begin a job of that kind (see bulk/kinds.py) in the background.

    With `writes` it writes the dataset's next version, with `message`, and nobody else can change
    the dataset until it has ended; raises what `lock_for_change` does. A `total` of 0 is counted by
    the job itself.
    """
    locked = lock_for_change(dataset) if writes else dataset
    version = locked.version + 1 if writes else None
    if writes:
        Dataset.objects.filter(pk=locked.pk).update(pending_version=version)
    job = DatasetJob.objects.create(
        dataset=locked,
        kind=kind,
        params=params | {"message": message[:500]},
        created_by=by,
        version=version,
        total=total,
    )
    audit(locked.project, by, "dataset.job", f"{locked.slug} {kind}")
    wake(TASK, job.pk)
    return job


def lock_written(job: DatasetJob) -> Dataset | None:
    """The job's dataset, locked with every other that it writes, in one order; None: it is gone."""
    found = Dataset.objects.select_for_update(no_key=True, of=("self",)).select_related("project")
    ids = {job.dataset_id, *(dataset_id for dataset_id, _ in job.written)}
    locked = {dataset.pk: dataset for dataset in found.filter(pk__in=ids).order_by("pk")}
    return locked.get(job.dataset_id)


def give_free(job: DatasetJob) -> None:
    """Let others change the datasets that the job writes. The caller holds their locks."""
    for dataset_id, version in job.written:
        Dataset.objects.filter(pk=dataset_id, pending_version=version).update(pending_version=None)


@transaction.atomic
def cancel_job(*, job: DatasetJob, by: User) -> DatasetJob:
    """Stop a job; one that has ended or is being undone stays as it is.

    What it wrote is taken back in the background (state undoing), and the dataset is free when that
    is done. Whoever works on it finds out at the next batch.
    """
    dataset = lock_written(job)
    current = DatasetJob.objects.select_for_update(no_key=True).filter(pk=job.pk).first()
    if dataset is None or current is None:
        raise NotFound("There is no such job.")
    if current.state == JobState.WORKING:
        values: dict[str, Any] = {"message": CANCELLED}
        if current.version is not None and current.done:
            values |= {"state": JobState.UNDOING, "ends_as": JobState.CANCELLED}
            wake(TASK, job.pk)
        else:
            # Nothing is written yet, and the raised token keeps it so.
            values |= {"state": JobState.CANCELLED, "finished_at": Now(), "version": None}
            give_free(current)
        DatasetJob.objects.filter(pk=job.pk).update(
            lease_token=F("lease_token") + 1, lease_until=None, lease_owner="", attempts=0, **values
        )
        audit(dataset.project, by, "dataset.job_cancelled", f"{dataset.slug} {current.kind}")
    job.refresh_from_db()
    return job
