"""Two to twenty runs beside each other: each against the baseline, on every scorer that all have.

Items pair with the baseline's, by the same rules as in a comparison of two. Whoever calls has found
all runs in one project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from evalhub.kit.errors import FieldError, Invalid
from runs_app.comparing import ABOUT_BYTES, FIGURES, RunInfo, cluster_field_of, run_info
from runs_app.joining import join, same_figure
from runs_app.labels import as_clusters
from runs_app.models import Run, RunScorer
from runs_app.statistics.judging import Kind
from runs_app.statistics.many import Against, Many, ManyRun, compare_many, means_only
from runs_app.statistics.omnibus import Omnibus
from runs_app.statistics.values import Interval
from runs_app.usage import Usage, usage
from runs_app.vectors import RunVectors, key_of, labels_of, results_of, values_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_RUNS = 20

Items = Literal["common", "pairwise"]

__all__ = ["Against", "ManyComparison", "ManyRun", "ManyScorer", "Omnibus", "RunLine", "compare"]


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run with what it took. `error_rate` is the share of its items in error, None without
    items; tokens and cost are None when the target does not say."""

    info: RunInfo
    error_rate: float | None
    tokens: int | None
    cost_usd: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            **self.info.to_json(),
            "error_rate": self.error_rate,
            "tokens": self.tokens,
            "cost_usd": self.cost_usd,
        }


@dataclass(frozen=True, slots=True)
class ManyScorer:
    """One scorer in all runs, in their order; improved and regressed know its direction.

    `point` is a hundredth of the range, None when the runs declare no common one. `so_far`: a run
    goes on, so there are means alone, each over its own results."""

    name: str
    kind: str
    primary: bool
    higher_is_better: bool
    figures: Many
    point: float | None
    so_far: bool = False

    def to_json(self, runs: Sequence[RunLine]) -> dict[str, Any]:
        figures = self.figures
        lines = [
            {"number": run.info.number, **self._run(line)}
            for run, line in zip(runs, figures.runs, strict=True)
        ]
        return {
            "name": self.name,
            "kind": self.kind,
            "primary": self.primary,
            "higher_is_better": self.higher_is_better,
            "point": self.point,
            "common": figures.common,
            "runs": lines,
            "omnibus": figures.omnibus and figures.omnibus.to_json(),
            "best": None if figures.best is None else lines[figures.best]["number"],
            "top_group": [line["number"] for line in lines if line["in_top_group"]],
            "sentence": self.sentence(runs),
        }

    def sentence(self, runs: Sequence[RunLine]) -> str:
        """What the omnibus test and the top group say."""
        if self.so_far:
            return "Means so far, each over its own results."
        omnibus = self.figures.omnibus
        if omnibus is None:
            return "Too few items that all runs scored: 10 are needed."
        if omnibus.p >= 0.05:
            start = "No difference between the runs is clear."
        else:
            start = "At least one run differs."
        top = [
            f"#{run.info.number}"
            for run, line in zip(runs, self.figures.runs, strict=True)
            if line.in_top_group
        ]
        return f"{start} Not significantly behind the best: {', '.join(top)}." if top else start

    def _run(self, line: ManyRun) -> dict[str, Any]:
        against = line.against
        return {
            "n": line.n,
            "mean": line.mean,
            "ci95": _json(line.ci95),
            "in_top_group": line.in_top_group,
            "against_baseline": None
            if against is None
            else {
                "n": against.n,
                "delta": against.delta,
                "ci95": _json(against.ci95),
                "ci_method": against.ci_method,
                "p": against.p,
                "p_method": against.p_method,
                "p_holm": against.p_holm,
                "improved": against.rose if self.higher_is_better else against.fell,
                "regressed": against.fell if self.higher_is_better else against.rose,
                "unchanged": against.unchanged,
            },
        }


