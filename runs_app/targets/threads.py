"""Threads for synchronous callables: one call a thread, and a thread that hangs hurts nobody.

A fixed pool would fill up with callables that never return. Here a thread goes back to the idle
ones only when its call is over, and a new one is made when none is idle.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

Job = tuple[Callable[[], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]


class Threads:
    """Runs blocking functions for one event loop."""

    def __init__(self) -> None:
        self._idle: list[SimpleQueue[Job | None]] = []
        self._closed = False

    async def run(self, function: Callable[[], Any]) -> Any:
        """Run `function` in a thread; what it returns or raises. Cancelling leaves the thread
        behind.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if self._idle:
            inbox = self._idle.pop()
        else:
            inbox = SimpleQueue()
            threading.Thread(target=self._work, args=(inbox,), daemon=True, name="target").start()
        inbox.put((function, future, loop))
        return await future

    def close(self) -> None:
        """End the idle threads; busy ones end after their call."""
        self._closed = True
        while self._idle:
            self._idle.pop().put(None)

    def _work(self, inbox: SimpleQueue[Job | None]) -> None:
        while (job := inbox.get()) is not None:
            function, future, loop = job
            value: Any = None
            error: BaseException | None = None
            try:
                value = function()
            except BaseException as raised:  # noqa: BLE001 (sys.exit in a target must not end us)
                error = raised
            del function, job
            try:
                loop.call_soon_threadsafe(self._settle, inbox, future, value, error)
            except RuntimeError:  # the loop is gone: nobody waits for this any more
                return
            del future, value, error
            if self._closed:
                return

    def _settle(
        self,
        inbox: SimpleQueue[Job | None],
        future: asyncio.Future[Any],
        value: Any,
        error: BaseException | None,
    ) -> None:
        if self._closed:
            inbox.put(None)
        else:
            self._idle.append(inbox)
        if future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            # A StopIteration or SystemExit would not survive a Future; what it was, is in the text.
            future.set_exception(error if isinstance(error, Exception) else CallableExited(error))


class CallableExited(Exception):
    """A callable that raised SystemExit or the like."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
