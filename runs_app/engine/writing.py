"""The flush: results and scores of several shards, in one transaction, under fencing tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Q

from evalhub.kit import bulk
from evalhub.kit.clock import in_seconds
from runs_app import states
from runs_app.engine.attempt import Outcome
from runs_app.engine.planning import STRIKES_BEFORE_CARE, Claim
from runs_app.engine.scoring import ScoreRow
from runs_app.models import Result, Score, Shard
from runs_app.models.work import ShardState
from runs_app.targets.trace import Trace

RESULT_COLUMNS = (
    "run",
    "item_number",
    "repetition",
    "shard_id",
    "revision_id",
    "output_json",
    "error_type",
    "error_message",
    "started_at",
    "completed_at",
    "latency_ms",
    "retries",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "trace_id",
    "spans_json",
)
SCORE_COLUMNS = ("run_scorer", "item_number", "repetition", "state", "value", "reason")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One item's outcome with its scores, on the way to the database."""

    claim: Claim
    item_number: int
    repetition: int
    revision_id: int
    outcome: Outcome
    scores: list[ScoreRow]
    trace: Trace
    spans: str | None  # as they are stored


def flush(rows: Sequence[Recorded], finishing: Sequence[Claim]) -> list[Claim]:
    """Write `rows`; close those of the shards `finishing` whose results are all counted.

    Returns the shards of which our lease was lost: their rows were not written, because somebody
    else owns them now. Calling it again with the same rows changes nothing (a commit whose answer
    was lost).
    """
    by_shard: dict[int, list[Recorded]] = {}
    claims = {row.claim.shard.pk: row.claim for row in rows}
    claims |= {claim.shard.pk: claim for claim in finishing}
    for row in rows:
        by_shard.setdefault(row.claim.shard.pk, []).append(row)
    with transaction.atomic():
        # 1. Fence, in the order of the keys so that two writers never wait for each other in a
        # ring.
        lost = [claim for _, claim in sorted(claims.items()) if not _fence(claim, by_shard)]
        owned = [row for row in rows if row.claim not in lost]
        # 2. Rows: results and scores stand or fall together. What is tried again takes the place of
        # its error.
        for claim_id, again in by_shard.items():
            if again[0].claim.shard.retry and claims[claim_id] not in lost:
                _drop_errors(again)
        written = bulk.insert(Result, RESULT_COLUMNS, _result_rows(owned), skip_existing=True)
        bulk.insert(
            Score,
            SCORE_COLUMNS,
            [score for row in owned for score in row.scores],
            skip_existing=True,
        )
        # 3. Count, for the shards that think they are done; and again if rows were there already.
        recount = [claim for claim in finishing if claim not in lost]
        if written != len(owned):
            recount = [claim for claim in claims.values() if claim not in lost]
        for claim in recount:
            count_shard(claim.shard)
    return lost


def _fence(claim: Claim, by_shard: dict[int, list[Recorded]]) -> bool:
    rows = by_shard.get(claim.shard.pk, [])
    failed = sum(1 for row in rows if row.outcome.error_type)
    values: dict[str, object] = {}
    if rows:
        values = {
            "succeeded": F("succeeded") + len(rows) - failed,
            "failed": F("failed") + failed,
            # Progress clears the strikes, but a shard under suspicion stays so to its end.
            "strikes": STRIKES_BEFORE_CARE if claim.careful else 0,
            "suspect": None,
        }
    return bool(
        claim.shard.held()
        .filter(state=ShardState.OPEN)
        .update(lease_until=in_seconds(settings.LEASE_SECONDS), **values)
    )


def _drop_errors(rows: list[Recorded]) -> None:
    """Delete the errors that rows of one shard replace: only now that the new ones are there."""
    shard = rows[0].claim.shard
    numbers_by_repetition: dict[int, list[int]] = {}
    for row in rows:
        numbers_by_repetition.setdefault(row.repetition, []).append(row.item_number)
    for repetition, numbers in numbers_by_repetition.items():
        (
            Result.objects.filter(run=shard.run_id, item_number__in=numbers, repetition=repetition)
            .exclude(error_type="")
            .exclude(shard_id=shard.pk)
            .delete()
        )


def count_shard(shard: Shard) -> bool:
    """Recount the shard's results, and close it when there are as many as it has items."""
    counts = Result.objects.filter(
        run=shard.run_id,
        item_number__range=(shard.first_number, shard.last_number),
        shard_id=shard.pk,
    ).aggregate(all=Count("pk"), failed=Count("pk", filter=~Q(error_type="")))
    complete = states.all_there(counts["all"], shard.size)
    done: dict[str, object] = {"state": ShardState.DONE, "lease_until": None} if complete else {}
    shard.held().filter(state=ShardState.OPEN).update(
        succeeded=counts["all"] - counts["failed"], failed=counts["failed"], **done
    )
    return complete


def _result_rows(rows: Iterable[Recorded]) -> Iterator[tuple[object, ...]]:
    time = bulk.timestamps()
    for row in rows:
        outcome, trace = row.outcome, row.trace
        yield (
            row.claim.shard.run_id,
            row.item_number,
            row.repetition,
            row.claim.shard.pk,
            row.revision_id,
            outcome.output_json,
            outcome.error_type,
            outcome.error_message,
            time(outcome.started_at),
            time(outcome.completed_at),
            outcome.latency_ms,
            outcome.retries,
            trace.input_tokens,
            trace.output_tokens,
            trace.cost_usd,
            trace.trace_id,
            row.spans,
        )
