"""Cutting a run into shards, as late as possible, and claiming them."""

from __future__ import annotations

import functools
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.expressions import CombinedExpression

from datasets_app import public
from datasets_app.public import ItemRow
from evalhub.kit.clock import in_seconds
from runs_app import inline, states
from runs_app.models import Result, Run, Shard

SHARD_SIZE = 200  # results, at least
LARGE_SHARD_SIZE = 500  # in a run of so many results that enough shards are there for all workers
SHARDS_WANTED = 64
LISTED = frozenset({"sample", "failed_of", "where"})  # parts of a selection that list the items
STRIKES_BEFORE_CARE = 2
DEATHS_ALONE = 3  # of the worker, each while this one item was called with nothing beside it


_PLAN_FIELDS = (
    "dataset",
    "dataset_version",
    "inline_item",
    "selection",
    "repetitions",
    "status",
    "cancel_requested_at",
    "paused_at",
    "total_items",
    "total_results",
    "planned_items",
    "planned_after",
    "retry_up_to",
    "retry_after",
    "score_revision",
)

Due = tuple[ItemRow, int]
"""An item and the repetition that is due."""


@dataclass(slots=True, eq=False)
class Claim:
    """A shard that we hold, with what of it has no result yet.

    With `careful`, its items are called one at a time, each recorded before the next: one of them
    is suspected of killing its worker. `convicted` is the number of the item that did it too often.
    """

    shard: Shard
    due: list[Due]
    careful: bool
    convicted: int | None
    open: int = 0  # of `due`, those whose outcome is not recorded yet
    struck: bool = False  # `begin` has counted a strike that no result has taken back
    lost: bool = False  # our lease is gone: what we still have of it is worth nothing


def claim_next(run_id: int, owner: str, *, look_back: bool = True) -> Claim | None:
    """Claim an open shard that nobody holds, or cut a new one from the plan; None: no work left.

    Without `look_back` the plan comes first: a stay that claims many shards a second looks for what
    others left behind only now and then.
    """
    while True:
        claim = _claim_open(run_id, owner) if look_back else None
        claim = claim or _cut_next(run_id, owner)
        if claim is not None:
            return claim
        if look_back:
            return None
        look_back = True


def _claim_open(run_id: int, owner: str) -> Claim | None:
    shard = Shard.objects.filter(run=run_id).claim(owner)
    return None if shard is None else _open_claim(shard)


def _cut_next(run_id: int, owner: str) -> Claim | None:
    """Cut the next shard from the run's plan, then from the errors to be tried again, and hold it;
    None when all is cut, or the run is over or is not to go on.
    """
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).only(*_PLAN_FIELDS).get(pk=run_id)
        if run.status != states.RUNNING or run.cancel_requested_at or run.paused_at:
            return None
        if run.planned_items < run.total_items:
            return _cut_from_plan(run, owner)
        if run.retry_up_to is not None:
            return _cut_from_errors(run, owner, run.retry_up_to)
    return None


