"""Template tags and filters of the user interface; docs/ui.md shows an example of each.

Thin wrappers: figures come from `evalhub.kit.figures`, drawings from `evalhub.kit.charts` and
`evalhub.kit.plots`, which escape every label.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django import template
from django.forms import BoundField
from django.forms.widgets import (
    CheckboxInput,
    CheckboxSelectMultiple,
    FileInput,
    RadioSelect,
    Select,
    Textarea,
)
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from evalhub.kit import charts, figures, highlight, markdown, plots, svg

register = template.Library()

LEAST_MS = 0.01  # a smaller change of a duration is none

# status: badge class, icon, word
RUN_STATUSES = {
    "pending": ("", "clock", "Pending"),
    "running": ("info", "spin", "Running"),
    "paused": ("warn", "clock", "Paused"),
    "completed": ("good", "check", "Completed"),
    "failed": ("bad", "x", "Failed"),
    "cancelled": ("", "stop", "Cancelled"),
}
# outcome: status class, icon, word
OUTCOMES = {
    "pass": ("pass", "ok", "Pass"),
    "fail": ("fail", "fail", "Fail"),
    "error": ("error", "warn", "Error"),
    "running": ("running", "spin", "Running"),
    "not_scored": ("off", "dash", "Not scored"),
}
# verdict: badge class, icon, word
VERDICTS = {
    "better": ("good", "aup", "Better"),
    "worse": ("bad", "adown", "Worse"),
    "no_worse": ("", "same", "No worse"),
    "no_change": ("", "same", "No change"),
    "cannot_tell": ("", "dash", "Cannot tell"),
    "check_exclusions": ("warn", "warn", "Check exclusions"),
    "too_few": ("", "dash", "Too few items"),
    "none": ("", "clock", "No verdict yet"),
}


@register.simple_tag
def icon(name: str, cls: str = "", label: str = "") -> SafeString:
    """`{% icon "plus" %}`; with a label it is an image with that name, else decoration."""
    return mark_safe(svg.icon(name, cls, label))


# Figures

register.filter("decimal", figures.decimal)
register.filter("integer", figures.integer)
register.filter("percent", figures.percent)
register.filter("points", figures.points)
register.filter("p_value", figures.p_value)
register.filter("duration_ms", figures.duration_ms)
register.filter("filesize", figures.filesize)
register.filter("money", figures.money)


@register.filter
def signed(value: float | None, digits: int = 2) -> str:
    return figures.decimal(value, digits, signed=True)


@register.filter
def signed_points(share: float | None, digits: int = 1) -> str:
    return figures.points(share, digits, signed=True)


@register.filter
def bare_points(share: float | None, digits: int = 1) -> str:
    """The points without their unit, for columns whose head says it."""
    return figures.points(share, digits, unit=False)


@register.filter
def duration(value: timedelta | float | None) -> str:
    """A timedelta, or seconds."""
    if value is None:
        return figures.NONE
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    return figures.duration_ms(seconds * 1000)


@register.filter
def time_left(seconds: float) -> str:
    """ "3 s", "2 min 5 s": an estimate in whole seconds, never less than one."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 60 else figures.duration_ms(whole * 1000)


@register.filter
def number_label(number: int) -> str:
    """ "0003": an item's number with four digits or more."""
    return f"{number:04d}"


@register.filter
def item_place(pointer: str) -> tuple[int | None, str]:
    """(3, "input, question") of "/items/3/input/question"; (None, the pointer) of any other."""
    _, *parts = pointer.split("/")
    if len(parts) < 2 or parts[0] != "items" or not parts[1].isdecimal():
        return None, pointer
    names = [part.replace("~1", "/").replace("~0", "~") for part in parts[2:]]
    return int(parts[1]), ", ".join(names)


@register.filter
def ago(when: datetime | None) -> str:
    """ "2 days ago" in a `time` element that holds the exact moment; a dash when None."""
    if when is None:
        return figures.NONE
    return _time(when, figures.ago((timezone.now() - when).total_seconds()))


@register.filter
def moment(when: datetime | None) -> str:
    """ "16 Oct 2026, 10:02" in a `time` element; a dash when None."""
    return figures.NONE if when is None else _time(when, _exact(when))


