"""The work of an import: check or write the rows in batches, then publish or undo.

After a crash the next worker goes on at `rows_done` (see leased_job.py).
"""

from __future__ import annotations

import time
from typing import cast

from django.conf import settings
from django.db.models.functions import Now

from datasets_app.actions.versions import stored_schemas
from datasets_app.importing import ending
from datasets_app.importing.apart import read
from datasets_app.importing.batches import Tally
from datasets_app.importing.known import Facts, Known, KnownAre, KnownBy
from datasets_app.importing.mapping import Mapping, MappingError
from datasets_app.importing.numbering import numbering_of
from datasets_app.importing.problems import ImportFileError
from datasets_app.importing.reading import Portion, Reading
from datasets_app.importing.writing import check_batch, write_batch
from datasets_app.leased_job import MAX_ATTEMPTS, MustLeave, Ways, stay
from datasets_app.models import ImportJob
from datasets_app.models.imports import ImportState
from evalhub.kit.stopping import stopping


def work(job_id: int) -> None:
    """Go on with an import until it has ended, another worker has it, or this one has to leave."""
    jobs = ImportJob.objects.filter(pk=job_id)
    stay(jobs, Ways("datasets.import", go_on=_go_on, undo=ending.undo, give_up=_give_up))


def _go_on(job: ImportJob, must_leave: MustLeave) -> bool:
    """Do what is left and decide what comes of it; False when stopped on the way."""
    try:
        if not _pass(job, must_leave):
            return False
        _finish(job)
    except (ImportFileError, MappingError) as error:
        ending.fail(job, error.detail)
    except FileNotFoundError:
        ending.fail(job, "The uploaded file is no longer there. Upload it again.")
    return True


def _give_up(job: ImportJob) -> None:
    ending.fail(
        job,
        f"The import stopped {MAX_ATTEMPTS} times after row {job.rows_done:,} of the file. "
        "Nothing was imported. The log of the worker says why.",
    )


def _pass(job: ImportJob, must_leave: MustLeave) -> bool:
    """Check or write the rows that are left; False when stopped on the way."""
    writing = job.state == ImportState.IMPORTING
    dataset = job.dataset
    tally = Tally(job.problems)
    numbering = numbering_of(job, dataset)
    reading = Reading(
        path=str(job.file),
        detected=job.reading,
        mapping=job.mapping,
        schemas=stored_schemas(dataset.pk, dataset.version),
        done=job.rows_done,
    )
    extended = time.monotonic()
    with read(reading) as found, _known(job) as known:
        for portion in found:
            if portion.done:
                _recall(portion, known, writing=writing)
                if time.monotonic() - extended > settings.LEASE_SECONDS / 4:
                    if stopping() or not job.extend():
                        return False
                    extended = time.monotonic()
                continue
            if writing:
                held = write_batch(job, portion.records, known, numbering, tally, portion.position)
            else:
                held = check_batch(job, portion.records, known, tally, portion.position)
            if not held or must_leave():
                return False
    return True


def _recall(portion: Portion, known: Known, *, writing: bool) -> None:
    """Put together again what is remembered of rows that are done and is not in the database."""
    by_content = known.by_content(portion.records)
    if not writing:
        known.judge(by_content)


def _known(job: ImportJob) -> Known:
    """What tells known rows from new ones."""
    facts = Facts.of(
        Mapping.from_dict(job.mapping),
        dataset_id=job.dataset_id,
        current=job.dataset.version,
        version=job.version if job.state == ImportState.IMPORTING else None,
        filename=job.filename,
        unit=job.row_unit,
    )
    return Known(facts, cast(KnownBy, job.known_by), cast(KnownAre, job.known_are))


def _finish(job: ImportJob) -> None:
    """All rows are done: what comes of it?"""
    if job.state == ImportState.CHECKING and not job.apply_after_check:
        job.release(state=ImportState.CHECKED, rows_total=job.rows_done, finished_at=Now())
    elif job.rows_good == 0:
        ending.fail(job, _no_rows(job))
    elif job.state == ImportState.CHECKING and job.rows_bad:
        have = "has a problem" if job.rows_bad == 1 else "have problems"
        of = f"{job.rows_bad:,} of {job.rows_done:,} {'row' if job.rows_done == 1 else 'rows'}"
        ending.fail(job, f"{of} {have}. Nothing was imported.")
    elif job.rows_good == job.rows_known:
        ending.end_unchanged(job)
    elif job.state == ImportState.CHECKING:
        job.release(
            state=ImportState.IMPORTING,
            apply_after_check=False,
            rows_total=job.rows_done,
            rows_done=0,
            rows_good=0,
            rows_known=0,
            rows_updated=0,
            bytes_done=0,
        )
    else:
        ending.publish_import(job)


def _no_rows(job: ImportJob) -> str:
    if not job.rows_done:
        return "The file has no rows, only column names. No row could be imported."
    if job.rows_done == 1:
        return "No row could be imported: the only one has a problem."
    return f"No row could be imported: all {job.rows_done:,} have problems."
