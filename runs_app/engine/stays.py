"""The database's side of a stay: opening it, its ticks, its seats, leaving."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now

from evalhub.kit.clock import in_seconds
from runs_app import states, targets
from runs_app.engine.attempt import Limits
from runs_app.engine.pace import Rates, rates_of
from runs_app.engine.planning import Claim
from runs_app.engine.throttling import grow, limit_of
from runs_app.models import Purpose, Run, Shard, Stay
from runs_app.models.work import ShardState
from runs_app.targets import Target


@dataclass(frozen=True, slots=True)
class Orders:
    """What a tick brings back: how many seats we have, whether to stop (drop what is in flight) or
    to pause (finish what is in flight), and the shards we lost.
    """

    seats: int
    stop: bool
    pause: bool
    lost: list[Claim]


@dataclass(frozen=True, slots=True)
class Opened:
    """What a stay needs to know of its run.

    `capped` and `watched` say whether it has caps, and an error policy. With `capture` the target
    keeps request and response in its spans.
    """

    run_id: int
    target: Target
    rates: Rates | None
    scorers: list[tuple[int, dict[str, Any]]]
    context: dict[str, Any] | None
    limits: Limits
    seats: int
    capped: bool
    watched: bool
    capture: bool


def open_stay(run_id: int, owner: str) -> Opened | None:
    """Join the work on a run; None when there is nothing to join: it is over, cancelled or paused,
    or has as many stays as seats. Raises EvalhubError when the target cannot be set up.
    """
    with transaction.atomic():
        run = (
            Run.objects.select_for_update(of=("self",), no_key=True)
            .select_related("project")
            .filter(pk=run_id)
            .active()
            .first()
        )
        if run is None or run.cancel_requested_at is not None or run.paused_at is not None:
            return None
        if Stay.objects.live().filter(run=run_id).count() >= run.max_concurrency:
            return None
        Run.objects.filter(pk=run_id).update(
            status=states.RUNNING, started_at=Coalesce(F("started_at"), Now())
        )
        Stay.objects.filter(run=run_id, lease_until__lt=Now()).delete()
        seats = _share(run_id, owner, limit_of(run))
        Stay.objects.create(
            run=run, owner=owner, seats=seats, lease_until=in_seconds(settings.LEASE_SECONDS)
        )
    target = targets.build(run.target, run.project.slug)
    return Opened(
        run_id=run_id,
        target=target,
        rates=rates_of(target.connection_id),
        scorers=list(run.scorers.values_list("pk", "spec")),
        context=run.context,
        limits=Limits(run.timeout_s, run.retries, run.deadline_s),
        seats=seats,
        capped=run.max_tokens is not None or run.max_cost_usd is not None,
        watched=run.stop_after_errors is not None or run.stop_error_share is not None,
        capture=run.purpose != Purpose.RUN,
    )


def tick(
    run_id: int,
    owner: str,
    claims: list[Claim],
    in_flight: int,
    *,
    leaving: bool = False,
    troubled: bool = False,
) -> Orders:
    """Extend the stay and its shards, read cancel and pause, and agree on seats with the other
    workers.

    A stay that is leaving keeps the seats in use alone. `troubled`: since the last tick there were
    server errors or timeouts, so that seats that were taken away do not come back yet.
    """
    with transaction.atomic():
        # Not FOR UPDATE: a flush looks at its foreign key to the run while it holds its shards.
        run = (
            Run.objects.select_for_update(no_key=True)
            .only(
                "status",
                "cancel_requested_at",
                "paused_at",
                "max_concurrency",
                "seat_limit",
                "throttled_at",
                "seats_changed_at",
            )
            .filter(pk=run_id)
            .first()
        )
        if run is None or run.status not in states.ACTIVE:
            return Orders(seats=0, stop=True, pause=False, lost=list(claims))
        grow(run, troubled=troubled)
        lease = in_seconds(settings.LEASE_SECONDS)
        held = set(
            Shard.objects.filter(
                pk__in=[claim.shard.pk for claim in claims],
                lease_owner=owner,
                state=ShardState.OPEN,
            ).values_list("pk", "lease_token")
        )
        lost = [c for c in claims if (c.shard.pk, c.shard.lease_token) not in held]
        kept = [pk for pk, _ in held]
        if kept:
            Shard.objects.filter(pk__in=kept, lease_owner=owner).update(lease_until=lease)
        seats = 0 if leaving else _share(run_id, owner, limit_of(run))
        # A stay that had run out (a frozen worker) comes back as a new one, with what is left.
        Stay.objects.update_or_create(
            owner=owner,
            defaults={"run": run, "seats": max(seats, in_flight), "lease_until": lease},
        )
    return Orders(
        seats=seats,
        stop=run.cancel_requested_at is not None,
        pause=run.paused_at is not None,
        lost=lost,
    )


def _share(run_id: int, owner: str, most: int) -> int:
    """Our seats: a fair share, and never more than the others leave. The caller holds the run's
    lock.
    """
    others = dict(
        Stay.objects.live().filter(run=run_id).exclude(owner=owner).values_list("owner", "seats")
    )
    owners = sorted([*others, owner])
    fair, left_over = divmod(most, len(owners))
    mine = fair + (1 if owners.index(owner) < left_over else 0)
    return max(0, min(mine, most - sum(others.values())))


def leave(owner: str) -> None:
    """End the stay; its seats are free at once."""
    Stay.objects.filter(owner=owner).delete()
