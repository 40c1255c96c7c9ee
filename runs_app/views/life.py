"""What becomes of a run: pause, resume, retry, score again, delete."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role, User
from evalhub.kit.errors import Conflict, EvalhubError
from evalhub.kit.htmx import render_page
from runs_app import queries
from runs_app.actions import delete_run, pause_run, rescore_run, resume_run, retry_run
from runs_app.actions.rescore import Mode
from runs_app.models import Run
from runs_app.scorer_forms import ScorerRows
from runs_app.scorers import catalogue
from runs_app.views.common import actor, find_run


@require_POST
@project_view(needs=Role.EDITOR)
def pause(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Let no new call begin."""
    return _act(request, project, number, pause_run, "Run {} pauses. Calls in flight still end.")


@require_POST
@project_view(needs=Role.EDITOR)
def resume(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Go on after a pause."""
    return _act(request, project, number, resume_run, "Run {} goes on.")


@require_POST
@project_view(needs=Role.EDITOR)
def retry(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Open the run again for its errors and for what it skipped."""
    return _act(request, project, number, retry_run, "Run {} is open again. Good results stay.")


@project_view(needs=Role.EDITOR)
def rescore(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Ask with which scorers, and let them score what the run has."""
    run = find_run(request, project, number)
    data = request.POST
    if request.method != "POST":
        rows = ScorerRows.of_specs([scorer.spec for scorer in run.scorers.all()])
        return _rescore_page(request, project, run, rows)
    if {"add_scorer", "remove_scorer"} & data.keys():
        return _rescore_page(request, project, run, ScorerRows.of_post(data, validate=False))
    rows = ScorerRows.of_post(data, validate=True)
    if rows.is_valid():
        try:
            rescore_run(run=run, scorers=rows.specs(), by=actor(request), mode=_mode(request))
        except EvalhubError as error:
            rows.error = error.detail
        else:
            messages.success(
                request, f"Run {number} is scored again. It keeps its scores until all are there."
            )
            return redirect("runs:detail", project.slug, number)
    return _rescore_page(request, project, run, rows, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@project_view(needs=Role.EDITOR)
def delete(request: HttpRequest, project: Project, number: int) -> HttpResponse:
    """Ask for the run's number, and delete it."""
    run = find_run(request, project, number)
    typed, problem, status = "", "", HTTPStatus.OK
    if request.method == "POST":
        typed = request.POST.get("number", "").strip().removeprefix("#")
        problem = "" if typed == str(number) else f"Type {number} to delete this run."
        if not problem:
            try:
                delete_run(run=run, by=actor(request))
            except Conflict as error:
                problem = error.detail
            else:
                messages.success(request, f"Run {number} is deleted.")
                return redirect("runs:list", project.slug)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    context = {
        "run": run,
        "run_url": reverse("runs:detail", args=[project.slug, number]),
        "results": run.succeeded + run.failed,
        "typed": typed,
        "problem": problem,
    }
    return render_page(request, "runs/delete.html", context, part=None, status=status)


def _act(
    request: HttpRequest,
    project: Project,
    number: int,
    action: Callable[..., Run],
    done: str,
) -> HttpResponse:
    """Do it and say so, or say why not, on the run's page."""
    run = find_run(request, project, number)
    by: User = actor(request)
    try:
        action(run=run, by=by)
    except Conflict as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, done.format(number))
    return redirect("runs:detail", project.slug, number)


def _mode(request: HttpRequest) -> Mode:
    return "add" if request.POST.get("mode") == "add" else "replace"


def _rescore_page(
    request: HttpRequest,
    project: Project,
    run: Run,
    rows: ScorerRows,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    url = reverse("runs:rescore", args=[project.slug, run.number])
    context = {
        "run": run,
        "run_url": reverse("runs:detail", args=[project.slug, run.number]),
        "scorers": rows,
        "scorers_url": url,
        "scorers_target": "#rescore",
        "catalogue": catalogue(),
        "mode": _mode(request),
        "under_way": queries.rescoring(run),
        "refused": status != HTTPStatus.OK,
    }
    return render_page(request, "runs/rescore.html", context, part="form", status=status)
