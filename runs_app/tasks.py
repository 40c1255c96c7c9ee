"""Celery tasks of runs: wake-ups, safe to lose and to double."""

from __future__ import annotations

from celery import shared_task

from runs_app.engine.stay import work as stay_on
from runs_app.engine.sweeper import sweep as sweep_runs


@shared_task(name="runs.work", ignore_result=True)
def work(run_id: int) -> None:
    stay_on(run_id)


@shared_task(name="runs.sweep", ignore_result=True)
def sweep() -> None:
    sweep_runs()
