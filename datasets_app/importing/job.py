"""The leased work of an import: check or write the rows in batches, then publish or undo.

Each batch is one transaction of the job's counters and the rows, and only who holds the lease can
commit it. So after a crash the next worker goes on at `rows_done`, exactly once.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from itertools import islice
from typing import cast

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from datasets_app.actions.versions import schemas_at
from datasets_app.importing import ending
from datasets_app.importing.ahead import read_ahead
from datasets_app.importing.batches import Record, Tally, batches, records
from datasets_app.importing.detect import Detected
from datasets_app.importing.drafts import compile
from datasets_app.importing.known import Facts, Known, KnownAre, KnownBy
from datasets_app.importing.mapping import Mapping, MappingError
from datasets_app.importing.problems import ImportFileError
from datasets_app.importing.rows import RowSource, open_rows
from datasets_app.importing.schema_check import keeping_to
from datasets_app.importing.writing import check_batch, write_batch
from datasets_app.models import ImportJob
from datasets_app.models.imports import ImportState
from evalhub.kit.dispatch import wake_now
from evalhub.kit.stopping import stopping

BUDGET_SECONDS = 300.0
SKIP_ROWS = 500
MAX_ATTEMPTS = 5
"""Claims without a committed batch after which the job is given up."""


def work(job_id: int) -> None:
    """Go on with an import until it has ended, another worker has it, or this one has to leave."""
    leave_at = time.monotonic() + BUDGET_SECONDS
    owner = f"{socket.gethostname()[:50]}:{os.getpid()}"
    going_on = True
    while going_on:
        job = ImportJob.objects.filter(pk=job_id).claim(owner)
        if job is None:
            return
        going_on = _stay(job, leave_at)


def _stay(job: ImportJob, leave_at: float) -> bool:
    """One stay at a claimed job, in one state of it; True when there may be more to do at once."""
    if job.state == ImportState.UNDOING:
        ending.undo(job)
        return True
    if job.attempts > MAX_ATTEMPTS:
        ending.fail(
            job,
            f"The import stopped {MAX_ATTEMPTS} times after row {job.rows_done:,} of the file. "
            "Nothing was imported. The log of the worker says why.",
        )
        return True
    job.held().update(started_at=Coalesce(F("started_at"), Now()))
    try:
        if _pass(job, leave_at):
            _finish(job)
            return True
    except (ImportFileError, MappingError) as error:
        ending.fail(job, error.detail)
        return True
    except FileNotFoundError:
        ending.fail(job, "The uploaded file is no longer there. Upload it again.")
        return True
    # Lost to an action (then it can be claimed again) or to another worker, or it is time to leave.
    if not _must_leave(leave_at):
        return True
    if job.release(attempts=0):
        wake_now("datasets.import", job.pk)
    return False


def _pass(job: ImportJob, leave_at: float) -> bool:
    """Check or write the rows that are left; False when stopped on the way."""
    mapping = Mapping.from_dict(job.mapping)
    writing = job.state == ImportState.IMPORTING
    dataset = job.dataset
    tally = Tally(job.problems)
    with (
        open_rows(job.file, Detected.from_dict(job.reading)) as source,
        _known(job, mapping) as known,
    ):
        schemas = schemas_at(dataset.pk, dataset.version)
        draft = keeping_to(schemas, compile(mapping, source.columns), mapping)
        found = records(source, draft)
        if not _skip(job, found, known):
            return False
        # Rows are parsed in a thread beside this one, which waits for the database meanwhile.
        with read_ahead(lambda: _placed(batches(found), source)) as ready:
            for batch, position in ready:
                if writing:
                    first = dataset.next_item_number + job.rows_new
                    held = write_batch(job, batch, known, first, tally, position)
                else:
                    held = check_batch(job, batch, known, tally, position)
                if not held or _must_leave(leave_at):
                    return False
    return True


def _placed(found: Iterator[list[Record]], source: RowSource) -> Iterator[tuple[list[Record], int]]:
    """Each batch with how far it is in the file, in bytes."""
    for batch in found:
        yield batch, source.position


def _known(job: ImportJob, mapping: Mapping) -> Known:
    """What tells known rows from new ones."""
    facts = Facts.of(
        mapping,
        dataset_id=job.dataset_id,
        current=job.dataset.version,
        version=job.version if job.state == ImportState.IMPORTING else None,
        filename=job.filename,
        unit=job.row_unit,
    )
    return Known(facts, cast(KnownBy, job.known_by), cast(KnownAre, job.known_are))


def _skip(job: ImportJob, found: Iterator[Record], known: Known) -> bool:
    """Read past the rows that are done; False when stopped on the way.

    What is remembered of them, and is not in the database, is put together again.
    """
    left, extended = job.rows_done, time.monotonic()
    writing = job.state == ImportState.IMPORTING
    while left:
        some = list(islice(found, min(left, SKIP_ROWS)))
        if not some:
            raise ImportFileError("The uploaded file has become shorter. Upload it again.")
        left -= len(some)
        by_content = known.by_content(some)
        if not writing:
            known.judge(by_content)
        if time.monotonic() - extended > settings.LEASE_SECONDS / 4:
            if stopping() or not job.extend():
                return False
            extended = time.monotonic()
    return True


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


def _must_leave(leave_at: float) -> bool:
    return stopping() or time.monotonic() >= leave_at
