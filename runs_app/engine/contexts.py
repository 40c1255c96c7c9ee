"""The request context of a call: the run's, with the item's own over it."""

from __future__ import annotations

from typing import Any

from evalhub.kit.json import dumps, loads


def merged(of_run: dict[str, Any] | None, of_item: str | None) -> str | None:
    """JSON text of both, names of the item winning; None without either."""
    if of_run is None:
        return of_item
    if of_item is None:
        return dumps(of_run)
    return dumps(of_run | loads(of_item))
