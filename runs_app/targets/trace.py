"""What happened while one result came about: spans, tokens and cost. Pure.

A trace is made per result and handed to the target at every try. Spans are plain dicts, because a
run makes thousands of them a second:

- `name`, `kind` ("try", "model", "http", "tool", "step" or "scorer")
- `start_ms`, `ms`: since the start of the result, and how long
- `depth`: 0 for tries and scorers, more below them
- `error`: what went wrong, left out when nothing did
- `data`: details as a JSON object, left out when there are none
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from typing import Any

from evalhub.kit.json import dumps

MAX_CHARS = 64 * 1024  # of the stored spans
MAX_TEXT = 2_000  # of one text in a span's data
SPAN_KINDS = ("try", "model", "http", "tool", "step", "scorer")

Span = dict[str, Any]


class Trace:
    """The spans, tokens and cost of one result, over all its tries.

    `trace_id` is 32 hex digits (W3C), or what the target says its own id is. `capture` asks
    transports to keep request and response in their spans (a check of a target).
    """

    __slots__ = (
        "capture",
        "cost_usd",
        "input_tokens",
        "output_tokens",
        "own_id",
        "spans",
        "started",
        "trace_id",
    )

    def __init__(self, *, capture: bool = False) -> None:
        self.own_id = self.trace_id = f"{random.getrandbits(128):032x}"
        self.started = time.perf_counter()
        self.spans: list[Span] = []
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.cost_usd: float | None = None
        self.capture = capture

    def now_ms(self) -> float:
        """Milliseconds since the start of the result."""
        return (time.perf_counter() - self.started) * 1000

    def add(
        self,
        name: str,
        kind: str,
        start_ms: float,
        *,
        ms: float | None = None,
        depth: int = 1,
        error: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """A span that began at `start_ms` (see `now_ms`) and ends now, or after `ms`."""
        span: Span = {
            "name": name,
            "kind": kind,
            "start_ms": round(start_ms, 2),
            "ms": round(self.now_ms() - start_ms if ms is None else ms, 2),
            "depth": depth,
        }
        if error:
            span["error"] = error
        if data:
            span["data"] = data
        self.spans.append(span)

    def use(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        cost_usd: float | None = None,
    ) -> None:
        """Add what one call used; None for what it does not say."""
        if input_tokens is not None:
            self.input_tokens = (self.input_tokens or 0) + input_tokens
        if output_tokens is not None:
            self.output_tokens = (self.output_tokens or 0) + output_tokens
        if cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + cost_usd

    def traceparent(self) -> str:
        """The W3C header for a call: our trace, a new parent span, sampled."""
        return f"00-{self.own_id}-{random.getrandbits(64) or 1:016x}-01"