def _cut_from_plan(run: Run, owner: str) -> Claim | None:
    size = max(SHARD_SIZE, min(LARGE_SHARD_SIZE, run.total_results // SHARDS_WANTED))
    items = _next_items(run, max(1, size // run.repetitions))
    if not items:
        # Fewer items than counted (content was purged): the plan is what there is.
        Run.objects.filter(pk=run.pk).update(
            total_items=run.planned_items, total_results=run.planned_items * run.repetitions
        )
        return None
    shard = _add_shard(
        run,
        owner,
        [(item.revision_id, item.number) for item in items],
        size=len(items) * run.repetitions,
    )
    Run.objects.filter(pk=run.pk).update(
        planned_after=items[-1].number, planned_items=F("planned_items") + len(items)
    )
    due = [(item, repetition) for item in items for repetition in range(run.repetitions)]
    return Claim(shard, due, careful=False, convicted=None, open=len(due))


def _next_items(run: Run, most: int) -> list[ItemRow]:
    """The next items of the plan."""
    if run.dataset_id is None:
        return [inline.item_row(run)]
    most = min(most, run.total_items - run.planned_items)
    chosen = _selected(run.pk) if LISTED.intersection(run.selection) else None
    if chosen is not None:
        start = bisect_right(chosen, run.planned_after)
        chosen = chosen[start : start + most]
    return public.read_items(
        run.dataset_id,
        run.dataset_version,
        after=run.planned_after,
        limit=most,
        split=run.selection.get("split", ""),
        numbers=chosen,
    )


@functools.lru_cache(maxsize=8)
def _selected(run_id: int) -> list[int] | None:
    """The item numbers that a run is limited to: frozen at its start, so read once."""
    chosen: list[int] | None = Run.objects.values_list("selected", flat=True).get(pk=run_id)
    return chosen


def _cut_from_errors(run: Run, owner: str, up_to: int) -> Claim | None:
    """A shard of results that are errors and older than the retry, whole items at a time."""
    found = list(
        Result.objects.filter(run=run, id__lte=up_to, item_number__gt=run.retry_after)
        .exclude(error_type="")
        .order_by("item_number", "repetition")
        .values_list("revision_id", "item_number", "repetition")[:SHARD_SIZE]
    )
    if len(found) == SHARD_SIZE and found[0][1] != found[-1][1]:
        found = [each for each in found if each[1] != found[-1][1]]  # it may go on beyond
    if not found:
        Run.objects.filter(pk=run.pk).update(retry_up_to=None)
        return None
    shard = _add_shard(
        run,
        owner,
        sorted({(revision, number) for revision, number, _ in found}, key=lambda item: item[1]),
        size=len(found),
        repetitions=[(number, repetition) for _, number, repetition in found],
        retry=run.score_revision,
    )
    Run.objects.filter(pk=run.pk).update(retry_after=found[-1][1])
    return _open_claim(shard)


def _add_shard(run: Run, owner: str, items: list[tuple[int, int]], **columns: Any) -> Shard:
    """A new shard, held by `owner` from its beginning."""
    return Shard.objects.create(
        run=run,
        items=items,
        first_number=items[0][1],
        last_number=items[-1][1],
        lease_owner=owner,
        lease_token=1,
        lease_until=in_seconds(settings.LEASE_SECONDS),
        attempts=1,
        **columns,
    )


def _open_claim(shard: Shard) -> Claim:
    run = Run.objects.only("repetitions", "inline_item").get(pk=shard.run_id)
    done = set(
        Result.objects.filter(
            run=shard.run_id,
            item_number__range=(shard.first_number, shard.last_number),
            shard_id=shard.pk,
        ).values_list("item_number", "repetition")
    )
    wanted = [
        (revision, number, repetition)
        for revision, number in shard.items
        for repetition in _repetitions(shard, number, run.repetitions)
        if (number, repetition) not in done
    ]
    if run.inline_item is not None:
        rows = {inline.REVISION_ID: inline.item_row(run)}
    else:
        rows = public.revisions_by_id(list({revision for revision, _, _ in wanted}))
    due = [(rows[revision], repetition) for revision, _, repetition in wanted]
    guilty = shard.strikes >= STRIKES_BEFORE_CARE + DEATHS_ALONE
    convicted = shard.suspect if guilty and any(n == shard.suspect for _, n, _ in wanted) else None
    return Claim(shard, due, shard.strikes >= STRIKES_BEFORE_CARE, convicted, open=len(due))


def _repetitions(shard: Shard, number: int, of_run: int) -> Iterable[int]:
    if shard.repetitions is None:
        return range(of_run)
    return [repetition for n, repetition in shard.repetitions if n == number]


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
    claim.struck = True
    return bool(held)


def release(claim: Claim) -> None:
    """Give an unfinished shard back without a strike, so that another worker may go on at once."""
    values: dict[str, object] = {}
    if claim.struck:
        values["strikes"] = Case(When(strikes__gt=0, then=F("strikes") - 1), default=Value(0))
    claim.shard.release(**values)
