"""The one database thread of a stay: the ORM never runs on the event loop.

One thread means one connection, closed inside that thread at the end. A call is never cancelled
half way: whoever stops waiting, the thread finishes what it began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")


class DatabaseThread:
    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stay-db")

    async def __call__(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `function` in the thread, after all that was asked before."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(
            loop.run_in_executor(self._pool, lambda: function(*args, **kwargs))
        )

    async def reconnect(self) -> None:
        """Let go of the thread's connection; the next call opens another."""
        await self(_close_connection)

    async def close(self) -> None:
        """Close the connection in its own thread, and end the thread."""
        await self(_close_connection)
        self._pool.shutdown(wait=True)


def _close_connection() -> None:
    connection.close()  # looked up in the thread that calls: every thread has its own
