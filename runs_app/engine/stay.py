"""One worker's stay on one run: an event loop that claims, calls, scores and records until it may
leave.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
import time
import uuid
from collections import deque
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial

from datasets_app.public import ItemRow
from evalhub.kit.dispatch import wake_now
from evalhub.kit.errors import EvalhubError
from evalhub.kit.stopping import stopping
from runs_app import states
from runs_app.engine import stays
from runs_app.engine.attempt import Outcome, attempt, storable
from runs_app.engine.contexts import merged
from runs_app.engine.database import DatabaseThread
from runs_app.engine.finishing import fail, finish_if_cancelled, finish_if_done
from runs_app.engine.gate import Capped, Gate
from runs_app.engine.keeper import Keeper
from runs_app.engine.pace import Pace
from runs_app.engine.planning import DEATHS_ALONE, Claim, begin, claim_next, release
from runs_app.engine.policy import check_errors, stop
from runs_app.engine.recorder import Recorder
from runs_app.engine.scoring import ScoreRow, bind, score
from runs_app.engine.seats import SHRINK, shrink
from runs_app.engine.writing import Recorded
from runs_app.scorers import SpecError
from runs_app.targets import ItemCall, Target, TargetFailure
from runs_app.targets.trace import Trace, spans_json

log = logging.getLogger(__name__)
BUDGET_SECONDS = 300.0  # then a successor is woken, so that no message is out for long
STOPPING_SECONDS = 5.0  # for calls in flight to end when the worker shuts down
READ_AHEAD = 64  # claim the next shard when fewer items than this are ready
LOOK_AGAIN_SECONDS = 1.0  # for shards that another worker has given up
INSTANT_YIELD = 50  # lookups between two turns of the event loop
PATIENCE_SECONDS = 1.5  # with a blocked event loop, before the run is cancelled without it

_trial = threading.Lock()  # one item under suspicion at a time in this process; see _alone


def work(run_id: int) -> None:
    """Stay on a run until it has no more work for us. The Celery task calls this."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(_Stay(run_id).run())
        left = asyncio.all_tasks(loop)
        if left:  # of targets; asyncio.run would wait for them, and some never end
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left, timeout=1))
    finally:
        loop.close()


