"""A comparison's figures as the page writes them: table rows, forest plot, pairing, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from evalhub.kit.figures import decimal, duration_ms, integer, p_value
from evalhub.kit.plots import ForestScale, forest_scale
from runs_app.comparing import Comparison
from runs_app.comparison import ScorerComparison
from runs_app.views.methods import METHODS, method_sentences
from runs_app.views.shown import interval_text, mean_text

LEAST_TOLD_MS = 1.0  # a smaller difference of latency is no news


@dataclass(frozen=True, slots=True)
class Paired:
    """A comparison and the address of its page, to which links add the items to show."""

    found: Comparison
    base_url: str

    def items(self, show: str, by: str = "", value: str = "") -> str:
        """The address of one group of items, of those with a `value` of the field of the slices."""
        given = {"by": by, "f": show, "value": value}
        more = {name: text for name, text in given.items() if text}
        return f"{self.base_url}&{urlencode(more)}#items"


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One row of the scores table. `delta` and its bounds are shares of the scorer's range when
    `in_points`, else in the scorer's own unit; all None without a difference. `points` are the
    delta and its bounds in points, for the forest plot."""

    c: ScorerComparison
    a: str
    a_interval: str
    b: str
    b_interval: str
    in_points: bool
    delta: float | None
    interval: str
    certain: bool
    points: tuple[float, float, float] | None
    kind: Literal["good", "bad", "none"]
    label: str
    p: str
    p_title: str
    ci_method: str
    p_method: str
    items_label: str
    improved_url: str
    regressed_url: str
    unchanged_url: str
    errors_as_zero: str
    method: tuple[str, ...]

    @property
    def margin_at(self) -> float:
        """Where the margin stands in the forest plot: on the side that is worse."""
        return -self.c.margin_points if self.c.higher_is_better else self.c.margin_points


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of items that are no pairs, or are left out, with the address that lists them."""

    count: int
    text: str
    url: str


def score_lines(paired: Paired) -> list[ScoreLine]:
    return [_line(paired, scorer) for scorer in paired.found.scorers]


def scale_of(lines: Sequence[ScoreLine]) -> ForestScale | None:
    """One domain in points for all rows and their margins; None when no row has an interval."""
    shown = [line for line in lines if line.points]
    bounds = [bounds for line in shown if line.points for bounds in [line.points[1:]]]
    return forest_scale([*bounds, *((x.margin_at, x.margin_at) for x in shown)]) if shown else None


def margin_words(scorers: Sequence[ScorerComparison], unit: str = "points") -> str:
    """ "2 points" for scorers that share their margin, else "exact 2, near 5 points"; "" without
    scorers."""
    margins = {scorer.margin_points for scorer in scorers}
    if len(margins) < 2:
        return "".join(f"{margin:g} {unit}" for margin in margins)
    named = ", ".join(f"{scorer.name} {scorer.margin_points:g}" for scorer in scorers)
    return f"{named} {unit}"


def pairing_facts(paired: Paired) -> list[Fact]:
    """What is not compared, and what is left out of the figures; nothing that counts 0."""
    pairing = paired.found.pairing
    rows = (
        (pairing.only_a, "only in A", "only_a"),
        (pairing.only_b, "only in B", "only_b"),
        (pairing.content_changed, "with changed content", "changed"),
        (pairing.errored_a, "errored in A", "errors"),
        (pairing.errored_b, "errored in B", "errors"),
        (pairing.not_scored, "not scored", "not_scored"),
    )
    return [Fact(count, text, paired.items(show)) for count, text, show in rows if count]


def partial(lines: Sequence[ScoreLine]) -> bool:
    """Whether some scorer does without some pairs, so that the table says how many each has."""
    return any(line.c.left_out.pairs for line in lines)


def slice_lines(paired: Paired) -> list[ScoreLine]:
    """A row for each value of the field that slices are made by; empty without slices."""
    slices = paired.found.slices
    if slices is None:
        return []
    return [_line(paired, group, by=slices.scorer, value=group.name) for group in slices.groups]


def exclusions(paired: Paired) -> list[tuple[str, str, str]]:
    """(scorer, how many are left out and why, the address that lists them) of the scorers whose
    verdict is to check that first."""
    return [
        (
            c.name,
            c.left_out.sentence(),
            paired.items(
                "errors" if c.left_out.errored_a or c.left_out.errored_b else "not_scored", c.name
            ),
        )
        for c in paired.found.scorers
        if c.code == "check_exclusions"
    ]


def more_sentences(found: Comparison) -> str:
    """What the box adds under its lines: the scorers that got no line, and latency."""
    if not found.finished:
        return ""
    told = " ".join(line.text for line in found.headline)
    said = [
        f"{scorer.name} {scorer.verdict.lead}."
        for scorer in found.scorers
        if f"{scorer.name} {scorer.verdict.lead}" not in told
    ]
    said += [sentence] if (sentence := _latency(found)) else []
    return " ".join(said)


def _latency(found: Comparison) -> str:
    """The change of the typical item, when it is clear and large enough to feel."""
    measure = next((each for each in found.measures if each.name == "latency_ms"), None)
    if measure is None or measure.delta is None or abs(measure.delta) < LEAST_TOLD_MS:
        return ""
    word = {"higher": "slower", "lower": "faster"}.get(measure.change)
    return f"B is {duration_ms(abs(measure.delta))} {word} for a typical item." if word else ""


def _line(paired: Paired, c: ScorerComparison, *, by: str = "", value: str = "") -> ScoreLine:
    """The row of a scorer, or of a slice: one `value`, by the scorer `by`."""
    binary = c.kind == "binary"
    unit = None if c.point is None else 100 * c.point
    points, interval = None, ""
    delta = c.delta if unit is None or c.delta is None else c.delta / unit
    if c.delta is not None and c.ci95 is not None:
        low, high = c.ci95.low, c.ci95.high
        if c.point is None:
            interval = f"{decimal(low, 3)} to {decimal(high, 3)}"
        else:
            points = (c.delta / c.point, low / c.point, high / c.point)
            interval = f"{decimal(points[1], 1)} to {decimal(points[2], 1)}"
    found = c.difference
    exact = f"exact {p_value(found.exact_p)}" if found and found.exact_p is not None else ""
    raw = f"{p_value(c.p)} before adjusting" if c.q is not None else ""
    return ScoreLine(
        c=c,
        a=mean_text(binary, c.a.mean),
        a_interval=interval_text(binary, c.a.ci95.to_json() if c.a.ci95 else None),
        b=mean_text(binary, c.b.mean),
        b_interval=interval_text(binary, c.b.ci95.to_json() if c.b.ci95 else None),
        in_points=unit is not None,
        delta=delta,
        interval=interval,
        certain=c.code in ("better", "worse"),
        points=points,
        kind=_KINDS.get(c.code, "none"),
        label=_label(c, delta, interval, unit is not None),
        p=p_value(c.p) if c.primary else p_value(c.q, "q"),
        p_title=", ".join(filter(None, [raw, exact])),
        ci_method=METHODS.get(c.ci_method or "", ""),
        p_method=METHODS.get(c.p_method or "", ""),
        items_label=f"{integer(c.improved)} improved, {integer(c.regressed)} regressed, "
        f"{integer(c.unchanged)} unchanged",
        improved_url=paired.items("improved", by or c.name, value),
        regressed_url=paired.items("regressed", by or c.name, value),
        unchanged_url=paired.items("unchanged", by or c.name, value),
        errors_as_zero=_errors_as_zero(c),
        method=method_sentences(c),
    )


_KINDS: dict[str, Literal["good", "bad"]] = {"better": "good", "worse": "bad"}


def _label(c: ScorerComparison, delta: float | None, interval: str, in_points: bool) -> str:
    """What the forest plot's row shows, in words."""
    if delta is None or not interval:
        return f"{c.name}: no difference to show"
    size = decimal(delta * 100, 1, signed=True) if in_points else decimal(delta, 3, signed=True)
    return f"{c.name}: change {size}{' points' if in_points else ''}, 95% CI {interval}"


def _errors_as_zero(c: ScorerComparison) -> str:
    """The second line: what the figures are when an error counts as 0. Empty without errors."""
    zero = c.errors_as_zero
    if zero is None:
        return ""
    unit, word = (c.point, " points") if c.point is not None else (1.0, "")
    digits = 1 if c.point is not None else 3
    size = decimal(zero.delta / unit, digits, signed=True)
    text = f"{c.name} {size}{word}"
    if zero.ci95 is not None:
        low, high = zero.ci95.low / unit, zero.ci95.high / unit
        text += f" (95% CI {decimal(low, digits)} to {decimal(high, digits)}, "
        text += f"n = {integer(zero.n)})"
    return text
