"""Celery tasks of runs: wake-ups, safe to lose and to double."""

from __future__ import annotations

from celery import shared_task

from runs_app.changes import work as find_changes
from runs_app.engine.deleting import work as go_on_deleting
from runs_app.engine.rescoring import work as go_on_rescoring
from runs_app.engine.stay import work as stay_on
from runs_app.engine.sweeper import sweep as sweep_runs
from runs_app.packing import work as pack_run


@shared_task(name="runs.work", ignore_result=True)
def work(run_id: int) -> None:
    stay_on(run_id)


@shared_task(name="runs.rescore", ignore_result=True)
def rescore(rescore_id: int) -> None:
    go_on_rescoring(rescore_id)


@shared_task(name="runs.delete", ignore_result=True)
def delete(run_id: int) -> None:
    go_on_deleting(run_id)


@shared_task(name="runs.pack", ignore_result=True)
def pack(run_id: int, path: str = "") -> None:
    pack_run(run_id, path)


@shared_task(name="runs.changes", ignore_result=True)
def changes(dataset_id: int) -> None:
    find_changes(dataset_id)


@shared_task(name="runs.sweep", ignore_result=True)
def sweep() -> None:
    sweep_runs()
