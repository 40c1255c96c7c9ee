"""The versions of a dataset: the list, label and message, restoring one."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from datasets_app import queries
from datasets_app.actions.history import MAX_LABEL, MAX_MESSAGE, restore_version, update_version
from datasets_app.forms import add_errors
from datasets_app.models import DatasetJob
from datasets_app.public import shell
from datasets_app.queries_versions import EDIT, find_version_row, origins
from datasets_app.version_diff import DiffCounts, diff_counts
from datasets_app.views.common import actor, number_in, part_for, posted
from datasets_app.views.jobs import job_url
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError
from evalhub.kit.htmx import render_page

PAGE_SIZE = 50


class VersionForm(forms.Form):
    label = forms.CharField(
        required=False, max_length=MAX_LABEL, help_text="A name that one version has."
    )
    message = forms.CharField(required=False, max_length=MAX_MESSAGE, label="What changed")


class RestoreForm(forms.Form):
    message = forms.CharField(required=False, max_length=MAX_MESSAGE, label="What changed")


@project_view()
def list_versions(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """All versions, newest first; each leads to the items as they were."""
    context = shell(actor(request), project, slug, tab="versions")
    before = number_in(request, "before")
    found = queries.versions(context["dataset"]).filter(number__lte=context["dataset"].version)
    if before is not None:
        found = found.filter(number__lt=before)
    rows = list(found[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    came_from = origins(context["dataset"], [row.number for row in shown])
    context |= {
        "rows": [
            {
                "version": row,
                "origin": came_from.get(row.number, EDIT),
                "previous": row.number - 1,
            }
            for row in shown
        ],
        "next": f"?before={shown[-1].number}" if len(rows) > PAGE_SIZE else "",
        "previous": "?" if before is not None else "",
    }
    return render_page(request, "datasets/versions.html", context)


@project_view(needs=Role.EDITOR)
def edit(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Change the label and the message of a version."""
    context = shell(actor(request), project, slug, tab="versions")
    dataset = context["dataset"]
    row = find_version_row(dataset, str(number))
    form = VersionForm(posted(request), initial={"label": row.label, "message": row.message})
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                update_version(
                    dataset=dataset, number=number, by=actor(request), **form.cleaned_data
                )
            except EvalhubError as error:
                add_errors(form, error)
                status = error.status
            else:
                messages.success(request, "Saved.")
                return redirect("datasets:versions", project.slug, dataset.slug)
    context |= {"form": form, "row": row}
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/version_edit.html", context, part=part, status=status)


@project_view(needs=Role.EDITOR)
def restore(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Say what restoring the version would change, then do it."""
    context = shell(actor(request), project, slug, tab="versions")
    dataset = context["dataset"]
    row = find_version_row(dataset, str(number))
    form = RestoreForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                job = restore_version(
                    dataset=dataset, number=number, by=actor(request), **form.cleaned_data
                )
            except EvalhubError as error:
                add_errors(form, error)
                status = error.status
            else:
                if job.state != "failed":
                    return _restored(request, project, job, number)
                form.add_error(None, job.message)
                context["problems"] = job.problems[:10]
    context |= {"form": form, "row": row, "next_version": dataset.version + 1}
    counts = diff_counts(dataset, dataset.version, number)
    context |= {"counts": counts, "changes": _changes(counts)}
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/version_restore.html", context, part=part, status=status)


def _changes(counts: DiffCounts) -> str:
    """ "1 item comes back, 30 change and 4 leave"; the noun stands once."""
    verbs = (
        (counts.added, "comes back", "come back"),
        (counts.changed, "changes", "change"),
        (counts.removed, "leaves", "leave"),
    )
    parts = [f"{count:,} {one if count == 1 else many}" for count, one, many in verbs if count]
    if not parts:
        return "some items change"
    number, _, rest = parts[0].partition(" ")
    parts[0] = f"{number} item{'' if number == '1' else 's'} {rest}"
    text = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return text if counts.exact else f"at least {text}"


def _restored(request: HttpRequest, project: Project, job: DatasetJob, number: int) -> HttpResponse:
    dataset = job.dataset
    if job.active:
        return redirect(job_url(project, dataset, job))
    if job.version is None:
        messages.info(request, f"v{number} has the same items, so there is no new version.")
    else:
        messages.success(request, f"v{number} is restored as v{job.version}.")
    return redirect("datasets:detail", project.slug, dataset.slug)
