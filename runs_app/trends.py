"""A figure over the runs of a dataset: a scorer's mean, the latency, the cost.

Everything comes from stored summaries, so a trend takes no query beyond that of its runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evalhub.access.models import Project, User
from evalhub.kit.figures import decimal, duration_ms, money, percent
from evalhub.kit.plots import TrendPoint, TrendUnit
from runs_app import queries, states
from runs_app.models import Run

SHOWN = 30  # runs in a chart
LOOKED_AT = 1_000  # newest runs of a dataset, for the choice of targets and tags
SCORER = "scorer:"
_SAY: dict[TrendUnit, Callable[[float], str]] = {
    "share": percent,
    "number": lambda value: decimal(value, 3),
    "ms": duration_ms,
    "usd": money,
}
_COSTS: dict[str, tuple[str, TrendUnit]] = {
    "p50": ("Latency p50", "ms"),
    "p95": ("Latency p95", "ms"),
    "cost": ("Cost", "usd"),
}


@dataclass(frozen=True, slots=True)
class Series:
    """Something that the runs of a dataset have a figure for."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class Trend:
    """One series over the last runs, oldest first; `label` says it in words."""

    series: Series
    unit: TrendUnit
    points: tuple[TrendPoint, ...]
    label: str

    @property
    def scorer(self) -> bool:
        return self.series.key.startswith(SCORER)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the runs of a dataset can be narrowed to: targets as (reference, name), and tags."""

    targets: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]


def choices(user: User, project: Project, dataset_id: int) -> Choices:
    """The targets and tags of the dataset's newest runs, in the order of their names; one query."""
    found = queries.runs(user, project, dataset_id=dataset_id).prefetch_related(None)
    rows = found.select_related(None).values_list("target_ref", "target__name", "tags")[:LOOKED_AT]
    targets: dict[str, str] = {}
    tags: set[str] = set()
    for ref, name, of_run in rows:
        targets.setdefault(ref, str(name or ref))
        tags.update(str(tag) for tag in of_run)
    named = sorted(targets.items(), key=lambda each: (each[1].casefold(), each[0]))
    return Choices(tuple(named), tuple(sorted(tags)))


def recent(
    user: User, project: Project, dataset_id: int, *, target: str = "", tag: str = ""
) -> list[Run]:
    """The newest completed runs of the dataset, by a target and with a tag when given."""
    found = queries.runs(
        user, project, dataset_id=dataset_id, status=states.COMPLETED, target=target, tag=tag
    )
    return list(found[:SHOWN])


def series_of(newest_first: Sequence[Run]) -> list[Series]:
    """What at least one of the runs has a figure for: scorers as the newest run orders them."""
    names = dict.fromkeys(s.name for run in newest_first for s in run.scorers.all())
    found = [Series(SCORER + name, name) for name in names]
    found += [Series(key, label) for key, (label, _) in _COSTS.items()]
    return [each for each in found if any(_figure(run, each.key) for run in newest_first)]


def trend(
    newest_first: Sequence[Run], series: Series, address: Callable[[Run], str] = lambda run: ""
) -> Trend | None:
    """The series over the runs that have its figure; None for fewer than two of them."""
    points: list[TrendPoint] = []
    version: int | None = None
    unit: TrendUnit = "number"
    for run in reversed(newest_first):
        found = _figure(run, series.key)
        if found is None:
            continue
        value, low, high, unit = found
        changed = version is not None and version != run.dataset_version
        name = f"Run {run.number}, {run.name}, version {run.dataset_version}"
        points.append(TrendPoint(value, low, high, name, f"#{run.number}", changed, address(run)))
        version = run.dataset_version
    if len(points) < 2:
        return None
    first, last = (_SAY[unit](point.value) for point in (points[0], points[-1]))
    label = f"{series.label}: {first} in the first of {len(points)} runs, {last} in the last"
    return Trend(series, unit, tuple(points), label)


def _figure(run: Run, key: str) -> tuple[float, float | None, float | None, TrendUnit] | None:
    """(value, low, high, unit) of a run; None when it has no such figure."""
    summary = run.summary or {}
    if not key.startswith(SCORER):
        unit = _COSTS[key][1]
        of_costs = {"cost": summary.get("cost_usd"), **(summary.get("latency_ms") or {})}
        value = of_costs.get(key)
        return None if value is None else (value, None, None, unit)
    name = key.removeprefix(SCORER)
    figures = summary.get("scores", {}).get(name)
    if not figures or figures["mean"] is None:
        return None
    low, high = figures["ci95"] or (None, None)
    binary = summary["distribution"][name]["kind"] == "binary"
    return figures["mean"], low, high, "share" if binary else "number"
