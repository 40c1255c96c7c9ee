"""How an import ends: published, without a version, or undone. Locks: the dataset, then the job."""

from __future__ import annotations

import shutil

from django.db import transaction
from django.db.models.functions import Now

from datasets_app.actions.versions import ChangeSet, publish
from datasets_app.importing.numbering import numbering_of
from datasets_app.models import Dataset, ImportJob, ItemRevision
from datasets_app.models.imports import ImportState

DELETE_ROWS = 2_000


def publish_import(job: ImportJob) -> bool:
    """Make the rows of `job` the dataset's current version; False when the lease is lost."""
    assert job.version is not None
    added = job.rows_new
    message = _told(f"Imported {_rows(added + job.rows_updated)} as version {job.version}.", job)
    with transaction.atomic():
        dataset = _locked(job)
        if dataset is None or not _close(job, ImportState.DONE, message):
            return False
        dataset.next_item_number = numbering_of(job, dataset).last + 1
        changes = ChangeSet(dataset, job.version, added=added, changed=job.rows_updated)
        publish(changes, by=job.applied_by, message=f"Imported {job.filename}")
    _remove_upload(job)
    return True


def end_unchanged(job: ImportJob) -> bool:
    """Close a job all of whose good rows were there already: done, without a version."""
    message = _told("Nothing to import.", job)
    if not _end(job, ImportState.DONE, message):
        return False
    _remove_upload(job)
    return True


def fail(job: ImportJob, message: str) -> bool:
    """Close the job as failed, or begin to remove its rows if there are any; False: lease lost."""
    if job.state == ImportState.IMPORTING and job.rows_done:
        return job.release(state=ImportState.UNDOING, ends_as=ImportState.FAILED, message=message)
    return _end(job, ImportState.FAILED, message)


def undo(job: ImportJob) -> bool:
    """Take back what the job wrote, in batches, and close it; False when the lease is lost.

    The dataset keeps the version reserved until the last row is as it was.
    """
    assert job.version is not None
    rows = ItemRevision.objects.filter(dataset=job.dataset_id)
    # All new rows go before the first old one is current again: both may hold an external id.
    for left, remove in (
        (rows.filter(version_from=job.version), True),
        (rows.filter(version_to=job.version), False),
    ):
        while True:
            with transaction.atomic():
                if not job.extend():
                    return False
                numbers = left.order_by("number").values_list("number", flat=True)[:DELETE_ROWS]
                found = list(numbers)
                if not found:
                    break
                some = left.filter(number__gte=found[0], number__lte=found[-1])
                if remove:
                    some.delete()
                else:
                    some.update(version_to=None)
    state = job.ends_as
    if not _end(job, state, job.message):
        return False
    if state == ImportState.CANCELLED:
        shutil.rmtree(job.folder, ignore_errors=True)
    return True


def _remove_upload(job: ImportJob) -> None:
    """The problems stay, and while there are bad rows to mend, for some days the file too."""
    if not job.rows_bad:
        job.file.unlink(missing_ok=True)


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
    if job.rows_updated:
        sentences.append(f"{_rows(job.rows_updated)} updated items that were there.")
    if job.rows_known:
        verb = "was" if job.rows_known == 1 else "were"
        sentences.append(f"{_rows(job.rows_known)} {verb} in the dataset already.")
    if job.rows_bad:
        verb = "has" if job.rows_bad == 1 else "have"
        sentences.append(f"{_rows(job.rows_bad)} with problems {verb} been left out.")
    return " ".join(sentences)


def _rows(count: int) -> str:
    return f"{count:,} row" if count == 1 else f"{count:,} rows"
