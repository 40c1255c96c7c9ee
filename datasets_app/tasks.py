"""Celery tasks of datasets: wake-ups, safe to lose and to double."""

from __future__ import annotations

from celery import shared_task

from datasets_app.bulk.job import work as work_on_job
from datasets_app.bulk.sweeper import sweep as sweep_jobs
from datasets_app.importing.job import work as work_on
from datasets_app.importing.sweeper import sweep as sweep_imports
from datasets_app.indexing import build
from datasets_app.indexing import sweep as sweep_indexes


@shared_task(name="datasets.import", ignore_result=True)
def work(job_id: int) -> None:
    work_on(job_id)


@shared_task(name="datasets.job", ignore_result=True)
def work_job(job_id: int) -> None:
    work_on_job(job_id)


@shared_task(name="datasets.index", ignore_result=True)
def build_index(dataset_id: int) -> None:
    build(dataset_id)


@shared_task(name="datasets.sweep", ignore_result=True)
def sweep() -> None:
    sweep_imports()
    sweep_jobs()
    sweep_indexes()