@dataclass(frozen=True, slots=True)
class ManyComparison:
    """All runs, in the order given. `items` is "common" when every figure is over the items that
    all runs scored, "pairwise" when each uses what it has. `finished` is False while a run goes on:
    then there are means only."""

    runs: tuple[RunLine, ...]
    baseline: int
    items: Items
    finished: bool
    paired: int
    scorers: tuple[ManyScorer, ...]
    cluster_field: str

    def to_json(self) -> dict[str, Any]:
        """What the API answers. Nothing is rounded; every difference is run minus baseline."""
        return {
            "runs": [run.to_json() for run in self.runs],
            "baseline": self.runs[self.baseline].info.number,
            "items": self.items,
            "finished": self.finished,
            "paired": self.paired,
            "scorers": [scorer.to_json(self.runs) for scorer in self.scorers],
            "cluster_field": self.cluster_field,
        }


@dataclass(frozen=True, slots=True)
class _Figures:
    paired: int
    scorers: tuple[ManyScorer, ...]
    counts: tuple[tuple[int, int], ...]
    usage: tuple[Usage, ...]


def compare(
    runs: Sequence[Run],
    *,
    baseline: int = 0,
    items: Items = "common",
    cluster: str | None = None,
) -> ManyComparison:
    """Compare 2 to 20 runs; `baseline` is a place among them. `cluster` as in `comparing.compare`.

    Raises Invalid for too few, too many, or one run twice.
    """
    detail = ""
    if not 2 <= len(runs) <= MOST_RUNS:
        detail = f"A comparison takes 2 to {MOST_RUNS} runs."
    elif len({run.pk for run in runs}) < len(runs):
        detail = "Name each run once."
    if detail:
        raise Invalid(detail, errors=[FieldError("/runs", detail)])
    field = cluster_field_of(runs[baseline]) if cluster is None else cluster
    finished = not any(run.active for run in runs)

    def make() -> _Figures:
        return _computed(runs, baseline, items, field, finished)

    key = (*(key_of(run) for run in runs), baseline, items, field)
    found = FIGURES.get(key, make, _about_bytes) if finished else make()
    lines = tuple(
        _line(run, counts, used)
        for run, counts, used in zip(runs, found.counts, found.usage, strict=True)
    )
    return ManyComparison(lines, baseline, items, finished, found.paired, found.scorers, field)


def shared_by_all(runs: Sequence[Run], baseline: int) -> list[list[RunScorer]]:
    """The scorers of one name and kind of figure in every run, as the baseline orders them; each
    as a list in the order of the runs."""
    by_name = [{scorer.name: scorer for scorer in run.scorers.all()} for run in runs]
    found = []
    for scorer in runs[baseline].scorers.all():
        row = [scorers.get(scorer.name) for scorers in by_name]
        same = [each for each in row if each is not None and same_figure(scorer, each)]
        if len(same) == len(runs):
            found.append(same)
    return found


def _computed(
    runs: Sequence[Run], baseline: int, items: Items, field: str, finished: bool
) -> _Figures:
    import numpy as np

    places, paired = _layout(runs, baseline)
    vectors = [results_of(run) for run in runs]
    clusters = None
    if field:
        clusters = as_clusters(labels_of(runs[baseline], vectors[baseline], field))
    scorers = []
    if not finished:
        scorers = _so_far(runs, baseline, vectors, field)
    for place, row in enumerate(shared_by_all(runs, baseline) if finished else ()):
        values = [
            _laid_out(np.where(found.errored, np.nan, values_of(run, scorer, found)), spots)
            for run, scorer, found, spots in zip(runs, row, vectors, places, strict=True)
        ]
        first, kind = row[baseline], _kind(runs, row[baseline])
        figures = compare_many(
            values,
            baseline,
            kind,
            higher_is_better=first.higher_is_better,
            bounds=_bounds(row),
            seed=_seed(runs),
            clusters=clusters,
            pairwise=items == "pairwise",
        )
        scorers.append(_scorer(row, first, kind, place, figures))
    counts = tuple((len(found.errored), int(found.errored.sum())) for found in vectors)
    return _Figures(paired, tuple(scorers), counts, tuple(usage(run) for run in runs))


