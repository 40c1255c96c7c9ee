"""A chat target's templates and parameters, edited beside its output: saved as its next version."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError, Invalid, NotFound
from evalhub.kit.htmx import wants_fragment
from evalhub.kit.json import JsonError, loads, pretty
from runs_app import targets
from runs_app.actions.targets import save_target
from runs_app.models import SavedTarget
from runs_app.saved_targets import find_saved_target, find_target_version
from runs_app.trial_form import LETTERS
from runs_app.views.common import actor

TEMPLATE = "runs/_trial_target.html"


class ChatForm(forms.Form):
    """What is tried out most of a chat target; the rest of it stays."""

    model = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"class": "input--code"}))
    system = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "textarea--code", "spellcheck": "false"}),
    )
    user = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "textarea--code", "spellcheck": "false"}),
    )
    parameters = forms.CharField(
        required=False,
        help_text="A JSON object, such as temperature and max_tokens.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "textarea--code", "spellcheck": "false"}),
    )

    def clean_parameters(self) -> dict[str, Any]:
        text = self.cleaned_data["parameters"].strip()
        try:
            value = loads(text) if text else {}
        except JsonError as error:
            raise forms.ValidationError(f"{error.message}.") from error
        if not isinstance(value, dict):
            raise forms.ValidationError('Parameters are an object, such as {"temperature": 0}.')
        return value


@dataclass(frozen=True, slots=True)
class TargetEditor:
    """The form of one saved chat target; `saved` is the version that was just made, else 0."""

    slug: str
    name: str
    version: int
    letter: str
    form: ChatForm
    url: str
    saved: int = 0


def target_editor(
    request: HttpRequest, project: Project, ref: str, letter: str
) -> TargetEditor | None:
    """The editor of the target `ref`; None for one that is no saved chat target, and for somebody
    who may not edit."""
    if not ref or ":" in ref or not Role.allows(request.role, Role.EDITOR):  # type: ignore[attr-defined]
        return None
    try:
        found = targets.find(ref, project.slug)
        target = find_saved_target(actor(request), project, found.id)
    except (Invalid, NotFound):
        return None
    if target.transport != "chat":
        return None
    return _editor(project, target, letter, _form_of(found.config, letter))


@project_view(needs=Role.EDITOR)
def edit(request: HttpRequest, project: Project) -> HttpResponse:
    """The editor of `?ref=` for the panel `?letter=`, empty for other targets; a POST saves it."""
    given: QueryDict = request.POST if request.method == "POST" else request.GET
    letter = given.get("letter", "")
    letter = letter if letter in LETTERS else LETTERS[0]
    ref = given.get("ref", "") or given.get(letter, "")
    if request.method != "POST":
        editor = target_editor(request, project, ref, letter)
        return render(request, TEMPLATE, {"editor": editor, "letter": letter})
    target = find_saved_target(actor(request), project, ref)
    if target.transport != "chat":
        raise NotFound(f"{target.name} is no chat target.")
    form = ChatForm(given, prefix=f"chat-{letter}")
    saved = 0
    if form.is_valid():
        try:
            saved = _save(project, target, form, actor(request))
        except EvalhubError as error:
            _take(form, error)
    if not wants_fragment(request) and saved:
        messages.success(request, f"Saved as version {saved} of {target.name}.")
        kept = QueryDict(given.get("back", "")).urlencode()
        return redirect(f"{reverse('runs:playground', args=[project.slug])}?{kept}")
    status = HTTPStatus.OK if saved else HTTPStatus.UNPROCESSABLE_ENTITY
    context = {"editor": _editor(project, target, letter, form, saved), "letter": letter}
    if wants_fragment(request):
        return render(request, TEMPLATE, context, status=status)
    return render(request, "runs/playground_target.html", context, status=status)


def _save(project: Project, target: SavedTarget, form: ChatForm, by: Any) -> int:
    newest = find_target_version(target)
    made = save_target(
        project=project,
        name=target.name,
        kind=target.kind,
        transport=target.transport,
        config={**newest.config, **form.cleaned_data},
        description=target.description,
        message="Edited in the playground",
        by=by,
        target=target,
    )
    return made.version


def _take(form: ChatForm, error: EvalhubError) -> None:
    for one in error.errors or ():
        parts = [part for part in one.pointer.split("/") if part and part != "config"]
        name = parts[0] if parts else ""
        form.add_error(name if name in form.fields else None, one.detail)
    if not error.errors:
        form.add_error(None, error.detail)


def _form_of(config: dict[str, Any], letter: str) -> ChatForm:
    values = {name: config.get(name, "") for name in ("model", "system", "user")}
    parameters = config.get("parameters") or {}
    values["parameters"] = pretty(parameters) if parameters else ""
    return ChatForm(initial=values, prefix=f"chat-{letter}")


def _editor(
    project: Project, target: SavedTarget, letter: str, form: ChatForm, saved: int = 0
) -> TargetEditor:
    url = reverse("runs:playground_target", args=[project.slug])
    version = saved or target.version
    return TargetEditor(target.slug, target.name, version, letter, form, url, saved)
