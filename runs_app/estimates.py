"""What a run would do, before it is started: calls, and what they cost by the target's last run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.access.models import Project
from evalhub.kit.errors import Invalid
from runs_app import states
from runs_app.models import Run
from runs_app.selection import expect, parse
from runs_app.statistics.power import reach

LEAST_ITEMS = 10
SPLITS_UP_TO = 50_000  # items; in a larger version, counting them would hold the page up
PLANNED_CHANGES = 0.2  # the share of items that is assumed to change between two runs


@dataclass(frozen=True, slots=True)
class Usual:
    """What a result of a target took in its run `number`: times in seconds, None where unknown."""

    number: int
    p50_s: float | None
    p95_s: float | None
    input_tokens: float | None
    output_tokens: float | None
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the runs would do, all targets together.

    `problem` says why there is nothing to run. When it is not `exact`, a filter was counted only so
    far: there may be more items, and counts, times and costs are the least. Times are in seconds,
    `detectable` is a share; None where nothing can be said. `splits` are {name: items}, none for a
    large version.
    """

    dataset: str
    version: int
    of: int
    items: int
    exact: bool
    repetitions: int
    targets: int
    called: int  # of the targets, those that are called at all
    concurrency: int
    splits: dict[str, int]
    problem: str = ""
    from_runs: tuple[int, ...] = ()
    time_s: float | None = None
    time_up_to_s: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    detectable: float | None = None

    @property
    def results(self) -> int:
        """Of each target."""
        return self.items * self.repetitions

    @property
    def calls(self) -> int:
        return self.results * self.called


def estimate(
    project: Project,
    dataset: DatasetRow,
    *,
    version: int,
    selection: Mapping[str, Any],
    repetitions: int,
    concurrency: int,
    targets: Sequence[str],
) -> Estimate | None:
    """The estimate; None when the dataset has no such version."""
    of = public.version_item_count(dataset.id, version)
    if of is None:
        return None
    items, exact = 0, True
    problem = f"{dataset.name} has no items yet." if not of else ""
    if of:
        try:
            items, exact = expect(project, dataset, version, parse(selection))
        except Invalid as error:
            problem = error.detail
    called = [ref for ref in targets if not ref.startswith(("recorded:", "file:", "run:"))]
    figures = _figures([usual(project, ref) for ref in called], items * repetitions, concurrency)
    return Estimate(
        dataset=dataset.name,
        version=version,
        of=of,
        items=items,
        exact=exact,
        repetitions=repetitions,
        targets=len(targets),
        called=len(called),
        concurrency=concurrency,
        splits=public.splits(dataset.id, version) if of <= SPLITS_UP_TO else {},
        problem=problem,
        detectable=reach() * (PLANNED_CHANGES / items) ** 0.5 if items >= LEAST_ITEMS else None,
        **figures,
    )


def usual(project: Project, ref: str) -> Usual | None:
    """What the target's results took in its newest run that is over; None before there is one."""
    run = (
        Run.objects.listed()
        .filter(project=project, target_ref=ref, status=states.COMPLETED, summary__isnull=False)
        .only("number", "summary")
        .order_by("-number")
        .first()
    )
    summary = run.summary if run is not None else None
    if run is None or not summary or not summary["succeeded"]:
        return None
    results = summary["succeeded"] + summary["failed"]
    latency, tokens = summary["latency_ms"], summary.get("tokens") or {}
    cost = summary.get("cost_usd")
    return Usual(
        number=run.number,
        p50_s=_share(latency["p50"], 1000),
        p95_s=_share(latency["p95"], 1000),
        input_tokens=_share(tokens.get("input"), results),
        output_tokens=_share(tokens.get("output"), results),
        cost_usd=_share(cost, results),
    )


def _figures(found: Sequence[Usual | None], results: int, concurrency: int) -> dict[str, Any]:
    """Sums over the targets; a figure that one of them does not know is left out."""
    known = [each for each in found if each is not None]
    if not results or not known or len(known) < len(found):
        return {}

    def total(values: Sequence[float | None], factor: float) -> float | None:
        there = [value for value in values if value is not None]
        return sum(there) * factor if len(there) == len(known) else None

    inputs = total([each.input_tokens for each in known], results)
    outputs = total([each.output_tokens for each in known], results)
    at_once = max(1, min(concurrency, results))
    return {
        "from_runs": tuple(each.number for each in known),
        "time_s": total([each.p50_s for each in known], results / at_once),
        "time_up_to_s": total([each.p95_s for each in known], results / at_once),
        "input_tokens": None if inputs is None else round(inputs),
        "output_tokens": None if outputs is None else round(outputs),
        "cost_usd": total([each.cost_usd for each in known], results),
    }


def _share(value: float | None, of: float) -> float | None:
    return None if value is None else value / of