@register.simple_tag
def ci(
    low: float | None, high: float | None, unit: str = "percent", digits: int = 1, word: bool = True
) -> SafeString:
    """ "95% CI 89.6 to 92.7"; unit percent and points take shares, decimal takes the number."""
    if low is None or high is None:
        return SafeString("")
    factor = 1 if unit == "decimal" else 100
    return format_html(
        '<span class="ci">{}{} to {}</span>',
        "95% CI " if word else "",
        figures.decimal(low * factor, digits),
        figures.decimal(high * factor, digits),
    )


# States


@register.simple_tag
def run_status(status: str, paused: bool = False, small: bool = False) -> SafeString:
    """A run's status as a badge, or with `small` as an icon and a word for tables."""
    state = "paused" if paused and status == "running" else status
    kind, name, word = RUN_STATUSES[state]
    if not small:
        return _badge(kind, name, word)
    marks = {"good": "pass", "bad": "fail", "info": "running", "warn": "warn", "": "off"}
    return _status(marks[kind], name, word)


@register.simple_tag
def score_mark(outcome: str | bool | None, text: str = "") -> SafeString:
    """pass, fail, error, running or not_scored (True, False and None work too)."""
    if outcome is None:
        outcome = "not_scored"
    elif isinstance(outcome, bool):
        outcome = "pass" if outcome else "fail"
    cls, name, word = OUTCOMES[outcome]
    return _status(cls, name, text or word)


@register.simple_tag
def verdict_badge(verdict: str) -> SafeString:
    """A comparison's verdict, by its name in JSON."""
    return _badge(*VERDICTS[verdict])


@register.simple_tag
def verdict_mark(verdict: str) -> SafeString:
    """The round mark before a sentence of the verdict."""
    kind, name, _word = VERDICTS[verdict]
    cls = f" verdict__mark--{kind}" if kind in ("good", "bad") else ""
    return format_html('<span class="verdict__mark{}">{}</span>', cls, mark_safe(svg.icon(name)))


@register.simple_tag
def badge(kind: str, name: str, word: str) -> SafeString:
    """A state word with an icon; kind is good, bad, warn, info or empty."""
    return _badge(kind, name, word)


@register.simple_tag
def delta(
    value: float | None,
    unit: str = "pts",
    digits: int = 1,
    higher_is_better: bool = True,
    certain: bool = True,
) -> SafeString:
    """A change with its sign: the arrow is its direction, the colour its meaning.

    Units: pts (a share, "+17.2 pts"), points ("+17.2 points"), bare_points ("+17.2"), percent (a
    share, "+35.0%"), duration (ms, "+1.2 s"), money, integer, decimal. Not `certain`, or no
    change: plain, with "=".
    """
    if value is None:
        return SafeString(figures.NONE)
    text = _change(value, unit, digits)
    moved = certain and any(digit in "123456789" for digit in text)
    if not moved:
        return flat(text)
    good = (value > 0) == higher_is_better
    return format_html(
        '<span class="delta delta--{}">{}{}<span class="sr-only"> ({})</span></span>',
        "good" if good else "bad",
        mark_safe(svg.icon("aup" if value > 0 else "adown")),
        text,
        "better" if good else "worse",
    )


@register.simple_tag
def flat(text: str) -> SafeString:
    """A change that is no verdict: "=" and the text."""
    return format_html('<span class="delta">{}{}</span>', mark_safe(svg.icon("same")), text)


@register.simple_tag
def run_key(letter: str) -> SafeString:
    """The square A, B or C that stands for a run of a comparison."""
    return format_html('<span class="key key--{}">{}</span>', letter.lower(), letter.upper())


# Values

register.filter("is_long", highlight.is_long)
register.filter("one_line", highlight.one_line)


register.filter("is_long_text", markdown.is_long)


@register.filter("markdown")
def as_markdown(text: str) -> SafeString:
    """Markdown that people wrote, as safe HTML."""
    return mark_safe(markdown.to_html(text))


@register.filter
def first_line(text: str) -> SafeString:
    """The first paragraph of markdown as text."""
    return mark_safe(markdown.first_line(text))


@register.filter
def pretty_json(value: object, limit: int = highlight.SHOWN) -> SafeString:
    """A value in `pre.code`, cut at `limit` characters; 0 shows all of it."""
    return mark_safe(highlight.code(value, limit or None))


