"""Staying at a leased job of a dataset, one state after the other, until it ends or it is time to
leave. What an import and a job over many items have in common.

Each batch is one transaction of the job's counters and the rows, and only who holds the lease can
commit it. So after a crash the next worker goes on where the counters say, exactly once.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import F
from django.db.models.functions import Coalesce, Now

from datasets_app.models import DatasetJob, ImportJob
from evalhub.kit.dispatch import wake_now
from evalhub.kit.leases import LeasedQuerySet
from evalhub.kit.stopping import stopping

BUDGET_SECONDS = 300.0
MAX_ATTEMPTS = 5
"""Claims without a committed batch after which the job is given up."""

J = TypeVar("J", ImportJob, DatasetJob)

MustLeave = Callable[[], bool]
"""Whether the worker is shutting down, or has been at the job for long enough."""


@dataclass(frozen=True, slots=True)
class Ways(Generic[J]):
    """What is done with a claimed job.

    `go_on` works on it and asks after each batch whether it must leave; False: stopped on the way,
    else the job has another state. `undo` takes back what was written, `give_up` fails a job that
    took MAX_ATTEMPTS workers down; `task` wakes the next one.
    """

    task: str
    go_on: Callable[[J, MustLeave], bool]
    undo: Callable[[J], object]
    give_up: Callable[[J], object]


def stay(jobs: LeasedQuerySet[J], ways: Ways[J]) -> None:
    """Go on with the one of `jobs` until it has ended, another worker has it, or this one has to
    leave.
    """
    leave_at = time.monotonic() + BUDGET_SECONDS
    owner = f"{socket.gethostname()[:50]}:{os.getpid()}"

    def must_leave() -> bool:
        return stopping() or time.monotonic() >= leave_at

    while (job := jobs.claim(owner)) is not None:
        if job.state == "undoing":
            ways.undo(job)
        elif job.attempts > MAX_ATTEMPTS:
            ways.give_up(job)
        else:
            job.held().update(started_at=Coalesce(F("started_at"), Now()))
            # Stopped with time left: lost to an action, and then it can be claimed again, or to
            # another worker.
            if not ways.go_on(job, must_leave) and must_leave():
                if job.release(attempts=0):
                    wake_now(ways.task, job.pk)
                return
