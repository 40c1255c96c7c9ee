"""Arrays that a process keeps for the next request, the longest unused first to go. Pure."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memory:
    """At most `limit_bytes` of values by key. Any thread may ask; two that ask for the same thing
    at once may both make it."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._values: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """The value kept under `key`, or a new one; one larger than a half of all is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                kept: T = self._values[key][0]
                return kept
        value = make()
        nbytes = size(value)
        if nbytes <= self._limit // 2:
            with self._lock:
                self._drop(key)
                self._values[key] = (value, nbytes)
                self._held += nbytes
                while self._held > self._limit:
                    self._held -= self._values.popitem(last=False)[1][1]
        return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._held = 0

    def _drop(self, key: Hashable) -> None:
        if key in self._values:
            self._held -= self._values.pop(key)[1]
