"""The comparison of two runs: read, pair, hand to the rules in `comparison.py`, and tell.

A is the baseline, and every difference is B - A. Whoever calls has found both runs in one project.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runs_app import vectors
from runs_app.compared_items import (
    GROUPS,
    ComparedItem,
    ComparedItems,
    find_pair,
    items_page,
)
from runs_app.comparing_inputs import (
    cluster_codes,
    measures_of,
    pairing_of,
    scorer_input,
    slice_inputs,
)
from runs_app.comparison import (
    HeadlineLine,
    Pairing,
    ScorerComparison,
    compare_scorers,
    headline,
)
from runs_app.defaults import Defaults, defaults_of
from runs_app.engine.summary import latency_percentiles
from runs_app.joining import Joined, SharedScorer, join, shared_scorers
from runs_app.margins import DEFAULT_MARGIN, stored_margins
from runs_app.memory import Memory
from runs_app.models import Run
from runs_app.statistics.measures import Measure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "GROUPS",
    "ComparedItem",
    "ComparedItems",
    "Comparison",
    "RunInfo",
    "Slices",
    "cluster_field_of",
    "compare",
    "find_pair",
    "items_page",
]

FIGURES = Memory(limit_bytes=20_000_000)
ABOUT_BYTES = 4_000  # that the figures of one scorer or slice take


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
class Slices:
    """One scorer by the values of a field of the items, largest slice first. Exploratory: with
    many slices some differ by luck, so each shows q. `more` counts values without a slice of their
    own, `without` the pairs that lack the field."""

    field: str
    scorer: str
    groups: tuple[ScorerComparison, ...]
    more: int
    without: int

    def to_json(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "scorer": self.scorer,
            "exploratory": True,
            "groups": [{"value": group.name, **group.to_json()} for group in self.groups],
            "more": self.more,
            "without": self.without,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs compared. `scorers` are those of both runs, the primary first; the names in `only_a`
    and `only_b` are scorers without a counterpart, those in `settings_differ` are compared although
    the runs set them up differently. `margin` is the one asked for, else that of a scorer that has
    none of its own. `finished` is False while either run goes on: then there are
    means only. `measures` are latency, tokens and cost, none before the end; `cluster_field` is the
    field whose values keep items together, "" without one."""

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
    measures: tuple[Measure, ...] = ()
    cluster_field: str = ""
    slices: Slices | None = None

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
            "measures": {each.name: each.to_json() for each in self.measures},
            "cluster_field": self.cluster_field,
            "slices": self.slices and self.slices.to_json(),
        }


@dataclass(frozen=True, slots=True)
class _Figures:
    """What takes long, and is the same until a run changes."""

    pairing: Pairing
    scorers: tuple[ScorerComparison, ...]
    measures: tuple[Measure, ...]
    slices: Slices | None
    counts: tuple[tuple[int, int], tuple[int, int]]  # results and errors of A, of B


def compare(
    run_a: Run,
    run_b: Run,
    *,
    margin: float | None = None,
    margins: Mapping[str, float] | None = None,
    cluster: str | None = None,
    slices: str = "",
    by: str = "",
) -> Comparison:
    """Compare two runs item by item. `margin` is the loss to shrug off, in points (hundredths of a
    scorer's range), None for each scorer's own (`margins.stored_margins`); `margins` have those of
    single scorers by name.

    `cluster` is a field of the items (labels.check_field) whose values keep them together: None
    for the dataset's own, "" for none. `slices` is a field to look at value by value, by the
    scorer named `by`, else the primary one.
    """
    usual = _usual(run_b)
    field = usual.cluster_field if cluster is None else cluster
    shared = shared_scorers(run_a, run_b)
    held = dict.fromkeys((each.name for each in shared), margin) if margin is not None else {}
    held = stored_margins(shared, usual) | held | dict(margins or {})
    finished = not run_a.active and not run_b.active
    asked = _Asked(tuple(sorted(held.items())), field, slices, by)
    figures = _figures(run_a, run_b, shared, finished, asked)
    names = {scorer.name for scorer in shared}
    return Comparison(
        a=run_info(run_a, *figures.counts[0]),
        b=run_info(run_b, *figures.counts[1]),
        margin=DEFAULT_MARGIN if margin is None else margin,
        finished=finished,
        pairing=figures.pairing,
        scorers=figures.scorers,
        only_a=_others(run_a, names),
        only_b=_others(run_b, names),
        settings_differ=tuple(scorer.name for scorer in shared if scorer.settings_differ),
        headline=tuple(headline(figures.scorers)),
        measures=figures.measures,
        cluster_field=field,
        slices=figures.slices,
    )


