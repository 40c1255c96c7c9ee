"""Jobs over many items that a dead worker left: wake them."""

from __future__ import annotations

from datasets_app.bulk.job import TASK
from datasets_app.models import DatasetJob
from evalhub.kit.dispatch import wake_now


def sweep() -> int:
    """Wake every job that nobody works on; returns how many. Any number may sweep at once."""
    waiting = list(DatasetJob.objects.claimable().values_list("pk", flat=True))
    for job_id in waiting:
        wake_now(TASK, job_id)
    return len(waiting)
