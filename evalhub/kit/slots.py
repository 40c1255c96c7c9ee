"""Slots: places in one app's pages that another app may fill without being imported.

A provider gets everything that the page shows at once and answers with one query; a slot without a
provider renders nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_providers: dict[str, Callable[..., dict[Any, Any]]] = {}


def provide(name: str, provider: Callable[..., dict[Any, Any]]) -> None:
    """Let `provider(keys, **context)` fill slot `name`; it returns {key: value} for the keys it
    knows.
    """
    _providers[name] = provider


def fill(name: str, keys: Sequence[Any], **context: Any) -> dict[Any, Any]:
    """Ask the provider of `name` for all `keys` at once; {} when there is no provider."""
    provider = _providers.get(name)
    return provider(keys, **context) if provider and keys else {}
