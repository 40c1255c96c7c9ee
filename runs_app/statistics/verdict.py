"""The verdict on one scorer of two runs: the first row of the table that holds, and its words.

Figures in a sentence are B - A, whatever the direction of the scorer; only "better" and "worse"
know about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from runs_app.statistics import wording
from runs_app.statistics.clusters import LEAST_FOR_VERDICT
from runs_app.statistics.difference import Difference
from runs_app.statistics.repetitions import Advice
from runs_app.statistics.values import Interval, SecondOpinion, Target

Code = Literal[
    "better",
    "worse",
    "no_worse",
    "no_change",
    "cannot_tell",
    "check_exclusions",
    "too_few",
    "none",
]
Tone = Literal["good", "bad", "none"]

BADGES: dict[Code, str] = {
    "better": "Better",
    "worse": "Worse",
    "no_worse": "No worse",
    "no_change": "No change",
    "cannot_tell": "Cannot tell",
    "check_exclusions": "Check exclusions",
    "too_few": "Too few items",
    "none": "No verdict",
}
TONES: dict[Code, Tone] = {"better": "good", "worse": "bad"}

ADVICE: dict[Advice, str] = {
    "repetitions": "More repetitions would help most: the target answers the same items "
    "differently.",
    "items": "More items would help most: the items differ more than their repetitions.",
}

LEAST_PAIRS = 10
SMALL_SAMPLE = 30
MOST_LEFT_OUT = 0.05
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The pairs that the figures do without. ``of`` counts them and the pairs that are used.

    ``errored_a`` and ``errored_b`` may share pairs, so they can add up to more than ``pairs``.
    """

    pairs: int
    of: int
    errored_a: int
    errored_b: int
    not_scored: int

    @property
    def too_many(self) -> bool:
        return self.of > 0 and self.pairs / self.of > MOST_LEFT_OUT

    def sentence(self) -> str:
        share = f"{100 * self.pairs / self.of:.1f}%"
        counts = (
            (self.errored_a, "errored in A"),
            (self.errored_b, "errored in B"),
            (self.not_scored, "not scored"),
        )
        why = ", ".join(f"{count:,} {reason}" for count, reason in counts if count)
        are = "is" if self.pairs == 1 else "are"
        return f"{self.pairs:,} of {self.of:,} pairs ({share}) {are} left out: {why}."


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the verdict looks at. Figures are B - A in the scorer's unit.

    ``found`` is None in an unfinished comparison or one of too few pairs. ``p`` is what the
    sentence shows under ``letter``: the raw p of the primary scorer, or the q of another.
    ``point`` is a hundredth of the scorer's range, None without a range. ``improved`` and
    ``regressed`` know the scorer's direction. ``advice`` is what would narrow the interval, known
    with repetitions.
    """

    finished: bool
    n: int
    left_out: LeftOut
    improved: int
    regressed: int
    found: Difference | None
    second: SecondOpinion | None
    p: float | None
    letter: Literal["p", "q"]
    higher_is_better: bool
    point: float | None
    margin_points: float
    target: Target | None
    advice: Advice | None = None

    @property
    def few_clusters(self) -> bool:
        """An interval may stand on a few clusters, a verdict may not."""
        clusters = None if self.found is None else self.found.clusters
        return clusters is not None and clusters < LEAST_FOR_VERDICT


@dataclass(frozen=True, slots=True)
class Verdict:
    """``sentence`` stands alone; ``lead`` follows the scorer's name, with ``detail`` after it."""

    code: Code
    badge: str
    tone: Tone
    sentence: str
    lead: str
    detail: str


def verdict(evidence: Evidence) -> Verdict:
    """The first row of the table that holds, in its order."""
    code = _code(evidence)
    sentence, lead, detail = _words(code, evidence)
    if code not in ("none", "too_few") and evidence.n < SMALL_SAMPLE:
        sentence = f"{sentence} Small sample."
    return Verdict(code, BADGES[code], TONES.get(code, "none"), sentence, lead, detail)


