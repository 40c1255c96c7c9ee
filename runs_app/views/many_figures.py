"""The figures of three and more runs as the page and the report write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Literal

from evalhub.kit.charts import Dot
from evalhub.kit.figures import decimal, integer, money, p_value, percent
from evalhub.kit.svg import nice_ticks, tick_label
from runs_app.comparing_many import Against, ManyComparison, ManyScorer
from runs_app.statistics.many import SIGNIFICANT
from runs_app.views.shown import interval_text, mean_text

LETTERS = ascii_lowercase
Kind = Literal["good", "bad", "none"]


@dataclass(frozen=True, slots=True)
class ManyLine:
    """One run's row of a scorer. `delta` is its difference to the baseline, of the range when
    `in_points`, None for the baseline and without enough items; `points` that and its bounds for
    the forest plot. `kind` is good or bad when the adjusted p is below 0.05."""

    key: str
    number: int
    name: str
    n: int
    mean: float | None
    ci: tuple[float, float] | None
    mean_text: str
    interval: str
    is_baseline: bool
    is_best: bool
    in_top_group: bool | None
    delta: float | None
    in_points: bool
    change_interval: str
    points: tuple[float, float, float] | None
    kind: Kind
    certain: bool
    p: str
    p_raw: str
    improved: int
    regressed: int
    unchanged: int
    label: str


def many_lines(many: ManyComparison, scorer: ManyScorer) -> list[ManyLine]:
    """A row for each run, in their order."""
    binary = scorer.kind == "binary"
    whole = 1.0 if scorer.point is None else 100 * scorer.point
    rows = []
    for place, (run, figures) in enumerate(zip(many.runs, scorer.figures.runs, strict=True)):
        ci = figures.ci95
        against = figures.against
        points, interval = _points(against, scorer.point)
        kind = _kind(against, scorer.higher_is_better)
        up, down = (against.rose, against.fell) if against else (0, 0)
        text = mean_text(binary, figures.mean)
        label = f"{run.info.name}: no difference to show"
        if against is not None and interval:
            label = f"{run.info.name}: {_size(against, scorer.point)}, 95% CI {interval}"
        rows.append(
            ManyLine(
                key=LETTERS[place],
                number=run.info.number,
                name=run.info.name,
                n=figures.n,
                mean=figures.mean,
                ci=(ci.low, ci.high) if ci else None,
                mean_text=text,
                interval=interval_text(binary, ci.to_json() if ci else None),
                is_baseline=place == many.baseline,
                is_best=place == scorer.figures.best,
                in_top_group=figures.in_top_group,
                delta=against.delta / whole if against else None,
                in_points=scorer.point is not None,
                change_interval=interval,
                points=points,
                kind=kind,
                certain=kind != "none",
                p=p_value(against.p_holm, "") if against else "–",
                p_raw=f"{p_value(against.p)} before adjusting" if against else "",
                improved=up if scorer.higher_is_better else down,
                regressed=down if scorer.higher_is_better else up,
                unchanged=against.unchanged if against else 0,
                label=label,
            )
        )
    return rows


def many_headline(many: ManyComparison) -> list[dict[str, str]]:
    """The box at the top: who leads on the primary scorer, then on up to two others."""
    if not many.finished:
        return []
    return [_leader(many, scorer) for scorer in many.scorers[:3]]


def many_method(many: ManyComparison) -> list[str]:
    """ "How this is computed", with the numbers of this comparison."""
    runs, tests = len(many.runs), len(many.runs) - 1
    base = f"run {many.runs[many.baseline].info.number}"
    over = (
        "Every figure is over the items that all runs scored, so all are about the same items."
        if many.items == "common"
        else "A run's own mean is over all that it scored, a difference over what it and the "
        "baseline both scored; two runs may then be about different items."
    )
    said = [
        f"{integer(many.paired)} items of {base}, the baseline, are in all {runs} runs with the "
        f"same input, expected output and context. {over}",
        "Pass rates have Wilson's interval, means the t interval. A change is run minus baseline, "
        "item by item: Tango's interval and mid-p McNemar for pass rates, paired t for means.",
        f"Each scorer asks {tests} questions, one for each run beside the baseline: p is adjusted "
        f"for them (Holm), so the chance of any false alarm among the {tests} stays below 5%. "
        "Intervals are not adjusted.",
        "“At least one run differs” is Cochran's Q for pass or fail, Friedman's test for "
        "numbers. The top group holds the run with the best mean and every run that is not "
        "significantly behind it (Holm again): being in it is no proof of being equal.",
    ]
    said += [
        f"{scorer.name}: {integer(scorer.figures.common)} items in common."
        for scorer in many.scorers
    ]
    if many.cluster_field:
        said.append(f"Standard errors are by cluster, the values of {many.cluster_field}.")
    return said


def scale_text(dots: Sequence[Dot], binary: bool) -> str:
    """ "60 to 100%": what the ends of the dots chart stand for."""
    if not dots:
        return ""
    axis = nice_ticks(min(dot.low for dot in dots), max(dot.high for dot in dots), 2)
    if binary:
        return f"{tick_label(100 * axis[0])} to {tick_label(100 * axis[-1])}%"
    return f"{tick_label(axis[0])} to {tick_label(axis[-1])}"


def cost_texts(many: ManyComparison) -> list[tuple[str, str, str, str]]:
    """(run, tokens, cost, error rate) of each run, as text."""
    return [
        (
            f"#{line.info.number}",
            integer(line.tokens),
            money(line.cost_usd),
            percent(line.error_rate),
        )
        for line in many.runs
    ]


def _leader(many: ManyComparison, scorer: ManyScorer) -> dict[str, str]:
    figures = scorer.figures
    omnibus = figures.omnibus
    if omnibus is None or figures.best is None:
        text = f"{scorer.name}: too few items that all runs scored, 10 are needed"
        return {"verdict": "too_few", "text": text, "evidence": ""}
    evidence = f"{p_value(omnibus.p)}, n = {integer(figures.common)}"
    if omnibus.p >= SIGNIFICANT:
        text = f"No difference between the runs is clear on {scorer.name}"
        return {"verdict": "cannot_tell", "text": text, "evidence": evidence}
    top = [place for place, line in enumerate(figures.runs) if line.in_top_group]
    best = figures.runs[figures.best]
    name = _named(many, figures.best)
    if len(top) < 2:
        text = f"{name} is best on {scorer.name}"
    else:
        others = [LETTERS[place].upper() for place in top if place != figures.best]
        text = f"{name} leads on {scorer.name}, with {_listed(others)} not clearly behind"
    against, tone = best.against, "cannot_tell"
    if figures.best == many.baseline:
        evidence = f"the baseline, {mean_text(scorer.kind == 'binary', best.mean)}; {evidence}"
    elif against is not None:
        _, interval = _points(against, scorer.point)
        evidence = f"{_size(against, scorer.point)} against {LETTERS[many.baseline].upper()}"
        evidence += f", 95% CI {interval}, adjusted {p_value(against.p_holm)}"
        tone = "better" if against.p_holm < SIGNIFICANT else "cannot_tell"
    return {"verdict": tone, "text": text, "evidence": evidence}


def _named(many: ManyComparison, place: int) -> str:
    return f"{LETTERS[place].upper()}, {many.runs[place].info.name},"


def _listed(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _points(
    against: Against | None, point: float | None
) -> tuple[tuple[float, float, float] | None, str]:
    """The change and its bounds, in points where there are such, and the interval as text."""
    if against is None or against.ci95 is None:
        return None, ""
    unit, digits = (1.0, 3) if point is None else (point, 1)
    low, high = against.ci95.low / unit, against.ci95.high / unit
    text = f"{decimal(low, digits)} to {decimal(high, digits)}"
    return (against.delta / unit, low, high), text


def _size(against: Against, point: float | None) -> str:
    """ "+2.5 points", or "+0.250" of a scorer without a range."""
    if point is None:
        return decimal(against.delta, 3, signed=True)
    return f"{decimal(against.delta / point, 1, signed=True)} points"


def _kind(against: Against | None, higher_is_better: bool) -> Kind:
    if against is None or against.p_holm >= SIGNIFICANT or not against.delta:
        return "none"
    return "good" if (against.delta > 0) == higher_is_better else "bad"