def _so_far(
    runs: Sequence[Run], baseline: int, vectors: Sequence[RunVectors], field: str
) -> list[ManyScorer]:
    """The scorers of all runs with each run's mean over the results that it has now."""
    import numpy as np

    found = []
    for place, row in enumerate(shared_by_all(runs, baseline)):
        values, codes = [], []
        for run, scorer, vector in zip(runs, row, vectors, strict=True):
            of_run = values_of(run, scorer, vector)
            known = ~np.isnan(of_run)
            values.append(of_run[known])
            if field:
                codes.append(as_clusters(labels_of(run, vector, field))[known])
        first, kind = row[baseline], _kind(runs, row[baseline])
        figures = means_only(values, kind, bounds=_bounds(row), clusters=codes or None)
        found.append(_scorer(row, first, kind, place, figures, so_far=True))
    return found


def _scorer(
    row: Sequence[RunScorer],
    first: RunScorer,
    kind: Kind,
    place: int,
    figures: Many,
    *,
    so_far: bool = False,
) -> ManyScorer:
    bounds = _bounds(row)
    return ManyScorer(
        name=first.name,
        kind=kind,
        primary=place == 0,
        higher_is_better=first.higher_is_better,
        figures=figures,
        point=None if bounds is None else (bounds[1] - bounds[0]) / 100,
        so_far=so_far,
    )


def _kind(runs: Sequence[Run], scorer: RunScorer) -> Kind:
    once = all(run.repetitions == 1 for run in runs)
    return "binary" if once and scorer.kind == "binary" else "continuous"


def _layout(runs: Sequence[Run], baseline: int) -> tuple[list[NDArray[np.intp]], int]:
    """For each run the place of the baseline's items in it, -1 where it has none with the same
    content; and how many items all runs have."""
    import numpy as np

    count = len(results_of(runs[baseline]).numbers)
    places = []
    everywhere = np.ones(count, dtype=bool)
    for place, run in enumerate(runs):
        spots = np.arange(count)
        if place != baseline:
            pairs = join(runs[baseline], run).pairs
            spots = np.full(count, -1)
            spots[pairs.a] = pairs.b
        everywhere &= spots >= 0
        places.append(spots)
    return places, int(np.count_nonzero(everywhere))


def _laid_out(values: NDArray[np.float64], spots: NDArray[np.intp]) -> NDArray[np.float64]:
    import numpy as np

    if not len(values):
        return np.full(len(spots), np.nan)
    return np.where(spots >= 0, values[spots], np.nan)


def _bounds(scorers: Sequence[RunScorer]) -> tuple[float, float] | None:
    """The range that all declare; 0 to 1 for binary scorers, and for their means by item."""
    if scorers[0].kind == "binary":
        return 0.0, 1.0
    ranges = {(each.low, each.high) for each in scorers}
    low, high = ranges.pop()
    if ranges or low is None or high is None or high <= low:
        return None
    return low, high


def _line(run: Run, counts: tuple[int, int], used: Usage) -> RunLine:
    results, errors = counts
    return RunLine(
        info=run_info(run, results, errors),
        error_rate=errors / results if results else None,
        tokens=None if used.tokens is None else used.all_tokens,
        cost_usd=used.cost_usd,
    )


def _seed(runs: Sequence[Run]) -> int:
    """The same for the same runs in any order."""
    return sum(run.pk * 1_000_003 for run in runs) % 2**32


def _about_bytes(figures: _Figures) -> int:
    return ABOUT_BYTES * (1 + len(figures.scorers) * len(figures.counts))


def _json(interval: Interval | None) -> list[float] | None:
    return None if interval is None else interval.to_json()
