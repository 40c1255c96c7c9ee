"""Targets that fail for a while, and then no more. What they have seen is in `seen`, by input."""

import asyncio
from collections import Counter
from typing import Any

import evalhub
from runs_app.targets import TargetFailure

seen: Counter[str] = Counter()


def _count(input: Any) -> int:
    key = str(input["key"])
    seen[key] += 1
    return seen[key]


@evalhub.target(id="throttles", kind="agent", name="Says 429 at first")
async def throttles(input: Any) -> Any:
    """429 for the first `times` calls of a key, then the input."""
    await asyncio.sleep(0.005)
    if _count(input) <= input["times"]:
        raise TargetFailure("rate_limited", "Too many.", throttled=True, retry_after_s=0.05)
    return input


@evalhub.target(id="fails-at-first", kind="agent", name="Fails at first")
async def fails_at_first(input: Any) -> Any:
    """An error that no retry mends for the first `times` calls of a key, then the input."""
    await asyncio.sleep(0.002)
    if _count(input) <= input["times"]:
        raise TargetFailure("broken", "Not yet.")
    return input


@evalhub.target(id="says-context", kind="agent", name="Says its context")
async def says_context(input: Any, *, context: Any = None) -> Any:
    return context
