"""The JSON Schemas of a dataset: read at any version, written, checked and inferred."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from datasets_app.actions.history import MAX_MESSAGE
from datasets_app.actions.item_schemas import set_schemas
from datasets_app.actions.versions import stored_schemas
from datasets_app.bulk.schema_check import problems_file
from datasets_app.forms import add_errors
from datasets_app.item_schemas import LABELS, SCHEMA_FIELDS, check_schemas
from datasets_app.models import Dataset
from datasets_app.public import shell
from datasets_app.queries_versions import find_version_row, sample_values
from datasets_app.schema_inference import infer_schema
from datasets_app.views.common import actor, posted
from datasets_app.views.jobs import job_url
from evalhub.access.doors import find_project, project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError, Invalid
from evalhub.kit.htmx import render_page
from evalhub.kit.json import JsonError, loads, pretty


class SchemaForm(forms.Form):
    """Three texts, each a JSON Schema or empty."""

    input = forms.CharField(required=False, label=LABELS["input"])
    expected_output = forms.CharField(required=False, label=LABELS["expected_output"])
    metadata = forms.CharField(required=False, label=LABELS["metadata"])
    message = forms.CharField(required=False, max_length=MAX_MESSAGE, label="What changed")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in SCHEMA_FIELDS:
            attrs = {"class": "textarea--code", "rows": 8, "spellcheck": "false"}
            self.fields[name].widget = forms.Textarea(attrs=attrs)

    @property
    def texts(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in SCHEMA_FIELDS}


@project_view()
def schema(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The schemas at the current version, or at `?v=`; an editor changes those of now."""
    context = shell(actor(request), project, slug, tab="schema")
    dataset = context["dataset"]
    asked = request.GET.get("v", "")
    version = find_version_row(dataset, asked).number if asked else dataset.version
    stored = stored_schemas(dataset.pk, version)
    form = SchemaForm(posted(request), initial=stored)
    context |= {
        "version": version,
        "old": version != dataset.version,
        "stored": [(LABELS[name], stored[name]) for name in SCHEMA_FIELDS if name in stored],
        "next_version": dataset.version + 1,
    }
    status = 200
    if request.method == "POST":
        find_project(actor(request), project.slug, Role.EDITOR)
        form.is_valid()
        act = {"infer": _infer, "check": _check, "format": _format}.get(request.POST.get("do", ""))
        if act is None:
            answer = _save(request, project, dataset, form, context)
            if isinstance(answer, HttpResponse):
                return answer
            status = answer
        else:
            form = act(dataset, form, context)
            status = 422 if form.errors else 200
    context["form"] = form
    return render_page(request, "datasets/schema.html", context, status=status)


def _save(
    request: HttpRequest,
    project: Project,
    dataset: Dataset,
    form: SchemaForm,
    context: dict[str, Any],
) -> HttpResponse | int:
    """Where to go on; or the status of the page that says what is wrong."""
    if not form.is_valid():
        return 422
    try:
        job = set_schemas(
            dataset=dataset,
            schemas=form.texts,
            by=actor(request),
            message=form.cleaned_data["message"],
        )
    except EvalhubError as error:
        add_errors(form, error)
        return error.status
    if job is None:
        messages.info(request, "Nothing was changed, so there is no new version.")
    elif job.active:
        return redirect(job_url(project, dataset, job))
    elif job.state == "failed":
        form.add_error(None, job.message)
        kinds = sorted(job.params.get("kinds", {}).items(), key=lambda pair: -pair[1])
        context |= {
            "job": job,
            "problems": job.problems,
            "kinds": kinds,
            "has_file": problems_file(job).exists(),
        }
        return 422
    else:
        messages.success(request, f"Saved as v{job.version}. Every item matches.")
    return redirect("datasets:schema", project.slug, dataset.slug)


def _check(dataset: Dataset, form: SchemaForm, context: dict[str, Any]) -> SchemaForm:
    try:
        checked = check_schemas(form.texts)
    except Invalid as error:
        add_errors(form, error)
    else:
        context["said"] = (
            "Every schema is valid. Items are checked when you save."
            if checked
            else "There is no schema: any item may be added."
        )
    return form


def _format(dataset: Dataset, form: SchemaForm, context: dict[str, Any]) -> SchemaForm:
    texts: dict[str, str] = {}
    for name, text in form.texts.items():
        try:
            texts[name] = pretty(loads(text, what="Schema")) if text else ""
        except JsonError as error:
            form.add_error(name, error.message)
            texts[name] = text
    return form if form.errors else _filled(form, texts)


def _infer(dataset: Dataset, form: SchemaForm, context: dict[str, Any]) -> SchemaForm:
    values = sample_values(dataset, dataset.version)
    texts = form.texts
    for name, found in values.items():
        inferred = infer_schema(found)
        # Metadata that no item has says nothing.
        if inferred and inferred != {"type": "object"}:
            texts[name] = pretty(inferred)
    count = len(values["input"])
    context["said"] = (
        f"Inferred from {count:,} item{'s' if count != 1 else ''}. Nothing is saved yet: look it "
        "over, loosen or tighten it, then save."
        if count
        else "There are no items to infer from."
    )
    return _filled(form, texts)


def _filled(form: SchemaForm, texts: dict[str, str]) -> SchemaForm:
    """The same form, not sent, with other texts."""
    return SchemaForm(initial=texts | {"message": form.cleaned_data.get("message", "")})
