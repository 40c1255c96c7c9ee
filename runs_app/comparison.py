"""The rules of a comparison of two runs: which figures, which family of tests, which words.

Pure: aligned arrays in, values out. A is the baseline and every difference is B - A. Shares are
0..1 and nothing is rounded but inside sentences.

A *pair* is an item that is in both runs with equal content. Items in one run only, and items
whose content changed, are no pairs: they are counted and shown, but are not "left out". Left out
of a scorer's figures are pairs whose result is an error in either run, and pairs that this scorer
did not score (its own error included) in either run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runs_app.comparison_values import (
    Clusters,
    ErrorsAsZero,
    HeadlineLine,
    Kind,
    Pairing,
    ScorerComparison,
    ScorerInput,
    Side,
)
from runs_app.statistics import difference as differences
from runs_app.statistics.difference import Counts, Difference, PMethod
from runs_app.statistics.intervals import Bounds
from runs_app.statistics.judging import count, difference_of, judge
from runs_app.statistics.many import mean_of
from runs_app.statistics.multiplicity import benjamini_hochberg
from runs_app.statistics.repetitions import Repetitions, weigh
from runs_app.statistics.values import SecondOpinion
from runs_app.statistics.verdict import (
    LEAST_PAIRS,
    SMALL_SAMPLE,
    Code,
    Evidence,
    LeftOut,
    verdict,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Clusters",
    "ErrorsAsZero",
    "HeadlineLine",
    "Kind",
    "Pairing",
    "ScorerComparison",
    "ScorerInput",
    "Side",
    "compare_scorers",
    "headline",
]


@dataclass(frozen=True, slots=True)
class _Figures:
    """What is known of a scorer before its p meets the others'. Without ``found``, counts only."""

    counts: Counts
    found: Difference | None = None
    second: SecondOpinion | None = None
    p: float | None = None
    p_method: PMethod | None = None


def compare_scorers(
    inputs: Sequence[ScorerInput], pairing: Pairing, finished: bool, seed: int
) -> list[ScorerComparison]:
    """One comparison per scorer, in the given order.

    ``finished`` is False while either run is in progress. ``seed`` (0 or more) comes from the ids
    of the two runs. Raises ValueError for values that are no pairs of finite scores.
    """
    for scorer in inputs:
        _check(scorer)
    figures = [_figures(scorer, finished, seed) for scorer in inputs]
    # The primary scorer's p stands alone; the others are one family.
    family = [
        place
        for place, scorer in enumerate(inputs)
        if not scorer.primary and figures[place].p is not None
    ]
    adjusted = benjamini_hochberg([p for place in family if (p := figures[place].p) is not None])
    q = dict(zip(family, adjusted, strict=True))
    return [
        _conclude(scorer, figures[place], pairing, finished, q.get(place))
        for place, scorer in enumerate(inputs)
    ]


_IMPORTANCE: dict[Code, int] = {
    "worse": 0,
    "check_exclusions": 1,
    "better": 2,
    "cannot_tell": 3,
    "no_worse": 4,
    "no_change": 5,
    "too_few": 6,
    "none": 7,
}
HEADLINE_LINES = 3


def headline(comparisons: Sequence[ScorerComparison]) -> list[HeadlineLine]:
    """At most three lines: the primary scorer first, then what asks most for attention."""
    if not comparisons:
        return []
    # With too few clusters there is no verdict either, but there are differences.
    if all(each.code == "none" and each.delta is None for each in comparisons):
        return [HeadlineLine("none", "No verdict yet: a run is still in progress", "means only")]
    ordered = sorted(comparisons, key=lambda each: (not each.primary, *_weight(each)))
    return [
        HeadlineLine(each.verdict.tone, f"{each.name} {each.verdict.lead}", each.verdict.detail)
        for each in ordered[:HEADLINE_LINES]
    ]


def _weight(comparison: ScorerComparison) -> tuple[int, float]:
    """Worse before better, and larger changes first; a scorer without a range has no size."""
    size = 0.0
    if comparison.delta is not None and comparison.point is not None:
        size = abs(comparison.delta) / comparison.point
    return _IMPORTANCE[comparison.code], -size


def _figures(scorer: ScorerInput, finished: bool, seed: int) -> _Figures:
    a, b = _floats(scorer.a), _floats(scorer.b)
    counts = count(scorer.kind, a, b, scorer.tie_tolerance)
    if not finished or len(a) < LEAST_PAIRS:
        return _Figures(counts)
    clusters = None if scorer.clusters is None else scorer.clusters.pairs
    judged = judge(scorer.kind, a, b, _range(scorer), seed, clusters)
    return _Figures(counts, judged.found, judged.second, judged.p, judged.p_method)


