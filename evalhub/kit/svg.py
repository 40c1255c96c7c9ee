"""Building blocks of the charts: escaping, icons, round axis numbers and SVG elements."""

import html
import math
from collections.abc import Sequence

from evalhub.kit.icons import ICONS

MINUS = "\N{MINUS SIGN}"
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32)), "�")


def escape(text: object) -> str:
    """The text, safe in element content and in quoted attributes; control characters replaced."""
    clean = str(text).translate(_CONTROL).encode("utf-8", "replace").decode()
    return html.escape(clean, quote=True)


def icon(name: str, cls: str = "", label: str = "") -> str:
    """One icon of the set; decoration unless it has a label. KeyError for an unknown name."""
    meaning = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    classes = f"icon {escape(cls)}" if cls else "icon"
    return f'<svg class="{classes}" viewBox="0 0 16 16" {meaning}>{ICONS[name]}</svg>'


def nice_step(span: float, target: int = 5) -> float:
    """The 1, 2 or 5 times a power of ten that cuts the span into about `target` pieces."""
    if not math.isfinite(span) or span <= 0:
        return 1.0
    rough = span / max(target, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if rough <= power * factor * 1.0001)


def nice_ticks(low: float, high: float, target: int = 5) -> tuple[float, ...]:
    """Round numbers from the one at or below `low` to the one at or above `high`."""
    step = nice_step(high - low, target)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(i * step, 10) for i in range(first, max(last, first + 1) + 1))


def tick_label(value: float, signed: bool = False) -> str:
    """The number without needless zeros, with a true minus sign; "+" too when signed."""
    sign = MINUS if value < 0 else ("+" if signed and value > 0 else "")
    return sign + f"{abs(value):.6f}".rstrip("0").rstrip(".")


def num(value: float) -> str:
    """The number with at most one decimal, for an SVG attribute; 0 when it is not finite."""
    return f"{value:.1f}".rstrip("0").rstrip(".") if math.isfinite(value) else "0"


def clamp(share: float) -> float:
    """The share held between 0 and 1; 0 when it is not finite."""
    return min(max(share, 0.0), 1.0) if math.isfinite(share) else 0.0


def path(points: Sequence[tuple[float, float]]) -> str:
    """Path data of a line through the points."""
    return "M" + " ".join(f"{num(x)},{num(y)}" for x, y in points)


def text_at(x: float, y: float, text: str, anchor: str = "", cls: str = "") -> str:
    """A text element with its text escaped."""
    attributes = f' text-anchor="{anchor}"' if anchor else ""
    attributes += f' class="{cls}"' if cls else ""
    return f'<text x="{num(x)}" y="{num(y)}"{attributes}>{escape(text)}</text>'


def drawing(
    cls: str, w: float, h: float, label: str, body: str, extra: str = "", role: str = "img"
) -> str:
    """The outer svg element, with the label as accessible name and as title.

    The role is "group" for a drawing with links: what is inside an image is not to be reached.
    """
    words = escape(label)
    return (
        f'<svg class="{cls}" viewBox="0 0 {num(w)} {num(h)}"{extra} role="{role}"'
        f' aria-label="{words}"><title>{words}</title>{body}</svg>'
    )
