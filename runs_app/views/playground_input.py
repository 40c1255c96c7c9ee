"""The playground's input as a form, where the dataset of the loaded item has a schema."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.access.models import Project
from evalhub.kit.errors import NotFound
from evalhub.kit.json import ABSENT, pretty
from evalhub.kit.value_field import read_value
from runs_app.input_form import InputField, composed, fields_of, filled
from runs_app.trial_form import TrialForm
from runs_app.views.common import actor


def shown_fields(
    request: HttpRequest, origin: DatasetRow | None, form: TrialForm
) -> tuple[InputField, ...]:
    """The controls with what the input says; none where the input cannot be a form."""
    if origin is None:
        return ()
    fields = fields_of(public.input_schema(origin.id, origin.version))
    value = _object(str(form["input"].value() or ""))
    if value is None:
        return ()
    if form.is_bound and form["as_form"].value() == "form":
        return composed(fields, request.POST.dict(), value)[1]
    return filled(fields, value)


def composed_input(request: HttpRequest, project: Project) -> tuple[str | None, list[str]]:
    """The input that the controls say, as text, and their problems; None where there is no form."""
    slug = request.POST.get("item", "").partition(":")[0]
    try:
        dataset = public.find_dataset(actor(request), project, slug)
    except NotFound:
        return None, []
    fields = fields_of(public.input_schema(dataset.id, dataset.version))
    base = _object(request.POST.get("input", ""))
    if not fields or base is None:
        return None, []
    made, sent = composed(fields, request.POST.dict(), base)
    return pretty(made), [field.problem for field in sent if field.problem]


def _object(text: str) -> dict[str, Any] | None:
    """The object that a text stands for, an empty one for no text; None for anything else."""
    try:
        value = read_value(text)
    except forms.ValidationError:
        return None
    if value is ABSENT:
        return {}
    return value if isinstance(value, dict) else None
