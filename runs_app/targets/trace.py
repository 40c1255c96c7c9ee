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
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

MAX_BYTES = 64 * 1024  # of the stored spans
MAX_SPANS = 500
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


def spans_json(spans: Sequence[Span]) -> str | None:
    """The spans as JSON text of at most MAX_BYTES, None without any.

    What is too much is left out: first the details of the largest spans, then spans in the middle,
    in whose place one says how many. Texts that no database takes are made harmless.
    """
    if not spans:
        return None
    if len(spans) <= MAX_SPANS:
        try:
            whole = orjson.dumps(spans)
        except TypeError:
            whole = b""
        if 0 < len(whole) <= MAX_BYTES:
            return whole.decode()
    encoded = [_encode(span) for span in spans]
    size = sum(map(len, encoded)) + len(encoded) + 1
    if size > MAX_BYTES or len(encoded) > MAX_SPANS:
        encoded = _cut(spans, encoded)
    return (b"[" + b",".join(encoded) + b"]").decode()


def _encode(span: Span) -> bytes:
    try:
        return orjson.dumps(span)
    except TypeError:  # a lone surrogate, or a value of a target's own that is no JSON
        return orjson.dumps(_harmless(span))


def _harmless(value: Any) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -(2**53) < value < 2**53 else str(value)
    if isinstance(value, Mapping):
        return {_text(name): _harmless(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(inner) for inner in value]
    return _text(value)


def _text(value: object) -> str:
    return str(value).encode("utf-8", "replace").decode()


def _cut(spans: Sequence[Span], encoded: list[bytes]) -> list[bytes]:
    bare = [_encode({k: v for k, v in span.items() if k != "data"}) for span in spans]
    over = sum(map(len, encoded)) + len(encoded) + 1 - MAX_BYTES
    for place in sorted(range(len(encoded)), key=lambda i: len(bare[i]) - len(encoded[i])):
        if over <= 0:
            break
        over -= len(encoded[place]) - len(bare[place])
        encoded[place] = bare[place]
    if over <= 0 and len(encoded) <= MAX_SPANS:
        return encoded
    room = MAX_BYTES - 400
    kept_first: list[bytes] = []
    kept_last: list[bytes] = []
    remaining = list(range(len(encoded)))
    while remaining and len(kept_first) + len(kept_last) < MAX_SPANS - 1:
        first = len(kept_first) <= len(kept_last)
        place = remaining[0 if first else -1]
        room -= len(encoded[place]) + 1
        if room < 0:
            break
        remaining.pop(0 if first else -1)
        (kept_first if first else kept_last).append(encoded[place])
    if not remaining:
        return encoded
    left_out = spans[remaining[0]]
    note = {
        "name": f"{len(remaining)} more spans, left out",
        "kind": "step",
        "start_ms": left_out.get("start_ms", 0),
        "ms": 0,
        "depth": 1,
    }
    return [*kept_first, _encode(note), *reversed(kept_last)]
