"""What lists say of runs: figures from stored summaries, and one query for all that are active."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Sum

from datasets_app import public
from evalhub.kit.figures import decimal, integer, percent
from runs_app import changes, states
from runs_app.changes import Change
from runs_app.models import Run, Shard


@dataclass(frozen=True, slots=True)
class PrimaryScore:
    """The first scorer's mean, as text; `interval` is empty when there is none."""

    name: str
    text: str
    interval: str


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run of a list. `state` says how far an active run is; latencies are in milliseconds,
    `tokens` those in and out together. What is not known is None."""

    run: Run
    dataset: str
    state: str
    errors: int
    score: PrimaryScore | None
    p50: float | None
    p95: float | None
    tokens: int | None
    cost_usd: float | None
    change: Change | None  # of the primary scorer against the baseline
    is_baseline: bool


def lines(runs: Sequence[Run]) -> list[RunLine]:
    """One line for each run, in the given order; at most four queries."""
    ids = {run.dataset_id for run in runs if run.dataset_id is not None}
    datasets = public.datasets_by_id(ids)
    baselines = changes.baselines_of(ids)
    found = changes.changes_of(runs, baselines)
    done = _done([run.pk for run in runs if run.active])
    return [
        RunLine(
            run=run,
            dataset=datasets[run.dataset_id].name if run.dataset_id is not None else "",
            state=_state(run, done.get(run.pk, 0)),
            errors=0 if run.active else run.failed,
            score=primary_score(run),
            p50=_latency(run, "p50"),
            p95=_latency(run, "p95"),
            tokens=_tokens(run),
            cost_usd=run.summary.get("cost_usd") if run.summary else None,
            change=_primary_change(run, found.get(run.pk, {})),
            is_baseline=any(base.pk == run.pk for base in baselines.values()),
        )
        for run in runs
    ]


def primary_score(run: Run) -> PrimaryScore | None:
    """The mean of the run's first scorer; None before the end, and without a scorer or a score."""
    scorer = next(iter(run.scorers.all()), None)
    if run.summary is None or scorer is None:
        return None
    figures = run.summary["scores"][scorer.name]
    if figures["mean"] is None:
        return None
    binary = scorer.kind == "binary"
    text = percent(figures["mean"]) if binary else decimal(figures["mean"], 3)
    interval = ""
    if figures["ci95"]:
        low, high = figures["ci95"]
        factor, digits = (100, 1) if binary else (1, 3)
        interval = f"{decimal(low * factor, digits)} to {decimal(high * factor, digits)}"
    return PrimaryScore(scorer.name, text, interval)


def _primary_change(run: Run, found: dict[str, Change]) -> Change | None:
    scorer = next(iter(run.scorers.all()), None)
    return None if scorer is None else found.get(scorer.name)


def _done(active: Sequence[int]) -> dict[int, int]:
    """Results written so far, by run."""
    if not active:
        return {}
    counts = Shard.objects.filter(run__in=active).values_list("run")
    return dict(counts.annotate(done=Sum(F("succeeded") + F("failed"))).order_by())


def _state(run: Run, done: int) -> str:
    if run.status == states.PENDING:
        return "Pending"
    share = int(100 * done / run.total_results) if run.total_results else 0
    return f"{share}% of {integer(run.total_results)}"


def _latency(run: Run, name: str) -> float | None:
    return run.summary["latency_ms"][name] if run.summary else None


def _tokens(run: Run) -> int | None:
    tokens = run.summary.get("tokens") if run.summary else None
    return tokens["input"] + tokens["output"] if tokens else None
