"""Open a finished run again for what it has no good result of."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Count, F, Max

from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import Conflict
from runs_app import states
from runs_app.actions.idle import require_idle
from runs_app.models import Result, Run, RunEvent, Shard
from runs_app.models.work import ShardState


def retry_run(*, run: Run, by: User) -> Run:
    """Call the target again for every error, and for the first time for what was skipped.

    Results that are good stay; an error stays until its new result is there. What the run has used
    of its caps still counts. Raises Conflict when the run is not over, when it is being scored
    again, and when there is nothing to do.
    """
    with transaction.atomic():
        now = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        require_idle(now, "retried")
        errors = Result.objects.filter(run=run).exclude(error_type="")
        found = errors.aggregate(n=Count("pk"), last=Max("pk"))
        failed, skipped = found["n"], max(0, now.total_results - now.succeeded - now.failed)
        if not failed and not skipped:
            raise Conflict(f"Run #{run.number} has no errors and skipped nothing to retry.")
        _open_shards(now)
        Run.objects.filter(pk=run.pk).update(
            status=states.RUNNING,
            reason="",
            finished_at=None,
            cancel_requested_at=None,
            cancel_reason="",
            cancel_status=states.CANCELLED,
            paused_at=None,
            summary=None,
            retry_up_to=found["last"],
            retry_after=0,
            score_revision=F("score_revision") + 1,
        )
        what = [f"{failed:,} error{'' if failed == 1 else 's'}"] if failed else []
        what += [f"{skipped:,} skipped"] if skipped else []
        message = f"Retry of {' and '.join(what)}, asked for by {by.username}."
        RunEvent.objects.create(run=run, kind="retry", message=message[:300])
        audit(run.project, by, "run.retried", f"#{run.number}", errors=failed, skipped=skipped)
        wake("runs.work", run.pk)
    run.refresh_from_db()
    return run


def _open_shards(run: Run) -> None:
    """Let shards hold good results alone, and open those of what was never called.

    Errors leave the shards that are over: the engine cuts new ones for them. So each result that is
    to come is counted by one shard, and a shard is done when all that it counts is there.
    """
    shards = Shard.objects.filter(run=run)
    shards.filter(state=ShardState.DONE, failed__gt=0).update(
        size=F("size") - F("failed"), failed=0
    )
    for shard in shards.filter(state=ShardState.DROPPED).order_by("pk"):
        _split(run, shard)


def _split(run: Run, shard: Shard) -> None:
    """A shard that a cancellation dropped: what it has stays with it, what it lacks is opened."""
    between = (shard.first_number, shard.last_number)
    found = Result.objects.filter(run=run, item_number__range=between).values_list(
        "item_number", "repetition", "shard_id", "error_type"
    )
    there = {(number, repetition) for number, repetition, _, _ in found}
    good = sum(1 for _, _, owner, error in found if owner == shard.pk and not error)
    repetitions = shard.repetitions or [
        [number, repetition] for _, number in shard.items for repetition in range(run.repetitions)
    ]
    missing = [place for place in repetitions if tuple(place) not in there]
    rows = Shard.objects.filter(pk=shard.pk)
    if len(missing) == shard.size:
        rows.update(state=ShardState.OPEN, lease_until=None, strikes=0, suspect=None)
        return
    rows.update(state=ShardState.DONE, size=good, succeeded=good, failed=0)
    if missing:
        numbers = {number for number, _ in missing}
        items = [item for item in shard.items if item[1] in numbers]
        Shard.objects.create(
            run=run,
            items=items,
            repetitions=missing,
            retry=-(run.score_revision + 1),  # below 0: no shard of errors has this place
            first_number=items[0][1],
            last_number=items[-1][1],
            size=len(missing),
        )
