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

from datasets_app.public import ItemRow
from evalhub.kit.dispatch import wake_now
from evalhub.kit.errors import EvalhubError
from evalhub.kit.stopping import stopping
from runs_app import targets
from runs_app.engine import stays
from runs_app.engine.attempt import Outcome, attempt
from runs_app.engine.database import DatabaseThread
from runs_app.engine.finishing import fail, finish_if_cancelled, finish_if_done
from runs_app.engine.keeper import Keeper
from runs_app.engine.planning import DEATHS_ALONE, Claim, begin, claim_next, release
from runs_app.engine.recorder import Recorder
from runs_app.engine.scoring import BoundScorer, score
from runs_app.engine.writing import Recorded
from runs_app.scorers import SpecError, build, parse_spec
from runs_app.targets import ItemCall, Target

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
        self.ready: deque[tuple[Claim, ItemRow]] = deque()
        self.claims: list[Claim] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.seats = 0
        self.began = time.monotonic()
        self.stop = False  # the run is cancelled: drop what is in flight
        self.leaving = False  # take no new item, finish those in flight
        self.drop_at = math.inf  # when to drop what is in flight, by the monotonic clock
        self.dry_until = 0.0  # when to look for work again after there was none
        self.changed = asyncio.Event()
        self.recorder = Recorder(self.database)

    async def run(self) -> None:
        async with AsyncExitStack() as at_the_end:  # each of these, whatever becomes of the others
            at_the_end.push_async_callback(self.database.close)
            at_the_end.push_async_callback(self.database, finish_if_cancelled, self.run_id)
            at_the_end.push_async_callback(self.database, stays.leave, self.owner)
            opened = await self.database(stays.open_stay, self.run_id, self.owner)
            if opened is None:
                return
            try:
                target = targets.build(opened.target, opened.project_slug)
                self.scorers = [
                    BoundScorer(pk, build(parse_spec(spec))) for pk, spec in opened.scorers
                ]
            except (EvalhubError, SpecError) as error:
                await self.database(fail, self.run_id, f"The run could not be set up: {error}")
                return
            self.seats = opened.seats
            self.timeout_s, self.retries = opened.timeout_s, opened.retries
            await self._work(target)

    async def _work(self, target: Target) -> None:
        self.loop = asyncio.get_running_loop()
        self.keeper = Keeper(
            self.database, look=self._look, tick=self._tick, most_silent_s=self.timeout_s
        )
        self.keeper.start()
        recording = asyncio.create_task(self.recorder.run())
        # A recorder that gave up (the database stayed away) must not leave the dispatcher waiting.
        recording.add_done_callback(lambda _: self._wake(leave=True))
        try:
            await self._dispatch(target)
            if self.leaving and not self.stop:
                wake_now("runs.work", self.run_id)
            await self._quiet()
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            self.recorder.finish()
            try:
                await recording
            finally:
                self.keeper.stop()
                await target.close()
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
            claim, item = self.ready.popleft()
            if claim.lost:
                continue
            if claim.careful:
                await self._alone(target, claim, item)
                continue
            if not claim.begun and not await self._begin(claim, item):
                continue
            if target.instant:
                await self._one(target, claim, item)
                looked_up += 1
                if looked_up % INSTANT_YIELD == 0:
                    await asyncio.sleep(0)
            else:
                self._start(target, claim, item)

    async def _claim(self) -> None:
        """Claim one more shard; when there is none, look again in a while."""
        claim = await self.database(claim_next, self.run_id, self.owner)
        if claim is None:
            self.dry_until = time.monotonic() + LOOK_AGAIN_SECONDS
            return
        self.claims = [known for known in self.claims if known.open > 0 and not known.lost]
        self.claims.append(claim)
        if not claim.items:
            self.recorder.close_empty(claim)
        for item in claim.items:
            if item.number == claim.convicted:
                self.recorder.add(_convict(claim, item))
            else:
                self.ready.append((claim, item))

    async def _begin(self, claim: Claim, item: ItemRow) -> bool:
        held = await self.database(begin, claim, item.number)
        claim.lost = claim.lost or not held
        return held

    async def _alone(self, target: Target, claim: Claim, item: ItemRow) -> None:
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
                self._start(target, claim, item)
                await self._quiet()
                await self.recorder.written()
        finally:
            _trial.release()

    def _start(self, target: Target, claim: Claim, item: ItemRow) -> None:
        task = self.loop.create_task(self._one(target, claim, item))
        self.tasks.add(task)
        task.add_done_callback(self._task_done)

    async def _one(self, target: Target, claim: Claim, item: ItemRow) -> None:
        self.keeper.hear()
        call = ItemCall(
            item.number, item.external_id, item.input_json, item.metadata_json, item.context_json
        )
        outcome = await attempt(target, call, timeout_s=self.timeout_s, retries=self.retries)
        self.keeper.hear()
        scores = (
            [] if outcome.output_json is None else score(self.scorers, item, outcome.output_json)
        )
        self.recorder.add(Recorded(claim, item.number, item.revision_id, outcome, scores))

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
        if not task.cancelled() and task.exception() is not None:
            # A bug of ours, not the target's: leave, and let the item be called again.
            log.error("An item could not be recorded", exc_info=task.exception())
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
        orders = stays.tick(self.run_id, self.owner, live, len(self.tasks), leaving=self.leaving)
        for claim in orders.lost:
            claim.lost = True
        self.seats = orders.seats
        if orders.stop:
            self.stop, self.drop_at = True, 0.0
            if self.keeper.silent_s > PATIENCE_SECONDS:
                stays.leave(self.owner)
                finish_if_cancelled(self.run_id)
        self.loop.call_soon_threadsafe(self._wake)


def _convict(claim: Claim, item: ItemRow) -> Recorded:
    """The error of an item that took its worker down, alone, more than once."""
    now = datetime.now(UTC)
    message = f"The worker died {DEATHS_ALONE} times in a row while it called this item alone."
    outcome = Outcome(None, "worker_lost", message, now, now, 0.0, claim.shard.strikes)
    return Recorded(claim, item.number, item.revision_id, outcome, [])
