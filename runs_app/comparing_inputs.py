"""From two joined runs to what the rules in `comparison.py` take: values, clusters, slices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runs_app.comparison import Clusters, Pairing, ScorerInput
from runs_app.joining import Joined, PairScores, SharedScorer
from runs_app.labels import Labels, as_clusters
from runs_app.statistics.clusters import LEAST_CLUSTERS, count_clusters
from runs_app.statistics.measures import Measure, measure
from runs_app.statistics.repetitions import ItemMoments, RepeatedSide, repeated_side
from runs_app.vectors import costs_of, labels_of, moments_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Codes = NDArray[np.int64]
    Mask = NDArray[np.bool_]

MOST_SLICES = 50


@dataclass(frozen=True, slots=True, eq=False)
class ClusterCodes:
    """The clusters of A's items and of B's, each coded for itself."""

    a: Codes
    b: Codes


@dataclass(frozen=True, slots=True, eq=False)
class SliceInputs:
    """The largest slices of one scorer, largest first. `more` counts the values that got none,
    `without` the pairs that lack the field."""

    inputs: tuple[ScorerInput, ...]
    more: int
    without: int


def pairing_of(joined: Joined, unscored: Mask) -> Pairing:
    """How the items of both runs meet; `unscored` are pairs that some scorer did not score."""
    import numpy as np

    pairs = joined.pairs
    return Pairing(
        paired=len(pairs.a),
        only_a=len(pairs.only_a),
        only_b=len(pairs.only_b),
        content_changed=len(pairs.changed_a),
        errored_a=int(np.count_nonzero(joined.errored_a())),
        errored_b=int(np.count_nonzero(joined.errored_b())),
        not_scored=int(np.count_nonzero(unscored)),
    )


def cluster_codes(joined: Joined, path: str) -> ClusterCodes | None:
    """The clusters by the field `path`; None when it puts no two pairs together, or all of them."""
    if not path:
        return None
    a = as_clusters(labels_of(joined.run_a, joined.a, path))
    b = as_clusters(labels_of(joined.run_b, joined.b, path))
    count = count_clusters(a[joined.pairs.a])
    if count < LEAST_CLUSTERS or count == len(joined.pairs.a):
        return None
    return ClusterCodes(a, b)


def scorer_input(
    joined: Joined,
    scorer: SharedScorer,
    values: tuple[Values, Values],
    scores: PairScores,
    margin: float,
    clusters: ClusterCodes | None,
) -> ScorerInput:
    """One scorer of both runs, over all items."""
    import numpy as np

    errored, scored = scores.errored, scores.scored
    zero_a, zero_b, known = _zeros(joined, scores)
    low, high = _range(scorer)
    present = [~np.isnan(each) for each in values]
    codes = None
    if clusters is not None:
        of_pairs = clusters.a[joined.pairs.a]
        codes = Clusters(
            pairs=of_pairs[scored],
            a_all=clusters.a[present[0]],
            b_all=clusters.b[present[1]],
            zeros=of_pairs[errored][known],
        )
    return ScorerInput(
        name=scorer.name,
        kind="binary" if scorer.binary else "continuous",
        higher_is_better=scorer.a.higher_is_better,
        low=low,
        high=high,
        primary=scorer.primary,
        margin_points=margin,
        tie_tolerance=0.0,
        a_all=values[0][present[0]],
        b_all=values[1][present[1]],
        a=scores.a[scored],
        b=scores.b[scored],
        not_scored=int(np.count_nonzero(~errored & ~scored)),
        excluded=int(np.count_nonzero(errored)),
        zero_a=zero_a[known],
        zero_b=zero_b[known],
        clusters=codes,
        repeated=_repeated(joined, scorer, scored),
    )


def slice_inputs(
    joined: Joined,
    scorer: SharedScorer,
    values: tuple[Values, Values],
    scores: PairScores,
    margin: float,
    path: str,
    clusters: ClusterCodes | None,
) -> SliceInputs:
    """The scorer once more for each value of the field `path`, which A's items say.

    A name stands for one slice; what has no second name in B has no mean of its own there.
    """
    import numpy as np

    ours = labels_of(joined.run_a, joined.a, path)
    theirs = labels_of(joined.run_b, joined.b, path)
    of_pairs = ours.at(joined.pairs.a)
    counts = np.bincount(of_pairs[of_pairs >= 0], minlength=len(ours.names))
    chosen = np.argsort(-counts, kind="stable")[:MOST_SLICES]
    inputs = tuple(
        _slice(joined, scorer, values, scores, margin, ours, theirs, int(code), clusters)
        for code in chosen
        if counts[code]
    )
    more = int(np.count_nonzero(counts)) - len(inputs)
    return SliceInputs(inputs, more, int(np.count_nonzero(of_pairs < 0)))


def measures_of(joined: Joined) -> tuple[Measure, ...]:
    """Latency, tokens and cost over the pairs without an error in either run."""
    a, b = costs_of(joined.run_a, joined.a), costs_of(joined.run_b, joined.b)
    pairs = joined.pairs
    return (
        measure("latency_ms", a.latency_ms[pairs.a], b.latency_ms[pairs.b], "hodges_lehmann"),
        measure("tokens", a.tokens[pairs.a], b.tokens[pairs.b], "paired_t"),
        measure("cost_usd", a.cost_usd[pairs.a], b.cost_usd[pairs.b], "paired_t"),
    )


def _slice(
    joined: Joined,
    scorer: SharedScorer,
    values: tuple[Values, Values],
    scores: PairScores,
    margin: float,
    ours: Labels,
    theirs: Labels,
    code: int,
    clusters: ClusterCodes | None,
) -> ScorerInput:
    import numpy as np

    name = ours.names[code]
    mine = ours.at(joined.pairs.a) == code
    other = theirs.names.index(name) if name in theirs.names else -2
    own = (ours.codes == code, theirs.codes == other)
    present = [mask & ~np.isnan(each) for mask, each in zip(own, values, strict=True)]
    scored, errored = scores.scored & mine, scores.errored & mine
    low, high = _range(scorer)
    codes = None
    if clusters is not None:
        of_pairs = clusters.a[joined.pairs.a]
        codes = Clusters(
            pairs=of_pairs[scored],
            a_all=clusters.a[present[0]],
            b_all=clusters.b[present[1]],
            zeros=of_pairs[:0],
        )
    return ScorerInput(
        name=name,
        kind="binary" if scorer.binary else "continuous",
        higher_is_better=scorer.a.higher_is_better,
        low=low,
        high=high,
        primary=False,
        margin_points=margin,
        tie_tolerance=0.0,
        a_all=values[0][present[0]],
        b_all=values[1][present[1]],
        a=scores.a[scored],
        b=scores.b[scored],
        not_scored=int(np.count_nonzero(mine & ~scores.errored & ~scores.scored)),
        excluded=int(np.count_nonzero(errored)),
        errored=(
            int(np.count_nonzero(joined.errored_a() & mine)),
            int(np.count_nonzero(joined.errored_b() & mine)),
        ),
        clusters=codes,
    )


def _zeros(joined: Joined, scores: PairScores) -> tuple[Values, Values, Mask]:
    """The pairs in error with 0 for the run that failed, and which of them have both values."""
    import numpy as np

    errored = scores.errored
    zero_a = np.where(joined.errored_a(), 0.0, scores.a)[errored]
    zero_b = np.where(joined.errored_b(), 0.0, scores.b)[errored]
    return zero_a, zero_b, ~np.isnan(zero_a) & ~np.isnan(zero_b)


def _range(scorer: SharedScorer) -> tuple[float | None, float | None]:
    """The declared range. Two ranges have no common point, so no margin to hold a change
    against."""
    if scorer.a.kind == "binary":
        return 0.0, 1.0  # of an item's mean over repetitions too
    same = (scorer.a.low, scorer.a.high) == (scorer.b.low, scorer.b.high)
    return (scorer.a.low, scorer.a.high) if same else (None, None)


def _repeated(
    joined: Joined, scorer: SharedScorer, scored: Mask
) -> tuple[RepeatedSide, RepeatedSide] | None:
    """What repetitions tell of the pairs; None when both runs ran each item once."""
    if joined.run_a.repetitions == joined.run_b.repetitions == 1:
        return None
    a = moments_of(joined.run_a, scorer.a, joined.a)
    b = moments_of(joined.run_b, scorer.b, joined.b)
    binary = scorer.a.kind == "binary"
    return (
        repeated_side(_taken(a, joined.pairs.a[scored]), binary=binary),
        repeated_side(_taken(b, joined.pairs.b[scored]), binary=binary),
    )


def _taken(moments: ItemMoments, places: NDArray[np.intp]) -> ItemMoments:
    return ItemMoments(moments.mean[places], moments.variance[places], moments.count[places])
