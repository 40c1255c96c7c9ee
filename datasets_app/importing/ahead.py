"""Work that goes on in a thread beside the one that uses what it gives. Pure."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_WAIT_S = 0.2


@contextmanager
def read_ahead(make: Callable[[], Iterator[T]], depth: int = 2) -> Iterator[Iterator[T]]:
    """What the iterator of `make` gives, computed up to `depth` ahead in a thread of its own.

    An exception in there is raised where its value would have come. Leaving the context ends the
    thread; the iterator is used up or closed there.
    """
    ready: queue.Queue[tuple[bool, T | BaseException | None]] = queue.Queue(depth)
    leaving = threading.Event()

    def put(last: bool, value: T | BaseException | None) -> bool:
        while not leaving.is_set():
            try:
                ready.put((last, value), timeout=_WAIT_S)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for value in make():
                if not put(False, value):
                    return
        except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
            put(True, error)
        else:
            put(True, None)

    def values() -> Iterator[T]:
        while True:
            last, value = ready.get()
            if not last:
                yield value  # type: ignore[misc]  # what is not the last is a value
            elif isinstance(value, BaseException):
                raise value
            else:
                return

    thread = threading.Thread(target=work, name="read-ahead", daemon=True)
    thread.start()
    try:
        yield values()
    finally:
        leaving.set()
        thread.join()
