"""The work of a job over many items: steps over batches in number order, then publish.

After a crash the next worker goes on after `after_number` (see leased_job.py).
"""

from __future__ import annotations

from django.db import connection, transaction

from datasets_app.bulk import ending
from datasets_app.bulk.changes import Changes
from datasets_app.bulk.kinds import Kind, find_kind
from datasets_app.leased_job import MAX_ATTEMPTS, MustLeave, Ways, stay
from datasets_app.models import DatasetJob
from evalhub.kit.errors import EvalhubError

TASK = "datasets.job"
BATCH_ITEMS = 1_000


def work(job_id: int) -> None:
    """Go on with a job until it has ended, another worker has it, or this one has to leave."""
    jobs = DatasetJob.objects.filter(pk=job_id).select_related("dataset")
    stay(jobs, Ways(TASK, go_on=_go_on, undo=ending.undo, give_up=_give_up))


def _go_on(job: DatasetJob, must_leave: MustLeave) -> bool:
    """Do what is left and publish it; False when stopped on the way."""
    try:
        kind = find_kind(job.kind)
        if not _passes(job, kind, must_leave):
            return False
        ending.publish_job(job, kind)
    except EvalhubError as error:
        ending.fail(job, error.detail, [one.to_json() for one in error.errors])
    return True


def _give_up(job: DatasetJob) -> None:
    ending.fail(
        job,
        f"It stopped {MAX_ATTEMPTS} times after item {job.after_number:,}. Nothing was "
        "changed. The log of the worker says why.",
    )


def _passes(job: DatasetJob, kind: Kind, must_leave: MustLeave) -> bool:
    """Go over the items that are left, once for each step; False when stopped on the way."""
    if not job.total:
        job.total = kind.count(job) * len(kind.steps)
        if not job.extend(total=job.total, params=job.params):
            return False
    while (number := job.params.get("pass", 0)) < len(kind.steps):
        held = _batch(job, kind, number)
        if not held or must_leave():
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
