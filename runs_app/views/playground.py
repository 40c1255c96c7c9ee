"""The playground: one input on one target or two, tried in the background and shown as it comes."""

from __future__ import annotations

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
from evalhub.kit.whole import whole
from runs_app.actions.trial import cancel_trial, start_trial
from runs_app.models import Run
from runs_app.scorer_forms import ScorerRows
from runs_app.scorers import catalogue
from runs_app.targets import available
from runs_app.trial_form import LETTERS, TrialForm, values_of, values_of_trial
from runs_app.trials import earlier_trials, find_trial, find_trial_run, state_of
from runs_app.views.common import actor
from runs_app.views.playground_input import composed_input, shown_fields
from runs_app.views.playground_parts import Named, both_of, named_trials
from runs_app.views.playground_target import TargetEditor, target_editor
from runs_app.views.trials import ShownTrial, shown_trial

TEMPLATE = "runs/playground.html"
DEFAULT_SCORER = "exact_match"
MOST_DATASETS = 8  # in the menu "Load item"
LAYING_OUT = ("show", "show_as", "add_scorer", "remove_scorer")  # buttons that start nothing


@dataclass(frozen=True, slots=True)
class Panel:
    """One target with its last trial. `gone` when the address names a trial that is no more."""

    letter: str
    field: BoundField
    trial: ShownTrial | None
    gone: bool
    editor: TargetEditor | None


@project_view()
def playground(request: HttpRequest, project: Project) -> HttpResponse:
    """The form with what the address says; a POST starts a trial for each target.

    A POST with one of LAYING_OUT only shows the form in another way.
    """
    if request.method == "POST":
        if not Role.allows(request.role, Role.EDITOR):  # type: ignore[attr-defined]
            raise Forbidden("To try a target you need the role editor.")
        if not set(LAYING_OUT) & request.POST.keys():
            return _try(request, project)
    trials = named_trials(request, project)
    if request.method == "POST":
        values = _typed(request, project)
        rows = ScorerRows.of_post(request.POST, validate=False)
    else:
        values = _first_values(request, project, trials)
        rows = _first_scorers(trials)
    form = TrialForm(initial=values, targets=available(project.slug))
    return _page(request, project, form, rows, trials)


def _try(request: HttpRequest, project: Project) -> HttpResponse:
    """Start what the form asks for, and show it under its own address.

    With `only` one target is tried; what the other gave stays.
    """
    targets = available(project.slug)
    given, problems = _composed(request, project)
    form = TrialForm(given, targets=targets)
    rows = ScorerRows.of_post(request.POST, validate=True)
    for problem in problems:
        form.add_error("input", problem)
    valid = form.is_valid() and (not rows.rows or rows.is_valid())
    shown = named_trials(request, project)
    started = _start(request, project, form, rows) if valid else {}
    if form.errors or not valid:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _page(request, project, form, rows, shown, status=status)
    for letter, run in started.items():
        shown[letter] = Named(shown_trial(state_of(run), project.trace_url))
    address = _address(project, form, shown)
    if not wants_fragment(request):
        return redirect(address)
    if request.POST.get("refused"):
        again = TrialForm(initial=_typed(request, project), targets=targets)
        response = _page(request, project, again, rows, shown)
    else:
        # The form stays as it is, with its focus and what can be undone in it.
        context = {"form": form} | _outputs(request, project, form, shown)
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


def _start(
    request: HttpRequest, project: Project, form: TrialForm, rows: ScorerRows
) -> dict[str, Run]:
    """A trial for each chosen target; when one is refused the form says so, and none starts."""
    runs: dict[str, Run] = {}
    scorers, by, only = rows.specs(), actor(request), request.POST.get("only", "")
    with transaction.atomic():
        for letter, ref in form.chosen():
            if only in LETTERS and letter != only:
                continue
            try:
                runs[letter] = start_trial(
                    project=project, target=ref, by=by, scorers=scorers, **form.given()
                )
            except EvalhubError as error:
                form.take(error, letter)
        if form.errors:
            transaction.set_rollback(True)
    return runs


