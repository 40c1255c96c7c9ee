"""Uploaded outputs: the list, the upload, and the end of one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from evalhub.access.doors import find_project, project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError
from evalhub.kit.htmx import render_page
from runs_app import saved_targets
from runs_app.actions import recordings as actions
from runs_app.target_fields import code_line
from runs_app.views.common import actor, part_for

LISTED = 200
PROBLEMS_SHOWN = 10


class RecordingForm(forms.Form):
    name = forms.CharField(
        max_length=120, error_messages={"required": "Give the recording a name."}
    )
    file = forms.FileField(
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
        widget=forms.FileInput(
            attrs={"class": "sr-only", "accept": ".csv,.tsv,.tab,.txt,.jsonl,.ndjson,.json"}
        ),
    )
    key_column = forms.CharField(
        max_length=200,
        label="Column of the key",
        widget=code_line("id"),
        error_messages={"required": "Name the column that says which item it is."},
    )
    key_field = forms.ChoiceField(
        label="The key is",
        choices=[("number", "the item's number"), ("external_id", "its external id")],
    )
    output_column = forms.CharField(
        max_length=200,
        label="Column of the output",
        widget=code_line("answer"),
        error_messages={"required": "Name the column that holds the output."},
    )
    read_as = forms.ChoiceField(label="Read it as", choices=[("text", "text"), ("json", "JSON")])

    def take(self, error: EvalhubError) -> None:
        """Show what the action refused, beside its field where the error names one."""
        placed = False
        for problem in error.errors[:PROBLEMS_SHOWN]:
            name = problem.pointer.strip("/")
            if name in self.fields:
                self.add_error(name, problem.detail)
                placed = True
        if not placed or len(error.errors) > 1:
            self.add_error(None, error.detail)


@project_view()
def recordings(request: HttpRequest, project: Project) -> HttpResponse:
    """The project's recordings; an editor uploads another one."""
    sent = request.method == "POST"
    if sent:
        find_project(actor(request), project.slug, Role.EDITOR)
    form = RecordingForm(request.POST if sent else None, request.FILES if sent else None)
    if sent and form.is_valid():
        given: dict[str, Any] = dict(form.cleaned_data)
        file = given.pop("file")
        try:
            made = actions.create_recording(
                project=project,
                filename=file.name or "upload",
                chunks=file.chunks(),
                by=actor(request),
                **given,
            )
        except EvalhubError as error:
            form.take(error)
        else:
            messages.success(request, f"{made.name} holds {made.rows:,} outputs.")
            return redirect("runs:recordings", project.slug)
    found = saved_targets.recordings(actor(request), project)[:LISTED]
    context = {"rows": found, "form": form}
    return render(request, "runs/recordings.html", context, status=422 if sent else 200)


@project_view(needs=Role.EDITOR)
def delete(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Ask whether to delete a recording, and delete it unless a saved target reads it."""
    found = saved_targets.find_recording(actor(request), project, slug)
    context: dict[str, Any] = {"recording": found, "problem": ""}
    status = 200
    if request.method == "POST":
        try:
            actions.delete_recording(recording=found, by=actor(request))
        except EvalhubError as error:
            context["problem"], status = error.detail, error.status
        else:
            messages.success(request, f"{found.name} is deleted.")
            return redirect("runs:recordings", project.slug)
    part = part_for(request, modal="dialog")
    return render_page(request, "runs/recording_delete.html", context, part=part, status=status)
