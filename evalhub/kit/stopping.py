"""A worker that is shutting down tells its long tasks to leave.

The flag is a byte of shared memory, made before the pool forks, so the children of a prefork pool
see it as well as the threads of a thread pool. It has no lock: a child that is killed while it
looks would keep a lock for ever, and with it all the others.
"""

from __future__ import annotations

import mmap

_flag = mmap.mmap(-1, 1)


def ask_to_stop() -> None:
    """From now on `stopping()` is true in this worker and its children."""
    _flag[0] = 1


def stopping() -> bool:
    return _flag[0] == 1
