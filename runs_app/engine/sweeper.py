"""What a dead worker left: runs without anybody on them are woken, finished or cancelled."""

from __future__ import annotations

from evalhub.kit.dispatch import wake_now
from evalhub.kit.models import Worker
from runs_app import states
from runs_app.engine.finishing import finish_if_cancelled, finish_if_done
from runs_app.engine.rescoring import left_over
from runs_app.engine.tidying import tidy_now_and_then
from runs_app.models import Rescore, Run, Shard, Stay
from runs_app.models.work import ShardState


def sweep() -> int:
    """Look once over all runs that are not over; returns how many were woken, finished or
    cancelled.

    Any number of sweepers may run at once: all that they do is idempotent.
    """
    workers = max(1, Worker.objects.alive().count())
    touched = 0
    for run in Run.objects.active().order_by("pk"):
        live_stays = Stay.objects.live().filter(run=run).count()
        if run.cancel_requested_at is not None:
            touched += finish_if_cancelled(run.pk)
        elif run.paused_at is not None:
            continue
        elif _has_work(run):
            if live_stays < min(workers, run.max_concurrency):
                wake_now("runs.work", run.pk)
                touched += 1
        elif live_stays == 0:
            touched += finish_if_done(run.pk)
    tidy_now_and_then()
    return touched + _wake_others()


def _wake_others() -> int:
    """Rescores that nobody works on, what they left to be removed, and deleted runs."""
    rescores = set(Rescore.objects.claimable().values_list("pk", flat=True))
    rescores |= set(left_over().values_list("rescore", flat=True))
    deleted = Run.objects.filter(deleted_at__isnull=False).values_list("pk", flat=True)
    waiting = [("runs.rescore", pk) for pk in sorted(rescores)]
    waiting += [("runs.delete", pk) for pk in deleted]
    for task, pk in waiting:
        wake_now(task, pk)
    return len(waiting)


def _has_work(run: Run) -> bool:
    if run.status == states.PENDING or run.planned_items < run.total_items:
        return True
    if run.retry_up_to is not None:
        return True
    return Shard.objects.filter(run=run.pk, state=ShardState.OPEN).claimable().exists()