def cluster_field_of(run: Run) -> str:
    """The field that the run's dataset declares for clusters; "" without one."""
    return _usual(run).cluster_field


def margins_of(run_a: Run, run_b: Run) -> dict[str, float]:
    """{scorer of both: the margin that holds when none is asked for}."""
    return stored_margins(shared_scorers(run_a, run_b), _usual(run_b))


def _usual(run: Run) -> Defaults:
    """The defaults of the run's dataset; empty ones without a dataset."""
    return Defaults() if run.dataset_id is None else defaults_of(run.dataset_id)


@dataclass(frozen=True, slots=True)
class _Asked:
    margins: tuple[tuple[str, float], ...]
    cluster: str
    slices: str
    by: str


def _figures(
    run_a: Run, run_b: Run, shared: Sequence[SharedScorer], finished: bool, asked: _Asked
) -> _Figures:
    """Kept in memory for runs that are over; slices only as long as their packed field is there,
    for they show what the items say."""

    def make() -> _Figures:
        return _computed(join(run_a, run_b), shared, finished, asked)

    stamps: tuple[int | None, ...] = ()
    if asked.slices:
        stamps = tuple(vectors.label_stamp(run, asked.slices) for run in (run_a, run_b))
    if not finished or None in stamps:
        return make()
    key = (vectors.key_of(run_a), vectors.key_of(run_b), asked, stamps)
    return FIGURES.get(key, make, _about_bytes)


def _about_bytes(figures: _Figures) -> int:
    slices = len(figures.slices.groups) if figures.slices else 0
    return ABOUT_BYTES * (2 + len(figures.scorers) + slices)


def _computed(
    joined: Joined, shared: Sequence[SharedScorer], finished: bool, asked: _Asked
) -> _Figures:
    import numpy as np

    margins = dict(asked.margins)
    clusters = cluster_codes(joined, asked.cluster)
    unscored = np.zeros(len(joined.pairs.a), dtype=bool)
    inputs, sliced = [], None
    for scorer in shared:
        values = joined.values(scorer)
        scores = joined.scores(values)
        unscored |= ~scores.errored & ~scores.scored
        margin = margins[scorer.name]
        inputs.append(scorer_input(joined, scorer, values, scores, margin, clusters))
        if asked.slices and (scorer.name == asked.by if asked.by else scorer.primary):
            sliced = (
                scorer.name,
                slice_inputs(joined, scorer, values, scores, margin, asked.slices, clusters),
            )
    pairing = pairing_of(joined, unscored)
    extra = sliced[1].inputs if sliced else ()
    # One family: the other scorers and all slices.
    found = compare_scorers(
        [*inputs, *extra], pairing, finished, seed_of(joined.run_a, joined.run_b)
    )
    return _Figures(
        pairing=pairing,
        scorers=tuple(found[: len(inputs)]),
        measures=measures_of(joined) if finished else (),
        slices=sliced
        and Slices(
            asked.slices, sliced[0], tuple(found[len(inputs) :]), sliced[1].more, sliced[1].without
        ),
        counts=(_counted(joined.a.errored), _counted(joined.b.errored)),
    )


def _counted(errored: NDArray[np.bool_]) -> tuple[int, int]:
    """Items with results, and those in error."""
    return len(errored), int(errored.sum())


def run_info(run: Run, results: int, errors: int) -> RunInfo:
    """The run with how many of its items have results and are in error."""
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
        errors=errors,
        latency_ms=stored["latency_ms"] if stored else latency_percentiles(run),
    )


def _others(run: Run, shared: set[str]) -> tuple[str, ...]:
    return tuple(scorer.name for scorer in run.scorers.all() if scorer.name not in shared)


def seed_of(run_a: Run, run_b: Run) -> int:
    """The same for the same two runs, whichever is the baseline."""
    low, high = sorted((run_a.pk, run_b.pk))
    return (low * 1_000_003 + high) % 2**32
