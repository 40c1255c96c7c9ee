"""Starting runs: the form, its estimate, and the start itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError
from evalhub.kit.htmx import render_page
from evalhub.kit.whole import whole
from runs_app import queries
from runs_app.actions.start import start_runs
from runs_app.defaults import Defaults, defaults_of
from runs_app.estimates import Estimate, estimate
from runs_app.models import Run
from runs_app.run_form import (
    ADVANCED,
    RECORDED,
    RECORDED_FORMS,
    RECORDED_PREFIX,
    NewRunForm,
    initial_of,
    selection_of,
)
from runs_app.scorer_forms import DEFAULT_SCORER, ScorerRows
from runs_app.scorers import catalogue
from runs_app.targets import available
from runs_app.views.common import actor
from runs_app.views.heads import TRY_ITEMS

TEMPLATE = "runs/new.html"
RECENT_RUNS = 5  # to copy the settings from


@project_view(needs=Role.EDITOR)
def new(request: HttpRequest, project: Project) -> HttpResponse:
    """The form; a POST starts the runs, or adds or removes a scorer."""
    choices: dict[str, Any] = {
        "datasets": public.list_datasets(actor(request), project),
        "targets": available(project.slug),
    }
    if request.method != "POST":
        again = _repeated(request, project)
        usual = _defaults(request, choices["datasets"])
        form = NewRunForm(initial=_first_values(request, again, usual, choices), **choices)
        return _page(request, project, form, _first_scorers(again, usual))
    data = request.POST
    if {"add_scorer", "remove_scorer", "estimate"} & data.keys():
        rows = ScorerRows.of_post(data, validate=False)
        return _page(request, project, NewRunForm(initial=_typed(data), **choices), rows)
    form, rows = NewRunForm(data, **choices), ScorerRows.of_post(data, validate=True)
    scorers_are_valid = rows.is_valid()
    if form.is_valid() and scorers_are_valid:
        try:
            made = _start(request, project, form, rows)
        except EvalhubError as error:
            form.take(error)
        else:
            return _go_to(request, project, made)
    return _page(request, project, form, rows, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_POST
@project_view(needs=Role.EDITOR)
def estimated(request: HttpRequest, project: Project) -> HttpResponse:
    """The estimate of the form as it stands, for the aside."""
    form = NewRunForm(
        initial=_typed(request.POST),
        datasets=public.list_datasets(actor(request), project),
        targets=available(project.slug),
    )
    return render_page(request, TEMPLATE, {"estimate": _estimate(project, form)}, part="estimate")


def _start(request: HttpRequest, project: Project, form: NewRunForm, rows: ScorerRows) -> list[Run]:
    """The runs that the form asks for; of "Try first", the same with the first items only."""
    settings = form.settings()
    if "try" in request.POST:
        named = settings["name"] or " and ".join(
            form.target_names.get(ref, ref) for ref in form.chosen_refs()
        )
        settings["name"] = f"Try of {TRY_ITEMS} items: {named}"
        limit = min(TRY_ITEMS, settings["selection"].get("limit", TRY_ITEMS))
        settings["selection"] |= {"limit": limit}
    return start_runs(
        project=project,
        dataset=form.datasets[form.cleaned_data["dataset"]],
        targets=form.chosen_refs(),
        scorers=rows.specs(),
        by=actor(request),
        **settings,
    )


def _go_to(request: HttpRequest, project: Project, made: list[Run]) -> HttpResponse:
    """To the run, to the comparison of two, or to the list of more."""
    numbers = [run.number for run in made]
    if len(numbers) == 1:
        messages.success(request, f"Run {numbers[0]} is started.")
        return redirect("runs:detail", project.slug, numbers[0])
    listed = ", ".join(map(str, numbers[:-1]))
    messages.success(request, f"Runs {listed} and {numbers[-1]} are started.")
    if len(numbers) == 2:
        pair = urlencode([("run", number) for number in numbers])
        return redirect(f"{reverse('runs:compare', args=[project.slug])}?{pair}")
    return redirect("runs:list", project.slug)


def _page(
    request: HttpRequest,
    project: Project,
    form: NewRunForm,
    rows: ScorerRows,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    recent = queries.runs(actor(request), project).prefetch_related(None)
    context = {
        "form": form,
        "advanced": [form[name] for name in ADVANCED if name != "metadata"],
        "scorers": rows,
        "scorers_url": reverse("runs:new", args=[project.slug]),
        "scorers_target": "#new-run",
        "catalogue": catalogue(),
        "dataset": form.chosen_dataset(),
        "estimate": _estimate(project, form),
        "refused": status != HTTPStatus.OK,
        "try_items": TRY_ITEMS,
        "recent": recent.values("number", "name", "created_at")[:RECENT_RUNS],
    }
    return render_page(request, TEMPLATE, context, part="form", status=status)


def _estimate(project: Project, form: NewRunForm) -> Estimate | None:
    """What the form would run; None while no dataset, or no version of it, is chosen."""
    dataset = form.chosen_dataset()
    if dataset is None:
        return None
    numbers = {
        name: _whole(form[name].value()) for name in ("sample", "seed", "limit", "failed_of")
    }
    texts = {name: str(form[name].value() or "").strip() for name in ("subset", "split", "where")}
    return estimate(
        project,
        dataset,
        version=_whole(form["version"].value()) or dataset.version,
        selection=selection_of(numbers | texts),
        repetitions=_whole(form["repetitions"].value()) or 1,
        concurrency=_whole(form["concurrency"].value()) or 1,
        targets=form.chosen_refs(),
    )


def _whole(value: Any) -> int | None:
    """A number of 1 or more that a field holds as text; None for anything else."""
    text = str(value if value is not None else "").strip()
    return whole(text) or None


def _typed(data: QueryDict) -> dict[str, Any]:
    """What was typed so far, as a form's initial values."""
    return data.dict() | {"target": data.getlist("target")}


