"""One worker's stay on one run: an event loop that claims, calls, scores and records until it may
leave.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
import uuid
from collections import deque
from contextlib import AsyncExitStack

import uvloop
from django.db import Error as DatabaseError

from datasets_app.public import ItemRow
from evalhub.kit.dispatch import wake_now
from evalhub.kit.errors import EvalhubError
from evalhub.kit.stopping import stopping
from runs_app import states
from runs_app.engine import stays
from runs_app.engine.attempt import storable
from runs_app.engine.calling import Calling, not_called
from runs_app.engine.clock import CallClock
from runs_app.engine.database import DatabaseThread
from runs_app.engine.finishing import fail, finish_if_cancelled, finish_if_done
from runs_app.engine.gate import Capped, Gate
from runs_app.engine.keeper import Keeper
from runs_app.engine.pace import Pace
from runs_app.engine.planning import Claim, begin, claim_next, release
from runs_app.engine.policy import check_errors, stop
from runs_app.engine.recorder import Recorder
from runs_app.engine.scoring import BoundScorer, bind
from runs_app.engine.seats import Seats
from runs_app.engine.throttling import SHRINK, Forgiving, shrink
from runs_app.scorers import SpecError
from runs_app.targets import TargetFailure

log = logging.getLogger(__name__)
BUDGET_SECONDS = 300.0  # then a successor is woken, so that no message is out for long
STOPPING_SECONDS = 5.0  # for calls in flight to end when the worker shuts down
LOOK_AGAIN_SECONDS = 1.0  # for shards that another worker has given up
SETTLED_SECONDS = 5.0  # after its time limit, a call has told what it used; else its worker is dead
PATIENCE_SECONDS = 1.5  # with a blocked event loop, before the run is cancelled without it

_trial = threading.Lock()  # one item under suspicion at a time in this process; see _carefully


def work(run_id: int) -> None:
    """Stay on a run until it has no more work for us. The Celery task calls this."""
    loop = uvloop.new_event_loop()
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
        self.ahead: deque[Claim] = deque()  # held, and none of their items called yet
        self.claims: list[Claim] = []
        self.began = time.monotonic()
        self.stop = False  # the run is cancelled: drop what is in flight
        self.paused = False
        self.capped = ""  # why no further call fits under the run's caps
        self.leaving = False  # take no new item, finish those in flight
        self.drop_at = math.inf  # when to drop what is in flight, by the monotonic clock
        self.dry_until = 0.0  # when to look for work again after there was none
        self.looked_back_at = -math.inf  # for what others left, by the monotonic clock
        self.shrunk_at = 0.0  # by the monotonic clock; calls from before that shrink nothing more
        self.forgiving = Forgiving()
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
                scorers = [bind(pk, spec) for pk, spec in opened.scorers]
            except DatabaseError:
                raise
            except Exception as error:  # a plug-in may raise anything; the run must still end
                if not isinstance(error, EvalhubError | SpecError):
                    log.exception("Run %d could not be set up", self.run_id)
                await self.database(fail, self.run_id, f"The run could not be set up: {error}")
                return
            self._set_up(opened, scorers)
            await self._work()

    def _set_up(self, opened: stays.Opened, scorers: list[BoundScorer]) -> None:
        self.limits = opened.limits
        self.recorder = Recorder(
            self.database,
            on_errors=self._check_errors if opened.watched else _nothing,
        )
        self.gate = Gate(
            opened.target,
            self.database,
            run_id=self.run_id,
            owner=self.owner,
            capped=opened.capped,
            patience_s=opened.limits.timeout_s + SETTLED_SECONDS,
            pace=Pace(opened.rates, self.database) if opened.rates else None,
        )
        self.calling = Calling(
            target=opened.target,
            scorers=scorers,
            limits=opened.limits,
            gate=self.gate,
            clock=CallClock(),
            context=opened.context,
            capture=opened.capture,
            throttled=self._throttled,
            troubled=self._trouble,
        )
        self.seats = Seats(self._one, self.recorder, self._failed, instant=opened.target.instant)
        self.seats.most = opened.seats

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
            await self._dispatch()
            if self.leaving and not (self.stop or self.paused or self.capped):
                wake_now("runs.work", self.run_id)
            await self._quiet()
            if self.capped:
                await self.database(stop, self.run_id, states.CANCELLED, self.capped)
        finally:
            await self.seats.drop()
            self.recorder.finish()
            try:
                await self.gate.close()
                await recording
            finally:
                self.keeper.stop()
                await self.calling.close()
            for claim in self.claims:
                if not claim.lost and claim.open > 0:
                    await self.database(release, claim)
        await self.database(finish_if_done, self.run_id)

    @property
    def going(self) -> bool:
        """True when no new item is to be called."""
        return self.stop or self.leaving

    async def _dispatch(self) -> None:
        """Keep the seats supplied until no work is left or we have to leave."""
        seats = self.seats
        while not self.going:
            if not self.ahead and time.monotonic() >= self.dry_until:
                await self._claim()
                continue
            if self.ahead and self.ahead[0].careful:
                if seats.empty:
                    await self._carefully(self.ahead.popleft())
                    continue
            elif self.ahead and seats.low:
                claim = self.ahead.popleft()
                if await self._begin(claim, claim.due[0][0].number):
                    seats.ready.extend((claim, item, rep) for item, rep in claim.due)
                seats.fill()
                continue
            seats.fill()
            if not self.ahead and seats.empty:
                return
            seats.hungry = bool(self.ahead)
            await seats.change(LOOK_AGAIN_SECONDS)  # a tick may give or take seats, too
        seats.close()

    async def _claim(self) -> None:
        """Claim one more shard; when there is none, look again in a while."""
        now = time.monotonic()
        look_back = now - self.looked_back_at >= LOOK_AGAIN_SECONDS
        if look_back:
            self.looked_back_at = now
        claim = await self.database(self._next_claim, look_back)
        if claim is None:
            self.dry_until = time.monotonic() + LOOK_AGAIN_SECONDS
            return
        self.claims = [known for known in self.claims if known.open > 0 and not known.lost]
        self.claims.append(claim)
        if not claim.due:
            self.recorder.close_empty(claim)
            return
        due, claim.due = claim.due, []
        for item, repetition in due:
            error = not_called(claim, item, repetition)
            if error is None:
                claim.due.append((item, repetition))
            else:
                self.recorder.add(error)
        if claim.due:
            self.ahead.append(claim)

    def _next_claim(self, look_back: bool) -> Claim | None:
        """Claim a shard, and let the target read what its items need. In the database thread."""
        claim = claim_next(self.run_id, self.owner, look_back=look_back)
        if claim is not None:
            self.calling.prepare(claim)
        return claim

    async def _begin(self, claim: Claim, number: int) -> bool:
        held = await self.database(begin, claim, number)
        claim.lost = claim.lost or not held
        return held

    async def _carefully(self, claim: Claim) -> None:
        """Call the items of a suspected shard one at a time, with nothing beside it.

        Other stays in this process are held off with their own suspects, so that the death of the
        worker is put down to one item alone.
        """
        for item, repetition in claim.due:
            while not _trial.acquire(blocking=False):
                await self.seats.change(0.1)
                if self.going:
                    return
            try:
                if self.going or claim.lost or not await self._begin(claim, item.number):
                    return
                self.seats.alone((claim, item, repetition))
                await self._quiet()
                await self.recorder.written()
            finally:
                _trial.release()

    async def _one(self, claim: Claim, item: ItemRow, repetition: int) -> None:
        self.keeper.hear()
        recorded = await self.calling.one(claim, item, repetition)
        self.keeper.hear()
        self.forgiving.answered()
        self.recorder.add(recorded)

    async def _quiet(self) -> None:
        """Wait for the calls in flight, but no longer than we may."""
        await self.seats.quiet(lambda: self.drop_at)

    def _failed(self, error: BaseException) -> None:
        """A call ended in something else than an outcome."""
        if isinstance(error, Capped):
            self.capped = str(error)  # what is in flight may end; the run is cancelled after that
        else:
            # A bug of ours, not the target's: leave, and let the item be called again.
            log.error("An item could not be recorded", exc_info=error)
        self._wake(leave=True)

    def _throttled(self, failure: TargetFailure, began: float) -> None:
        """A 429 or 503 of a call that began at `began`: fewer calls at once, once per burst."""
        if began < self.shrunk_at or self.forgiving.forgive():
            return
        self.shrunk_at = time.monotonic()
        self.seats.most = max(1, int(self.seats.most * SHRINK))
        self.database.submit(shrink, self.run_id, _words(failure))

    def _trouble(self) -> None:
        self.troubled = True

    def _wake(self, *, leave: bool = False) -> None:
        self.leaving = self.leaving or leave
        self.seats.changed.set()

    # --- in the threads of keeper and database ----------------------------------------------------
    def _look(self) -> None:
        """Is it time to leave?"""
        now = time.monotonic()
        if stopping() and self.drop_at == math.inf:
            self.drop_at = now + STOPPING_SECONDS
        elif self.leaving or now - self.began < BUDGET_SECONDS:
            return
        self.leaving = True
        self.loop.call_soon_threadsafe(self._wake)

    def _check_errors(self) -> None:
        if check_errors(self.run_id):
            self.stop, self.drop_at = True, 0.0
            self.loop.call_soon_threadsafe(self._wake)

    def _tick(self) -> None:
        live = [claim for claim in list(self.claims) if claim.open > 0 and not claim.lost]
        troubled, self.troubled = self.troubled, False
        orders = stays.tick(
            self.run_id,
            self.owner,
            live,
            self.seats.in_flight,
            leaving=self.leaving,
            troubled=troubled,
        )
        for claim in orders.lost:
            claim.lost = True
        self.seats.most = orders.seats
        if orders.pause:
            self.paused = self.leaving = True
        if orders.stop:
            self.stop, self.drop_at = True, 0.0
            if self.keeper.silent_s > PATIENCE_SECONDS:
                stays.leave(self.owner)
                finish_if_cancelled(self.run_id)
        self.loop.call_soon_threadsafe(self._wake)


def _nothing() -> None:
    """For runs without an error policy."""


def _words(failure: TargetFailure) -> str:
    """ "The target says rate_limited and asks to wait 2 s"."""
    words = storable(f"The target says {failure.type}")
    if failure.retry_after_s is None:
        return words
    return f"{words} and asks to wait {failure.retry_after_s:g} s"