class _Stay:
    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self.owner = uuid.uuid4().hex
        self.database = DatabaseThread()
        self.ready: deque[tuple[Claim, ItemRow, int]] = deque()
        self.claims: list[Claim] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.seats = 0
        self.began = time.monotonic()
        self.stop = False  # the run is cancelled: drop what is in flight
        self.paused = False
        self.capped = ""  # why no further call fits under the run's caps
        self.leaving = False  # take no new item, finish those in flight
        self.drop_at = math.inf  # when to drop what is in flight, by the monotonic clock
        self.dry_until = 0.0  # when to look for work again after there was none
        self.changed = asyncio.Event()
        self.shrunk_at = 0.0  # by the monotonic clock; calls from before that shrink nothing more
        self.troubled = False  # since the last tick

    async def run(self) -> None:
        async with AsyncExitStack() as at_the_end:  # each of these, whatever becomes of the others
            at_the_end.push_async_callback(self.database.close)
            at_the_end.push_async_callback(self.database, finish_if_cancelled, self.run_id)
            at_the_end.push_async_callback(self.database, stays.leave, self.owner)
            try:
                opened = await self.database(stays.open_stay, self.run_id, self.owner)
                if opened is None:
                    return
                self.scorers = [bind(pk, spec) for pk, spec in opened.scorers]
            except (EvalhubError, SpecError) as error:
                await self.database(fail, self.run_id, f"The run could not be set up: {error}")
                return
            self.seats, self.limits = opened.seats, opened.limits
            self.context, self.capture = opened.context, opened.capture
            self.target = opened.target
            self.recorder = Recorder(
                self.database,
                on_errors=partial(check_errors, self.run_id) if opened.watched else _nothing,
            )
            self.gate = Gate(
                opened.target,
                self.database,
                run_id=self.run_id,
                owner=self.owner,
                capped=opened.capped,
                pace=Pace(opened.rates, self.database) if opened.rates else None,
            )
            await self._work()

    async def _work(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.keeper = Keeper(
            self.database, look=self._look, tick=self._tick, most_silent_s=self.limits.timeout_s
        )
        self.keeper.start()
        recording = asyncio.create_task(self.recorder.run())
        # A recorder that gave up (the database stayed away) must not leave the dispatcher waiting.
        recording.add_done_callback(lambda _: self._wake(leave=True))
        try:
            await self._dispatch(self.target)
            if self.leaving and not (self.stop or self.paused or self.capped):
                wake_now("runs.work", self.run_id)
            await self._quiet()
            if self.capped:
                await self.database(stop, self.run_id, states.CANCELLED, self.capped)
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            self.recorder.finish()
            try:
                await self.gate.close()
                await recording
            finally:
                self.keeper.stop()
                await self.target.close()
            for claim in self.claims:
                if not claim.lost and claim.open > 0:
                    await self.database(release, claim)
        await self.database(finish_if_done, self.run_id)

    @property
    def going(self) -> bool:
        """True when no new item is to be called."""
        return self.stop or self.leaving

    async def _dispatch(self, target: Target) -> None:
        """Give ready items to free seats until no work is left or we have to leave."""
        looked_up = 0
        while not self.going:
            if len(self.ready) < READ_AHEAD and time.monotonic() >= self.dry_until:
                await self._claim()
                continue
            if not self.ready:
                if not self.tasks:
                    return
                await self._change(LOOK_AGAIN_SECONDS)
                continue
            await self.recorder.room()
            if len(self.tasks) >= self.seats and not target.instant:
                await self._change(LOOK_AGAIN_SECONDS)  # a tick may give or take seats
                continue
            if self.going:
                return
            claim, item, repetition = self.ready.popleft()
            if claim.lost:
                continue
            if claim.careful:
                await self._alone(claim, item, repetition)
                continue
            if not claim.begun and not await self._begin(claim, item):
                continue
            if target.instant:
                await self._one(claim, item, repetition)
                looked_up += 1
                if looked_up % INSTANT_YIELD == 0:
                    await asyncio.sleep(0)
            else:
                self._start(claim, item, repetition)

    async def _claim(self) -> None:
        """Claim one more shard; when there is none, look again in a while."""
        claim = await self.database(self._next_claim)
        if claim is None:
            self.dry_until = time.monotonic() + LOOK_AGAIN_SECONDS
            return
        self.claims = [known for known in self.claims if known.open > 0 and not known.lost]
        self.claims.append(claim)
        if not claim.due:
            self.recorder.close_empty(claim)
        for item, repetition in claim.due:
            if item.number == claim.convicted:
                self.recorder.add(_convict(claim, item, repetition))
            else:
                self.ready.append((claim, item, repetition))

    def _next_claim(self) -> Claim | None:
        """Claim a shard, and let the target read what its items need. In the database thread."""
        claim = claim_next(self.run_id, self.owner)
        if claim is not None:
            self.target.prepare([self._call_of(item, rep) for item, rep in claim.due])
        return claim

    def _call_of(self, item: ItemRow, repetition: int) -> ItemCall:
        return ItemCall(
            item.number,
            item.external_id,
            item.input_json,
            item.metadata_json,
            merged(self.context, item.context_json),
            repetition,
        )

    async def _begin(self, claim: Claim, item: ItemRow) -> bool:
        held = await self.database(begin, claim, item.number)
        claim.lost = claim.lost or not held
        return held

    async def _alone(self, claim: Claim, item: ItemRow, repetition: int) -> None:
        """Call one item with nothing beside it, and see it recorded before the next.

        Other stays in this process are held off with their own suspects, so that the death of the
        worker is put down to one item alone.
        """
        await self._quiet()
        while not _trial.acquire(blocking=False):
            await self._change(0.1)
            if self.going:
                return
        try:
            if not self.going and await self._begin(claim, item):
                self._start(claim, item, repetition)
                await self._quiet()
                await self.recorder.written()
        finally:
            _trial.release()

    def _start(self, claim: Claim, item: ItemRow, repetition: int) -> None:
        task = self.loop.create_task(self._one(claim, item, repetition))
        self.tasks.add(task)
        task.add_done_callback(self._task_done)

    async def _one(self, claim: Claim, item: ItemRow, repetition: int) -> None:
        self.keeper.hear()
        trace = Trace(capture=self.capture)
        outcome = await attempt(
            self.target,
            self._call_of(item, repetition),
            trace,
            self.limits,
            self.gate,
            throttled=self._throttled,
            troubled=self._trouble,
        )
        self.keeper.hear()
        scores: list[ScoreRow] = []
        if outcome.output_json is not None:
            scores = score(self.scorers, item, repetition, outcome.output_json, trace)
        trace.trace_id = storable(trace.trace_id)[:64]
        self.recorder.add(
            Recorded(
                claim,
                item.number,
                repetition,
                item.revision_id,
                outcome,
                scores,
                trace,
                spans_json(trace.spans),
            )
        )

    def _throttled(self, failure: TargetFailure, began: float) -> None:
        """A 429 or 503 of a call that began at `began`: fewer calls at once, once per burst."""
        if began < self.shrunk_at:
            return
        self.shrunk_at = time.monotonic()
        self.seats = max(1, int(self.seats * SHRINK))
        self.database.submit(shrink, self.run_id, _reason(failure))

    def _trouble(self) -> None:
        self.troubled = True

    async def _quiet(self) -> None:
        """Wait for the calls in flight, but no longer than we may."""
        while self.tasks and time.monotonic() < self.drop_at:
            await self._change(0.5)

    async def _change(self, seconds: float) -> None:
        """Wait until a call ends or the keeper has news, `seconds` at most."""
        self.changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), seconds)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.changed.set()
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Capped):
            self.leaving = True  # what is in flight may end; the run is cancelled after that
            self.capped = str(error)
        elif error is not None:
            # A bug of ours, not the target's: leave, and let the item be called again.
            log.error("An item could not be recorded", exc_info=error)
            self._wake(leave=True)

    def _wake(self, *, leave: bool = False) -> None:
        self.leaving = self.leaving or leave
        self.changed.set()

    # --- in the keeper's threads ------------------------------------------------------------------
    def _look(self) -> None:
        """Is it time to leave?"""
        now = time.monotonic()
        if stopping() and self.drop_at == math.inf:
            self.drop_at = now + STOPPING_SECONDS
        elif self.leaving or now - self.began < BUDGET_SECONDS:
            return
        self.leaving = True
        self.loop.call_soon_threadsafe(self._wake)

    def _tick(self) -> None:
        live = [claim for claim in list(self.claims) if claim.open > 0 and not claim.lost]
        troubled, self.troubled = self.troubled, False
        orders = stays.tick(
            self.run_id,
            self.owner,
            live,
            len(self.tasks),
            leaving=self.leaving,
            troubled=troubled,
        )
        for claim in orders.lost:
            claim.lost = True
        self.seats = orders.seats
        if orders.pause:
            self.paused = self.leaving = True
        if orders.stop:
            self.stop, self.drop_at = True, 0.0
            if self.keeper.silent_s > PATIENCE_SECONDS:
                stays.leave(self.owner)
                finish_if_cancelled(self.run_id)
        self.loop.call_soon_threadsafe(self._wake)


def _reason(failure: TargetFailure) -> str:
    """ "429 from the target, which asks to wait 2 s"."""
    words = storable(f"The target says {failure.type}")
    if failure.retry_after_s is None:
        return words
    return f"{words} and asks to wait {failure.retry_after_s:g} s"


def _nothing() -> None:
    """For runs without an error policy."""


def _convict(claim: Claim, item: ItemRow, repetition: int) -> Recorded:
    """The error of an item that took its worker down, alone, more than once."""
    now = datetime.now(UTC)
    message = f"The worker died {DEATHS_ALONE} times in a row while it called this item alone."
    outcome = Outcome(None, "worker_lost", message, now, now, 0.0, claim.shard.strikes)
    return Recorded(claim, item.number, repetition, item.revision_id, outcome, [], Trace(), None)
