"""Removing the rows of a deleted run: scores, results, shards, then the run itself.

Small transactions, each of which leaves the rest for the next worker, so it may stop at any moment.
"""

from __future__ import annotations

import time

from evalhub.kit.dispatch import wake_now
from runs_app.engine.removing import remove_rows, remove_scorer
from runs_app.models import Rescore, Result, Run, RunScorer, Shard

BUDGET_SECONDS = 60.0


def work(run_id: int) -> None:
    """Go on removing a deleted run until nothing of it is left, or this worker has to leave."""
    if not Run.objects.filter(pk=run_id, deleted_at__isnull=False).exists():
        return
    if not _remove(run_id, time.monotonic() + BUDGET_SECONDS):
        wake_now("runs.delete", run_id)


def _remove(run_id: int, leave_at: float) -> bool:
    for scorer_id in _scorer_ids(run_id):
        if not remove_scorer(scorer_id, leave_at):
            return False
    for rows, order in (
        (Result.objects.filter(run=run_id), "item_number"),
        (Shard.objects.filter(run=run_id), "first_number"),
    ):
        if not remove_rows(rows, order, leave_at):
            return False
    Rescore.objects.filter(run=run_id).delete()
    Run.objects.filter(pk=run_id).delete()
    return True


def _scorer_ids(run_id: int) -> list[int]:
    """The scorers of the run, and those of its rescores that belong to no run."""
    own = RunScorer.objects.filter(run=run_id).values_list("pk", flat=True)
    of_rescores = RunScorer.objects.filter(rescore__run=run_id).values_list("pk", flat=True)
    return sorted({*own, *of_rescores})
