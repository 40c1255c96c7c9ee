"""One saved target: made, shown with its versions, changed, restored, copied, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from datasets_app.diffing import Segment, changed_fields, diff_json
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError, NotFound
from evalhub.kit.htmx import render_page
from evalhub.kit.json import ABSENT
from evalhub.kit.whole import whole
from runs_app import queries, saved_targets
from runs_app.actions import targets as actions
from runs_app.models import SavedTarget, TargetVersion
from runs_app.target_fields import CodeField
from runs_app.target_form import TargetForm
from runs_app.target_forms import FORMS
from runs_app.targets.base import KINDS
from runs_app.views.common import actor, part_for
from runs_app.views.targets import HEALTH, testable

VERSIONS_SHOWN = 50
CHANGES_SHOWN = 12
LONGEST = 4_000  # characters of one change
RUNS_SHOWN = 5

KIND_TEXTS = {
    "agent": "Messages or a text in; a text or JSON out.",
    "workflow": "JSON in; a result with a status out. Anything but success is an error.",
    "processor": "Messages in; changed messages, or a block with its reason, out.",
    "scorer": "An output in; a score out. To hold a scorer against what people say.",
}
TRANSPORT_TEXTS = {
    "chat": ("Chat model", "Any OpenAI-compatible address: hosted, or on a machine of yours."),
    "http": ("HTTP", "Any JSON service: its method, headers, body and where the output is."),
    "python": ("Python", "A function that an installed plug-in has registered."),
    "recorded": ("Recorded", "Outputs that exist: in the items, in a file, of another run."),
    "scorer": ("Built-in scorer", "One of the scorers of evalhub itself."),
}


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """One field of a configuration that a version changed."""

    path: str
    word: str
    segments: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class VersionStep:
    """A version and what it changed; `more` changes are not shown."""

    version: TargetVersion
    changes: tuple[FieldDiff, ...]
    more: int


@project_view(needs=Role.EDITOR)
def new(request: HttpRequest, project: Project) -> HttpResponse:
    """Choose kind and transport, then fill in the form of the transport."""
    kind, transport = request.GET.get("kind", ""), request.GET.get("transport", "")
    if transport == "scorer":
        kind = "scorer"
    if kind not in KINDS or transport not in FORMS:
        context = {
            "kinds": KIND_TEXTS.items(),
            "transports": TRANSPORT_TEXTS.items(),
            "kind": kind or "agent",
            "transport": transport or "chat",
        }
        return render(request, "runs/target_new.html", context)
    sent = request.method == "POST"
    form = FORMS[transport](request.POST if sent else None, project=project)
    if sent and form.is_valid():
        made = _save(request, project, form, kind, transport)
        if made is not None:
            messages.success(request, f"{made.name} is saved. Test it with one item.")
            return redirect("runs:target", project.slug, made.slug)
    return _form_page(request, form, kind, transport)


@project_view()
def show(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The target as it is now, or as it was at ?v=, with all its versions."""
    target = saved_targets.find_saved_target(actor(request), project, slug)
    number = whole(request.GET.get("v", ""))
    version = saved_targets.find_target_version(target, number)
    versions = list(saved_targets.target_versions(target)[: VERSIONS_SHOWN + 1])
    form = FORMS[target.transport](
        initial=FORMS[target.transport].values_of(version.config), project=project
    )
    runs = queries.runs(actor(request), project).filter(
        target_ref__in=[target.slug, *(f"{target.slug}@{one.number}" for one in versions)]
    )
    health = saved_targets.health(project, [target.slug])[target.slug]
    context = {
        "target": target,
        "version": version,
        "old": version.number != target.version,
        "groups": form.groups(),
        "steps": _steps(versions),
        "older": max(0, target.version - VERSIONS_SHOWN),
        "health": health,
        "mark": HEALTH[health.state],
        "runs": runs[:RUNS_SHOWN],
        "testable": testable(target.transport, version.config),
        "transport_name": TRANSPORT_TEXTS[target.transport][0],
    }
    return render(request, "runs/target.html", context)