def _code(evidence: Evidence) -> Code:
    if not evidence.finished:
        return "none"
    if evidence.n < LEAST_PAIRS:
        return "too_few"
    if evidence.left_out.too_many:
        return "check_exclusions"
    if not _found(evidence).changed:
        return "no_change"
    if evidence.few_clusters:
        return "none"
    ci95, ci90 = _towards_better(evidence)
    confirmed = evidence.second is None or evidence.second.sign_flip_p < SIGNIFICANT
    if ci95.high < 0 and confirmed:
        return "worse"
    if ci95.low > 0 and confirmed:
        return "better"
    if evidence.point is not None and ci90.low > -evidence.margin_points * evidence.point:
        return "no_worse"
    return "cannot_tell"


def _towards_better(evidence: Evidence) -> tuple[Interval, Interval]:
    """The 95% and 90% intervals, above 0 for better. With a second opinion both must agree, so
    each is the hull of both methods."""
    ci95, ci90 = _intervals(evidence)
    if evidence.second is not None:
        ci95, ci90 = ci95.hull(evidence.second.bca95), ci90.hull(evidence.second.bca90)
    return (ci95, ci90) if evidence.higher_is_better else (ci95.mirrored(), ci90.mirrored())


def _words(code: Code, evidence: Evidence) -> tuple[str, str, str]:
    """The sentence, and the lead and detail of the box at the top of the page."""
    if code == "none" and evidence.few_clusters:
        return _few_clusters(evidence)
    if code == "none":
        return "A run is still in progress: means only.", "has no verdict yet", "a run is running"
    if code == "too_few":
        return _too_few(evidence)
    if code == "check_exclusions":
        why = evidence.left_out.sentence()
        return f"Check exclusions: {why}", "needs a look at what is left out", why.rstrip(".")
    if code == "no_change":
        return _no_change(evidence)
    if code == "no_worse":
        return _no_worse(evidence)
    if code == "cannot_tell":
        return _cannot_tell(evidence)
    return _changed(code, evidence)


def _too_few(evidence: Evidence) -> tuple[str, str, str]:
    pairs = "1 pair" if evidence.n == 1 else f"{evidence.n} pairs"
    needed = f"{pairs}, a verdict needs {LEAST_PAIRS}"
    sentence = f"Too few items: {needed}."
    if evidence.n >= 2:
        sentence = f"{sentence} {_counts(evidence)}"
    if evidence.left_out.pairs:
        sentence = f"{sentence} {evidence.left_out.sentence()}"
    return sentence, "has too few items for a verdict", needed


def _few_clusters(evidence: Evidence) -> tuple[str, str, str]:
    found = _found(evidence)
    needed = f"{found.clusters} clusters, a verdict needs {LEAST_FOR_VERDICT}"
    change = wording.with_points(wording.signed(found.delta, evidence.point), evidence.point)
    interval = f"95% CI {wording.span(_intervals(evidence)[0], evidence.point)}"
    inside = f"{interval}, n = {evidence.n:,}{_p(evidence)}"
    sentence = f"Too few clusters: {needed}. {change} ({inside}). {_counts(evidence)}"
    return sentence, "has too few clusters for a verdict", needed


def _no_change(evidence: Evidence) -> tuple[str, str, str]:
    lead = "did not change on any item"
    ci95 = _found(evidence).ci95
    if ci95 is None:
        return f"No item changed (n = {evidence.n:,}).", lead, f"n = {evidence.n:,}"
    unseen = wording.with_points(wording.number(ci95.high, evidence.point), evidence.point)
    rest = f"a true change of up to {unseen} cannot be excluded"
    detail = f"n = {evidence.n:,}, {rest}"
    return f"No item changed. With n = {evidence.n:,} {rest}.", lead, detail


def _no_worse(evidence: Evidence) -> tuple[str, str, str]:
    worst = max(0.0, -_towards_better(evidence)[1].low)
    most = wording.with_points(wording.number(worst, evidence.point), evidence.point)
    claim = f"at most {most} worse (margin {evidence.margin_points:g})"
    sentence = f"A{claim[1:]}.{_disagreement(evidence)}"
    return sentence, f"is {claim}", _interval_and_p(evidence)


