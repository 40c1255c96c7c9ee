"""Starting a run: the form, its estimate, and the start itself."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from datasets_app import public
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError
from evalhub.kit.htmx import render_page
from runs_app import queries
from runs_app.actions import start_run
from runs_app.forms import DEFAULT_SCORER, RECORDED, NewRunForm, ScorerRows, initial_of
from runs_app.models import Run
from runs_app.scorers import catalogue
from runs_app.statistics.power import reach
from runs_app.targets import available
from runs_app.views.common import actor

TEMPLATE = "runs/new.html"
LEAST_ITEMS = 10
PLANNED_CHANGES = 0.2  # the share of items that is assumed to change between two runs


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would do. `detectable` is a share, None for too few items."""

    dataset: str
    version: int
    items: int
    of: int
    recorded: bool
    concurrency: str
    detectable: float | None


@project_view(needs=Role.EDITOR)
def new(request: HttpRequest, project: Project) -> HttpResponse:
    """The form; a POST starts the run, or adds or removes a scorer."""
    choices: dict[str, Any] = {
        "datasets": public.list_datasets(actor(request), project),
        "targets": available(project.slug),
    }
    if request.method != "POST":
        again = _repeated(request, project)
        form = NewRunForm(initial=_first_values(request, again), **choices)
        return _page(request, form, _first_scorers(again))
    data = request.POST
    if {"add_scorer", "remove_scorer", "estimate"} & data.keys():
        rows = ScorerRows.of_post(data, validate=False)
        return _page(request, NewRunForm(initial=data.dict(), **choices), rows)
    form, rows = NewRunForm(data, **choices), ScorerRows.of_post(data, validate=True)
    scorers_are_valid = rows.is_valid()
    if form.is_valid() and scorers_are_valid:
        given = form.cleaned_data
        try:
            run = start_run(
                project=project,
                dataset=form.datasets[given["dataset"]],
                target=given["target"],
                scorers=rows.specs(),
                by=actor(request),
                version=given["version"],
                name=given["name"],
                concurrency=given["concurrency"],
                timeout_s=given["timeout"],
                retries=given["retries"],
                selection={"limit": given["limit"]} if given["limit"] else None,
            )
        except EvalhubError as error:
            form.take(error)
        else:
            messages.success(request, f"Run {run.number} is started.")
            return redirect("runs:detail", project.slug, run.number)
    return _page(request, form, rows, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_POST
@project_view(needs=Role.EDITOR)
def estimate(request: HttpRequest, project: Project) -> HttpResponse:
    """The estimate of the form as it stands, for the aside."""
    form = NewRunForm(
        initial=request.POST.dict(),
        datasets=public.list_datasets(actor(request), project),
        targets=available(project.slug),
    )
    return render_page(request, TEMPLATE, {"estimate": _estimate(form)}, part="estimate")


def _page(
    request: HttpRequest, form: NewRunForm, rows: ScorerRows, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {
        "form": form,
        "scorers": rows,
        "catalogue": catalogue(),
        "dataset": form.chosen_dataset(),
        "estimate": _estimate(form),
        "refused": status != HTTPStatus.OK,
    }
    return render_page(request, TEMPLATE, context, part="form", status=status)


def _estimate(form: NewRunForm) -> Estimate | None:
    """What the form would run; None while no dataset, or no version of it, is chosen."""
    dataset = form.chosen_dataset()
    if dataset is None:
        return None
    version = _whole(form["version"].value()) or dataset.version
    of = public.version_item_count(dataset.id, version)
    if of is None:
        return None
    items = min(_whole(form["limit"].value()) or of, of)
    return Estimate(
        dataset=dataset.name,
        version=version,
        items=items,
        of=of,
        recorded=form["target"].value() == RECORDED,
        concurrency=str(form["concurrency"].value() or ""),
        detectable=reach() * (PLANNED_CHANGES / items) ** 0.5 if items >= LEAST_ITEMS else None,
    )


def _whole(value: Any) -> int | None:
    """A number of 1 or more that a field holds as text; None for anything else."""
    text = str(value if value is not None else "").strip()
    return int(text) if text.isdecimal() and 0 < len(text) < 10 and int(text) else None


def _repeated(request: HttpRequest, project: Project) -> Run | None:
    """The run that ?run= names, to start it again; None without one."""
    ref = request.GET.get("run")
    return queries.find_run(actor(request), project, ref) if ref else None


def _first_values(request: HttpRequest, again: Run | None) -> dict[str, Any]:
    """Initial values: those of the run to repeat, then what the address says."""
    values: dict[str, Any] = {}
    if again is not None:
        dataset = public.datasets_by_id([again.dataset_id])[again.dataset_id]
        values = initial_of(again) | {"dataset": dataset.slug}
    for name in ("dataset", "target"):
        if request.GET.get(name):
            values[name] = request.GET[name]
    return values


def _first_scorers(again: Run | None) -> ScorerRows:
    if again is not None:
        return ScorerRows.of_specs([scorer.spec for scorer in again.scorers.all()])
    return ScorerRows.of_specs([{"use": DEFAULT_SCORER}])
