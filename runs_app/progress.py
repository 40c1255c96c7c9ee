"""How far a run is: from its shards while it is active, from its own columns after that."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, Subquery, Sum
from django.utils import timezone

from runs_app.models import Run, Shard, Stay

SETTLING_S = 0.5  # before that, a rate says more about the start than about the run


@dataclass(frozen=True, slots=True)
class Progress:
    """Results written so far. `share` is 0..1, `rate` results per second, times are in seconds.

    `rate` and `eta_s` are None while nothing can be said; `eta_s` also when the run is over.
    `elapsed_s` is None before the start. `seats` is how many calls the workers that are on the run
    may have in flight.
    """

    total: int
    succeeded: int
    failed: int
    done: int
    share: float
    rate: float | None
    eta_s: float | None
    elapsed_s: float | None
    shards_open: int
    seats: int


def progress(run: Run) -> Progress:
    """The run's progress; one query while it is active, none after."""
    succeeded, failed, shards_open, seats = run.succeeded, run.failed, 0, 0
    if run.active:
        succeeded, failed, shards_open, seats = _counts(run)
    done, total = succeeded + failed, run.total_results
    elapsed_s = rate = eta_s = None
    if run.started_at is not None:
        until = run.finished_at or timezone.now()
        # The start is the database's time, so another clock may be a little behind it.
        elapsed_s = max(0.0, (until - run.started_at).total_seconds())
    if done and elapsed_s and (elapsed_s >= SETTLING_S or not run.active):
        rate = done / elapsed_s
        eta_s = max(0, total - done) / rate if run.active else None
    return Progress(
        total=total,
        succeeded=succeeded,
        failed=failed,
        done=done,
        share=done / total if total else 0.0 if run.active else 1.0,
        rate=rate,
        eta_s=eta_s,
        elapsed_s=elapsed_s,
        shards_open=shards_open,
        seats=seats,
    )


def _counts(run: Run) -> tuple[int, int, int, int]:
    """Succeeded, failed, open shards and seats; never counts the results themselves."""
    stays = Stay.objects.live().filter(run=run).values("run").annotate(n=Sum("seats")).values("n")
    found = (
        Shard.objects.filter(run=run)
        .values("run")
        .annotate(
            succeeded=Sum("succeeded"),
            failed=Sum("failed"),
            open=Count("pk", filter=Q(state="open")),
            seats=Subquery(stays),
        )
        .order_by()
    )
    counts = next(iter(found), None)
    if counts is None:
        return 0, 0, 0, 0
    return counts["succeeded"], counts["failed"], counts["open"], counts["seats"] or 0
