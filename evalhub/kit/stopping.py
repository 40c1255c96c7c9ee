"""A worker that is shutting down tells its long tasks to leave.

The event lives in shared memory, made before the pool forks, so the children of a prefork pool see
it as well as the threads of a thread pool.
"""

from __future__ import annotations

import multiprocessing

_stopping = multiprocessing.get_context("fork").Event()


def ask_to_stop() -> None:
    """From now on `stopping()` is true in this worker and its children."""
    _stopping.set()


def stopping() -> bool:
    return _stopping.is_set()
