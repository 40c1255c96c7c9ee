"""The comparison of two runs: read, pair, hand to the rules in `comparison.py`, and tell.

A is the baseline, and every difference is B - A. Whoever calls has found both runs in one project.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runs_app.compared_items import (
    GROUPS,
    ComparedItem,
    ComparedItems,
    find_pair,
    items_page,
)
from runs_app.comparison import (
    HeadlineLine,
    Pairing,
    ScorerComparison,
    ScorerInput,
    compare_scorers,
    headline,
)
from runs_app.engine.summary import latency_percentiles
from runs_app.joining import Joined, PairScores, SharedScorer, join, shared_scorers
from runs_app.models import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "GROUPS",
    "ComparedItem",
    "ComparedItems",
    "Comparison",
    "RunInfo",
    "compare",
    "find_pair",
    "items_page",
]

DEFAULT_MARGIN = 2.0  # points


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One side of a comparison; `results` and `errors` count items.

    An item is an error when all its repetitions are. `latency_ms` has p50, p95 and p99, None each
    without a success.
    """

    number: int
    uuid: str
    name: str
    target: str
    dataset_id: int | None
    dataset_version: int
    status: str
    created_at: datetime
    results: int
    errors: int
    latency_ms: dict[str, float | None]

    def to_json(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "id": self.uuid,
            "name": self.name,
            "target": self.target,
            "dataset_version": self.dataset_version,
            "status": self.status,
            "created_at": self.created_at.isoformat(),
            "results": self.results,
            "errors": self.errors,
            "latency_ms": self.latency_ms,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs compared. `scorers` are those of both runs, the primary first; the names in `only_a`
    and `only_b` are scorers without a counterpart, those in `settings_differ` are compared although
    the runs set them up differently. `finished` is False while either run goes on: then there are
    means only."""

    a: RunInfo
    b: RunInfo
    margin: float
    finished: bool
    pairing: Pairing
    scorers: tuple[ScorerComparison, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    settings_differ: tuple[str, ...]
    headline: tuple[HeadlineLine, ...]

    @property
    def same_dataset(self) -> bool:
        return self.a.dataset_id == self.b.dataset_id

    def to_json(self) -> dict[str, Any]:
        """What the API answers and `compare --json` prints. Nothing is rounded."""
        return {
            "runs": [self.a.to_json(), self.b.to_json()],
            "finished": self.finished,
            "margin": self.margin,
            "pairing": self.pairing.to_json(),
            "scorers": [scorer.to_json() for scorer in self.scorers],
            "scorers_only_a": list(self.only_a),
            "scorers_only_b": list(self.only_b),
            "settings_differ": list(self.settings_differ),
            "headline": [
                {"tone": line.tone, "text": line.text, "detail": line.detail}
                for line in self.headline
            ],
        }


def compare(run_a: Run, run_b: Run, *, margin: float = DEFAULT_MARGIN) -> Comparison:
    """Compare two runs item by item. `margin` is the loss to shrug off, in points (hundredths of a
    scorer's range)."""
    import numpy as np

    joined = join(run_a, run_b)
    shared = shared_scorers(run_a, run_b)
    finished = not run_a.active and not run_b.active
    unscored = np.zeros(len(joined.pairs.a), dtype=bool)
    inputs = []
    for scorer in shared:
        values = joined.values(scorer)
        scores = joined.scores(values)
        unscored |= ~scores.errored & ~scores.scored
        inputs.append(_input(joined, scorer, values, scores, margin))
    pairing = _pairing(joined, unscored)
    scorers = compare_scorers(inputs, pairing, finished, _seed(run_a, run_b))
    names = {scorer.name for scorer in shared}
    return Comparison(
        a=_info(run_a, len(joined.a.numbers), joined.a.errored),
        b=_info(run_b, len(joined.b.numbers), joined.b.errored),
        margin=margin,
        finished=finished,
        pairing=pairing,
        scorers=tuple(scorers),
        only_a=_others(run_a, names),
        only_b=_others(run_b, names),
        settings_differ=tuple(scorer.name for scorer in shared if scorer.settings_differ),
        headline=tuple(headline(scorers)),
    )


def _pairing(joined: Joined, unscored: NDArray[np.bool_]) -> Pairing:
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


def _input(
    joined: Joined,
    scorer: SharedScorer,
    values: tuple[NDArray[np.float64], NDArray[np.float64]],
    scores: PairScores,
    margin: float,
) -> ScorerInput:
    import numpy as np

    errored, scored = scores.errored, scores.scored
    zero_a = np.where(joined.errored_a(), 0.0, scores.a)[errored]
    zero_b = np.where(joined.errored_b(), 0.0, scores.b)[errored]
    known = ~np.isnan(zero_a) & ~np.isnan(zero_b)
    ranges = {(each.low, each.high) for each in (scorer.a, scorer.b)}
    if scorer.a.kind == "binary":
        ranges = {(0.0, 1.0)}  # of an item's mean over repetitions too
    # Two ranges have no common point, so there is no margin to hold the change against.
    low, high = ranges.pop() if len(ranges) == 1 else (None, None)
    return ScorerInput(
        name=scorer.name,
        kind="binary" if scorer.binary else "continuous",
        higher_is_better=scorer.a.higher_is_better,
        low=low,
        high=high,
        primary=scorer.primary,
        margin_points=margin,
        tie_tolerance=0.0,
        a_all=values[0][~np.isnan(values[0])],
        b_all=values[1][~np.isnan(values[1])],
        a=scores.a[scored],
        b=scores.b[scored],
        not_scored=int(np.count_nonzero(~errored & ~scored)),
        excluded=int(np.count_nonzero(errored)),
        zero_a=zero_a[known],
        zero_b=zero_b[known],
    )


def _info(run: Run, results: int, errored: NDArray[np.bool_]) -> RunInfo:
    import numpy as np

    stored = None if run.active else run.summary
    return RunInfo(
        number=run.number,
        uuid=str(run.uuid),
        name=run.name,
        target=run.target_name,
        dataset_id=run.dataset_id,
        dataset_version=run.dataset_version,
        status=run.status,
        created_at=run.created_at,
        results=results,
        errors=int(np.count_nonzero(errored)),
        latency_ms=stored["latency_ms"] if stored else latency_percentiles(run),
    )


def _others(run: Run, shared: set[str]) -> tuple[str, ...]:
    return tuple(scorer.name for scorer in run.scorers.all() if scorer.name not in shared)


def _seed(run_a: Run, run_b: Run) -> int:
    """The same for the same two runs, whichever is the baseline."""
    low, high = sorted((run_a.pk, run_b.pk))
    return (low * 1_000_003 + high) % 2**32
