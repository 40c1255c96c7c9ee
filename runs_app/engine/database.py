"""The one database thread of a stay: the ORM never runs on the event loop.

One thread means one connection, closed inside that thread at the end. A call is never cancelled
half way: whoever stops waiting, the thread finishes what it began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")


class DatabaseThread:
    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stay-db")

    async def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `function` in the thread, after all that was asked before."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(function, *args, **kwargs)))

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """The same for another thread than the event loop's, which waits for the result itself."""
        return self._pool.submit(function, *args, **kwargs)

    async def reconnect(self) -> None:
        """Let go of the thread's connection; the next call opens another."""
        await self(close_connection)

    async def close(self) -> None:
        """Close the connection in its own thread, and end the thread."""
        try:
            await self(close_connection)
        finally:
            self._pool.shutdown(wait=True)


def close_connection() -> None:
    """Close the connection of the thread that calls."""
    connection.close()
