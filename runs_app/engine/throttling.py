"""How many calls of a run may be in flight: fewer after a 429 or 503, more again when none comes.

The limit is on the run's row, so it holds for all workers together; stays share what it leaves.
Each change is an event that the run's page tells.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from evalhub.kit.clock import db_now
from runs_app.models import Run, RunEvent

SHRINK = 0.8
BURST_SECONDS = 1.0  # 429s that come together count once
GROW_SECONDS = 5.0  # without a 429, then a tenth of the seats comes back
RARE = 20  # answers that make up for one 429: a provider that is merely moody costs no seats


class Forgiving:
    """Tells a 429 that stands for too many calls from one that comes now and then."""

    def __init__(self) -> None:
        self._answers = 0

    def answered(self) -> None:
        """A call has ended."""
        self._answers = min(RARE, self._answers + 1)

    def forgive(self) -> bool:
        """Whether a 429 is one in RARE answers or rarer."""
        rare = self._answers >= RARE
        self._answers = 0
        return rare


def limit_of(run: Run) -> int:
    """Calls in flight that the run may have now."""
    return min(run.max_concurrency, run.seat_limit or run.max_concurrency)


def shrink(run_id: int, reason: str) -> int:
    """Take a fifth of the seats away, once per burst; how many there are now."""
    with transaction.atomic():
        run = (
            Run.objects.select_for_update(no_key=True)
            .only("max_concurrency", "seat_limit", "throttled_at")
            .get(pk=run_id)
        )
        limit = limit_of(run)
        now = db_now()
        if run.throttled_at is not None and _seconds(run.throttled_at, now) < BURST_SECONDS:
            return limit
        fewer = max(1, min(limit - 1, int(limit * SHRINK)))
        Run.objects.filter(pk=run_id).update(
            seat_limit=fewer, throttled_at=Now(), seats_changed_at=Now()
        )
        if fewer < limit:
            _tell(run_id, fewer, f"{reason}: from {limit} to {fewer} calls at once.")
    return fewer


def grow(run: Run, *, troubled: bool) -> None:
    """Give a tenth of the seats back when all went well for a while. The caller holds the run's
    lock; `run` is as it was read under it, and is changed along.

    With `troubled` (server errors, timeouts) the while begins anew.
    """
    if run.seat_limit is None:
        return
    if troubled:
        Run.objects.filter(pk=run.pk).update(seats_changed_at=Now())
        return
    now = db_now()
    since = [at for at in (run.throttled_at, run.seats_changed_at) if at is not None]
    if since and _seconds(max(since), now) < GROW_SECONDS:
        return
    more = min(run.max_concurrency, run.seat_limit + max(1, run.max_concurrency // 10))
    run.seat_limit = more if more < run.max_concurrency else None
    Run.objects.filter(pk=run.pk).update(seat_limit=run.seat_limit, seats_changed_at=Now())
    _tell(run.pk, more, f"No 429 or 503 for {GROW_SECONDS:g} s: up to {more} calls at once.")


def _seconds(earlier: datetime, later: datetime) -> float:
    return (later - earlier).total_seconds()


def _tell(run_id: int, seats: int, message: str) -> None:
    RunEvent.objects.create(run_id=run_id, kind="seats", seats=seats, message=message[:300])
