"""Spans, trace ids and usage that a target hands back: checked and cut before they are kept. Pure.

What cannot be read hurts nobody: the output counts, and the trace says what was left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from evalhub.kit.json import JsonError, dumps
from runs_app.targets.trace import Span, Trace

MAX_SPANS = 200
MAX_NAME = 200
MAX_TEXT = 2_000
MAX_DATA = 8_000  # characters of one span's details
MAX_DEPTH = 20
MAX_MS = 1e9
MAX_TRACE_ID = 64  # what the column holds
MAX_TOKENS = 2_000_000_000
KINDS = ("model", "http", "tool", "step", "scorer")


def adopt_spans(trace: Trace, given: object, *, start_ms: float) -> None:
    """Put a target's own spans below the try that began at `start_ms`.

    `given` is a list of objects with `name`, `start_ms` and `ms`; its times count from the start of
    the call. Those that cannot be read are left out, and a span says how many.
    """
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        trace.add("Spans that could not be read", "step", start_ms, ms=0, error="They are no list.")
        return
    read = [_span(one, start_ms) for one in given[:MAX_SPANS]]
    trace.spans.extend(span for span in read if span is not None)
    unread, many = read.count(None), len(given) - MAX_SPANS
    if unread:
        error = "A span is an object with a name, and with start_ms and ms as numbers."
        trace.add(f"{unread} spans that could not be read", "step", start_ms, ms=0, error=error)
    if many > 0:
        trace.add(f"{many:,} more spans, left out", "step", start_ms, ms=0)


def adopt_trace_id(trace: Trace, given: object) -> None:
    """Take the target's own trace id; what is none (or too long for one) is passed over."""
    if isinstance(given, str) and 0 < len(given) <= MAX_TRACE_ID and given.isprintable():
        trace.trace_id = given.encode("utf-8", "replace").decode()


def adopt_usage(
    trace: Trace, input_tokens: object = None, output_tokens: object = None, cost: object = None
) -> None:
    """Add tokens and cost (US dollars) of one call; what is no count or amount is passed over."""
    trace.use(_count(input_tokens), _count(output_tokens), _amount(cost))


def _span(given: object, start_ms: float) -> Span | None:
    if not isinstance(given, Mapping):
        return None
    name = given.get("name")
    begin, took = _number(given.get("start_ms", 0)), _number(given.get("ms"))
    if not isinstance(name, str) or not name.strip() or begin is None or took is None:
        return None
    depth = given.get("depth", 0)
    depth = depth if isinstance(depth, int) and 0 <= depth < MAX_DEPTH else 0
    kind = given.get("kind")
    span: Span = {
        "name": name.strip()[:MAX_NAME],
        "kind": kind if kind in KINDS else "step",
        "start_ms": round(start_ms + begin, 2),
        "ms": round(took, 2),
        "depth": depth + 1,
    }
    if given.get("error"):
        span["error"] = str(given["error"])[:MAX_TEXT]
    data = _data(given.get("data"))
    if data:
        span["data"] = data
    return span


def _data(given: object) -> Mapping[str, Any] | None:
    if not isinstance(given, Mapping) or not given:
        return None
    try:
        size = len(dumps(dict(given)))
    except JsonError as error:
        return {"left_out": error.message}
    return given if size <= MAX_DATA else {"left_out": f"{size:,} characters of details"}


def _number(given: object) -> float | None:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return float(given) if abs(given) <= MAX_MS and given >= 0 else None


def _count(given: object) -> int | None:
    if isinstance(given, bool) or not isinstance(given, int):
        return None
    return given if 0 <= given <= MAX_TOKENS else None


def _amount(given: object) -> float | None:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return float(given) if 0 <= given < 1e9 and math.isfinite(given) else None
