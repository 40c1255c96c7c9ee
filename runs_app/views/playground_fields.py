"""The fields of the playground's form one by one: how each is read, and written out in order."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import NotFound
from evalhub.kit.value_field import ValueField, reading_of, show_value
from runs_app.trial_form import LOCALE, OBJECTS, VALUES, TrialForm


@require_POST
@project_view(needs=Role.EDITOR)
def check(request: HttpRequest, project: Project) -> HttpResponse:
    """How one field of the form is read; with ?format=1 the field itself, written out in order."""
    name = next((name for name in VALUES if name in request.POST), None)
    if name is None:
        raise NotFound(f"Send one of {', '.join(VALUES)}.")
    text = request.POST[name]
    problem = reading = ""
    try:
        value = _field_of(name).clean(text)
        reading = reading_of(text)
    except forms.ValidationError as error:
        problem = str(error.messages[0])
    context: dict[str, Any] = {"problem": problem, "reading": reading}
    if "format" not in request.GET:
        return render(request, "runs/_trial_reading.html", context)
    form = TrialForm(initial={name: text if problem else show_value(value)}, targets=[])
    context |= {"field": form[name]}
    return render(request, "runs/_trial_field.html", context)


def _field_of(name: str) -> ValueField:
    """The field without its demand: an empty one has nothing to say while it is checked."""
    return ValueField(
        rows=1,
        label=TrialForm.base_fields[name].label,
        example=LOCALE if name in OBJECTS else "",
        required=False,
    )
