"""Answers for people: aligned tables, exact numbers, one form for each kind of figure."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

MINUS = "−"
ABSENT = "–"
WIDEST = 60

Rows = Sequence[Sequence[str]]


def write_json(value: Any) -> None:
    """A JSON answer on standard output."""
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def write(text: str = "") -> None:
    """A line of an answer on standard output."""
    sys.stdout.write(f"{text}\n")


def write_answer(value: Any, text: Callable[[], str], *, as_json: bool) -> None:
    """The answer as JSON, or what `text` makes of it for people."""
    if as_json:
        write_json(value)
    else:
        write(text())


def clean(text: str) -> str:
    """The text on one line, without characters that steer a terminal."""
    return "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)


def table(headers: Sequence[str], rows: Rows, *, right: Sequence[int] = ()) -> str:
    """The rows in aligned columns; those whose index is in `right` have their ends in line."""
    lines = [[_short(clean(cell)) for cell in row] for row in (headers, *rows)]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(headers))]
    return "\n".join(
        "  ".join(_padded(cell, widths[at], at in right) for at, cell in enumerate(line)).rstrip()
        for line in lines
    )


def count(value: int) -> str:
    """1319 is 1,319."""
    return f"{value:,}".replace("-", MINUS)


def counted(value: int, one: str, many: str = "") -> str:
    """1 is "1 item", 1319 is "1,319 items"."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def figure(value: float | None, kind: str) -> str:
    """A mean: of a binary scorer as a percentage, else with three decimals."""
    if value is None:
        return ABSENT
    text = f"{value * 100:.1f}%" if kind == "binary" else f"{value:.3f}"
    return text.replace("-", MINUS)


def interval(ends: Sequence[float] | None, kind: str) -> str:
    """The ends of an interval of means."""
    if ends is None:
        return ABSENT
    return f"{figure(ends[0], kind)} to {figure(ends[1], kind)}"


def change(value: float | None, point: float | None) -> str:
    """A difference with its sign: in points, of which `point` says the size, else with three
    decimals."""
    if value is None:
        return ABSENT
    text = f"{value:+.3f}" if point is None else f"{value / point:+.1f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def change_interval(ends: Sequence[float] | None, point: float | None) -> str:
    if ends is None:
        return ABSENT
    return f"{change(ends[0], point)} to {change(ends[1], point)}"


def probability(value: float | None) -> str:
    """A p or q value with two significant digits, never 0."""
    if value is None:
        return ABSENT
    if value < 0.001:
        return "< 0.001"
    return f"{value:#.2g}" if value < 0.995 else "1.0"


def milliseconds(value: float | None) -> str:
    """A latency: whole milliseconds from 10 on, below with a decimal."""
    if value is None:
        return ABSENT
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.1f} ms"


def duration(seconds: float) -> str:
    """A time in the two units that matter: 5 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, left = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {left} s" if left else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def rate(per_second: float, unit: str) -> str:
    """210 rows/s; below 10 with a decimal."""
    digits = 0 if per_second >= 10 else 1
    return f"{per_second:,.{digits}f} {unit}/s"


def moment(stamp: str | None) -> str:
    """A time of the API to the minute in the zone of this machine; a dash for None."""
    if not stamp:
        return ABSENT
    from datetime import datetime

    return f"{datetime.fromisoformat(stamp).astimezone():%Y-%m-%d %H:%M}"


def _short(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )
