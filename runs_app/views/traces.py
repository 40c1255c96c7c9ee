"""The waterfall of one result: spans (targets/trace.py) laid out as shares of the whole. Pure.

Spans may come from a target's own reply, so anything may be missing or of the wrong type.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from evalhub.kit.figures import duration_ms
from evalhub.kit.json import JsonError, loads

MOST_DEPTH = 2  # deeper spans stand under their parents, but no further to the right
# kind: class of its square, fill of its bar, words
KINDS = {
    "try": ("", "mute", "Try"),
    "step": ("", "mute", "Step"),
    "http": ("sq--llm", "b", "Model or HTTP call"),
    "model": ("sq--llm", "b", "Model or HTTP call"),
    "tool": ("sq--tool", "warn", "Tool call"),
    "scorer": ("sq--score", "good", "Scorer"),
}
LEGEND = ("try", "model", "tool", "scorer")
TICKS = 4


@dataclass(frozen=True, slots=True)
class SpanLine:
    """One span. `start` and `length` are shares (0 to 1) of the whole trace; `data` is None without
    details."""

    name: str
    kind: str
    square: str
    fill: str
    depth: int
    start: float
    length: float
    duration: str
    error: str
    data: Any


@dataclass(frozen=True, slots=True)
class TraceView:
    """What `runs/_trace.html` shows. `axis` are the labels under which the bars stand.

    `id` is "" when the result has none, `url` when the project has no tracing tool of its own.
    """

    lines: tuple[SpanLine, ...]
    axis: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    total: str
    id: str
    url: str

    @property
    def count(self) -> int:
        return len(self.lines)


def trace_view(spans_json: str | None, trace_id: str, trace_url: str) -> TraceView | None:
    """The trace of a result, None when it has neither spans nor an id.

    `trace_url` is the project's template with {trace_id} in it, "" without one.
    """
    spans = _spans(spans_json)
    if not spans and not trace_id:
        return None
    total = max((_number(span, "start_ms") + _number(span, "ms") for span in spans), default=0.0)
    whole = total or 1.0
    # A span is kept when it ends, so a try comes after what it called.
    spans.sort(key=lambda span: (_number(span, "start_ms"), _number(span, "depth")))
    lines = tuple(_line(span, whole) for span in spans)
    fills = {line.fill for line in lines}
    return TraceView(
        lines=lines,
        axis=tuple(_tick(total * place / TICKS) for place in range(TICKS + 1)),
        legend=tuple(
            (KINDS[kind][0], KINDS[kind][2]) for kind in LEGEND if KINDS[kind][1] in fills
        ),
        total=duration_ms(total),
        id=trace_id,
        url=trace_link(trace_url, trace_id),
    )


def trace_link(trace_url: str, trace_id: str) -> str:
    """Where the project's own tracing tool shows this trace; "" without a tool or an id."""
    if not trace_url or not trace_id:
        return ""
    return trace_url.replace("{trace_id}", quote(trace_id, safe=""))


def _spans(spans_json: str | None) -> list[Mapping[str, Any]]:
    if not spans_json:
        return []
    try:
        found = loads(spans_json)
    except JsonError:
        return []
    return [span for span in found if isinstance(span, dict)] if isinstance(found, list) else []


def _line(span: Mapping[str, Any], whole: float) -> SpanLine:
    kind = str(span.get("kind") or "step")
    square, fill, _words = KINDS.get(kind, KINDS["step"])
    start, ms = _number(span, "start_ms"), _number(span, "ms")
    return SpanLine(
        name=str(span.get("name") or kind),
        kind=kind,
        square=square,
        fill=fill,
        depth=min(MOST_DEPTH, int(_number(span, "depth"))),
        start=start / whole,
        length=ms / whole,
        duration=duration_ms(ms),
        error=str(span.get("error") or ""),
        data=span.get("data") or None,
    )


def _number(span: Mapping[str, Any], name: str) -> float:
    """A number of 0 or more; 0 for anything else."""
    value = span.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.0
    return max(0.0, float(value)) if math.isfinite(value) else 0.0


def _tick(ms: float) -> str:
    return "0" if ms == 0 else duration_ms(ms)