@register.filter
def initials(name: str) -> str:
    """At most two letters for the avatar."""
    words = str(name).replace("@", " ").replace(".", " ").split()
    return "".join(
        word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)
    ).upper()


@register.filter
def under(path: str, url: str) -> bool:
    """Whether the path is the URL or below it."""
    return bool(url) and (path == url or path.startswith(url.rstrip("/") + "/"))


# Charts: the function's own name and arguments


def _safe(draw: Callable[..., str]) -> Callable[..., SafeString]:
    @wraps(draw)
    def tag(*args: Any, **kwargs: Any) -> SafeString:
        return mark_safe(draw(*args, **kwargs))

    return tag


for _draw in (
    charts.sparkline,
    charts.hist,
    charts.hist2,
    charts.ticks,
    charts.meter,
    charts.barspan,
    charts.dots,
    plots.forest_axis,
    plots.forest_row,
    plots.latency_strip,
    plots.trend,
):
    register.simple_tag(_safe(_draw))


@register.simple_tag
def progress(total: float, label: str, thin: bool = False, **parts: float) -> SafeString:
    """`{% progress 1925 "Import progress" accent=1232 %}`; fills in the order given."""
    return mark_safe(charts.progress(parts.items(), total, label, thin=thin))


@register.simple_tag
def proportions(total: float, label: str, thin: bool = True, **parts: float) -> SafeString:
    """`{% proportions 1307 "88 improved, 141 regressed" good=88 bad=141 %}`: not progress."""
    return mark_safe(charts.proportions(parts.items(), total, label, thin=thin))


# Forms


@register.simple_tag
def control(field: BoundField, **attrs: str) -> SafeString:
    """The field's widget with its class, its error state and the ids of help and error.

    Extra attributes are given with underscores: `{% control form.q hx_get="..." %}`.
    """
    given: dict[str, str | bool] = {name.replace("_", "-"): value for name, value in attrs.items()}
    classes = [field.field.widget.attrs.get("class", ""), _control_class(field)]
    given["class"] = " ".join(filter(None, [*classes, attrs.get("class", "")]))
    described = [f"{field.auto_id}_error"] if field.errors else []
    described += [f"{field.auto_id}_help"] if field.help_text else []
    if described:
        given["aria-describedby"] = " ".join(described)
    return field.as_widget(attrs=given)


def _control_class(field: BoundField) -> str:
    widget = field.field.widget
    if isinstance(widget, CheckboxInput | CheckboxSelectMultiple | FileInput | RadioSelect):
        return ""
    if isinstance(widget, Textarea):
        return "textarea"
    return "select" if isinstance(widget, Select) else "input"


def _change(value: float, unit: str, digits: int) -> str:
    sign = "+" if value > 0 else ""
    match unit:
        case "pts" | "points" | "bare_points":
            text = figures.points(value, digits, signed=True, unit=unit == "points")
            return f"{text} pts" if unit == "pts" else text
        case "percent":
            return figures.decimal(value * 100, digits, signed=True) + "%"
        case "duration":
            return "0 ms" if abs(value) < LEAST_MS else sign + figures.duration_ms(value)
        case "money":
            return sign + figures.money(value)
        case "integer":
            return figures.decimal(value, 0, signed=True)
        case "decimal":
            return figures.decimal(value, digits, signed=True)
    raise template.TemplateSyntaxError(f"no unit of change is called {unit!r}")


def _badge(kind: str, name: str, word: str) -> SafeString:
    cls = f" badge--{kind}" if kind else ""
    return format_html('<span class="badge{}">{}{}</span>', cls, mark_safe(svg.icon(name)), word)


def _status(cls: str, name: str, word: str) -> SafeString:
    return format_html(
        '<span class="status status--{}">{}{}</span>', cls, mark_safe(svg.icon(name)), word
    )


def _exact(when: datetime) -> str:
    return formats.date_format(_local(when), "j M Y, H:i")


def _time(when: datetime, text: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', when.isoformat(), _exact(when), text
    )


def _local(when: datetime) -> datetime:
    return timezone.localtime(when) if timezone.is_aware(when) else when