@project_view(needs=Role.EDITOR)
def edit(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Change the target; another configuration becomes its next version."""
    target = saved_targets.find_saved_target(actor(request), project, slug)
    newest = saved_targets.find_target_version(target)
    kind_of_form = FORMS[target.transport]
    initial = {
        "name": target.name,
        "description": target.description,
        **kind_of_form.values_of(newest.config),
    }
    sent = request.method == "POST"
    form = kind_of_form(request.POST if sent else None, initial=initial, project=project)
    if sent and form.is_valid():
        saved = _save(request, project, form, target.kind, target.transport, target)
        if saved is not None:
            made = saved.version != newest.number
            messages.success(request, f"Saved as v{saved.version}." if made else "Saved.")
            return redirect("runs:target", project.slug, slug)
    return _form_page(request, form, target.kind, target.transport, target)


@require_POST
@project_view(needs=Role.EDITOR)
def check_field(request: HttpRequest, project: Project) -> HttpResponse:
    """What is wrong with one field of a form while it is written."""
    form = FORMS.get(request.GET.get("transport", ""), TargetForm)
    name = request.GET.get("field", "")
    field = form.base_fields.get(name)
    if not isinstance(field, CodeField) or name not in request.POST:
        raise NotFound("Send the transport, the field and its text.")
    text, problem, good = request.POST[name], "", ""
    if text.strip():
        good = field.good
        try:
            field.clean(text)
        except forms.ValidationError as error:
            problem = str(error.messages[0])
    return render(request, "runs/_field_answer.html", {"problem": problem, "good": good})


@require_POST
@project_view(needs=Role.EDITOR)
def restore(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Make an old version the newest one."""
    target = saved_targets.find_saved_target(actor(request), project, slug)
    restored = actions.restore_target(target=target, number=number, by=actor(request))
    messages.success(request, f"v{number} is restored as v{restored.version}.")
    return redirect("runs:target", project.slug, slug)


@require_POST
@project_view(needs=Role.EDITOR)
def copy(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Make a target of its own from this one, and change it."""
    target = saved_targets.find_saved_target(actor(request), project, slug)
    made = actions.copy_target(target=target, by=actor(request))
    messages.success(request, f"This is a copy of {target.name}.")
    return redirect("runs:target_edit", project.slug, made.slug)


@project_view(needs=Role.EDITOR)
def delete(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Ask whether to delete the target, and delete it."""
    target = saved_targets.find_saved_target(actor(request), project, slug)
    if request.method == "POST":
        actions.delete_target(target=target, by=actor(request))
        messages.success(request, f"{target.name} is deleted. Its runs stay readable.")
        return redirect("runs:targets", project.slug)
    health = saved_targets.health(project, [slug])[slug]
    context = {"target": target, "runs": health.runs}
    part = part_for(request, modal="dialog")
    return render_page(request, "runs/target_delete.html", context, part=part)


def _save(
    request: HttpRequest,
    project: Project,
    form: TargetForm,
    kind: str,
    transport: str,
    target: SavedTarget | None = None,
) -> SavedTarget | None:
    """The saved target; None when the action refused it, which the form then shows."""
    given = form.cleaned_data
    try:
        return actions.save_target(
            project=project,
            name=given["name"],
            kind=kind,
            transport=transport,
            config=form.config(),
            description=given["description"],
            message=given["message"],
            by=actor(request),
            target=target,
        )
    except EvalhubError as error:
        form.take(error)
        return None


def _form_page(
    request: HttpRequest,
    form: TargetForm,
    kind: str,
    transport: str,
    target: SavedTarget | None = None,
) -> HttpResponse:
    context = {
        "form": form,
        "groups": form.groups(),
        "kind": kind,
        "transport": transport,
        "transport_name": TRANSPORT_TEXTS[transport][0],
        "target": target,
        "has_templates": transport in ("chat", "http"),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "runs/target_form.html", context, status=status)


def _steps(newest_first: Sequence[TargetVersion]) -> list[VersionStep]:
    """The versions to show, each with what it changed."""
    steps = []
    for place, version in enumerate(newest_first[:VERSIONS_SHOWN]):
        before = newest_first[place + 1] if place + 1 < len(newest_first) else None
        changes = _changes(before.config, version.config) if before else []
        shown = tuple(changes[:CHANGES_SHOWN])
        steps.append(VersionStep(version, shown, len(changes) - len(shown)))
    return steps


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[FieldDiff]:
    found = []
    for change in changed_fields(before, after):
        word = "added" if change.before is ABSENT else "removed" if change.after is ABSENT else ""
        segments = diff_json(change.before, change.after).segments
        found.append(FieldDiff(change.path, word, _cut(segments)))
    return found


def _cut(segments: Sequence[Segment]) -> list[Segment]:
    """The segments up to LONGEST characters."""
    kept, room = [], LONGEST
    for segment in segments:
        kept.append(Segment(segment.op, segment.text[:room]))
        room -= len(segment.text)
        if room <= 0:
            kept.append(Segment("same", " …"))
            break
    return kept
