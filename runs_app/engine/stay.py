"""One worker's stay on one run: an event loop that claims, calls, scores and records until it may
leave.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import deque
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
from runs_app.engine.planning import Claim, claim_next, release
from runs_app.engine.recorder import Recorder
from runs_app.engine.scoring import BoundScorer, score
from runs_app.engine.writing import Recorded
from runs_app.scorers import SpecError, build, parse_spec
from runs_app.targets import ItemCall, Target

log = logging.getLogger(__name__)
BUDGET_SECONDS = 300.0  # then a successor is woken, so that no message is out for long
READ_AHEAD = 64  # claim the next shard when fewer items than this are ready
INSTANT_YIELD = 50  # lookups between two turns of the event loop


def work(run_id: int) -> None:
    """Stay on a run until it has no more work for us. The Celery task calls this."""
    asyncio.run(_Stay(run_id).run())


class _Stay:
    def __init__(self, run_id: int) -> None:
        self.run_id = run_id
        self.owner = uuid.uuid4().hex
        self.database = DatabaseThread()
        self.ready: deque[tuple[Claim, ItemRow]] = deque()
        self.claims: list[Claim] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.seats = 0
        self.stop = False  # the run is cancelled: drop what is in flight
        self.leaving = False  # take no new item, finish those in flight
        self.changed = asyncio.Event()
        self.recorder = Recorder(self.database, self._tick)

    async def run(self) -> None:
        try:
            opened = await self.database(stays.open_stay, self.run_id, self.owner)
            if opened is None:
                await self.database(finish_if_cancelled, self.run_id)
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
        finally:
            await self.database(stays.leave, self.owner)
            await self.database(finish_if_cancelled, self.run_id)
            await self.database.close()

    async def _work(self, target: Target) -> None:
        recording = asyncio.create_task(self.recorder.run())
        # A recorder that gave up (the database stayed away) must not leave the dispatcher waiting.
        recording.add_done_callback(lambda _: self._wake(leave=True))
        began = time.monotonic()
        try:
            while True:
                await self._dispatch(target, began)
                await self._drain()
                if self.leaving or self.stop or recording.done() or not await self._claim():
                    break
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            self.recorder.finish()
            await recording
            await target.close()
            for claim in self.claims:
                if not claim.lost and claim.open > 0:
                    await self.database(release, claim)
        await self.database(finish_if_done, self.run_id)
        if self.leaving and not self.stop:
            wake_now("runs.work", self.run_id)

    async def _dispatch(self, target: Target, began: float) -> None:
        """Give ready items to free seats until nothing is left to claim or we have to leave."""
        exhausted = False
        looked_up = 0
        while not self.stop:
            if stopping() or time.monotonic() - began > BUDGET_SECONDS:
                self.leaving = True
            if self.leaving:
                return
            if len(self.ready) < READ_AHEAD and not exhausted:
                exhausted = not await self._claim()
            if not self.ready:
                if exhausted:
                    return
                continue
            await self.recorder.room()
            if target.instant:
                claim, item = self.ready.popleft()
                if not claim.lost:
                    await self._one(target, claim, item)
                looked_up += 1
                if looked_up % INSTANT_YIELD == 0:
                    await asyncio.sleep(0)
                continue
            await self._seat()
            if self.stop or self.leaving or not self.ready:
                continue
            claim, item = self.ready.popleft()
            if claim.lost:
                continue
            if claim.careful:
                await self._alone(target, claim, item)
                continue
            task = asyncio.create_task(self._one(target, claim, item))
            self.tasks.add(task)
            task.add_done_callback(self._task_done)

    async def _claim(self) -> bool:
        """Claim one more shard; False when there is none."""
        if self.stop or self.leaving:
            return False
        claim = await self.database(claim_next, self.run_id, self.owner)
        if claim is None:
            return False
        self.claims = [known for known in self.claims if known.open > 0 and not known.lost]
        self.claims.append(claim)
        if not claim.items:
            self.recorder.close_empty(claim)
            return True
        for item in claim.items:
            if item.number == claim.convicted:
                self.recorder.add(_convict(claim, item))
            else:
                self.ready.append((claim, item))
        return True

    async def _seat(self) -> None:
        """Wait for a free seat (a tick may give or take some)."""
        while len(self.tasks) >= self.seats and not self.stop and not self.leaving:
            if stopping():
                self.leaving = True
                return
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), 0.5)
            except TimeoutError:
                continue

    async def _alone(self, target: Target, claim: Claim, item: ItemRow) -> None:
        """Call one item with nothing beside it, and see it recorded before the next."""
        await self._drain()
        await self._one(target, claim, item)
        while not self.recorder.idle:
            await asyncio.sleep(0.01)

    async def _one(self, target: Target, claim: Claim, item: ItemRow) -> None:
        call = ItemCall(
            item.number, item.external_id, item.input_json, item.metadata_json, item.context_json
        )
        outcome = await attempt(target, call, timeout_s=self.timeout_s, retries=self.retries)
        scores = (
            [] if outcome.output_json is None else score(self.scorers, item, outcome.output_json)
        )
        self.recorder.add(Recorded(claim, item.number, item.revision_id, outcome, scores))

    async def _drain(self) -> None:
        """Wait for the calls in flight, unless the run is cancelled meanwhile."""
        while self.tasks and not self.stop:
            await asyncio.wait(self.tasks, timeout=0.2)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        self.changed.set()
        if not task.cancelled() and task.exception() is not None:
            # A bug of ours, not the target's: leave, and let the item be called again.
            log.error("An item could not be recorded", exc_info=task.exception())
            self._wake(leave=True)

    async def _tick(self) -> None:
        live = [claim for claim in self.claims if claim.open > 0 and not claim.lost]
        orders = await self.database(stays.tick, self.run_id, self.owner, live, len(self.tasks))
        for claim in orders.lost:
            claim.lost = True
        self.seats = orders.seats
        self.stop = self.stop or orders.stop
        self._wake()

    def _wake(self, *, leave: bool = False) -> None:
        self.leaving = self.leaving or leave
        self.changed.set()


def _convict(claim: Claim, item: ItemRow) -> Recorded:
    """The error of an item that took its worker down, alone, more than once."""
    now = datetime.now(UTC)
    message = (
        "The worker died each time this item was processed. It was given up after "
        f"{claim.shard.strikes + 1} attempts."
    )
    outcome = Outcome(None, "worker_lost", message, now, now, 0.0, claim.shard.strikes)
    return Recorded(claim, item.number, item.revision_id, outcome, [])
