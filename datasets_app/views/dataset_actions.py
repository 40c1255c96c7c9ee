"""What can be done with a whole dataset: settings, duplicate, archive, pin, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from datasets_app import actions, queries
from datasets_app.actions.duplicate import duplicate_dataset
from datasets_app.forms import DatasetForm, add_errors
from datasets_app.models import Dataset
from datasets_app.public import shell
from datasets_app.views.common import actor, part_for, posted
from evalhub.access.doors import find_project, project_view
from evalhub.access.models import Project, Role
from evalhub.kit import slots
from evalhub.kit.errors import EvalhubError
from evalhub.kit.htmx import render_page


@project_view()
def settings(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Name, description and tags, and what other apps add; an editor changes them."""
    context = shell(actor(request), project, slug, tab="settings")
    dataset = context["dataset"]
    initial = {
        "name": dataset.name,
        "description": dataset.description,
        "tags": ", ".join(dataset.tags),
    }
    form = DatasetForm(posted(request), initial=initial)
    status = 200
    if request.method == "POST":
        find_project(actor(request), project.slug, Role.EDITOR)
        status = 422
        if form.is_valid():
            try:
                actions.update_dataset(dataset=dataset, by=actor(request), **form.cleaned_data)
            except EvalhubError as error:
                add_errors(form, error)
                status = error.status
            else:
                messages.success(request, "Saved.")
                return redirect("datasets:settings", project.slug, dataset.slug)
    found = slots.fill("dataset.settings", [dataset.pk], request=request, project=project)
    context |= {"form": form, "more_settings": found.get(dataset.pk, "")}
    return render_page(request, "datasets/settings.html", context, status=status)


@project_view(needs=Role.EDITOR)
def duplicate(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Ask for a name, then make a dataset with all that this one has now."""
    context = shell(actor(request), project, slug, tab="settings")
    dataset = context["dataset"]
    given = request.POST.get("name", f"Copy of {dataset.name}"[:120])
    context |= {"given": given, "problem": ""}
    status = 200
    if request.method == "POST":
        try:
            copy, job = duplicate_dataset(dataset=dataset, by=actor(request), name=given)
        except EvalhubError as error:
            context["problem"] = error.detail
            status = error.status
        else:
            said = "It is being filled in the background." if job else "This is the duplicate."
            messages.success(request, f"{dataset.name} is duplicated. {said}")
            return redirect("datasets:detail", project.slug, copy.slug)
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/duplicate.html", context, part=part, status=status)


@project_view(needs=Role.EDITOR)
def delete(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Ask for the dataset's name, then delete it. Its runs stay readable."""
    context = shell(actor(request), project, slug, tab="settings")
    dataset = context["dataset"]
    typed = request.POST.get("name", "")
    context |= {"typed": typed, "problem": ""}
    status = 200
    if request.method == "POST":
        try:
            if " ".join(typed.split()) == dataset.name:
                actions.delete_dataset(dataset=dataset, by=actor(request))
                messages.success(request, f"{dataset.name} is deleted. Its runs stay readable.")
                return redirect("datasets:list", project.slug)
            context["problem"] = f"Type {dataset.name} to delete it."
            status = 422
        except EvalhubError as error:
            context["problem"] = error.detail
            status = error.status
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/delete.html", context, part=part, status=status)


@require_POST
@project_view(needs=Role.EDITOR)
def archive(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    return _done(request, project, slug, actions.archive_dataset, "{} is in the archive.")


@require_POST
@project_view(needs=Role.EDITOR)
def unarchive(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    return _done(request, project, slug, actions.unarchive_dataset, "{} is out of the archive.")


@require_POST
@project_view(needs=Role.EDITOR)
def pin(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    return _done(request, project, slug, actions.pin_dataset, "{} is pinned for everybody.")


@require_POST
@project_view(needs=Role.EDITOR)
def unpin(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    def change(*, dataset: Dataset, by: Any) -> Dataset:
        return actions.pin_dataset(dataset=dataset, by=by, pinned=False)

    return _done(request, project, slug, change, "{} is no longer pinned.")


def _done(
    request: HttpRequest, project: Project, slug: str, change: Any, said: str
) -> HttpResponse:
    """Do it, say so, and go back to the dataset."""
    dataset = queries.find_dataset(actor(request), project, slug)
    try:
        change(dataset=dataset, by=actor(request))
    except EvalhubError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, said.format(dataset.name))
    return redirect("datasets:detail", project.slug, dataset.slug)
