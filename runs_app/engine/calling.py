"""One due item from its call to what is recorded of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from datasets_app.public import ItemRow
from runs_app.engine.attempt import Limits, Outcome, Throttled, Troubled, attempt, storable
from runs_app.engine.clock import CallClock
from runs_app.engine.contexts import merged
from runs_app.engine.gate import Gate
from runs_app.engine.planning import DEATHS_ALONE, Claim
from runs_app.engine.scoring import PURGED, BoundScorer, ScoreRow, score
from runs_app.engine.writing import Recorded
from runs_app.targets import ItemCall, Target
from runs_app.targets.trace import Trace, spans_json

TRACE_ID_CHARS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Calling:
    """A run's target with its scorers and limits. With `capture`, request and response are kept in
    the spans.
    """

    target: Target
    scorers: Sequence[BoundScorer]
    limits: Limits
    gate: Gate
    clock: CallClock
    context: dict[str, Any] | None
    capture: bool
    throttled: Throttled
    troubled: Troubled

    def prepare(self, claim: Claim) -> None:
        """Let the target read what the claim's items need. Runs in the database thread."""
        self.target.prepare([self._call(item, repetition) for item, repetition in claim.due])

    async def one(self, claim: Claim, item: ItemRow, repetition: int) -> Recorded:
        """Call, score, and give what there is to record. Raises Capped."""
        trace = Trace(capture=self.capture)
        outcome = await attempt(
            self.target,
            self._call(item, repetition),
            trace,
            self.limits,
            self.gate,
            self.clock,
            throttled=self.throttled,
            troubled=self.troubled,
        )
        scores: list[ScoreRow] = []
        if outcome.output_json is not None:
            scores = score(self.scorers, item, repetition, outcome.output_json, trace)
        if trace.trace_id is not trace.own_id:  # the target's own, which may be anything
            trace.trace_id = storable(str(trace.trace_id))[:TRACE_ID_CHARS]
        return Recorded(
            claim,
            item.number,
            repetition,
            item.revision_id,
            outcome,
            scores,
            trace,
            spans_json(trace.spans),
        )

    async def close(self) -> None:
        await self.target.close()

    def _call(self, item: ItemRow, repetition: int) -> ItemCall:
        return ItemCall(
            item.number,
            item.external_id,
            item.input_json,
            item.metadata_json,
            merged(self.context, item.context_json),
            repetition,
        )


def not_called(claim: Claim, item: ItemRow, repetition: int) -> Recorded | None:
    """The error of an item that must not be called, because nothing is left of it, or because it
    took its worker down, alone, more than once; None for any other item.
    """
    if item.purged:
        kind, message, tries = "purged", PURGED, 0
    elif item.number == claim.convicted:
        message = f"The worker died {DEATHS_ALONE} times in a row while it called this item alone."
        kind, tries = "worker_lost", claim.shard.strikes
    else:
        return None
    now = datetime.now(UTC)
    outcome = Outcome(None, kind, message, now, now, 0.0, tries)
    return Recorded(claim, item.number, repetition, item.revision_id, outcome, [], Trace(), None)
