"""The recorder of a stay: collects outcomes and flushes them in batches.

A flush in flight is never cancelled. Cancelling one while its write ran in a thread is how a
prototype lost rows: the shard was marked done first. The recorder is stopped by asking (`finish`),
never by force.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from django.db import InterfaceError, OperationalError

from runs_app.engine.attempt import Outcome, storable
from runs_app.engine.database import DatabaseThread
from runs_app.engine.planning import Claim
from runs_app.engine.writing import Recorded, flush
from runs_app.targets.trace import Trace

log = logging.getLogger(__name__)
BATCH_ROWS = 200
BATCH_CHARS = 4_000_000
BATCH_SECONDS = 0.25
MOST_BATCHES = 4  # waiting to be written; then no new item is called
RETRY_SECONDS = 60.0  # how long a flush is tried again while the database is away
REFUSED = "not_storable"


class Recorder:
    """Outcomes in, rows out."""

    def __init__(self, database: DatabaseThread, *, on_errors: Callable[[], object]) -> None:
        """`on_errors` is called in the database thread after a flush that had errors in it."""
        self._database = database
        self._on_errors = on_errors
        self._rows: list[Recorded] = []
        self._chars = 0  # of the outputs in `_rows`
        self._finishing: list[Claim] = []
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._written = asyncio.Event()
        self._written.set()
        self._finish = False
        self._over = False

    def add(self, row: Recorded) -> None:
        """Take an outcome; the last one of its shard asks for a flush at once."""
        self._written.clear()
        self._rows.append(row)
        self._chars += len(row.outcome.output_json or "") + len(row.spans or "")
        row.claim.open -= 1
        if row.claim.open == 0:
            self._finishing.append(row.claim)
        batches = max(len(self._rows) / BATCH_ROWS, self._chars / BATCH_CHARS)
        if row.claim.open == 0 or row.claim.careful or batches >= 1:
            self._wake.set()
        if batches >= MOST_BATCHES and not self._over:
            self._room.clear()

    def close_empty(self, claim: Claim) -> None:
        """Count a shard that had no item left to do."""
        self._written.clear()
        self._finishing.append(claim)
        self._wake.set()

    @property
    def full(self) -> bool:
        """True while more than a few batches wait to be written."""
        return not self._room.is_set()

    async def room(self) -> None:
        """Wait while it is full."""
        await self._room.wait()

    async def written(self) -> None:
        """Wait until all is committed, or the recorder has given up."""
        await self._written.wait()

    def finish(self) -> None:
        """Write what is left, then let `run` return."""
        self._finish = True
        self._wake.set()

    async def run(self) -> None:
        """Flush until `finish`. Raises when the database stays away for too long."""
        try:
            while True:
                last = self._finish
                await self._flush()
                if last:
                    return
                try:
                    await asyncio.wait_for(self._wake.wait(), BATCH_SECONDS)
                except TimeoutError:
                    continue
                finally:
                    self._wake.clear()
        finally:  # nobody waits for a recorder that is gone
            self._over = True
            self._room.set()
            self._written.set()

    async def _flush(self) -> None:
        rows, self._rows, self._chars = self._rows, [], 0
        finishing, self._finishing = self._finishing, []
        self._room.set()
        if not rows and not finishing:
            return
        for claim in await self._persist(rows, finishing):
            claim.lost = True
        for row in rows:
            row.claim.struck = False
        if any(row.outcome.error_type for row in rows):
            await self._database(self._on_errors)
        if not self._rows and not self._finishing:
            self._written.set()

    async def _persist(self, rows: list[Recorded], finishing: list[Claim]) -> list[Claim]:
        """Flush; the shards that are lost. A row that the database refuses becomes an error."""
        try:
            return await self._try(rows, finishing)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            if not rows:
                raise
            if len(rows) == 1:
                if rows[0].outcome.error_type == REFUSED:
                    raise
                log.exception("The result of item #%d is refused", rows[0].item_number)
                return await self._persist([_refused(rows[0], error)], finishing)
            lost = [claim for row in rows for claim in await self._persist([row], [])]
            return lost + await self._persist([], finishing)

    async def _try(self, rows: list[Recorded], finishing: list[Claim]) -> list[Claim]:
        """Flush, again and again while the database is away."""
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


def _refused(row: Recorded, error: Exception) -> Recorded:
    """An error in place of a row that cannot be stored, without what else may be to blame."""
    now = datetime.now(UTC)
    message = storable(f"The database refused this result: {type(error).__name__}: {error}")
    outcome = Outcome(None, REFUSED, message, now, now, 0.0, 0)
    return replace(row, outcome=outcome, scores=[], trace=Trace(), spans=None)
