"""What is really there of a run, by counting rows: the facts that the invariants judge."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

from django.db.models import Sum

from datasets_app import public
from evalhub.kit.json import loads
from runs_app.engine.summary import summarise
from runs_app.models import Result, Run, Score, Shard, Stay
from runs_app.models.work import ShardState
from tests.faults.echo import echo


def facts(run: Run) -> dict[str, Any]:
    """Counts and differences; every list is empty when all is well."""
    found = list(
        Result.objects.filter(run=run).values_list(
            "item_number", "repetition", "revision_id", "output_json", "error_type"
        )
    )
    keys = [(number, repetition) for number, repetition, _, _, _ in found]
    good = {(number, rep) for number, rep, _, _, error in found if not error}
    assert run.dataset_id is not None
    items = public.read_items(
        run.dataset_id, run.dataset_version, after=0, limit=run.total_items, split="", numbers=None
    )
    planned = {(item.number, rep) for item in items for rep in range(run.repetitions)}
    shards = Shard.objects.filter(run=run)
    sums = shards.aggregate(ok=Sum("succeeded", default=0), bad=Sum("failed", default=0))
    return {
        "status": run.status,
        "total": run.total_results,
        "results": len(found),
        "good": len(good),
        "missing": sorted(planned - set(keys))[:5],
        "unplanned": sorted(set(keys) - planned)[:5],
        "double": [list(key) for key, n in Counter(keys).items() if n > 1][:5],
        "strange": _strange(found),
        "counters": [run.succeeded, run.failed],
        "in_shards": [sums["ok"], sums["bad"]],
        "open_shards": shards.filter(state=ShardState.OPEN).count(),
        "leases": shards.exclude(lease_until=None).count(),
        "live_stays": Stay.objects.live().filter(run=run).count(),
        "scores": {s.name: s.scores.count() for s in run.scorers.all()},
        "stray_scores": _stray_scores(run, good),
        "summary": run.summary,
        "recounted": json.loads(json.dumps(summarise(run))),
    }


def _strange(found: list[Any]) -> list[Any]:
    """Outputs that the target did not give for their item."""
    revisions = public.revisions_by_id(sorted({row[2] for row in found}))
    return [
        [number, rep]
        for number, rep, revision, output, error in found
        if not error
        and (
            json.loads(output).get("echo") != echo(loads(revisions[revision].input_json))
            or revisions[revision].number != number
        )
    ][:5]


def _stray_scores(run: Run, good: set[tuple[int, int]]) -> list[Any]:
    """Scores of results that are errors or not there."""
    scores = Score.objects.filter(run_scorer__run=run)
    places = scores.values_list("item_number", "repetition").distinct()
    return sorted(set(places) - good)[:5]


def fingerprint(run: Run) -> str:
    """Changes whenever anything of the run does."""
    digest = hashlib.sha256()
    rows = Result.objects.filter(run=run).order_by("pk")
    for row in rows.values_list("pk", "item_number", "repetition", "output_json", "completed_at"):
        digest.update(repr(row).encode())
    scores = Score.objects.filter(run_scorer__run=run).order_by(
        "run_scorer", "item_number", "repetition"
    )
    for score in scores.values_list("run_scorer", "item_number", "repetition", "state", "value"):
        digest.update(repr(score).encode())
    own = (run.status, run.reason, run.succeeded, run.failed, run.finished_at, run.summary)
    digest.update(repr(own).encode())
    return digest.hexdigest()
