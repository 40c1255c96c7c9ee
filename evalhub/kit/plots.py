"""The larger charts: forest plot, latency strip and trend. Same rules as `evalhub.kit.charts`."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from evalhub.kit.figures import duration_ms, money
from evalhub.kit.svg import drawing, escape, nice_ticks, num, path, text_at, tick_label

Kind = Literal["good", "bad", "none"]
TrendUnit = Literal["share", "number", "ms", "usd"]


@dataclass(frozen=True, slots=True)
class ForestScale:
    """The domain that all rows of a forest plot and its axis share, and the axis numbers."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def x(self, value: float, w: int) -> float:
        """Where the value stands in a plot `w` wide; values outside stay at the edge."""
        if not math.isfinite(value):
            value = 0.0
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return 8 + share * (w - 16)


def forest_scale(
    intervals: Iterable[tuple[float | None, float | None]], margin: float | None = None
) -> ForestScale:
    """One domain fitted to all intervals, always holding 0 and the margin (same unit)."""
    known = [
        bound
        for interval in intervals
        for bound in interval
        if bound is not None and math.isfinite(bound)
    ]
    known += [0.0, margin or 0.0]
    low, high = min(known), max(known)
    if low == high:
        low, high = -1.0, 1.0
    room = (high - low) * 0.04
    low, high = low - room, high + room
    inside = tuple(t for t in nice_ticks(low, high, 6) if low <= t <= high)
    return ForestScale(low, high, inside)


def forest_axis(scale: ForestScale, *, w: int = 260) -> str:
    """The numbers over a forest plot, for the head of its column."""
    body = ""
    for tick in scale.ticks:
        x = num(scale.x(tick, w))
        body += text_at(scale.x(tick, w), 12, tick_label(tick, signed=True), "middle")
        body += f'<line class="c-axis" x1="{x}" x2="{x}" y1="17" y2="22"/>'
    return (
        f'<svg class="forest-plot forest-plot--axis" viewBox="0 0 {w} 22"'
        f' aria-hidden="true">{body}</svg>'
    )


def forest_row(
    value: float | None,
    low: float | None,
    high: float | None,
    scale: ForestScale,
    label: str,
    *,
    kind: Kind = "none",
    margin: float | None = None,
    w: int = 260,
    h: int = 36,
) -> str:
    """One row of a forest plot: an up triangle is better, a down one worse, a circle neither.

    All numbers are in the unit of the scale. Without a value only the grid is drawn. The margin
    is a dashed line on the side where it stands, -2 for "at most 2 worse".
    """
    body, y = "", num(h / 2)
    for tick in scale.ticks:
        x = num(scale.x(tick, w))
        cls = "c-axis" if tick == 0 else "c-grid"
        body += f'<line class="{cls}" x1="{x}" x2="{x}" y1="-12" y2="{h + 12}"/>'
    if margin:
        x = num(scale.x(margin, w))
        body += f'<line class="c-thr" x1="{x}" x2="{x}" y1="-12" y2="{h + 12}"/>'
    kind = kind if kind in ("good", "bad") else "none"
    if value is not None and low is not None and high is not None:
        left, right = num(scale.x(low, w)), num(scale.x(high, w))
        body += (
            f'<path class="fp-ci fp-{kind}" d="M{left} {y}H{right}'
            f'M{left} {num(h / 2 - 4)}v8M{right} {num(h / 2 - 4)}v8"/>'
        )
    if value is not None:
        middle = scale.x(value, w)
        if kind == "good":
            start = f"M{num(middle - 4.5)} {num(h / 2 + 4)}h9l-4.5-8z"
            body += f'<path class="fp-good" d="{start}"/>'
        elif kind == "bad":
            start = f"M{num(middle - 4.5)} {num(h / 2 - 4)}h9l-4.5 8z"
            body += f'<path class="fp-bad" d="{start}"/>'
        else:
            body += f'<circle class="fp-none" cx="{num(middle)}" cy="{y}" r="4"/>'
    return drawing("forest-plot", w, h, label, body)


