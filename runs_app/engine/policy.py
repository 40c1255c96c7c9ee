"""What stops a run before its end: its error policy and its caps. Cancelling is how it stops."""

from __future__ import annotations

from django.db.models import Sum
from django.db.models.functions import Now

from runs_app import states
from runs_app.models import Run, RunEvent, Shard

LEAST_RESULTS = 20  # before a share of errors says anything


def stop(run_id: int, status: str, reason: str) -> bool:
    """Ask the run to stop and to end as `status`; False when it is over or stops already."""
    asked = (
        Run.objects.filter(pk=run_id, cancel_requested_at=None)
        .active()
        .update(cancel_requested_at=Now(), cancel_status=status, cancel_reason=reason[:500])
    )
    if asked:
        RunEvent.objects.create(run_id=run_id, kind="stopped", message=reason[:300])
    return bool(asked)


def check_errors(run_id: int) -> bool:
    """Stop the run when its error policy says so; True when it did."""
    run = (
        Run.objects.only("stop_after_errors", "stop_error_share", "total_results")
        .filter(pk=run_id)
        .active()
        .first()
    )
    if run is None or (run.stop_after_errors is None and run.stop_error_share is None):
        return False
    counts = Shard.objects.filter(run=run_id).aggregate(
        succeeded=Sum("succeeded", default=0), failed=Sum("failed", default=0)
    )
    reason = broken(
        counts["failed"],
        counts["failed"] + counts["succeeded"],
        run.total_results,
        after=run.stop_after_errors,
        share=run.stop_error_share,
    )
    return bool(reason) and stop(run_id, states.FAILED, reason)


def broken(failed: int, done: int, total: int, *, after: int | None, share: float | None) -> str:
    """Why the policy stops a run with so many errors among `done` of `total` results; "" if not."""
    if after is not None and failed >= after:
        return f"Its error policy: {failed:,} errors, and it stops at {after:,}."
    if share is not None and done >= min(LEAST_RESULTS, total) and failed > share * done:
        return (
            f"Its error policy: {failed:,} of {done:,} results are errors, "
            f"and it stops above {100 * share:g}%."
        )
    return ""
