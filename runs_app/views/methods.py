""" "How this is computed": what a scorer's figures rest on, in sentences with its own numbers."""

from __future__ import annotations

from evalhub.kit.figures import integer, p_value
from runs_app.comparison import ScorerComparison
from runs_app.statistics import wording
from runs_app.statistics.values import Interval

METHODS = {
    "tango": "Tango's score interval",
    "t": "the paired t interval",
    "mcnemar_midp": "mid-p McNemar",
    "paired_t": "the paired t-test",
    "sign_flip": "the sign-flip permutation test",
    "cluster_t": "the cluster-robust t method",
}


def method_sentences(c: ScorerComparison) -> tuple[str, ...]:
    """In the order to read; only what applies. Empty while there is no difference."""
    return tuple(filter(None, (_precision(c), _second(c), _needed(c))))


def _precision(c: ScorerComparison) -> str:
    found = c.difference
    if found is None:
        return ""
    text = f"The standard error is {_size(c, found.standard_error)}"
    if found.ci90 is not None:
        text += f"; the 90% interval, for the margin, is {_span(c, found.ci90)}"
    return f"{text}."


def _second(c: ScorerComparison) -> str:
    second = c.second_opinion
    if second is None:
        return ""
    return (
        f"The check gives {p_value(second.sign_flip_p)} (sign-flip) and a BCa 95% interval of "
        f"{_span(c, second.bca95)}."
    )


def _needed(c: ScorerComparison) -> str:
    found, target = c.difference, c.target
    if found is None or found.detectable is None:
        return ""
    text = f"With {integer(found.n)} pairs a change of {_about(c, found.detectable)} is found"
    text += " with 80% power"
    if target is not None and target.items >= 1:
        text += f"; one of {wording.points(target.points)} needs about "
        text += f"{wording.three_digits(target.items)} items"
    return f"{text}."


def _size(c: ScorerComparison, value: float) -> str:
    return wording.with_points(wording.number(value, c.point), c.point)


def _about(c: ScorerComparison, value: float) -> str:
    return wording.about(value, c.point)


def _span(c: ScorerComparison, interval: Interval) -> str:
    return wording.with_points(wording.span(interval, c.point), c.point)
