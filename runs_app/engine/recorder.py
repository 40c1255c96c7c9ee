"""The recorder of a stay: collects outcomes, flushes them in batches, ticks every second.

A flush in flight is never cancelled. Cancelling one while its write ran in a thread is how a
prototype lost rows: the shard was marked done first. The recorder is stopped by asking (`finish`),
never by force.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from django.db import DatabaseError, InterfaceError, OperationalError

from runs_app.engine.database import DatabaseThread
from runs_app.engine.planning import Claim
from runs_app.engine.writing import Recorded, flush

log = logging.getLogger(__name__)
BATCH_ROWS = 200
BATCH_SECONDS = 0.25
TICK_SECONDS = 1.0
MOST_WAITING = 4 * BATCH_ROWS
RETRY_SECONDS = 60.0  # how long a flush is tried again while the database is away


class Recorder:
    """Outcomes in, rows out. `tick` is awaited every second, whether there is something to write or
    not.
    """

    def __init__(self, database: DatabaseThread, tick: Callable[[], Awaitable[None]]) -> None:
        self._database = database
        self._tick = tick
        self._rows: list[Recorded] = []
        self._finishing: list[Claim] = []
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._finish = False

    def add(self, row: Recorded) -> None:
        """Take an outcome; the last one of its shard asks for a flush at once."""
        self._rows.append(row)
        row.claim.open -= 1
        if row.claim.open == 0:
            self._finishing.append(row.claim)
        if row.claim.open == 0 or row.claim.careful or len(self._rows) >= BATCH_ROWS:
            self._wake.set()
        if len(self._rows) >= MOST_WAITING:
            self._room.clear()

    def close_empty(self, claim: Claim) -> None:
        """Count a shard that had no item left to do."""
        self._finishing.append(claim)
        self._wake.set()

    @property
    def idle(self) -> bool:
        """True when nothing waits to be written."""
        return not self._rows and not self._finishing

    async def room(self) -> None:
        """Wait while more than a few batches wait to be written."""
        await self._room.wait()

    def finish(self) -> None:
        """Write what is left, then let `run` return."""
        self._finish = True
        self._wake.set()

    async def run(self) -> None:
        """Flush and tick until `finish`. Raises when the database stays away for too long."""
        last_tick = last_flush = time.monotonic()
        while True:
            finishing = self._finish
            now = time.monotonic()
            due = now - last_flush >= BATCH_SECONDS and self._rows
            if due or self._wake.is_set() or finishing:
                self._wake.clear()
                await self._flush()
                last_flush = time.monotonic()
            if now - last_tick >= TICK_SECONDS and not finishing:
                last_tick = time.monotonic()
                await self._tick()
            if finishing and self.idle:
                return
            try:
                await asyncio.wait_for(self._wake.wait(), BATCH_SECONDS)
            except TimeoutError:
                continue

    async def _flush(self) -> None:
        rows, self._rows = self._rows, []
        finishing, self._finishing = self._finishing, []
        self._room.set()
        if not rows and not finishing:
            return
        for claim in await self._persist(rows, finishing):
            claim.lost = True

    async def _persist(self, rows: list[Recorded], finishing: list[Claim]) -> list[Claim]:
        give_up = time.monotonic() + RETRY_SECONDS
        pause = 0.1
        while True:
            try:
                return await self._database(flush, rows, finishing)
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() > give_up:
                    raise
                log.warning("Flush of %d results failed, trying again: %s", len(rows), error)
                await self._database.reconnect()
                await asyncio.sleep(pause)
                pause = min(2.0, pause * 2)
            except DatabaseError:
                log.exception("Flush of %d results was refused by the database", len(rows))
                raise
