"""How a sentence writes a figure: true minus sign, points, thousands, p with two digits."""

from __future__ import annotations

from math import floor, log10

from runs_app.statistics.values import Interval

MINUS = "−"


def p_text(p: float, letter: str = "p") -> str:
    """``p = 0.017``, two significant digits, and ``p < 0.001`` below that."""
    return f"{letter} < 0.001" if p < 0.001 else f"{letter} = {p:#.2g}"


def number(value: float, unit: float | None) -> str:
    """The value in points of ``unit`` with one decimal, or as it is when the unit is None.

    A figure that one decimal would round to 0 keeps its first digit: an interval that excludes 0
    must not read as if it held it.
    """
    if unit is None:
        text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
        return text.replace("-", MINUS)
    points = value / unit
    text = f"{points:.1f}"
    if float(text) == 0:
        small = "" if points == 0 else f"{points:.{min(4, -floor(log10(abs(points))))}f}"
        text = small if small and float(small) != 0 else "0.0"
    return text.replace("-", MINUS)


def signed(value: float, unit: float | None) -> str:
    """As ``number``, with a plus sign before what is above 0."""
    text = number(value, unit)
    return f"+{text}" if value > 0 and text.strip("0.") else text


def span(interval: Interval, unit: float | None) -> str:
    """``−13.0 to −1.4``: both ends with their signs."""
    return f"{signed(interval.low, unit)} to {signed(interval.high, unit)}"


def with_points(text: str, unit: float | None) -> str:
    """The figure and the word "points", which only a scorer with a range has."""
    return text if unit is None else f"{text} points"


def points(value: float) -> str:
    """A whole number of points without decimals: ``1 point``, ``2.5 points``."""
    return f"{value:g} point" if value == 1 else f"{value:g} points"


def items(count: int) -> str:
    return "1 item" if count == 1 else f"{count:,} items"


def about(value: float, unit: float | None) -> str:
    """A planning figure: whole points from 10 up, one decimal below."""
    if unit is not None and value / unit >= 9.95:
        return f"{value / unit:.0f} points"
    return with_points(number(value, unit), unit)


def three_digits(value: float) -> str:
    """A planning count with three significant digits: ``1,470``. Needs a value of 1 or more."""
    return f"{round(value, min(0, 2 - floor(log10(value)))):,.0f}"
