"""Small charts drawn on the server as inline SVG; the larger ones are in `evalhub.kit.plots`.

Every function returns markup as ``str`` with all labels escaped, or an empty string where the
docstring says so. Nothing carries a ``style`` attribute: lengths are SVG attributes and colours
are classes, so a strict style policy holds. A chart says its finding in ``aria-label`` and
``<title>``; the same figures belong in the text beside it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evalhub.kit.svg import clamp, drawing, escape, nice_ticks, num, path, text_at, tick_label

_FILLS = frozenset({"good", "bad", "warn", "mute", "accent", "a", "b", "live"})
_RUN_KEYS = frozenset({"a", "b", "c"})


def bin_counts(
    values: Iterable[float], low: float = 0.0, high: float = 1.0, bins: int = 10
) -> tuple[int, ...]:
    """How many values fall in each of `bins` equal parts; values outside go to the end bins."""
    counts = [0] * bins
    width = (high - low) / bins or 1.0
    for value in values:
        if math.isfinite(value):
            counts[min(max(int((value - low) / width + 1e-9), 0), bins - 1)] += 1
    return tuple(counts)


def sparkline(
    values: Iterable[float | None], label: str, *, least: float = 0.05, w: int = 96, h: int = 24
) -> str:
    """The shape of the last runs, last point marked; empty for no value.

    The vertical span is at least `least` (5 points of a share), so that noise looks flat.
    """
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    pad = max(0.0, least - (high - low)) / 2
    low, span = low - pad, (high - low + 2 * pad) or 1.0
    step = (w - 6) / max(len(known) - 1, 1)
    start = 3.0 if len(known) > 1 else w - 3.0
    points = [(start + i * step, h - 4 - (v - low) / span * (h - 8)) for i, v in enumerate(known)]
    x, y = points[-1]
    line = f'<path class="c-line c-line--mute" d="{path(points)}"/>' if len(known) > 1 else ""
    dot = f'<circle class="c-dot" cx="{num(x)}" cy="{num(y)}" r="3"/>'
    return drawing("sparkline", w, h, label, line + dot)


def hist(
    counts: Sequence[int],
    label: str,
    *,
    low: float = 0.0,
    high: float = 1.0,
    threshold: float | None = None,
    higher_is_better: bool = True,
    mute: bool = False,
    w: int = 152,
    h: int = 34,
) -> str:
    """Bars of square-root height over the scorer's whole range, failing bins marked.

    `counts` come from `bin_counts` with the same range; the threshold is in the range's unit.
    """
    top, bins = max(counts, default=0), max(len(counts), 1)
    width, step = w / bins, (high - low) / bins
    body = ""
    for i, count in enumerate(counts):
        if count <= 0:
            continue
        height = max(1.0, math.sqrt(count / top) * (h - 2))
        left, right = low + i * step, low + (i + 1) * step
        failing = threshold is not None and (
            right <= threshold + 1e-9 if higher_is_better else left >= threshold - 1e-9
        )
        cls = "c-bar c-bar--low" if failing else ("c-bar c-bar--mute" if mute else "c-bar")
        body += (
            f'<rect class="{cls}" x="{num(i * width + 0.75)}" y="{num(h - height)}"'
            f' width="{num(width - 1.5)}" height="{num(height)}" rx="1"/>'
        )
    if threshold is not None and high > low:
        x = num((min(max(threshold, low), high) - low) / (high - low) * w)
        body += f'<line class="c-thr" x1="{x}" x2="{x}" y1="-2" y2="{h}"/>'
    body += f'<line class="c-axis" x1="0" x2="{w}" y1="{h}" y2="{h}"/>'
    body += text_at(0, h + 13, tick_label(low)) + text_at(w, h + 13, tick_label(high), "end")
    return drawing("chart", w, h + 15, label, body)


def hist2(passed: int, failed: int, *, w: int = 152) -> str:
    """A two-valued scorer: one bar for each value, counts written out."""
    top, left, room = max(passed, failed, 1), 30, w - 70
    body = ""
    for y, word, count, fill in ((0, "Pass", passed, "f-good"), (19, "Fail", failed, "f-bad")):
        width = max(2.0, count / top * room) if count > 0 else 0.0
        body += text_at(0, y + 11, word)
        body += (
            f'<rect class="{fill}" x="{left}" y="{y + 2}" width="{num(width)}" height="11" rx="2"/>'
        )
        body += text_at(w, y + 11, f"{count:,}", "end", "em")
    return drawing("chart", w, 34, f"{passed:,} passed, {failed:,} failed", body)


def ticks(outcomes: Sequence[bool | None]) -> str:
    """The last runs of one item, oldest first: tall passed, short failed, dash no result."""
    if not outcomes:
        return ""
    shapes = {
        True: '<rect class="f-good" x="{}" y="2" width="4" height="12" rx="1"/>',
        False: '<rect class="f-bad" x="{}" y="9" width="4" height="5" rx="1"/>',
        None: '<rect class="f-mute" x="{}" y="12" width="4" height="2"/>',
    }
    body = "".join(shapes[outcome].format(i * 6) for i, outcome in enumerate(outcomes))
    known = [outcome for outcome in outcomes if outcome is not None]
    label = f"{sum(known)} of {len(known)} recent runs passed" if known else "No recent result"
    w = len(outcomes) * 6
    return drawing("ticks", w, 16, label, body, extra=f' width="{w}" height="16"')


def meter(share: float, label: str) -> str:
    """A thin bar filled to the share (0 to 1)."""
    width = num(clamp(share) * 100)
    return drawing(
        "meter",
        100,
        6,
        label,
        '<rect class="meter__track" width="100" height="6"/>'
        f'<rect class="meter__fill" width="{width}" height="6"/>',
        extra=' preserveAspectRatio="none"',
    )


def progress(
    parts: Iterable[tuple[str, float]], total: float, label: str, *, thin: bool = False
) -> str:
    """A progress bar. Parts are (fill, count); work in flight has the fill "live".

    Fills: good, bad, warn, mute, accent, a, b, live. A total of 0 draws an empty track.
    """
    shares = [(fill, max(count, 0)) for fill, count in parts]
    done = sum(count for fill, count in shares if fill != "live")
    role = (
        f'role="progressbar" aria-label="{escape(label)}" aria-valuemin="0"'
        f' aria-valuemax="{num(max(total, 0))}" aria-valuenow="{num(min(done, max(total, 0)))}"'
    )
    return _bar(shares, total, role, "", thin)


def proportions(
    parts: Iterable[tuple[str, float]], total: float, label: str, *, thin: bool = True
) -> str:
    """How a whole is made up (not progress): the same bar as an image with a label."""
    role = f'role="img" aria-label="{escape(label)}"'
    return _bar(parts, total, role, f"<title>{escape(label)}</title>", thin)


def barspan(start: float, length: float, fill: str = "b") -> str:
    """One bar of a waterfall; start and length are shares (0 to 1) of the whole trace."""
    left = clamp(start)
    width = max(min(clamp(length), 1 - left), 0.006)
    return (
        '<svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="f-track" y="4.5" width="1000" height="1"/>'
        f'<rect class="{_fill(fill)}" x="{num(min(left, 0.994) * 1000)}"'
        f' width="{num(width * 1000)}" height="10" rx="1"/></svg>'
    )


@dataclass(frozen=True, slots=True)
class Dot:
    """One run of a dot plot: its letter (a, b or c), its mean and its interval."""

    key: str
    mean: float
    low: float
    high: float


def dots(runs: Sequence[Dot], label: str, *, w: int = 240, h: int = 46) -> str:
    """Means and intervals of several runs on one axis, one lane each; empty for no run."""
    if not runs:
        return ""
    axis = nice_ticks(min(r.low for r in runs), max(r.high for r in runs), 2)
    low, span = axis[0], axis[-1] - axis[0]

    def x(value: float) -> str:
        return num(22 + clamp((value - low) / span) * (w - 30))

    body = "".join(
        f'<line class="c-grid" x1="{x(t)}" x2="{x(t)}" y1="-8" y2="{h + 8}"/>' for t in axis
    )
    for i, run in enumerate(runs):
        y = num(8 + i * (h - 16) / max(len(runs) - 1, 1)) if len(runs) > 1 else num(h / 2)
        cls = f"c-run--{run.key}" if run.key in _RUN_KEYS else "fp-none"
        body += text_at(2, float(y) + 3.5, run.key.upper())
        body += f'<path class="c-run {cls}" d="M{x(run.low)} {y}H{x(run.high)}"/>'
        body += f'<circle class="{cls} c-run__dot" cx="{x(run.mean)}" cy="{y}" r="4"/>'
    return drawing("forest-plot dot-plot", w, h, label, body)


def _fill(name: str) -> str:
    return f"f-{name}" if name in _FILLS else "f-mute"


def _bar(
    parts: Iterable[tuple[str, float]], total: float, role: str, title: str, thin: bool
) -> str:
    body, x = '<rect class="f-track" width="1000" height="10"/>', 0.0
    for fill, count in parts:
        width = min(max(count, 0) / total * 1000, 1000 - x) if total > 0 else 0.0
        if width > 0:
            body += f'<rect class="{_fill(fill)}" x="{num(x)}" width="{num(width)}" height="10"/>'
            x += width
    cls = "progress progress--thin" if thin else "progress"
    return (
        f'<svg class="{cls}" viewBox="0 0 1000 10" preserveAspectRatio="none" {role}>'
        f"{title}{body}</svg>"
    )
