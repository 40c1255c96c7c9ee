"""A job over many items: its progress, how it ended, cancel, and the file of its problems."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from datasets_app import queries_jobs
from datasets_app.actions.jobs import cancel_job
from datasets_app.api_schemas import problems_answer
from datasets_app.bulk.schema_check import problems_file
from datasets_app.models import Dataset, DatasetJob
from datasets_app.public import shell
from datasets_app.views.common import actor, part_for
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import NotFound
from evalhub.kit.htmx import render_page, wants_fragment

TITLES = {
    "restore": ("Restoring v{restored}", "versions"),
    "set_schemas": ("Checking every item against the schema", "schema"),
    "undo": ("Undoing v{undone}", "versions"),
    "duplicate": ("Copying the items", "items"),
    "copy_to": ("Copying items here", "items"),
    "move_to": ("Moving items here", "items"),
    "set_split": ("Setting the split", "items"),
    "add_tags": ("Adding tags", "items"),
    "remove_tags": ("Removing tags", "items"),
    "delete": ("Deleting items", "items"),
}


def job_url(project: Project, dataset: Dataset, job: DatasetJob) -> str:
    """The page of a job."""
    return reverse("datasets:job", args=[project.slug, dataset.slug, job.uuid])


@project_view()
def show(request: HttpRequest, project: Project, slug: str, job: str) -> HttpResponse:
    """A job at work, which asks for itself again every second, or how it ended."""
    found = _find(request, project, slug, job)
    if wants_fragment(request) and not found.active:
        # The last poll is answered with the whole page: its head counts items and versions.
        return redirect(job_url(project, found.dataset, found))
    title, tab = TITLES.get(found.kind, ("Changing items", "items"))
    context = (
        shell(actor(request), project, slug, tab=tab)
        | {
            "job": found,
            "title": title.format(**found.params),
            "share": min(1.0, found.done / found.total) if found.total else 0.0,
            "has_file": not found.active and problems_file(found).exists(),
            "kinds": sorted(found.params.get("kinds", {}).items(), key=lambda pair: -pair[1]),
        }
        | _pace(found)
    )
    part = part_for(request, job="progress")
    return render_page(request, "datasets/job.html", context, part=part)


@require_POST
@project_view(needs=Role.EDITOR)
def cancel(request: HttpRequest, project: Project, slug: str, job: str) -> HttpResponse:
    """Stop a job; what it wrote is taken back."""
    found = _find(request, project, slug, job)
    cancel_job(job=found, by=actor(request))
    if found.active:
        messages.info(request, "Cancelling: what was written is taken back.")
    return redirect(job_url(project, found.dataset, found))


@project_view()
def problems(request: HttpRequest, project: Project, slug: str, job: str) -> FileResponse:
    """Every problem that a check of a schema found, as CSV."""
    return problems_answer(_find(request, project, slug, job))


def _find(request: HttpRequest, project: Project, slug: str, ref: str) -> DatasetJob:
    job = queries_jobs.find_job(actor(request), project, str(ref))
    if job.dataset.slug != slug:
        raise NotFound("There is no such job in this dataset.")
    return job


def _pace(job: DatasetJob) -> dict[str, Any]:
    """Items a second since it began, and the seconds that are left; None while nothing is known."""
    if job.started_at is None or not job.done:
        return {"rate": None, "left_s": None}
    seconds = max(0.1, time.time() - job.started_at.timestamp())
    rate = job.done / seconds
    return {"rate": rate, "left_s": max(0, job.total - job.done) / rate if job.total else None}
