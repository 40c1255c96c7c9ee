"""How an import ends: published, without a version, or undone. Locks: the dataset, then the job."""

from __future__ import annotations

import shutil

from django.db import transaction
from django.db.models.functions import Now

from datasets_app.actions.versions import ChangeSet, publish
from datasets_app.models import Dataset, ImportJob, ItemRevision
from datasets_app.models.imports import ImportState

DELETE_ROWS = 2_000


def publish_import(job: ImportJob) -> bool:
    """Make the rows of `job` the dataset's current version; False when the lease is lost."""
    assert job.version is not None
    added = job.rows_good - job.rows_known
    message = _told(f"Imported {_rows(added)} as version {job.version}.", job)
    with transaction.atomic():
        dataset = _locked(job)
        if dataset is None or not _close(job, ImportState.DONE, message):
            return False
        dataset.next_item_number += added
        changes = ChangeSet(dataset, job.version, added=added)
        publish(changes, by=job.applied_by, message=f"Imported {job.filename}")
    job.file.unlink(missing_ok=True)  # the problems stay
    return True


def end_unchanged(job: ImportJob) -> bool:
    """Close a job all of whose good rows were there already: done, without a version."""
    message = _told("Nothing to import.", job)
    if not _end(job, ImportState.DONE, message):
        return False
    job.file.unlink(missing_ok=True)
    return True


def fail(job: ImportJob, message: str) -> bool:
    """Close the job as failed, or begin to remove its rows if there are any; False: lease lost."""
    if job.state == ImportState.IMPORTING and job.rows_done:
        return job.release(state=ImportState.UNDOING, ends_as=ImportState.FAILED, message=message)
    return _end(job, ImportState.FAILED, message)


def undo(job: ImportJob) -> bool:
    """Remove the rows that the job wrote, in batches, and close it; False when the lease is lost.

    The dataset keeps the version reserved until the last row is gone.
    """
    assert job.version is not None
    first = Dataset.objects.values_list("next_item_number", flat=True).get(pk=job.dataset_id)
    last = first + job.rows_good - job.rows_known
    for number in range(first, last, DELETE_ROWS):
        with transaction.atomic():
            if not job.extend():
                return False
            rows = ItemRevision.objects.filter(
                dataset=job.dataset_id,
                number__gte=number,
                number__lt=number + DELETE_ROWS,
                version_from=job.version,
            )
            rows.delete()
    state = job.ends_as
    if not _end(job, state, job.message):
        return False
    if state == ImportState.CANCELLED:
        shutil.rmtree(job.folder, ignore_errors=True)
    return True


def _end(job: ImportJob, state: str, message: str) -> bool:
    """Close the job without a version and give the dataset free."""
    with transaction.atomic():
        if _locked(job) is None or not _close(job, state, message, version=None):
            return False
        if job.version is not None:
            Dataset.objects.filter(pk=job.dataset_id, pending_version=job.version).update(
                pending_version=None
            )
    return True


def _close(job: ImportJob, state: str, message: str, **values: object) -> bool:
    return job.release(
        state=state,
        message=message,
        finished_at=Now(),
        ends_as="",
        apply_after_check=False,
        **values,
    )


def _locked(job: ImportJob) -> Dataset | None:
    found = Dataset.objects.select_for_update(no_key=True, of=("self",)).select_related("project")
    return found.filter(pk=job.dataset_id).first()


def _told(first: str, job: ImportJob) -> str:
    """The sentence with what became of the other rows."""
    sentences = [first]
    if job.rows_known:
        verb = "was" if job.rows_known == 1 else "were"
        sentences.append(f"{_rows(job.rows_known)} {verb} in the dataset already.")
    if job.rows_bad:
        verb = "has" if job.rows_bad == 1 else "have"
        sentences.append(f"{_rows(job.rows_bad)} with problems {verb} been left out.")
    return " ".join(sentences)


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
