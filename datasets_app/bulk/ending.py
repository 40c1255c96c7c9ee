"""How a job over many items ends: published, without a version, or undone.

Locks: the dataset, then the job.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from datasets_app.actions.jobs import give_free, lock_written
from datasets_app.actions.versions import ChangeSet, publish
from datasets_app.bulk.kinds import Kind
from datasets_app.models import DatasetJob, ItemRevision, JobState

UNDO_ROWS = 2_000


def publish_job(job: DatasetJob, kind: Kind) -> bool:
    """Make what the job wrote the dataset's current version; False when the lease is lost.

    Where nothing changed there is no version, unless the kind always makes one. A move publishes
    what its items left as well.
    """
    wrote = bool(job.added or job.changed or job.removed or kind.always)
    if job.version is None or not (wrote or job.params.get("left")):
        return _end(job, JobState.DONE, "")
    with transaction.atomic():
        dataset = lock_written(job)
        if dataset is None:
            return False
        if not _close(job, JobState.DONE, "", **({} if wrote else {"version": None})):
            return False
        if kind.leave is not None:
            kind.leave(job, dataset)
        if not wrote:
            give_free(job)
            return True
        dataset.next_item_number += int(job.params.get("numbers", 0))
        changes = ChangeSet(dataset, job.version, job.added, job.changed, job.removed)
        message = str(job.params.get("message", ""))
        version = publish(changes, by=job.created_by, message=message)
        if kind.published is not None:
            kind.published(job, version)
    return True


def fail(job: DatasetJob, message: str, problems: list[dict[str, str]] | None = None) -> bool:
    """Close the job as failed, or begin to take back what it wrote; False when the lease is lost.

    `problems` replace those that the job has gathered; None leaves them.
    """
    values: dict[str, object] = {} if not problems else {"problems": problems}
    if job.version is not None and job.done:
        return job.release(
            state=JobState.UNDOING, ends_as=JobState.FAILED, message=message, **values
        )
    return _end(job, JobState.FAILED, message, **values)


def undo(job: DatasetJob) -> bool:
    """Take back what the job wrote, in batches, and close it; False when the lease is lost.

    The dataset keeps the version reserved until the last row is as it was. All new rows go before
    the first old one is current again: both may hold the same external id.
    """
    parts: list[tuple[QuerySet[ItemRevision], bool]] = []
    for dataset_id, version in job.written:
        rows = ItemRevision.objects.filter(dataset=dataset_id)
        parts.append((rows.filter(version_from=version), True))
        parts.append((rows.filter(version_to=version), False))
    for left, remove in parts:
        while True:
            with transaction.atomic():
                if not job.extend(attempts=0):
                    return False
                numbers = list(left.order_by("number").values_list("number", flat=True)[:UNDO_ROWS])
                if not numbers:
                    break
                some = left.filter(number__gte=numbers[0], number__lte=numbers[-1])
                if remove:
                    some.delete()
                else:
                    some.update(version_to=None)
    return _end(job, job.ends_as, job.message)


def _end(job: DatasetJob, state: str, message: str, **values: object) -> bool:
    """Close the job without a version and give the dataset free."""
    with transaction.atomic():
        if lock_written(job) is None or not _close(job, state, message, version=None, **values):
            return False
        give_free(job)
    return True


def _close(job: DatasetJob, state: str, message: str, **values: object) -> bool:
    return job.release(state=state, message=message, finished_at=Now(), ends_as="", **values)
