"""The seats of a stay: tasks that take ready items one after the other and call the target."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable

from datasets_app.public import ItemRow
from runs_app.engine.planning import Claim
from runs_app.engine.recorder import Recorder

LOW = 64  # fewer ready items than this: more are wanted
INSTANT_YIELD = 50  # lookups between two turns of the event loop

Ready = tuple[Claim, ItemRow, int]
"""A claim, one of its items, and the repetition."""


class Seats:
    """At most `most` calls at once of what is `ready`, until `close`.

    `changed` is set when a seat is given up, and once when ready items run low after `hungry` was
    set. A task that raises anything is told to `failed`. With `instant` one seat does it all.
    """

    def __init__(
        self,
        one: Callable[[Claim, ItemRow, int], Awaitable[None]],
        recorder: Recorder,
        failed: Callable[[BaseException], None],
        *,
        instant: bool,
    ) -> None:
        self._one = one
        self._recorder = recorder
        self._failed = failed
        self._instant = instant
        self._tasks: set[asyncio.Task[None]] = set()
        self._sitting = 0
        self._closed = False
        self.ready: deque[Ready] = deque()
        self.most = 0
        self.in_flight = 0
        self.hungry = False
        self.changed = asyncio.Event()

    @property
    def low(self) -> bool:
        """True when more items should be made ready."""
        return len(self.ready) < max(LOW, self.most)

    @property
    def empty(self) -> bool:
        """True when nothing is ready and nobody sits."""
        return not self.ready and not self._tasks

    def fill(self) -> None:
        """Seat as many as there is work and room for."""
        most = 1 if self._instant else self.most
        for _ in range(min(most - self._sitting, len(self.ready))):
            self._start(self._sit())

    def close(self) -> None:
        """Take nothing new; calls in flight go on."""
        self._closed = True

    def alone(self, ready: Ready) -> None:
        """Call one item; the caller has seen to it that nobody else sits."""
        self._start(self._take(ready))

    async def change(self, seconds: float) -> None:
        """Wait until a seat is given up, items run low or somebody sets `changed`."""
        self.changed.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.changed.wait(), seconds)

    async def quiet(self, until: Callable[[], float]) -> None:
        """Wait for the calls in flight, until the moment (time.monotonic) that may come closer."""
        while self._tasks and time.monotonic() < until():
            await self.change(0.5)

    async def drop(self) -> None:
        """Cancel what is in flight."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, sitting: Awaitable[None]) -> None:
        self._sitting += 1
        task = asyncio.ensure_future(sitting)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _sit(self) -> None:
        turns = 0
        while self.ready and not self._closed and (self._instant or self._sitting <= self.most):
            if self._recorder.full:
                await self._recorder.room()
                continue
            ready = self.ready.popleft()
            if self.hungry and self.low:
                self.hungry = False
                self.changed.set()
            if not ready[0].lost:
                await self._take(ready)
            turns += 1
            if self._instant and turns % INSTANT_YIELD == 0:
                await asyncio.sleep(0)

    async def _take(self, ready: Ready) -> None:
        self.in_flight += 1
        try:
            await self._one(*ready)
        finally:
            self.in_flight -= 1

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._sitting -= 1
        self.changed.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._failed(error)
