"""How a run ends: by counting its results, by cancellation, or because it could not be set up."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from evalhub.kit.dispatch import wake, wake_now
from runs_app import states
from runs_app.engine.summary import summarise
from runs_app.models import DatasetDefaults, Result, Run, Shard, Stay
from runs_app.models.work import ShardState
from runs_app.vectors import PACKED_FROM


def finish_if_done(run_id: int) -> bool:
    """Close the run when all is planned and there is a result for every item; True when it did so.

    Safe to call at any time by anybody: of two at once, one closes it.
    """
    run = Run.objects.filter(pk=run_id, status=states.RUNNING, cancel_requested_at=None).first()
    if run is None or run.planned_items < run.total_items or run.retry_up_to is not None:
        return False
    if Shard.objects.filter(run=run_id, state=ShardState.OPEN).exists():
        return False
    succeeded, failed = _count(run_id)
    if not states.all_there(succeeded + failed, run.total_results):
        return False
    status, reason = states.outcome(succeeded, failed)
    run.succeeded, run.failed = succeeded, failed
    return _close(run, status, reason, only_if={"cancel_requested_at": None})


def finish_if_cancelled(run_id: int) -> bool:
    """Close a run that was asked to stop, once no worker is on it any more."""
    with transaction.atomic():
        run = (
            Run.objects.select_for_update(no_key=True)
            .filter(pk=run_id, cancel_requested_at__isnull=False)
            .active()
            .first()
        )
        if run is None or Stay.objects.live().filter(run=run_id).exists():
            return False
        _drop_shards(run)
    # Nothing of the run can change any more, so its figures need no lock. A crash before the run is
    # closed is mended by the sweeper, which comes here again.
    run.succeeded, run.failed = _count(run_id)
    return _close(run, run.cancel_status, run.cancel_reason or "Cancelled.")


def fail(run_id: int, reason: str) -> None:
    """Close a run that could not be set up."""
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).filter(pk=run_id).active().first()
        if run is None:
            return
        _drop_shards(run)
        run.succeeded, run.failed = _count(run_id)
        _close(run, states.FAILED, reason)


def _drop_shards(run: Run) -> None:
    """Raising the tokens makes a late flush of a frozen worker worth nothing."""
    open_shards = Shard.objects.filter(run=run, state=ShardState.OPEN)
    # In the order of the keys, as a flush takes them: two never wait for each other in a ring.
    list(open_shards.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    open_shards.update(state=ShardState.DROPPED, lease_token=F("lease_token") + 1, lease_until=None)


def _count(run_id: int) -> tuple[int, int]:
    results = Result.objects.filter(run=run_id)
    failed = results.exclude(error_type="").count()
    return results.count() - failed, failed


def _close(run: Run, status: str, reason: str, only_if: dict[str, object] | None = None) -> bool:
    run.status, run.reason = status, reason[:500]
    summary = summarise(run)
    with transaction.atomic():
        closed = (
            Run.objects.filter(pk=run.pk, **(only_if or {}))
            .active()
            .update(
                status=status,
                reason=run.reason,
                succeeded=run.succeeded,
                failed=run.failed,
                summary=summary,
                started_at=Coalesce(F("started_at"), Now()),
                finished_at=Now(),
                paused_at=None,
                seat_limit=None,
            )
        )
        if closed and DatasetDefaults.objects.filter(dataset=run.dataset_id).exclude(baseline=None):
            wake("runs.changes", run.dataset_id or 0)
    if closed and run.succeeded + run.failed >= PACKED_FROM:
        wake_now("runs.pack", run.pk, "")
    return bool(closed)