def _cannot_tell(evidence: Evidence) -> tuple[str, str, str]:
    unit, detectable = evidence.point, _found(evidence).detectable
    between = wording.with_points(wording.span(_intervals(evidence)[0], unit), unit)
    counts = f"{evidence.regressed:,} worse, {evidence.improved:,} better"
    sentence = f"Cannot tell: {between} (n = {evidence.n:,}, {counts}{_p(evidence)})."
    sentence += _disagreement(evidence)
    if detectable is not None:
        sentence += f" This comparison can detect about {wording.about(detectable, unit)}"
        if evidence.target is not None:
            aim = wording.points(evidence.target.points)
            need = "needs" if evidence.target.points == 1 else "need"
            count = wording.three_digits(evidence.target.items)
            sentence += f"; {aim} {need} about {count} items"
        sentence += "."
    if evidence.advice is not None:
        sentence += f" {ADVICE[evidence.advice]}"
    return sentence, "shows no clear change", _interval_and_p(evidence)


def _changed(code: Code, evidence: Evidence) -> tuple[str, str, str]:
    """Better or worse."""
    unit, delta, ci95 = evidence.point, _found(evidence).delta, _intervals(evidence)[0]
    change = wording.with_points(wording.signed(delta, unit), unit)
    inside = f"95% CI {wording.span(ci95, unit)}, n = {evidence.n:,}{_p(evidence)}"
    sentence = f"{BADGES[code]}: {change} ({inside}). {_counts(evidence)}"

    size = wording.with_points(wording.number(abs(delta), unit), unit)
    if code == "better":
        lead = f"improved by {size}"
    else:
        lead = f"{'fell' if delta < 0 else 'rose'} by {size}"
    if not evidence.higher_is_better:
        sentence += " Lower is better."
        lead += " (lower is better)"
    past = _beside_margin(code, evidence)
    if past == "smaller":
        sentence += (
            f" The {'gain' if code == 'better' else 'loss'} is smaller than your margin of "
            f"{wording.points(evidence.margin_points)}."
        )
        lead += f", smaller than your margin of {wording.points(evidence.margin_points)}"
    elif past == "past" and code == "worse":
        lead += f", past your margin of {wording.points(evidence.margin_points)}"
    # The verb in the lead says the direction, so the interval gives the size of the change.
    sizes = ci95 if delta > 0 else ci95.mirrored()
    between = f"{wording.number(sizes.low, unit)} to {wording.number(sizes.high, unit)}"
    return sentence, lead, f"95% CI {between}{_p(evidence)}"


def _beside_margin(code: Code, evidence: Evidence) -> Literal["smaller", "past", "unclear"]:
    """Smaller when the 90% interval lies within the margin; past when the estimate is beyond."""
    if evidence.point is None:
        return "unclear"
    margin = evidence.margin_points * evidence.point
    ci90 = _towards_better(evidence)[1]
    if (ci90.low > -margin) if code == "worse" else (ci90.high < margin):
        return "smaller"
    return "past" if abs(_found(evidence).delta) > margin else "unclear"


def _counts(evidence: Evidence) -> str:
    return f"{wording.items(evidence.regressed)} got worse, {evidence.improved:,} better."


def _p(evidence: Evidence) -> str:
    return "" if evidence.p is None else f", {wording.p_text(evidence.p, evidence.letter)}"


def _interval_and_p(evidence: Evidence) -> str:
    unit = evidence.point
    between = wording.with_points(wording.span(_intervals(evidence)[0], unit), unit)
    return f"95% CI {between}{_p(evidence)}"


def _disagreement(evidence: Evidence) -> str:
    """Why an interval that excludes 0 is no verdict: the second opinion says otherwise."""
    ci95, second = _intervals(evidence)[0], evidence.second
    if second is None or ci95.low <= 0 <= ci95.high:
        return ""
    unit = evidence.point
    between = wording.with_points(wording.span(second.bca95, unit), unit)
    return (
        f" The t interval excludes 0, but the check for such samples does not agree: "
        f"{wording.p_text(second.sign_flip_p, 'sign-flip p')}, BCa 95% CI {between}."
    )


def _found(evidence: Evidence) -> Difference:
    if evidence.found is None:
        raise ValueError("a finished comparison of enough pairs has its difference")
    return evidence.found


def _intervals(evidence: Evidence) -> tuple[Interval, Interval]:
    """The 95% and 90% intervals, which every comparison with a change has."""
    found = _found(evidence)
    if found.ci95 is None or found.ci90 is None:
        raise ValueError("a difference with changed pairs has its intervals")
    return found.ci95, found.ci90