def _repeated(request: HttpRequest, project: Project) -> Run | None:
    """The run that ?run= names, to start it again; None without one."""
    ref = request.GET.get("run")
    return queries.find_run(actor(request), project, ref) if ref else None


def _defaults(request: HttpRequest, datasets: list[DatasetRow]) -> Defaults:
    """Those of the dataset that ?dataset= names; empty without one."""
    slug = request.GET.get("dataset")
    found = next((row for row in datasets if row.slug == slug), None)
    return Defaults() if found is None else defaults_of(found.id)


def _first_values(
    request: HttpRequest, again: Run | None, usual: Defaults, choices: dict[str, Any]
) -> dict[str, Any]:
    """Initial values: those of the run to repeat, or the defaults, then what the address says."""
    values: dict[str, Any] = {}
    if again is not None:
        dataset = queries.datasets_of([again])[again.pk]
        all_items = request.GET.get("all") == "1"
        values = initial_of(again, all_items=all_items) | {"dataset": dataset.slug}
    elif usual.target.startswith(RECORDED_FORMS):
        path = usual.target.removeprefix(RECORDED_PREFIX)
        values = {"target": [RECORDED], "path": path}
    elif usual.target:
        values = {"target": [usual.target]}
    elif not choices["targets"]:
        values = {"target": [RECORDED]}
    if request.GET.get("dataset"):
        values["dataset"] = request.GET["dataset"]
    if request.GET.getlist("target"):
        values["target"] = request.GET.getlist("target")
    return values


def _first_scorers(again: Run | None, usual: Defaults) -> ScorerRows:
    if again is not None:
        return ScorerRows.of_specs([scorer.spec for scorer in again.scorers.all()])
    if usual.scorers:
        return ScorerRows.of_specs(usual.scorers)
    return ScorerRows.of_specs([{"use": DEFAULT_SCORER}])
