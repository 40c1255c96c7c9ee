"""The defaults of a dataset: a page of its settings."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from datasets_app import public
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError
from evalhub.kit.htmx import render_page
from runs_app.actions.defaults import set_defaults
from runs_app.defaults import defaults_of
from runs_app.scorer_forms import ScorerRows
from runs_app.scorers import catalogue
from runs_app.targets import available
from runs_app.views.common import actor

TEMPLATE = "runs/defaults.html"


class DefaultsForm(forms.Form):
    """The target and the cluster field; scorers are rows beside it."""

    target = forms.CharField(
        required=False,
        max_length=300,
        label="Default target",
        help_text="An id or name, python:ID, or recorded:PATH for outputs in the items.",
        widget=forms.TextInput(
            attrs={"class": "input--code", "list": "default-targets", "spellcheck": "false"}
        ),
    )
    cluster_field = forms.CharField(
        required=False,
        max_length=200,
        label="Cluster field",
        help_text="A path into the item such as metadata.customer. Items that share its value are "
        "not independent of each other.",
        widget=forms.TextInput(
            attrs={
                "class": "input--code",
                "placeholder": "metadata.customer",
                "spellcheck": "false",
            }
        ),
    )


@project_view(needs=Role.EDITOR)
def defaults(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The form; a POST saves it, or adds or removes a scorer."""
    context = public.shell(actor(request), project, slug, tab="settings")
    dataset = public.find_dataset(actor(request), project, slug)
    if request.method != "POST":
        known = defaults_of(dataset.id)
        form = DefaultsForm(initial={"target": known.target, "cluster_field": known.cluster_field})
        return _page(request, project, context, form, ScorerRows.of_specs(known.scorers))
    data = request.POST
    if {"add_scorer", "remove_scorer"} & data.keys():
        rows = ScorerRows.of_post(data, validate=False)
        return _page(request, project, context, DefaultsForm(initial=data.dict()), rows)
    form, rows = DefaultsForm(data), ScorerRows.of_post(data, validate=True)
    if form.is_valid() and _valid(rows, data):
        try:
            set_defaults(
                project=project,
                dataset=dataset,
                by=actor(request),
                scorers=rows.specs(),
                **form.cleaned_data,
            )
        except EvalhubError as error:
            _take(form, error)
        else:
            messages.success(request, "Saved. New runs of this dataset begin with these.")
            return redirect("datasets:settings", project.slug, slug)
    return _page(request, project, context, form, rows, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _valid(rows: ScorerRows, data: QueryDict) -> bool:
    """No scorer is a default as well."""
    return not rows.rows or rows.is_valid()


def _take(form: DefaultsForm, error: EvalhubError) -> None:
    for one in error.errors or ():
        name = one.pointer.lstrip("/").partition("/")[0]
        form.add_error(name if name in form.fields else None, one.detail)
    if not error.errors:
        form.add_error(None, error.detail)


def _page(
    request: HttpRequest,
    project: Project,
    context: dict[str, Any],
    form: DefaultsForm,
    rows: ScorerRows,
    *,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    here = reverse("runs:defaults", args=[project.slug, context["dataset"].slug])
    context |= {
        "form": form,
        "scorers": rows,
        "scorers_url": here,
        "scorers_target": "#defaults",
        "catalogue": catalogue(),
        "targets": available(project.slug),
    }
    return render_page(request, TEMPLATE, context, part="form", status=status)