def _conclude(
    scorer: ScorerInput, figures: _Figures, pairing: Pairing, finished: bool, q: float | None
) -> ScorerComparison:
    found, counts, second = figures.found, figures.counts, figures.second
    n, clusters = len(scorer.a), scorer.clusters
    value_range = _range(scorer)
    point = None if value_range is None else value_range / 100
    improved, regressed = _directed(scorer, counts)
    excluded = scorer.excluded + scorer.not_scored
    errored = scorer.errored or (pairing.errored_a, pairing.errored_b)
    left_out = LeftOut(excluded, n + excluded, *errored, scorer.not_scored)
    repetitions: Repetitions | None = None
    if scorer.repeated is not None:
        repetitions = weigh(*scorer.repeated, None if found is None else found.omega2)
    target = (
        None if found is None else differences.target(found, counts, point, scorer.margin_points)
    )
    evidence = Evidence(
        finished=finished,
        n=n,
        left_out=left_out,
        improved=improved,
        regressed=regressed,
        found=found,
        second=second,
        p=figures.p if scorer.primary else q,
        letter="p" if scorer.primary else "q",
        higher_is_better=scorer.higher_is_better,
        point=point,
        margin_points=scorer.margin_points,
        target=target,
        advice=None if repetitions is None else repetitions.advice,
    )
    return ScorerComparison(
        name=scorer.name,
        kind=scorer.kind,
        primary=scorer.primary,
        higher_is_better=scorer.higher_is_better,
        margin_points=scorer.margin_points,
        point=point,
        a=_side(scorer, scorer.a_all, None if clusters is None else clusters.a_all),
        b=_side(scorer, scorer.b_all, None if clusters is None else clusters.b_all),
        pairs=n,
        left_out=left_out,
        difference=found,
        second_opinion=second,
        p=figures.p,
        p_method=figures.p_method,
        q=q,
        improved=improved,
        regressed=regressed,
        unchanged=counts.unchanged,
        both_pass=counts.both_pass,
        both_fail=counts.both_fail,
        errors_as_zero=_errors_as_zero(scorer) if found else None,
        notes=_notes(n, found, second, repetitions),
        verdict=verdict(evidence),
        target=target,
        repetitions=repetitions,
    )


def _notes(
    n: int,
    found: Difference | None,
    second: SecondOpinion | None,
    repetitions: Repetitions | None,
) -> tuple[str, ...]:
    notes = []
    if found is not None and n < SMALL_SAMPLE:
        notes.append(f"Small sample: fewer than {SMALL_SAMPLE} pairs.")
    if second is not None:
        notes.append(
            f"Checked by sign-flip permutation and BCa bootstrap too, because {second.reason}: "
            "a verdict needs all of them to agree."
        )
    if found is not None and found.clusters is not None:
        naive = found.naive_standard_error
        ratio = f", {found.standard_error / naive:.2f} times the naive one" if naive else ""
        notes.append(
            f"Items stand in {found.clusters:,} clusters that are not split: the standard error is "
            f"by cluster{ratio}."
        )
    if repetitions is not None:
        notes.append(_repeated(repetitions))
    return tuple(notes)


def _repeated(repetitions: Repetitions) -> str:
    """How often items ran, and how many do not always give the same."""
    a, b = repetitions.a, repetitions.b
    text = f"Items ran {a.repetitions:.3g} times in A and {b.repetitions:.3g} in B, averaged first."
    if a.flaky is not None and b.flaky is not None:
        text += f" {a.flaky:,} are flaky in A, {b.flaky:,} in B."
    if repetitions.noise_share is not None:
        text += f" {100 * repetitions.noise_share:.0f}% of what differs is chance inside the items."
    return text


def _errors_as_zero(scorer: ScorerInput) -> ErrorsAsZero | None:
    import numpy as np

    if scorer.zero_a is None or scorer.zero_b is None or len(scorer.zero_a) == 0:
        return None
    if not scorer.higher_is_better:
        return None
    a = np.concatenate([_floats(scorer.a), _floats(scorer.zero_a)])
    b = np.concatenate([_floats(scorer.b), _floats(scorer.zero_b)])
    clusters = None
    if scorer.clusters is not None:
        clusters = np.concatenate([scorer.clusters.pairs, scorer.clusters.zeros])
    counts = count(scorer.kind, a, b, scorer.tie_tolerance)
    found = difference_of(scorer.kind, a, b, _range(scorer), clusters)
    improved, regressed = _directed(scorer, counts)
    return ErrorsAsZero(len(a), found.delta, found.ci95, improved, regressed, counts.unchanged)


def _directed(scorer: ScorerInput, counts: Counts) -> tuple[int, int]:
    """Improved and regressed."""
    if scorer.higher_is_better:
        return counts.rose, counts.fell
    return counts.fell, counts.rose


def _side(
    scorer: ScorerInput, values: NDArray[np.float64], clusters: NDArray[np.int64] | None
) -> Side:
    figures = mean_of(scorer.kind, _floats(values), _bounds(scorer), clusters)
    return Side(figures.n, figures.mean, figures.interval)


def _bounds(scorer: ScorerInput) -> Bounds | None:
    """The declared range; 0 to 1 for a binary scorer."""
    if scorer.kind == "binary":
        return 0.0, 1.0
    if scorer.low is None or scorer.high is None or scorer.high <= scorer.low:
        return None
    return scorer.low, scorer.high


def _range(scorer: ScorerInput) -> float | None:
    """The width of the declared range."""
    bounds = _bounds(scorer)
    return None if bounds is None else bounds[1] - bounds[0]


def _floats(values: NDArray[Any]) -> NDArray[np.float64]:
    """Packed vectors come as float32, in which sums of a million scores lose digits."""
    import numpy as np

    return np.asarray(values, dtype=np.float64)


def _check(scorer: ScorerInput) -> None:
    import numpy as np

    zeros = [each for each in (scorer.zero_a, scorer.zero_b) if each is not None]
    if scorer.clusters is not None and len(scorer.clusters.pairs) != len(scorer.a):
        raise ValueError(f"{scorer.name}: clusters must be aligned by pair")
    if len(scorer.a) != len(scorer.b) or len({len(each) for each in zeros}) > 1 or len(zeros) == 1:
        raise ValueError(f"{scorer.name}: the values of both runs must be aligned by pair")
    for values in (scorer.a_all, scorer.b_all, scorer.a, scorer.b, *zeros):
        if not np.isfinite(values).all():
            raise ValueError(f"{scorer.name}: a score must be a finite number")
        if scorer.kind == "binary" and not ((values == 0) | (values == 1)).all():
            raise ValueError(f"{scorer.name}: a binary score must be 0 or 1")
