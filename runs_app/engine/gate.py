"""The gate before every call: a turn under the connection's rate limit, and room under the run's
caps. A run with neither passes without noticing (`open`).
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import Future

from runs_app.engine.budget import Answer, reserve, settle
from runs_app.engine.database import DatabaseThread
from runs_app.engine.pace import Pace
from runs_app.targets.base import Estimate, ItemCall, Target
from runs_app.targets.trace import Trace

LOOK_AGAIN_SECONDS = 0.2  # for room that calls in flight may leave


class Capped(Exception):
    """The next call might pass a cap of the run; the text says which and how far it came."""


class Gate:
    """Of one stay. `open` is True when there is nothing to wait for."""

    def __init__(
        self,
        target: Target,
        database: DatabaseThread,
        *,
        run_id: int,
        owner: str,
        capped: bool,
        patience_s: float,
        pace: Pace | None,
    ) -> None:
        """With `capped`, `patience_s` is longer than any call of another stay can be in flight."""
        self._target = target
        self._database = database
        self._run_id = run_id
        self._owner = owner
        self._capped = capped
        self._patience_s = patience_s
        self._pace = pace
        self._held: dict[tuple[int, int], tuple[Estimate, int, float]] = {}
        self._settling: set[Future[None]] = set()
        self.open = not capped and pace is None

    async def enter(self, item: ItemCall, trace: Trace) -> float:
        """Wait until the call may be made; the seconds that it took. Raises Capped."""
        began = time.monotonic()
        estimate = self._target.estimate(item)
        if self._capped:
            await self._reserve(estimate)
            self._held[item.number, item.repetition] = (estimate, *_used(trace))
        if self._pace is not None:
            try:
                await self._pace.turn(estimate.tokens)
            except BaseException:
                self.leave(item, trace)
                raise
        return time.monotonic() - began

    def leave(self, item: ItemCall, trace: Trace) -> None:
        """The call is over: give back what it held and did not use."""
        tokens, cost = _used(trace)
        if self._pace is not None:
            self._pace.correct(tokens - self._target.estimate(item).tokens if tokens else 0)
        held = self._held.pop((item.number, item.repetition), None)
        if held is None:
            return
        estimate, tokens_before, cost_before = held
        # Asked for at once, so that it comes before the next `reserve` in the database thread.
        settling = self._database.submit(
            settle,
            self._run_id,
            estimate,
            tokens=tokens - tokens_before,
            cost_usd=cost - cost_before,
        )
        self._settling.add(settling)
        settling.add_done_callback(self._settling.discard)

    async def close(self) -> None:
        """Settle what is still held: calls that were dropped may have been paid for in full."""
        for estimate, _, _ in self._held.values():
            await self._database(
                settle,
                self._run_id,
                estimate,
                tokens=estimate.tokens,
                cost_usd=estimate.cost_usd or 0.0,
            )
        self._held.clear()
        await asyncio.gather(*map(asyncio.wrap_future, list(self._settling)))
        if self._pace is not None:
            self._pace.close()

    async def _reserve(self, estimate: Estimate) -> None:
        said, since = "", time.monotonic()
        while True:
            answer, text = await self._database(
                reserve, self._run_id, self._owner, estimate, alone=not self._held
            )
            if answer is Answer.GRANTED:
                return
            if answer is Answer.CAPPED:
                raise Capped(text)
            if text != said or self._held:
                said, since = text, time.monotonic()
            elif time.monotonic() - since > self._patience_s:
                raise Capped(text)  # no call of anybody is left that could make room
            await asyncio.sleep(LOOK_AGAIN_SECONDS)


def _used(trace: Trace) -> tuple[int, float]:
    """Tokens and dollars that the result has used so far."""
    tokens = (trace.input_tokens or 0) + (trace.output_tokens or 0)
    return tokens, trace.cost_usd or 0.0
