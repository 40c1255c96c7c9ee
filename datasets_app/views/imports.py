"""The import wizard: upload, map, check, import. Each step has its own address."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from datasets_app import queries
from datasets_app.actions.imports import (
    apply_import,
    cancel_import,
    check_import,
    map_import,
    reread_import,
    stage_import,
    uploaded_path,
)
from datasets_app.forms import ReadingForm, UploadForm, add_errors
from datasets_app.importing.bad_rows import are_here
from datasets_app.importing.mapping import Mapping, MappingError
from datasets_app.importing.preview import preview as preview_rows
from datasets_app.importing.problems import ImportFileError
from datasets_app.models import Dataset, ImportJob
from datasets_app.models.imports import ImportState
from datasets_app.views.common import actor, posted, unsaved
from datasets_app.views.import_problems import GROUPS_SHOWN
from datasets_app.views.import_steps import (
    column_rows,
    find_job,
    known_choices,
    mapping_from,
    pace,
    reading_initial,
    step_name,
)
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit import slots
from evalhub.kit.errors import EvalhubError, NotFound
from evalhub.kit.htmx import render_page, wants_fragment

PREVIEW_ROWS = 3
MAPPABLE = (ImportState.STAGED, ImportState.CHECKED, ImportState.FAILED)


@project_view(needs=Role.EDITOR)
def upload(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Step 1: choose the file."""
    dataset = queries.find_dataset(actor(request), project, slug)
    form = UploadForm(posted(request), request.FILES or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            try:
                job = stage_import(
                    dataset=dataset,
                    filename=given["file"].name,
                    chunks=given["file"].chunks(),
                    path=uploaded_path(given["file"]),
                    by=actor(request),
                    member=given["member"] or None,
                    **form.given(),
                )
            except ImportFileError as error:
                form.add_error("file", error.detail)
            except EvalhubError as error:
                add_errors(form, error)
                status = error.status
            else:
                return _to_step(project, job)
    context = {"dataset": dataset, "form": form, "step": 1, "running": _running(request, dataset)}
    return render_page(request, "datasets/import_upload.html", context, part="form", status=status)


def _running(request: HttpRequest, dataset: Dataset) -> ImportJob | None:
    """The import that is being checked or written now; None when there is none."""
    found: QuerySet[ImportJob] = queries.imports(actor(request), dataset)
    return found.filter(state__in=ImportJob.OPEN_STATES).first()


@project_view(needs=Role.EDITOR)
def map_columns(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> HttpResponse:
    """Step 2: say where each column goes, then have all rows checked."""
    found = find_job(request, project, slug, job)
    if found.state not in MAPPABLE:
        return _to_step(project, found)
    if not found.file.exists():
        raise NotFound("The uploaded file is no longer kept. Upload it again.")
    problem, status = "", 200
    stored = found.mapping
    if request.method == "POST":
        stored = mapping_from(found, request.POST)
        try:
            map_import(
                job=found,
                mapping=Mapping.from_dict(stored),
                by=actor(request),
                known_by=request.POST.get("known_by", "external_id"),
                known_are=request.POST.get("known_are", "skip"),
            )
            check_import(job=found, by=actor(request))
        except EvalhubError as error:
            problem, status = error.detail, error.status
        else:
            return redirect("datasets:import_check", project.slug, slug, found.uuid)
    return _map_page(request, found, stored, problem, status)


def _map_page(
    request: HttpRequest,
    job: ImportJob,
    stored: dict[str, Any],
    problem: str = "",
    status: int = 200,
    form: ReadingForm | None = None,
) -> HttpResponse:
    context = _context(job, 2) | {
        "columns": column_rows(job, stored),
        "rest": stored.get("rest", "ignore"),
        "known": known_choices(job, request.POST),
        "reading": form or ReadingForm(initial=reading_initial(job)),
        "problem": problem,
        **_previews(job, stored),
    }
    return render_page(request, "datasets/import_map.html", context, status=status)


@require_POST
@project_view(needs=Role.EDITOR)
def read_again(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> HttpResponse:
    """Read the file another way; the columns are then mapped anew."""
    found = find_job(request, project, slug, job)
    if found.state not in MAPPABLE:
        return _to_step(project, found)
    form = ReadingForm(request.POST)
    status = 422
    if form.is_valid():
        try:
            reread_import(job=found, by=actor(request), **form.given())
        except EvalhubError as error:
            form.add_error(None, error.detail)
            status = error.status
        else:
            return redirect("datasets:import_map", project.slug, slug, found.uuid)
    return _map_page(request, found, found.mapping, status=status, form=form)


@require_POST
@project_view(needs=Role.EDITOR)
def preview(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> HttpResponse:
    """The first rows as items under the mapping in the form; nothing is stored."""
    found = find_job(request, project, slug, job)
    context = _context(found, 2) | _previews(found, mapping_from(found, request.POST))
    status = 422 if context["preview_problem"] else 200
    return render_page(request, "datasets/import_map.html", context, part="preview", status=status)


def _previews(job: ImportJob, stored: dict[str, Any]) -> dict[str, Any]:
    try:
        found = preview_rows(job, Mapping.from_dict(stored), PREVIEW_ROWS)
    except (MappingError, ImportFileError) as error:
        return {"previews": [], "preview_problem": error.detail}
    previews = [
        {
            "line": row.line,
            "problem": row.problem,
            "item": unsaved(row.content) if row.content else None,
        }
        for row in found
    ]
    return {"previews": previews, "preview_problem": ""}


@project_view(needs=Role.EDITOR)
def check(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> HttpResponse:
    """Step 3: what the check found, and the decision what to do with it."""
    found = find_job(request, project, slug, job)
    if found.state == ImportState.CHECKING:
        return _progress_page(request, found, 3)
    if found.state != ImportState.CHECKED or (request.method == "GET" and wants_fragment(request)):
        return _to_step(project, found)
    problem, status = "", 200
    if request.method == "POST":
        try:
            if request.POST.get("bad") == "nothing":
                cancel_import(job=found, by=actor(request))
            else:
                apply_import(job=found, by=actor(request), on_error="skip")
        except EvalhubError as error:
            problem, status = error.detail, error.status
        else:
            return redirect("datasets:import_progress", project.slug, slug, found.uuid)
    context = _context(found, 3) | {
        "problem": problem,
        "ready_share": found.rows_good / found.rows_total if found.rows_total else 0,
        "importing": found.rows_good - found.rows_known,
        "next_version": found.dataset.version + 1,
        "groups": found.problems[:GROUPS_SHOWN],
        "more_groups": max(0, len(found.problems) - GROUPS_SHOWN),
        "can_mend": are_here(found),
    }
    return render_page(request, "datasets/import_check.html", context, status=status)


@project_view(needs=Role.EDITOR)
def progress(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> HttpResponse:
    """Step 4: how far it is, and at the end what came of it."""
    found = find_job(request, project, slug, job)
    if found.state in (ImportState.IMPORTING, ImportState.UNDOING):
        return _progress_page(request, found, 4)
    if found.state in (ImportState.STAGED, ImportState.CHECKING, ImportState.CHECKED):
        return _to_step(project, found)
    if wants_fragment(request):
        return _to_step(project, found)
    version = None
    if found.state == ImportState.DONE and found.version is not None:
        version = queries.versions(found.dataset).filter(number=found.version).first()
    took = None
    if found.started_at and found.finished_at:
        took = (found.finished_at - found.started_at).total_seconds()
    links = slots.fill("dataset.links", [slug], project_slug=project.slug).get(slug, {})
    # The rows are counted at the end of the check.
    checked = found.rows_total is not None or found.state != ImportState.FAILED
    step = 5 if found.state == ImportState.DONE else 4 if checked else 3
    context = _context(found, step) | {
        "version": version,
        "can_mend": are_here(found),
        "took": took,
        "can_map": found.state in MAPPABLE and found.file.exists(),
        "links": links,
    }
    return render_page(request, "datasets/import_done.html", context)


def _progress_page(request: HttpRequest, job: ImportJob, step: int) -> HttpResponse:
    """The page that polls. The last poll finds another state and is answered with a redirect."""
    context = _context(job, step) | {"pace": pace(job)}
    return render_page(request, "datasets/import_progress.html", context, part="bar")


@require_POST
@project_view(needs=Role.EDITOR)
def cancel(request: HttpRequest, project: Project, slug: str, job: uuid.UUID) -> HttpResponse:
    """Stop the import; nothing of it stays."""
    found = find_job(request, project, slug, job)
    cancel_import(job=found, by=actor(request))
    return redirect("datasets:import_progress", project.slug, slug, found.uuid)


def _to_step(project: Project, job: ImportJob) -> HttpResponse:
    return redirect(f"datasets:{step_name(job)}", project.slug, job.dataset.slug, job.uuid)


def _context(job: ImportJob, step: int) -> dict[str, Any]:
    return {"dataset": job.dataset, "job": job, "step": step}
