"""Gates: rules by which a program, not a person, decides on a comparison.

A gate passes, fails, or is inconclusive when the figures cannot say. Of several gates one failure
fails all, and one that is inconclusive makes all so unless another fails.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from runs_app.statistics import wording
from runs_app.statistics.multiplicity import holm
from runs_app.statistics.values import Interval
from runs_app.statistics.verdict import Code

Rule = Literal[
    "threshold", "no-significant-regression", "non-inferior", "max-regressed-items", "must-pass"
]
State = Literal["passed", "failed", "inconclusive"]

DEFAULT = "no-significant-regression"
PASSED, FAILED, INCONCLUSIVE = 0, 3, 4
SIGNIFICANT = 0.05
SHOWN_ITEMS = 10
HELP = (
    "A gate is no-significant-regression, threshold:0.9, non-inferior:2, max-regressed-items:3 "
    "or must-pass:1,5,9; a number belongs to the primary scorer unless one is named, as in "
    "threshold:NAME=0.9."
)


@dataclass(frozen=True, slots=True)
class Gate:
    """One rule. ``scorer`` is "" for the primary one; ``number`` is the threshold (in the scorer's
    unit), the margin in points, or the most items that may regress; ``items`` must pass."""

    rule: Rule
    scorer: str = ""
    number: float = 0.0
    items: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class GateScorer:
    """What the gates look at of one scorer, all B - A. ``p`` is None without a difference; it is
    the larger one of a test and its check. ``towards_better`` is the 90% interval (of both methods
    where there are two) with its sign turned so that below 0 is worse; None without one."""

    name: str
    primary: bool
    code: Code
    sentence: str
    higher_is_better: bool
    point: float | None
    mean_b: float | None
    ci95_b: Interval | None
    regressed: int
    p: float | None
    towards_better: Interval | None


@dataclass(frozen=True, slots=True)
class GateFacts:
    """A whole comparison. ``must_pass`` says of the items that gates name whether each passes in B
    by the primary scorer; None for one that B does not have or that has no pass or fail."""

    finished: bool
    scorers: tuple[GateScorer, ...]
    must_pass: Mapping[int, bool | None]


@dataclass(frozen=True, slots=True)
class GateReason:
    """What one gate found, in a sentence."""

    gate: str
    state: State
    text: str


@dataclass(frozen=True, slots=True)
class GateOutcome:
    """All gates together. ``passed`` is True when every one passed."""

    passed: bool
    inconclusive: bool
    reasons: tuple[GateReason, ...]

    @property
    def exit_code(self) -> int:
        """0 passed, 3 failed, 4 inconclusive."""
        if self.passed:
            return PASSED
        return INCONCLUSIVE if self.inconclusive else FAILED

    def to_json(self) -> dict[str, Any]:
        return {
            "passed": self.passed,
            "inconclusive": self.inconclusive,
            "exit_code": self.exit_code,
            "reasons": [
                {"gate": each.gate, "state": each.state, "text": each.text} for each in self.reasons
            ],
        }


def parse_gate(text: str) -> Gate:
    """The gate that ``text`` means. Raises ValueError with a sentence."""
    rule, _, rest = text.strip().partition(":")
    rule, rest = rule.strip(), rest.strip()
    if rule == "no-significant-regression" and not rest:
        return Gate("no-significant-regression")
    if rule == "must-pass" and re.fullmatch(r"#?\d{1,9}(\s*,\s*#?\d{1,9})*", rest, re.ASCII):
        numbers = {int(part.strip().lstrip("#")) for part in rest.split(",")}
        return Gate("must-pass", items=tuple(sorted(numbers)))
    scorer, _, figure = rest.rpartition("=")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", figure.strip(), re.ASCII):
        raise ValueError(f"“{text}” is no gate. {HELP}")
    number = float(figure)
    if rule == "threshold":
        return Gate("threshold", scorer.strip(), number)
    if rule == "non-inferior" and 0 <= number <= 100:
        return Gate("non-inferior", scorer.strip(), number)
    if rule == "max-regressed-items" and number >= 0 and number.is_integer():
        return Gate("max-regressed-items", scorer.strip(), number)
    raise ValueError(f"“{text}” is no gate. {HELP}")


def check_gates(gates: Sequence[tuple[str, Gate]], facts: GateFacts) -> GateOutcome:
    """What the gates, each with the text that asked for it, make of the comparison."""
    regressions = _significant(facts.scorers)
    reasons = [GateReason(text, *_check(gate, facts, regressions)) for text, gate in gates]
    states = {reason.state for reason in reasons}
    return GateOutcome(
        passed=states == {"passed"},
        inconclusive="inconclusive" in states and "failed" not in states,
        reasons=tuple(reasons),
    )


def _significant(scorers: Sequence[GateScorer]) -> dict[str, float]:
    """{scorer: Holm-adjusted p} of those that are worse for certain, all scorers one family."""
    tested = [scorer for scorer in scorers if scorer.p is not None]
    adjusted = holm([scorer.p for scorer in tested if scorer.p is not None])
    return {
        scorer.name: p
        for scorer, p in zip(tested, adjusted, strict=True)
        # One test needs no adjusting, so there the verdict stands as the page shows it.
        if scorer.code == "worse" and (p < SIGNIFICANT or len(tested) == 1)
    }


def _check(gate: Gate, facts: GateFacts, regressions: Mapping[str, float]) -> tuple[State, str]:
    if not facts.finished:
        return "inconclusive", "A run is still in progress."
    if gate.rule == "must-pass":
        return _must_pass(gate, facts)
    if not facts.scorers:
        return "inconclusive", "The runs have no scorer in common."
    if gate.rule == "no-significant-regression":
        return _no_regression(facts, regressions)
    found = [
        one for one in facts.scorers if (one.name == gate.scorer if gate.scorer else one.primary)
    ]
    if not found:
        return "inconclusive", f"The runs have no scorer “{gate.scorer}” in common."
    if gate.rule == "threshold":
        return _threshold(gate, found[0])
    if gate.rule == "max-regressed-items":
        return _max_regressed(gate, found[0])
    return _non_inferior(gate, found[0])


def _no_regression(facts: GateFacts, regressions: Mapping[str, float]) -> tuple[State, str]:
    worse = [one for one in facts.scorers if one.name in regressions]
    if worse:
        said = " ".join(f"{one.name}: {one.sentence}" for one in worse)
        return "failed", said
    unsure = [one for one in facts.scorers if _unsure(one)]
    if unsure:
        return "inconclusive", " ".join(f"{one.name}: {one.sentence}" for one in unsure)
    count = len(facts.scorers)
    some = "The scorer is" if count == 1 else f"None of {count} scorers is"
    return "passed", f"{some} {'not ' if count == 1 else ''}significantly worse."


def _unsure(scorer: GateScorer) -> bool:
    return scorer.code in ("none", "too_few", "check_exclusions")


def _threshold(gate: Gate, scorer: GateScorer) -> tuple[State, str]:
    if scorer.mean_b is None:
        return "inconclusive", f"{scorer.name} has no score in B."
    reached = (
        scorer.mean_b >= gate.number if scorer.higher_is_better else scorer.mean_b <= gate.number
    )
    interval = "" if scorer.ci95_b is None else f" (95% CI {_plain(scorer.ci95_b)})"
    side = "reaches" if reached else "misses"
    text = f"{scorer.name} of B is {scorer.mean_b:.4g}{interval} and {side} {gate.number:g}."
    return "passed" if reached else "failed", text.replace("-", wording.MINUS)


def _plain(interval: Interval) -> str:
    return f"{interval.low:.4g} to {interval.high:.4g}"


def _max_regressed(gate: Gate, scorer: GateScorer) -> tuple[State, str]:
    text = f"{wording.items(scorer.regressed)} got worse by {scorer.name}, {gate.number:g} may."
    if scorer.regressed > gate.number:
        return "failed", text
    if scorer.code == "check_exclusions":
        return "inconclusive", f"{text} {scorer.sentence}"
    return "passed", text


def _non_inferior(gate: Gate, scorer: GateScorer) -> tuple[State, str]:
    margin = wording.points(gate.number)
    if _unsure(scorer):
        return "inconclusive", f"{scorer.name}: {scorer.sentence}"
    if scorer.point is None or scorer.towards_better is None:
        return "inconclusive", f"{scorer.name} has no range, so a margin in points means nothing."
    low = scorer.towards_better.low
    worst = wording.with_points(wording.number(max(0.0, -low), scorer.point), scorer.point)
    if low > -gate.number * scorer.point:
        return "passed", f"{scorer.name} is at most {worst} worse (margin {margin})."
    text = f"{scorer.name} may be up to {worst} worse (margin {margin})."
    return ("failed" if scorer.code == "worse" else "inconclusive"), f"{text} {scorer.sentence}"


def _must_pass(gate: Gate, facts: GateFacts) -> tuple[State, str]:
    failing = [number for number in gate.items if facts.must_pass.get(number) is False]
    unknown = [number for number in gate.items if facts.must_pass.get(number) is None]
    if failing:
        return "failed", f"Must pass, but fails in B: {_numbers(failing)}."
    if unknown:
        return "inconclusive", f"Must pass, but has no pass or fail in B: {_numbers(unknown)}."
    count = len(gate.items)
    return "passed", "The item that must pass does." if count == 1 else f"All {count} items pass."


def _numbers(numbers: Sequence[int]) -> str:
    shown = ", ".join(f"#{number}" for number in numbers[:SHOWN_ITEMS])
    more = len(numbers) - SHOWN_ITEMS
    return f"{shown} and {more:,} more" if more > 0 else shown
