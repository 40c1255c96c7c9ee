"""The API of jobs over many items."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from datasets_app import queries_jobs
from datasets_app.actions.jobs import cancel_job as cancel
from datasets_app.models import DatasetJob, JobState
from evalhub.access.api_auth import reader, writer
from evalhub.kit.api import answer

router = Router(tags=["jobs"])


class JobAnswer(Schema):
    """Work on many items in the background. `total` is 0 until the items are counted.

    `version` is the one that it made, null when it made none. `problems` are those of items, the
    first 1,000 of them, with JSON pointers.
    """

    id: str
    dataset: str
    kind: str
    state: str
    active: bool
    done: int
    total: int
    added: int
    changed: int
    removed: int
    there: int
    skipped: int
    version: int | None
    problems: list[dict[str, Any]]
    message: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def job_payload(job: DatasetJob) -> dict[str, Any]:
    return {
        "id": str(job.uuid),
        "dataset": job.dataset.slug,
        "kind": job.kind,
        "state": job.state,
        "active": job.active,
        "done": job.done,
        "total": job.total,
        "added": job.added,
        "changed": job.changed,
        "removed": job.removed,
        "there": job.params.get("there", 0),
        "skipped": job.params.get("skipped", 0),
        "version": job.version if job.state == JobState.DONE else None,
        "problems": job.problems,
        "message": job.message,
        "created_at": job.created_at.isoformat(),
        "started_at": job.started_at.isoformat() if job.started_at else None,
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
    }


@router.get("/jobs/{id}", response=JobAnswer)
def get_job(request: HttpRequest, id: str) -> HttpResponse:
    """A job and how far it is."""
    caller = reader(request)
    return answer(job_payload(queries_jobs.find_job(caller.user, caller.project, id)))


@router.post("/jobs/{id}/cancel", response=JobAnswer)
def cancel_job(request: HttpRequest, id: str) -> HttpResponse:
    """Stop a job; nothing of it stays. One that has ended stays as it is."""
    caller = writer(request)
    job = queries_jobs.find_job(caller.user, caller.project, id)
    return answer(job_payload(cancel(job=job, by=caller.user)))
