"""Try a target with one item: the call is made in the background and shown as it comes."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from datasets_app import public
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError, Forbidden, Invalid, NotFound
from evalhub.kit.htmx import render_page, wants_fragment
from evalhub.kit.json import loads
from evalhub.kit.whole import whole
from runs_app.actions.trial import start_trial
from runs_app.models import Purpose
from runs_app.targets import TargetInfo, find
from runs_app.trial_form import ValuesForm, values_of
from runs_app.trials import TrialState, find_trial
from runs_app.views.common import actor
from runs_app.views.trials import ShownTrial, shown_trial

TEMPLATE = "runs/target_test.html"
MOST_DATASETS = 8  # in the menu "Load item"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one call of the target sent and got, as its span kept it."""

    name: str
    request: Any
    response: Any
    has_response: bool


@dataclass(frozen=True, slots=True)
class ShownTest:
    """A test with its exchanges, and how long all of it took in milliseconds (None: not over)."""

    trial: ShownTrial
    exchanges: tuple[Exchange, ...]
    whole_ms: float | None


@project_view()
def test(request: HttpRequest, project: Project) -> HttpResponse:
    """The form for the target that ?target= names; a POST starts the test."""
    target = _target(project, request.GET.get("target", ""))
    if request.method != "POST":
        form = ValuesForm(initial=_first_values(request, project))
        return _page(request, project, target, form, _asked(request, project))
    if not Role.allows(request.role, Role.EDITOR):  # type: ignore[attr-defined]
        raise Forbidden("To test a target you need the role editor.")
    form = ValuesForm(request.POST)
    if form.is_valid():
        try:
            run = start_trial(
                project=project,
                target=target.ref,
                by=actor(request),
                purpose=Purpose.CHECK,
                **form.given(),
            )
        except EvalhubError as error:
            form.add_error(None, error.detail)
        else:
            here = f"{reverse('runs:target_test', args=[project.slug])}?"
            address = here + urlencode({"target": target.ref, "run": str(run.uuid)})
            if not wants_fragment(request):
                return redirect(address)
            shown = shown_test(find_trial(actor(request), project, str(run.uuid)), project)
            response = _page(request, project, target, form, shown)
            response["HX-Push-Url"] = address
            return response
    return _page(request, project, target, form, None, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@project_view()
def tested(request: HttpRequest, project: Project, trial: object) -> HttpResponse:
    """What a test has come to; the last answer, when it is over, polls no more."""
    state = find_trial(actor(request), project, str(trial))
    context = {"test": shown_test(state, project)}
    return render(request, "runs/_target_tested.html", context)


def shown_test(state: TrialState, project: Project) -> ShownTest:
    """A test as the page shows it."""
    spans = state.outcome.spans_json if state.outcome else None
    exchanges = [
        Exchange(
            str(span.get("name")),
            _readable(data["request"]),
            _readable(data.get("response")),
            "response" in data,
        )
        for span in (loads(spans) if spans else [])
        if isinstance(data := span.get("data"), dict) and "request" in data
    ]
    whole = None
    if state.started_at and state.finished_at:
        whole = max(0.0, (state.finished_at - state.started_at).total_seconds() * 1000)
    return ShownTest(shown_trial(state, project.trace_url), tuple(exchanges), whole)


def _readable(value: Any) -> Any:
    """A body, or a request with one: JSON that was kept as text becomes JSON again."""
    if isinstance(value, dict):
        return {
            name: _readable(inner) if name == "body" else inner for name, inner in value.items()
        }
    if not isinstance(value, str) or value[:1] not in '{["':
        return value
    try:
        return loads(value)
    except ValueError:
        return value


def _target(project: Project, ref: str) -> TargetInfo:
    try:
        return find(ref, project.slug)
    except Invalid as error:
        raise NotFound(error.detail) from error


def _asked(request: HttpRequest, project: Project) -> ShownTest | None:
    """The test that the address names; None without one, or when it is gone."""
    if not request.GET.get("run"):
        return None
    try:
        return shown_test(find_trial(actor(request), project, request.GET["run"]), project)
    except NotFound:
        return None


def _first_values(request: HttpRequest, project: Project) -> dict[str, Any]:
    """The form's texts: those of the test, of the item that ?item= names, or of any first item."""
    asked = _asked(request, project)
    if asked is not None:
        state = asked.trial.state
        return values_of(
            state.input_json, state.expected_json, state.metadata_json, state.context_json
        )
    slug, _, number = request.GET.get("item", "").partition(":")
    datasets = public.list_datasets(actor(request), project)
    chosen = next((one for one in datasets if one.item_count and slug in ("", one.slug)), None)
    if chosen is None:
        return {}
    after = (whole(number) or 1) - 1
    found = public.read_items(chosen.id, chosen.version, after=after, limit=1)
    if not found:
        return {}
    item = found[0]
    texts: dict[str, Any] = values_of(item.input_json, None, item.metadata_json, item.context_json)
    return texts | {"item": f"{chosen.slug}:{item.number}"}


def _page(
    request: HttpRequest,
    project: Project,
    target: TargetInfo,
    form: ValuesForm,
    shown: ShownTest | None,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    slug, _, number = str(form["item"].value() or "").partition(":")
    datasets = public.list_datasets(actor(request), project)
    context = {
        "target": target,
        "saved": ":" not in target.ref,
        "form": form,
        "test": shown,
        "gone": bool(request.GET.get("run")) and shown is None and request.method != "POST",
        "origin": next((one for one in datasets if one.slug == slug), None),
        "origin_number": whole(number) or 0,
        "datasets": [one for one in datasets if one.item_count][:MOST_DATASETS],
    }
    return render_page(request, TEMPLATE, context, part="test", status=status)
