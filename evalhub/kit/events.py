"""Synchronous events between apps: the handlers run in the sender's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

_handlers: dict[str, list[Callable[..., None]]] = defaultdict(list)


def on(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register the decorated function for event `name`."""

    def register(handler: Callable[..., None]) -> Callable[..., None]:
        if handler not in _handlers[name]:
            _handlers[name].append(handler)
        return handler

    return register


def emit(name: str, **payload: Any) -> None:
    """Call every handler of `name`, in the order of registration; their errors reach the caller."""
    for handler in _handlers[name]:
        handler(**payload)
