"""The leased work of a job over many items: steps over batches in number order, then publish.

Each batch is one transaction of the job's counters and the rows, and only who holds the lease can
commit it. So after a crash the next worker goes on after `after_number`, exactly once.
"""

from __future__ import annotations

import os
import socket
import time

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from datasets_app.bulk import ending
from datasets_app.bulk.changes import Changes
from datasets_app.bulk.kinds import Kind, find_kind
from datasets_app.models import DatasetJob, JobState
from evalhub.kit.dispatch import wake_now
from evalhub.kit.errors import EvalhubError
from evalhub.kit.stopping import stopping

TASK = "datasets.job"
BUDGET_SECONDS = 300.0
BATCH_ITEMS = 1_000
MAX_ATTEMPTS = 5
"""Claims without a committed batch after which the job is given up."""


def work(job_id: int) -> None:
    """Go on with a job until it has ended, another worker has it, or this one has to leave."""
    leave_at = time.monotonic() + BUDGET_SECONDS
    owner = f"{socket.gethostname()[:50]}:{os.getpid()}"
    going_on = True
    while going_on:
        job = DatasetJob.objects.filter(pk=job_id).select_related("dataset").claim(owner)
        if job is None:
            return
        going_on = _stay(job, leave_at)


def _stay(job: DatasetJob, leave_at: float) -> bool:
    """One stay at a claimed job, in one state of it; True when there may be more to do at once."""
    if job.state == JobState.UNDOING:
        ending.undo(job)
        return True
    if job.attempts > MAX_ATTEMPTS:
        ending.fail(
            job,
            f"It stopped {MAX_ATTEMPTS} times after item {job.after_number:,}. Nothing was "
            "changed. The log of the worker says why.",
        )
        return True
    job.held().update(started_at=Coalesce(F("started_at"), Now()))
    try:
        kind = find_kind(job.kind)
        if _passes(job, kind, leave_at):
            ending.publish_job(job, kind)
            return True
    except EvalhubError as error:
        ending.fail(job, error.detail, [one.to_json() for one in error.errors])
        return True
    # Lost to an action (then it can be claimed again) or to another worker, or it is time to leave.
    if not _must_leave(leave_at):
        return True
    if job.release(attempts=0):
        wake_now(TASK, job.pk)
    return False


def _passes(job: DatasetJob, kind: Kind, leave_at: float) -> bool:
    """Go over the items that are left, once for each step; False when stopped on the way."""
    if not job.total:
        job.total = kind.count(job) * len(kind.steps)
        if not job.extend(total=job.total, params=job.params):
            return False
    while (number := job.params.get("pass", 0)) < len(kind.steps):
        held = _batch(job, kind, number)
        if not held or _must_leave(leave_at):
            return False
    return True


def _batch(job: DatasetJob, kind: Kind, number: int) -> bool:
    """Commit one batch of pass `number`; False, and nothing written: the lease is lost."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # A crash of the server may take the last batches, with their counters: nothing is lost.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
        if not job.extend():  # and now nobody takes it from us until we commit
            return False
        items = kind.read(job, job.after_number, BATCH_ITEMS)
        changes = Changes(
            job.dataset_id, job.version or 0, job.dataset.next_item_number + _new_numbers(job)
        )
        first = changes.next_number
        if items:
            kind.steps[number](job, items, changes)
            changes.flush()
            job.after_number = items[-1].number
            job.done += len(items)
        else:
            job.after_number = 0
            job.params["pass"] = number + 1
        job.params["numbers"] = _new_numbers(job) + changes.next_number - first
        job.added += changes.added
        job.changed += changes.changed
        job.removed += changes.removed
        return job.extend(
            after_number=job.after_number,
            done=job.done,
            added=job.added,
            changed=job.changed,
            removed=job.removed,
            params=job.params,
            problems=job.problems,
            attempts=0,
        )


def _new_numbers(job: DatasetJob) -> int:
    """How many numbers of items the job has given out."""
    return int(job.params.get("numbers", 0))


def _must_leave(leave_at: float) -> bool:
    return stopping() or time.monotonic() >= leave_at
