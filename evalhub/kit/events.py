"""Events: what one app tells, in the same transaction, to apps that it does not know.

Who listens may write, and an error of theirs is an error of the change itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_listeners: dict[str, list[Callable[..., None]]] = {}


def listen(name: str, listener: Callable[..., None]) -> None:
    """Let `listener(**facts)` hear of every event `name`; twice the same counts once."""
    known = _listeners.setdefault(name, [])
    if listener not in known:
        known.append(listener)


def tell(name: str, **facts: Any) -> None:
    """Call everybody who listens to `name`, in the order in which they began to."""
    for listener in _listeners.get(name, ()):
        listener(**facts)
