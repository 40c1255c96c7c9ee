"""Cutting a run into shards, as late as possible, and claiming them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.expressions import CombinedExpression

from datasets_app import public
from datasets_app.public import ItemRow
from runs_app import states
from runs_app.models import Result, Run, Shard

SHARD_SIZE = 200
STRIKES_BEFORE_CARE = 2
DEATHS_ALONE = 3  # of the worker, each while this one item was called with nothing beside it


@dataclass(slots=True, eq=False)
class Claim:
    """A shard that we hold, with its items that have no result yet.

    With `careful`, its items are called one at a time, each recorded before the next: one of them
    is suspected of killing its worker. `convicted` is the number of the item that did it too often.
    """

    shard: Shard
    items: list[ItemRow]
    careful: bool
    convicted: int | None
    open: int = 0  # items whose outcome is not recorded yet
    begun: bool = False
    struck: bool = False  # `begin` has counted a strike that no result has taken back
    lost: bool = False  # our lease is gone: what we still have of it is worth nothing


def claim_next(run_id: int, owner: str) -> Claim | None:
    """Claim an open shard of the run, cutting a new one from the plan if need be; None: no work
    left.
    """
    while True:
        shard = Shard.objects.filter(run=run_id).claim(owner)
        if shard is not None:
            return _open_claim(shard)
        if not plan_next(run_id):
            return None


def plan_next(run_id: int) -> bool:
    """Cut the next shard from the run's plan; False when all is planned or the run is over."""
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
        room = run.total_items - run.planned_items
        if room <= 0 or run.status != states.RUNNING or run.cancel_requested_at is not None:
            return False
        items = public.plan_items(
            run.dataset_id,
            run.dataset_version,
            after=run.planned_after,
            limit=min(SHARD_SIZE, room),
        )
        if not items:
            # Fewer items than counted (content was purged): the plan is what there is.
            Run.objects.filter(pk=run_id).update(
                total_items=run.planned_items, total_results=run.planned_items
            )
            return False
        Shard.objects.create(
            run=run,
            items=items,
            first_number=items[0][1],
            last_number=items[-1][1],
            size=len(items),
        )
        Run.objects.filter(pk=run_id).update(
            planned_after=items[-1][1], planned_items=F("planned_items") + len(items)
        )
        return True


def _open_claim(shard: Shard) -> Claim:
    done = set(
        Result.objects.filter(
            run=shard.run_id,
            item_number__range=(shard.first_number, shard.last_number),
            shard_id=shard.pk,
        ).values_list("item_number", flat=True)
    )
    missing = [(revision, number) for revision, number in shard.items if number not in done]
    rows = public.revisions_by_id([revision for revision, _ in missing])
    items = [rows[revision] for revision, _ in missing]
    guilty = shard.strikes >= STRIKES_BEFORE_CARE + DEATHS_ALONE
    convicted = shard.suspect if guilty and any(n == shard.suspect for _, n in missing) else None
    return Claim(shard, items, shard.strikes >= STRIKES_BEFORE_CARE, convicted, open=len(items))


def begin(claim: Claim, number: int) -> bool:
    """Count a strike against the shard whose item `number` is about to be called; False: lost.

    The strike is taken back by the first result (writing.py) or by release, so what stays is that
    of a worker that died meanwhile. Under care it is one against that item: written before the
    call, with nothing else in flight, so that no neighbour is ever taken for the culprit.
    """
    strikes: F | CombinedExpression | int = F("strikes") + 1
    if claim.careful and claim.shard.suspect != number:
        strikes = STRIKES_BEFORE_CARE + 1
    suspect = number if claim.careful else None
    held = claim.shard.held().update(strikes=strikes, suspect=suspect)
    claim.shard.suspect = suspect
    claim.begun = claim.struck = True
    return bool(held)


def release(claim: Claim) -> None:
    """Give an unfinished shard back without a strike, so that another worker may go on at once."""
    values: dict[str, object] = {}
    if claim.struck:
        values["strikes"] = Case(When(strikes__gt=0, then=F("strikes") - 1), default=Value(0))
    claim.shard.release(**values)
