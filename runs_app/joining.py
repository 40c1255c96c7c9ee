"""Two runs laid side by side: their arrays, their pairs, and the scorers that both have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datasets_app import public
from runs_app.models import Run, RunScorer
from runs_app.pairing import Identity, Pairs, pair_by_identity, pair_by_number
from runs_app.vectors import RunVectors, results_of, values_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IDENTITY_CHUNK = 2_000  # revisions come with their content, so not too many at once


@dataclass(frozen=True, slots=True, eq=False)
class SharedScorer:
    """A scorer of both runs. `settings_differ` when it was set up differently in each.

    `binary`: its values are 0 and 1. Means over repetitions are not, whatever the scorer's kind.
    """

    name: str
    a: RunScorer
    b: RunScorer
    primary: bool
    settings_differ: bool
    binary: bool


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """One scorer's values of all pairs, aligned; NaN where there is none, or where the target
    failed.

    `errored` are pairs with an error in either run, `scored` those without one and with both
    values.
    """

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    errored: NDArray[np.bool_]
    scored: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Two runs and how their results meet."""

    run_a: Run
    run_b: Run
    a: RunVectors
    b: RunVectors
    pairs: Pairs

    def errored_a(self) -> NDArray[np.bool_]:
        """Which pairs have an error in A."""
        return self.a.errored[self.pairs.a]

    def errored_b(self) -> NDArray[np.bool_]:
        """Which pairs have an error in B."""
        return self.b.errored[self.pairs.b]

    def values(self, scorer: SharedScorer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """All values of each run; NaN where there is none."""
        return (
            values_of(self.run_a, scorer.a, self.a),
            values_of(self.run_b, scorer.b, self.b),
        )

    def scores(self, values: tuple[NDArray[np.float64], NDArray[np.float64]]) -> PairScores:
        """The pairs among what `values` gave."""
        import numpy as np

        a, b = values[0][self.pairs.a], values[1][self.pairs.b]
        errored = self.errored_a() | self.errored_b()
        return PairScores(a, b, errored, ~errored & ~np.isnan(a) & ~np.isnan(b))


def join(run_a: Run, run_b: Run) -> Joined:
    """Read both runs and pair them. In one dataset items meet by number, across two by identity."""
    a, b = results_of(run_a), results_of(run_b)
    if run_a.dataset_id == run_b.dataset_id:
        pairs = pair_by_number((a.numbers, b.numbers), (a.revisions, b.revisions), identify)
    else:
        pairs = pair_by_identity(identify(a.revisions.tolist()), identify(b.revisions.tolist()))
    return Joined(run_a, run_b, a, b, pairs)


def identify(revisions: Sequence[int]) -> list[Identity]:
    """The identities of item revisions, in order."""
    found: list[Identity] = []
    for start in range(0, len(revisions), IDENTITY_CHUNK):
        ids = revisions[start : start + IDENTITY_CHUNK]
        rows = public.revisions_by_id(ids)
        found += [Identity(rows[id].external_id, rows[id].content_hash) for id in ids]
    return found


def shared_scorers(run_a: Run, run_b: Run) -> list[SharedScorer]:
    """Scorers with one name that mean the same kind of figure in both runs, in the order of A.

    The first is the primary: the first scorer of A that B has too.
    """
    theirs = {scorer.name: scorer for scorer in run_b.scorers.all()}
    both = [
        (scorer, theirs[scorer.name])
        for scorer in run_a.scorers.all()
        if scorer.name in theirs and same_figure(scorer, theirs[scorer.name])
    ]
    once = run_a.repetitions == run_b.repetitions == 1
    return [
        SharedScorer(
            name=a.name,
            a=a,
            b=b,
            primary=place == 0,
            settings_differ=_scoring(a) != _scoring(b),
            binary=once and a.kind == "binary",
        )
        for place, (a, b) in enumerate(both)
    ]


def _scoring(scorer: RunScorer) -> tuple[dict[str, Any], float | None]:
    """What scores depend on; a margin only says what to make of them."""
    spec = {name: value for name, value in scorer.spec.items() if name != "margin"}
    return spec, scorer.threshold


def same_figure(a: RunScorer, b: RunScorer) -> bool:
    """Whether the values of both mean the same kind of figure."""
    return (a.kind, a.higher_is_better) == (b.kind, b.higher_is_better)
