"""The playground: one input on one target or two, tried in the background and shown as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from datasets_app import public
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError, Forbidden, NotFound
from evalhub.kit.htmx import render_page, wants_fragment
from runs_app.actions.trial import cancel_trial, start_trial
from runs_app.models import Run
from runs_app.targets import available
from runs_app.trial_form import (
    TrialForm,
    values_of,
    values_of_trial,
)
from runs_app.trials import find_trial, find_trial_run, state_of
from runs_app.views.common import actor
from runs_app.views.trials import ShownTrial, shown_trial

TEMPLATE = "runs/playground.html"
DEFAULT_SCORER = "exact_match"
MOST_DATASETS = 8  # in the menu "Load item"


@dataclass(frozen=True, slots=True)
class Panel:
    """One target with its last trial. `gone` when the address names a trial that is no more."""

    letter: str
    field: BoundField
    trial: ShownTrial | None
    gone: bool


@project_view()
def playground(request: HttpRequest, project: Project) -> HttpResponse:
    """The form with what the address says; a POST starts a trial for each target.

    A POST with `show` only shows the form with another number of targets.
    """
    if request.method == "POST":
        if not Role.allows(request.role, Role.EDITOR):  # type: ignore[attr-defined]
            raise Forbidden("To try a target you need the role editor.")
        if "show" not in request.POST:
            return _try(request, project)
    trials = _named(request, project)
    if request.method == "POST":
        values = _typed(request.POST) | {"layout": request.POST["show"]}
    else:
        values = _first_values(request, project, trials)
    form = TrialForm(initial=values, targets=available(project.slug))
    return _page(request, project, form, trials)


def _try(request: HttpRequest, project: Project) -> HttpResponse:
    """Start what the form asks for, and show it under its own address."""
    targets = available(project.slug)
    form = TrialForm(request.POST, targets=targets)
    runs = _start(request, project, form) if form.is_valid() else []
    if form.errors:
        shown = _named(request, project)
        return _page(request, project, form, shown, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    address = _address(project, form, runs)
    if not wants_fragment(request):
        return redirect(address)
    trials = [shown_trial(state_of(run), project.trace_url) for run in runs]
    if request.POST.get("refused"):
        again = TrialForm(initial=_typed(request.POST), targets=targets)
        response = _page(request, project, again, trials)
    else:
        # The form stays as it is, with its focus and what can be undone in it.
        context = {"panels": _panels(form, trials), "form": form}
        response = render_page(request, TEMPLATE, context, part="outputs")
        response["HX-Retarget"], response["HX-Reswap"] = "#outputs", "outerHTML"
    response["HX-Push-Url"] = address
    return response


@project_view()
def output(request: HttpRequest, project: Project, trial: object) -> HttpResponse:
    """What a trial has come to, for its panel; the last answer, when it is over, polls no more."""
    state = find_trial(actor(request), project, str(trial))
    context = {"trial": shown_trial(state, project.trace_url), "polled": True}
    return render(request, "runs/_trial.html", context)


@require_POST
@project_view(needs=Role.EDITOR)
def cancel(request: HttpRequest, project: Project, trial: object) -> HttpResponse:
    """Stop a trial. One that has just ended is shown as it is."""
    run = find_trial_run(actor(request), project, str(trial))
    if run.active:
        run = cancel_trial(run=run)
    if wants_fragment(request):
        context = {"trial": shown_trial(state_of(run), project.trace_url), "polled": True}
        return render(request, "runs/_trial.html", context)
    kept = QueryDict(request.POST.get("back", "")).urlencode()
    return redirect(f"{reverse('runs:playground', args=[project.slug])}?{kept}")


def _start(request: HttpRequest, project: Project, form: TrialForm) -> list[Run]:
    """A trial for each chosen target; when one is refused the form says so, and none starts."""
    runs: list[Run] = []
    scorers, by = form.cleaned_data["scorers"], actor(request)
    with transaction.atomic():
        for letter, ref in form.chosen():
            try:
                run = start_trial(
                    project=project, target=ref, by=by, scorers=scorers, **form.given()
                )
            except EvalhubError as error:
                form.take(error, letter)
            else:
                runs.append(run)
        if form.errors:
            transaction.set_rollback(True)
    return runs


def _page(
    request: HttpRequest,
    project: Project,
    form: TrialForm,
    trials: Sequence[ShownTrial | None],
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    datasets = public.list_datasets(actor(request), project)
    slug, _, number = str(form["item"].value() or "").partition(":")
    origin = next((dataset for dataset in datasets if dataset.slug == slug), None)
    context = {
        "form": form,
        "panels": _panels(form, trials),
        # Loading the page again shows what the address names, so only where nothing was typed.
        "reloads": request.method == "GET"
        and any(trial is not None and trial.state.running for trial in trials),
        "datasets": [dataset for dataset in datasets if dataset.item_count][:MOST_DATASETS],
        "origin": origin if number.isdecimal() else None,
        "origin_number": int(number) if number.isdecimal() else 0,
        "refused": status != HTTPStatus.OK,
    }
    return render_page(request, TEMPLATE, context, part="playground", status=status)


def _panels(form: TrialForm, trials: Sequence[ShownTrial | None]) -> list[Panel]:
    letters = ("a", "b") if form.two else ("a",)
    panels = []
    for place, letter in enumerate(letters):
        trial = trials[place] if place < len(trials) else None
        panels.append(Panel(letter, form[letter], trial, place < len(trials) and trial is None))
    return panels


def _named(request: HttpRequest, project: Project) -> list[ShownTrial | None]:
    """The trials that the address or the form names; None for one that is gone."""
    named = request.POST if request.method == "POST" else request.GET
    trials: list[ShownTrial | None] = []
    for ref in named.getlist("run")[:2]:
        try:
            state = find_trial(actor(request), project, ref)
        except NotFound:
            trials.append(None)
        else:
            trials.append(shown_trial(state, project.trace_url))
    return trials


def _first_values(
    request: HttpRequest, project: Project, trials: Sequence[ShownTrial | None]
) -> dict[str, Any]:
    """The form's values: those of the trials, else of the item that the address names."""
    values: dict[str, Any] = {"scorers": [DEFAULT_SCORER], "item": request.GET.get("item", "")}
    for letter, trial in zip(("a", "b"), trials, strict=False):
        if trial is not None:
            values[letter] = trial.state.target_ref
    known = next((trial for trial in trials if trial is not None), None)
    if known is not None:
        values |= values_of_trial(known.state)
    elif values["item"]:
        values |= _values_of_item(request, project, values["item"])
    for letter in ("a", "b"):
        if request.GET.get(letter):
            values[letter] = request.GET[letter]
    values["layout"] = "2" if values.get("b") else "1"
    return values


def _values_of_item(request: HttpRequest, project: Project, ref: str) -> dict[str, str]:
    """The texts of the item "dataset:number" as it is now. Raises NotFound."""
    slug, _, number = ref.partition(":")
    dataset = public.find_dataset(actor(request), project, slug)
    found = None
    if number.isdecimal() and len(number) < 10:
        found = public.find_item(dataset.id, dataset.version, int(number))
    if found is None:
        raise NotFound(f"There is no item {number} in {dataset.name}.")
    return values_of(found.input_json, found.expected_json, found.metadata_json, found.context_json)


def _typed(data: QueryDict) -> dict[str, Any]:
    """What was typed, to be shown again without complaints."""
    return {**data.dict(), "scorers": data.getlist("scorers")}


def _address(project: Project, form: TrialForm, runs: Sequence[Run]) -> str:
    """The address that shows these trials to every member."""
    pairs = form.chosen()
    if form.cleaned_data["item"]:
        pairs.append(("item", form.cleaned_data["item"]))
    pairs += [("run", str(run.uuid)) for run in runs]
    return f"{reverse('runs:playground', args=[project.slug])}?{urlencode(pairs)}"
