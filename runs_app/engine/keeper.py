"""The keeper of a stay: a thread beside the event loop that looks after it.

Leases must not depend on the event loop, because targets run on it: an `async def` that computes or
sleeps for a quarter of a minute would lose every shard of the stay, the others would take them and
lose them in the same way, and the run would never end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from django.db import Error

from runs_app.engine.database import DatabaseThread, close_connection

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.25
TICK_SECONDS = 1.0
STUCK_SECONDS = 60.0


class Keeper:
    """Calls `look` four times a second in its own thread, and `tick` every second in the database
    thread, until `stop`.

    A target that blocks the event loop for longer than its own time limit and STUCK_SECONDS can be
    ended only with the process, so that is what happens: to the run it is an item that kills its
    worker.
    """

    def __init__(
        self,
        database: DatabaseThread,
        *,
        look: Callable[[], None],
        tick: Callable[[], None],
        most_silent_s: float,
    ) -> None:
        self._database = database
        self._look = look
        self._tick = tick
        self._most_silent_s = most_silent_s + STUCK_SECONDS
        self._loop = asyncio.get_running_loop()
        self._heard = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stay-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Return when the last tick is over."""
        self._stop.set()
        self._thread.join()

    def hear(self) -> None:
        """The event loop is alive (it says so by itself, and at the start of every call)."""
        self._heard = time.monotonic()

    @property
    def silent_s(self) -> float:
        """For how long the event loop has been blocked."""
        return time.monotonic() - self._heard

    def _run(self) -> None:
        ticked = time.monotonic()
        while not self._stop.wait(LOOK_SECONDS):
            self._loop.call_soon_threadsafe(self.hear)
            self._look()
            if self.silent_s > self._most_silent_s:
                log.critical("A target has blocked its worker for %d s", self.silent_s)
                _die()
            if time.monotonic() - ticked < TICK_SECONDS:
                continue
            ticked = time.monotonic()
            try:
                self._database.submit(self._tick).result()
            except Error as error:
                log.warning("Tick failed, trying again: %s", error)
                self._database.submit(close_connection).result()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
