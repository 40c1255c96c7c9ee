"""What runs changed against their dataset's baseline: read for lists, computed by workers.

Lists show what is stored and ask a worker for the rest; one small run is computed at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evalhub.kit.dispatch import wake_now
from evalhub.kit.figures import decimal
from evalhub.kit.stopping import stopping
from runs_app import comparing, states
from runs_app.comparison import ScorerComparison
from runs_app.models import DatasetDefaults, Run, RunChange
from runs_app.vectors import key_of

AT_ONCE = 20_000  # results of both runs; more than that is left to a worker
NEWEST = 100  # runs of a dataset that a worker compares with a new baseline


@dataclass(frozen=True, slots=True)
class Change:
    """One scorer of a run minus that of the baseline, over the items of both.

    `delta` and `ci95` are in the scorer's unit (shares for a binary one), None when the statistics
    give none. `code` is the verdict's name, `sentence` the verdict in words.
    """

    kind: str
    higher_is_better: bool
    pairs: int
    delta: float | None
    ci95: tuple[float, float] | None
    code: str
    badge: str
    sentence: str

    @property
    def binary(self) -> bool:
        return self.kind == "binary"

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.ci95 is not None and (self.ci95[0] > 0 or self.ci95[1] < 0)

    @property
    def interval(self) -> str:
        """The interval as pages write it: "−3.8 to +0.3 points"; "" without one."""
        if self.ci95 is None:
            return ""
        factor, digits = (100, 1) if self.binary else (1, 3)
        low, high = (decimal(end * factor, digits, signed=True) for end in self.ci95)
        return f"{low} to {high}" + (" points" if self.binary else "")

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"ci95": None if self.ci95 is None else list(self.ci95)}


def baseline_of(dataset_id: int | None) -> Run | None:
    """The run pinned as the dataset's baseline; None without one, and when it was deleted."""
    return baselines_of([dataset_id]).get(dataset_id or 0)


def baselines_of(dataset_ids: Iterable[int | None]) -> dict[int, Run]:
    """{dataset: its baseline} for those that have one; one query."""
    ids = {each for each in dataset_ids if each is not None}
    found = DatasetDefaults.objects.filter(dataset__in=ids, baseline__deleted_at=None)
    found = found.exclude(baseline=None).select_related("baseline").order_by()
    return {row.dataset_id: row.baseline for row in found if row.baseline is not None}


def changes_of(runs: Sequence[Run], baselines: dict[int, Run]) -> dict[int, dict[str, Change]]:
    """{run id: {scorer: its change}} as stored, without the runs that have none yet; one query.

    A worker is asked for what is missing.
    """
    wanted = [run for run in runs if _against(run, baselines) is not None]
    stored = {row.run_id: row for row in RunChange.objects.filter(run__in=wanted)} if wanted else {}
    found, missing = {}, set()
    for run in wanted:
        row, base = stored.get(run.pk), _against(run, baselines)
        if base is not None and row is not None and row.key == _key(base, run):
            found[run.pk] = _read(row.data)
        else:
            missing.add(run.dataset_id)
    for dataset_id in missing:
        if dataset_id is not None:
            wake_now("runs.changes", dataset_id)
    return found


def change_of(run: Run, base: Run | None) -> dict[str, Change]:
    """{scorer: its change} of one run that is over; empty while a worker computes a large one."""
    baselines = {run.dataset_id: base} if run.dataset_id is not None and base is not None else {}
    if _against(run, baselines) is None or base is None:
        return {}
    if sum(each.succeeded + each.failed for each in (run, base)) <= AT_ONCE:
        return _computed(base, run)
    return changes_of([run], baselines).get(run.pk, {})


def work(dataset_id: int) -> None:
    """Compute and store what is missing for the dataset's newest runs that are over."""
    base = baseline_of(dataset_id)
    if base is None or base.active:
        return
    over = Run.objects.listed().filter(dataset=dataset_id, status__in=states.TERMINAL)
    runs = over.exclude(pk=base.pk).prefetch_related("scorers").order_by("-number")[:NEWEST]
    stored = dict(RunChange.objects.filter(run__in=list(runs)).values_list("run", "key"))
    for run in runs:
        if stopping():
            return  # the next look at a list asks again
        key = _key(base, run)
        if stored.get(run.pk) != key:
            data = {name: change.to_json() for name, change in _computed(base, run).items()}
            RunChange.objects.update_or_create(run=run, defaults={"key": key, "data": data})


def _against(run: Run, baselines: dict[int, Run]) -> Run | None:
    """The baseline that this run is to be compared with now; None without one."""
    base = baselines.get(run.dataset_id or 0)
    ready = base is not None and base.pk != run.pk and not run.active and not base.active
    return base if ready else None


def _computed(base: Run, run: Run) -> dict[str, Change]:
    return {each.name: _change(each) for each in comparing.compare(base, run).scorers}


def _change(found: ScorerComparison) -> Change:
    return Change(
        kind=found.kind,
        higher_is_better=found.higher_is_better,
        pairs=found.pairs,
        delta=found.delta,
        ci95=None if found.ci95 is None else (found.ci95.low, found.ci95.high),
        code=found.code,
        badge=found.badge,
        sentence=found.sentence,
    )


def _read(data: dict[str, Any]) -> dict[str, Change]:
    read = {}
    for name, figures in data.items():
        ci95 = figures["ci95"]
        read[name] = Change(**figures | {"ci95": None if ci95 is None else (ci95[0], ci95[1])})
    return read


def _key(base: Run, run: Run) -> str:
    return f"{key_of(base)} {key_of(run)}"