def _page(
    request: HttpRequest,
    project: Project,
    form: TrialForm,
    rows: ScorerRows,
    trials: dict[str, Named],
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    datasets = public.list_datasets(actor(request), project)
    slug, _, number = str(form["item"].value() or "").partition(":")
    origin = next((dataset for dataset in datasets if dataset.slug == slug), None)
    context = {
        "form": form,
        "scorers": rows,
        "scorers_url": reverse("runs:playground", args=[project.slug]),
        "scorers_target": "#playground",
        "catalogue": catalogue(),
        "scorers_open": bool({"add_scorer", "remove_scorer"} & request.POST.keys())
        or any(row.errors for row in rows.rows),
        # Loading the page again shows what the address names, so only where nothing was typed.
        "reloads": request.method == "GET"
        and any(each.trial is not None and each.trial.state.running for each in trials.values()),
        "datasets": [dataset for dataset in datasets if dataset.item_count][:MOST_DATASETS],
        "origin": origin if whole(number) else None,
        "origin_number": whole(number) or 0,
        "refused": status != HTTPStatus.OK,
        "input_fields": shown_fields(request, origin, form),
        "as_form": form["as_form"].value() == "form",
    }
    context |= _outputs(request, project, form, trials)
    return render_page(request, TEMPLATE, context, part="playground", status=status)


def _outputs(
    request: HttpRequest, project: Project, form: TrialForm, trials: dict[str, Named]
) -> dict[str, Any]:
    """Context of the panels, what they differ in, and the trials before."""
    panels = []
    for letter in LETTERS if form.two else LETTERS[:1]:
        found = trials.get(letter, Named(None))
        ref = str(form[letter].value() or "") or next(iter(form.targets), "")
        editor = target_editor(request, project, ref, letter)
        panels.append(Panel(letter, form[letter], found.trial, found.gone, editor))
    return {
        "panels": panels,
        "both": both_of(project, [panel.trial for panel in panels]),
        "here_url": reverse("runs:playground", args=[project.slug]),
        "earlier": earlier_trials(actor(request), project),
    }


def _first_values(
    request: HttpRequest, project: Project, trials: dict[str, Named]
) -> dict[str, Any]:
    """The form's values: those of the trials, else of the item that the address names."""
    values: dict[str, Any] = {"item": request.GET.get("item", "")}
    known = [each.trial for each in trials.values() if each.trial is not None]
    if values["item"]:
        values |= _values_of_item(request, project, values["item"], needed=not known)
    for letter, each in trials.items():
        if each.trial is not None:
            values[letter] = each.trial.state.target_ref
    if known:
        values |= values_of_trial(known[0].state)
    for letter in LETTERS:
        if request.GET.get(letter):
            values[letter] = request.GET[letter]
    values["as_form"] = request.GET.get("as", "")
    values["layout"] = "2" if values.get("b") else "1"
    return values


def _first_scorers(trials: dict[str, Named]) -> ScorerRows:
    known = next((each.trial for each in trials.values() if each.trial is not None), None)
    return ScorerRows.of_specs(known.state.specs if known else [{"use": DEFAULT_SCORER}])


def _values_of_item(
    request: HttpRequest, project: Project, ref: str, *, needed: bool
) -> dict[str, Any]:
    """The texts of the item "dataset:number" as it is now. Raises NotFound when it is `needed`,
    and else gives nothing for one that is gone."""
    slug, _, number = ref.partition(":")
    found = None
    try:
        dataset = public.find_dataset(actor(request), project, slug)
        if item := whole(number):
            found = public.find_item(dataset.id, dataset.version, item)
        if found is None:
            raise NotFound(f"There is no item {number} in {dataset.name}.")
    except NotFound:
        if needed:
            raise
        return {}
    texts = values_of(
        found.input_json, found.expected_json, found.metadata_json, found.context_json
    )
    return {**texts, "revision": found.revision_id}


def _composed(request: HttpRequest, project: Project) -> tuple[QueryDict, list[str]]:
    """What was sent, with the input put together from the form's controls when it was a form; and
    what is wrong with those."""
    given = request.POST.copy()
    if given.get("as_form") != "form":
        return given, []
    text, problems = composed_input(request, project)
    if text is not None:
        given["input"] = text
    return given, problems


def _typed(request: HttpRequest, project: Project) -> dict[str, Any]:
    """What was typed, to be shown again without complaints."""
    data = request.POST
    given, _ = _composed(request, project)
    values: dict[str, Any] = {name: given[name] for name in given}
    values["layout"] = data.get("show") or data.get("layout", "")
    values["as_form"] = data.get("show_as") or data.get("as_form", "")
    return values


def _address(project: Project, form: TrialForm, shown: dict[str, Named]) -> str:
    """The address that shows these trials to every member."""
    pairs = form.chosen()
    if form.cleaned_data["item"]:
        pairs.append(("item", form.cleaned_data["item"]))
    if form.cleaned_data["as_form"] == "form":
        pairs.append(("as", "form"))
    runs = [
        found.trial for letter, _ in form.chosen() for found in [shown.get(letter, Named(None))]
    ]
    pairs += [("run", each.state.id if each else "") for each in runs]
    return f"{reverse('runs:playground', args=[project.slug])}?{urlencode(pairs)}"
