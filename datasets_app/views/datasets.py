"""The list of datasets, and a dataset itself: new, settings, delete."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from datasets_app import actions, queries
from datasets_app.forms import DatasetForm, add_errors
from datasets_app.models import Dataset
from datasets_app.public import shell
from datasets_app.views.common import actor, number_in, part_for, posted, query
from evalhub.access.doors import find_project, project_view
from evalhub.access.models import Project, Role
from evalhub.kit import slots
from evalhub.kit.errors import EvalhubError
from evalhub.kit.htmx import render_page

PAGE_SIZE = 50


@project_view()
def list_datasets(request: HttpRequest, project: Project) -> HttpResponse:
    """The project's datasets, newest change first, with the last run of each."""
    q = request.GET.get("q", "").strip()
    found = queries.datasets(actor(request), project, q=q)
    totals = found.aggregate(datasets=Count("pk"), items=Sum("item_count"))
    cursor = number_in(request, "cursor")
    rows = list(_after(found, cursor)[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    last_runs = slots.fill("dataset.last_run", [dataset.pk for dataset in shown])
    links = slots.fill(
        "dataset.links", [dataset.slug for dataset in shown], project_slug=project.slug
    )
    context = {
        "q": q,
        "rows": [
            {
                "dataset": dataset,
                "last_run": last_runs.get(dataset.pk),
                "links": links.get(dataset.slug, {}),
            }
            for dataset in shown
        ],
        "has_runs": bool(last_runs),
        "totals": totals,
        "next": query(q=q, cursor=shown[-1].pk) if len(rows) > PAGE_SIZE else "",
        "previous": query(q=q) or "?" if cursor is not None else "",
    }
    part = part_for(request, datasets="rows")
    return render_page(request, "datasets/list.html", context, part=part)


def _after(found: QuerySet[Dataset], pk: int | None) -> QuerySet[Dataset]:
    """The datasets that come after `pk` in the list; all when that one is gone."""
    if pk is None:
        return found
    last = Dataset.objects.filter(pk=pk, deleted_at=None)
    if not last.exists():
        return found
    # A subquery, not its value: SQLite compares times as text, and Python writes them longer.
    time = Subquery(last.values("updated_at")[:1])
    return found.filter(Q(updated_at__lt=time) | Q(updated_at=time, pk__lt=pk))


@project_view(needs=Role.EDITOR)
def new(request: HttpRequest, project: Project) -> HttpResponse:
    """Make a dataset: a dialog in the list, and a page. Goes on to the import when asked to."""
    form = DatasetForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                dataset = actions.create_dataset(
                    project=project, by=actor(request), **form.cleaned_data
                )
            except EvalhubError as error:
                add_errors(form, error)
                status = error.status
            else:
                going_to = "import" if request.POST.get("then") == "import" else "detail"
                return redirect(f"datasets:{going_to}", project.slug, dataset.slug)
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/new.html", {"form": form}, part=part, status=status)


@project_view()
def root(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """A dataset's own address leads to its items."""
    return redirect("datasets:detail", project.slug, slug)


@project_view()
def settings(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The name and description; a viewer reads them, an editor changes them."""
    context = shell(actor(request), project, slug, tab="settings")
    dataset = context["dataset"]
    form = DatasetForm(
        posted(request), initial={"name": dataset.name, "description": dataset.description}
    )
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
    context["form"] = form
    return render_page(request, "datasets/settings.html", context, status=status)


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
