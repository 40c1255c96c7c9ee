"""How far a run is: from its shards while it is active, from its own columns after that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, Subquery, Sum
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


_Counts = tuple[int, int, int, int]
"""Succeeded, failed, open shards and seats."""


def progress(run: Run) -> Progress:
    """The run's progress; one query while it is active, none after."""
    return progress_of([run])[run.pk]


def progress_of(runs: Sequence[Run]) -> dict[int, Progress]:
    """The progress of each by its key; one query for all that are active."""
    active = [run.pk for run in runs if run.active]
    counts = _counts(active) if active else {}
    none = 0, 0, 0, 0
    return {
        run.pk: _progress(
            run, counts.get(run.pk, none) if run.active else (run.succeeded, run.failed, 0, 0)
        )
        for run in runs
    }


def _progress(run: Run, counts: _Counts) -> Progress:
    succeeded, failed, shards_open, seats = counts
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


def _counts(run_ids: Sequence[int]) -> dict[int, _Counts]:
    """By run; never counts the results themselves."""
    stays = Stay.objects.live().filter(run=OuterRef("run")).values("run")
    found = (
        Shard.objects.filter(run__in=run_ids)
        .values("run")
        .annotate(
            succeeded=Sum("succeeded"),
            failed=Sum("failed"),
            open=Count("pk", filter=Q(state="open")),
            seats=Subquery(stays.annotate(n=Sum("seats")).values("n")),
        )
        .order_by()
    )
    return {
        one["run"]: (one["succeeded"], one["failed"], one["open"], one["seats"] or 0)
        for one in found
    }
