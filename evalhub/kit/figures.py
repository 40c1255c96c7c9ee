"""Numbers as people read them: exact, with a unit and a true minus sign.

None and values that are not finite read as an en dash. Shares are 0 to 1; a point is a hundredth.
"""

import math

NONE = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"


def decimal(value: float | None, digits: int = 2, signed: bool = False) -> str:
    """ "0.35", "−2.7"; with `signed` also "+17.2". Never "−0.0"."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{abs(value):,.{digits}f}"
    if not any(digit in "123456789" for digit in text):
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def integer(value: float | None) -> str:
    """ "1,319"."""
    return decimal(value, 0)


def percent(share: float | None, digits: int = 1) -> str:
    """ "91.3%". Only exactly 0 and 1 read "0%" and "100%"; near them more digits are shown."""
    if share is None or not math.isfinite(share):
        return NONE
    if share in (0, 1):
        return f"{share * 100:.0f}%"
    for places in range(digits, 6):
        text = f"{abs(share) * 100:.{places}f}"
        if float(text) not in (0, 100):
            break
    return (MINUS if share < 0 else "") + text + "%"


def points(share: float | None, digits: int = 1, signed: bool = False, unit: bool = True) -> str:
    """A change between shares: "17.2 points", "+17.2 points", or "17.2" without the unit."""
    text = decimal(None if share is None else share * 100, digits, signed)
    return f"{text} points" if unit and text != NONE else text


def p_value(p: float | None, name: str = "p") -> str:
    """ "p = 0.017" (two significant digits), "p < 0.001"; without a name "0.017", "< 0.001"."""
    if p is None or not math.isfinite(p):
        return f"{name} {NONE}".strip()
    if p < 0.001:
        return f"{name} < 0.001".strip()
    p = min(float(f"{p:.2g}"), 1.0)
    text = f"{p:.{max(2, 1 - math.floor(math.log10(p)))}f}"
    text = "1" if float(text) == 1 else text
    return f"{name} = {text}" if name else text


def duration_ms(ms: float | None) -> str:
    """ "< 0.01 ms", "0.42 ms", "9 ms", "5.8 s", "2 min 5 s", "1 h 4 min", "3 days 2 h"."""
    if ms is None or not math.isfinite(ms):
        return NONE
    sign, ms = (MINUS, -ms) if ms < 0 else ("", ms)
    if 0 < ms < 0.995:
        return f"{sign}{ms:.2f} ms" if ms >= 0.01 else "< 0.01 ms"
    if ms < 999.5:
        return f"{sign}{ms:.0f} ms"
    if ms < 59_950:
        return f"{sign}{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    if minutes < 60:
        return f"{sign}{minutes} min {seconds} s" if seconds else f"{sign}{minutes} min"
    hours, minutes = divmod(round(ms / 60_000), 60)
    if hours < 48:
        return f"{sign}{hours:,} h {minutes} min" if minutes else f"{sign}{hours:,} h"
    days, hours = divmod(round(ms / 3_600_000), 24)
    return f"{sign}{days:,} days {hours} h" if hours else f"{sign}{days:,} days"


def filesize(size: float | None) -> str:
    """ "340 bytes", "1.4 MB"; a kB is 1,000 bytes."""
    if size is None or not math.isfinite(size):
        return NONE
    if size < 1000:
        return "1 byte" if size == 1 else f"{size:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:,.1f} TB"


def money(dollars: float | None) -> str:
    """ "$0.84"; below ten cents with four decimals."""
    if dollars is None or not math.isfinite(dollars):
        return NONE
    sign, dollars = (MINUS, -dollars) if dollars < 0 else ("", dollars)
    return f"{sign}${dollars:,.{4 if 0 < dollars < 0.1 else 2}f}"


def ago(seconds: float) -> str:
    """ "just now", "12 min ago", "5 hours ago", "yesterday", "3 weeks ago"; "in 3 min" ahead."""
    ahead, seconds = seconds < 0, abs(seconds)
    if seconds < 45:
        return "just now"
    minutes, hours, days = round(seconds / 60), round(seconds / 3600), round(seconds / 86_400)
    if minutes < 60:
        text = f"{max(minutes, 1)} min"
    elif hours < 24:
        text = _counted(hours, "hour")
    elif days == 1:
        return "tomorrow" if ahead else "yesterday"
    elif days < 7:
        text = _counted(days, "day")
    elif days < 30:
        text = _counted(days // 7, "week")
    elif days < 365:
        text = _counted(days // 30, "month")
    else:
        text = _counted(days // 365, "year")
    return f"in {text}" if ahead else f"{text} ago"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