@dataclass(frozen=True, slots=True)
class LatencyProfile:
    """Latencies in milliseconds, small enough to keep with a run's summary.

    Bin i of n counts latencies from ``(i/n)**2 * max_ms`` up to ``((i+1)/n)**2 * max_ms``.
    """

    counts: tuple[int, ...]
    max_ms: float
    p50: float
    p95: float
    p99: float


def latency_profile(
    latencies_ms: Iterable[float | None],
    percentiles: tuple[float, float, float] | None = None,
    bins: int = 40,
) -> LatencyProfile | None:
    """Counts on a square-root time axis; None when there is no latency.

    `percentiles` are the p50, p95 and p99 that the page shows, when they are already known;
    otherwise they are computed with linear interpolation.
    """
    known = sorted(v for v in latencies_ms if v is not None and math.isfinite(v) and v >= 0)
    if not known:
        return None
    max_ms = known[-1] or 1.0
    counts = [0] * bins
    for value in known:
        counts[min(int(math.sqrt(value / max_ms) * bins), bins - 1)] += 1
    p50, p95, p99 = percentiles or tuple(_percentile(known, q) for q in (0.5, 0.95, 0.99))
    return LatencyProfile(tuple(counts), max_ms, p50, p95, p99)


def latency_strip(
    profile: LatencyProfile | None,
    label: str,
    *,
    axis_max_ms: float | None = None,
    mute: bool = False,
    w: int = 280,
    h: int = 72,
) -> str:
    """Histogram on a square-root time axis with p50, p95 and p99 marked; empty without profile.

    Two runs share an axis when both get the larger `max_ms` as `axis_max_ms`.
    """
    if profile is None:
        return ""
    end = max(axis_max_ms or 0.0, profile.max_ms)
    base, top = h - 16, max(profile.counts, default=0) or 1

    def x(ms: float) -> float:
        return math.sqrt(min(max(ms, 0.0), end) / end) * w

    body = f'<line class="c-axis" x1="0" x2="{w}" y1="{base}" y2="{base}"/>'
    width = x(profile.max_ms) / max(len(profile.counts), 1)
    cls = "c-bar c-bar--mute" if mute else "c-bar"
    for i, count in enumerate(profile.counts):
        if count:
            height = max(count / top * (h - 34), 0.6)
            body += (
                f'<rect class="{cls}" x="{num(i * width + 0.5)}" y="{num(base - height)}"'
                f' width="{num(max(width - 1, 1))}" height="{num(height)}"/>'
            )
    marks = [x(profile.p50), x(profile.p95), x(profile.p99)]
    for name, mark, place in zip(("p50", "p95", "p99"), marks, _apart(marks, 32, w), strict=True):
        body += f'<line class="c-mark" x1="{num(mark)}" x2="{num(mark)}" y1="14" y2="{base}"/>'
        body += text_at(place, 10, name, "middle", "em")
    for tick, anchor in _time_ticks(end, x, w):
        body += text_at(x(tick), h - 3, _time_label(tick, end), anchor)
    return drawing("chart", w, h, label, body)


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One run of a trend: its figure with its interval (None without one), and what to call it.

    `new_version` marks a run on another dataset version than the one before; it breaks the line.
    `href` is where a click on the point leads.
    """

    value: float
    low: float | None
    high: float | None
    name: str
    tick: str
    new_version: bool = False
    href: str = ""


def trend(
    points: Sequence[TrendPoint],
    label: str,
    *,
    unit: TrendUnit = "share",
    w: int = 1120,
    h: int = 190,
) -> str:
    """Figures over time with a 95% band; empty for no run. The axis may start above 0."""
    if not points:
        return ""
    left, right, top, bottom = 60, 72, 12, 26
    ends = [end for p in points for end in (p.low, p.value, p.high) if end is not None]
    axis = nice_ticks(min(ends), max(ends), 4)
    low, high = axis[0], axis[-1]

    def x(i: int) -> float:
        return left + i * (w - left - right) / max(len(points) - 1, 1)

    def y(value: float) -> float:
        return top + (high - min(max(value, low), high)) / (high - low) * (h - top - bottom)

    body = ""
    for t in axis:
        at = num(y(t))
        body += f'<line class="c-grid" x1="{left}" x2="{w - right}" y1="{at}" y2="{at}"/>'
        body += text_at(left - 8, y(t) + 4, _said(t, unit), "end")
    for part in _unbroken(points):
        upper = [(x(i), y(p.high)) for i in part if (p := points[i]).high is not None]
        lower = [(x(i), y(p.low)) for i in reversed(part) if (p := points[i]).low is not None]
        if upper and lower:
            body += f'<path class="c-band" d="{path(upper + lower)}Z"/>'
        body += f'<path class="c-line" d="{path([(x(i), y(points[i].value)) for i in part])}"/>'
    room, last_x = 44.0, -math.inf
    for i, point in enumerate(points):
        body += _trend_dot(point, x(i), y(point.value), unit)
        if x(i) - last_x >= room:
            body += text_at(x(i), h - 6, point.tick, "middle")
            last_x = x(i)
    last = points[-1].value
    body += text_at(x(len(points) - 1) + 8, y(last) + 4, _said(last, unit), "", "em")
    role = "group" if any(point.href for point in points) else "img"
    return drawing("chart chart--trend", w, h, label, body, role=role)


def _trend_dot(point: TrendPoint, x: float, y: float, unit: TrendUnit) -> str:
    cls = "c-dot c-dot--open" if point.new_version else "c-dot"
    told = f"{point.name}: {_said(point.value, unit)}"
    if point.low is not None and point.high is not None:
        told += f" (95% CI {_said(point.low, unit, bare=True)} to "
        told += f"{_said(point.high, unit, bare=True)})"
    words = escape(told)
    dot = f'<circle class="{cls}" cx="{num(x)}" cy="{num(y)}" r="4"><title>{words}</title></circle>'
    if not point.href:
        return dot
    # The larger circle, which is not seen, is easier to hit.
    reach = f'<circle class="c-reach" cx="{num(x)}" cy="{num(y)}" r="12"/>'
    return f'<a href="{escape(point.href)}" aria-label="{words}">{reach}{dot}</a>'


def _said(value: float, unit: TrendUnit, *, bare: bool = False) -> str:
    """The figure as its axis writes it; `bare` leaves out a %."""
    if unit == "ms":
        return duration_ms(value)
    if unit == "usd":
        return money(value)
    if unit == "number":
        return tick_label(round(value, 3))
    return tick_label(round(value * 100, 1)) + ("" if bare else "%")


def _percentile(ordered: Sequence[float], q: float) -> float:
    at = q * (len(ordered) - 1)
    below = math.floor(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def _apart(places: Sequence[float], least: float, w: float) -> list[float]:
    """The places pushed so far apart that labels do not overlap, all inside the width."""
    out: list[float] = []
    for place in places:
        floor = out[-1] + least if out else 10.0
        out.append(max(place, floor))
    ceiling = w - 10.0
    for i in range(len(out) - 1, -1, -1):
        out[i] = min(out[i], ceiling)
        ceiling = out[i] - least
    return out


def _time_ticks(end: float, x: Callable[[float], float], w: int) -> list[tuple[float, str]]:
    """Round times in ms that have room on the axis, each with its text anchor."""
    chosen: list[tuple[float, str]] = [(0.0, "start")]
    last = 14.0
    gap = 34 if end >= 1 else 50  # "0.02 ms" is a wider label than "20 ms"
    units = [f * 10.0**p for p in range(-4, 3) for f in (1, 2, 5)]
    units += [f * 1000.0 for f in (1, 2, 4, 8, 15, 30, 60, 120, 300, 600, 1800, 3600)]
    for tick in units:
        if tick > end:
            break
        here = x(tick)
        if here - last >= gap and here <= w - gap / 2:
            chosen.append((tick, "middle"))
            last = here
    return chosen


def _time_label(ms: float, end: float) -> str:
    if end < 1000:
        return f"{tick_label(ms)} ms"
    if ms >= 60_000:
        return f"{tick_label(ms / 60_000)} min"
    return f"{tick_label(ms / 1000)} s"


def _unbroken(points: Sequence[TrendPoint]) -> list[list[int]]:
    """Indexes of the stretches that one line may join."""
    parts: list[list[int]] = []
    for i, point in enumerate(points):
        if not parts or point.new_version:
            parts.append([])
        parts[-1].append(i)
    return parts
