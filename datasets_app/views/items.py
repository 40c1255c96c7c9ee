"""Items: the list with one item open beside it, new, edit, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from datasets_app import actions, queries
from datasets_app.actions.items import current_item
from datasets_app.forms import JSON_FIELDS, ItemForm, add_errors, json_problem
from datasets_app.models import Dataset, ItemRevision
from datasets_app.public import shell
from datasets_app.timeline import field_changes, timeline
from datasets_app.views.common import actor, part_for, posted, unsaved
from datasets_app.views.listing import list_context, list_query
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit import slots
from evalhub.kit.errors import EvalhubError, NotFound, StaleRevision
from evalhub.kit.htmx import render_page
from evalhub.kit.json import loads

HISTORY_SHOWN = 20


@project_view()
def list_items(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """The items of a dataset at its current version, or at `?v=`."""
    context = shell(actor(request), project, slug, tab="items")
    context |= list_context(request, context["dataset"])
    part = part_for(request, items="list")
    return render_page(request, "datasets/items.html", context, part=part)


@project_view()
def show(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """One item as it was at the version, beside the list."""
    part = part_for(request, detail="detail", items="list")
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    context |= list_context(request, dataset, number=number, rows=part != "detail")
    if part != "list":
        context |= _item_context(project, dataset, context["version"], number, context["q"])
    return render_page(request, "datasets/item.html", context, part=part)


def _item_context(
    project: Project, dataset: Dataset, version: int, number: int, q: str
) -> dict[str, Any]:
    item = queries.find_item(dataset, version, number)
    history = queries.history(dataset, number)
    runs = slots.fill("item.runs", [number], dataset_id=dataset.pk, project_slug=project.slug).get(
        number, []
    )
    for run in runs:
        run["output"] = None if run["output_json"] is None else loads(run["output_json"])
    return {
        "item": item,
        "neighbours": queries.neighbours(dataset, version, number, q=q),
        "steps": timeline(history[:HISTORY_SHOWN]),
        "steps_more": max(0, len(history) - HISTORY_SHOWN),
        "runs": runs,
        "item_links": slots.fill(
            "item.links", [number], dataset_slug=dataset.slug, project_slug=project.slug
        ).get(number, {}),
    }


@project_view(needs=Role.EDITOR)
def new(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Write an item by hand."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    form = ItemForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                numbers = actions.add_items(
                    dataset=dataset,
                    contents=[form.content],
                    by=actor(request),
                    message=form.cleaned_data["message"],
                )
            except EvalhubError as error:
                add_errors(form, error)
                status = error.status
            else:
                messages.success(request, f"Item {numbers[0]:04d} is in v{dataset.version}.")
                return redirect("datasets:item", project.slug, dataset.slug, numbers[0])
    context["form"] = form
    return _form_page(request, context, status)


@project_view(needs=Role.EDITOR)
def edit(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Change an item. What was typed is shown again whenever it cannot be saved."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    current = _current(dataset, number)
    if current is None and request.method != "POST":
        raise NotFound(f"There is no item #{number} in {dataset.name}.")
    form = ItemForm(posted(request), kept=current)
    context |= {"form": form, "number": number}
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                saved = actions.update_item(
                    dataset=dataset,
                    number=number,
                    revision=form.cleaned_data["revision"] or 0,
                    content=form.content,
                    by=actor(request),
                    message=form.cleaned_data["message"],
                )
            except StaleRevision as error:
                context |= _stale(dataset, number, form)
                context["stale"] = error
                return _form_page(request, context, error.status)
            except EvalhubError as error:
                add_errors(form, error)
                status = error.status
            else:
                _say_saved(request, dataset, saved, current)
                address = reverse("datasets:item", args=[project.slug, dataset.slug, number])
                return redirect(address + list_query(request))
    return _form_page(request, context, status)


def _current(dataset: Dataset, number: int) -> ItemRevision | None:
    """The current revision of the item; None when it was deleted or never there."""
    try:
        return queries.find_item(dataset, dataset.version, number)
    except NotFound:
        return None


def _say_saved(
    request: HttpRequest, dataset: Dataset, saved: ItemRevision, before: ItemRevision | None
) -> None:
    if before is not None and saved.pk == before.pk:
        messages.info(request, "Nothing was changed, so there is no new version.")
    else:
        messages.success(request, f"Saved as v{dataset.version}.")


def _stale(dataset: Dataset, number: int, form: ItemForm) -> dict[str, Any]:
    """What the page of a refused edit shows: the item now, and what differs from the one typed.

    The form then states the current revision: sending it again is to insist.
    """
    theirs = current_item(dataset, number)
    mine = unsaved(form.content)
    author = dataset.versions.select_related("author").get(number=theirs.version_from).author
    return {
        "theirs": theirs,
        "revision": theirs.pk,
        "their_author": author,
        "differences": field_changes(theirs, mine),
    }


def _form_page(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    part = part_for(request, detail="detail")
    rows = part != "detail"
    number = context.get("number")
    context |= list_context(request, context["dataset"], number=number, rows=rows)
    context |= {"is_editing": True, "next_version": context["dataset"].version + 1}
    return render_page(request, "datasets/item_form.html", context, part=part, status=status)


@require_POST
@project_view(needs=Role.EDITOR)
def check(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Check one JSON field of the item form; answers the lines below it."""
    queries.find_dataset(actor(request), project, slug)
    name = next((name for name in JSON_FIELDS if name in request.POST), None)
    if name is None:
        raise NotFound(f"Send one of {', '.join(JSON_FIELDS)}.")
    text = request.POST[name]
    context = {"problem": json_problem(name, text), "is_empty": not text.strip()}
    return render(request, "datasets/_json_answer.html", context)


@project_view(needs=Role.EDITOR)
def delete(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Ask once, then delete the item; older versions keep it."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    item = queries.find_item(dataset, dataset.version, number)
    problem, status = "", 200
    if request.method == "POST":
        try:
            read = request.POST.get("revision", "")
            actions.delete_item(
                dataset=dataset,
                number=number,
                by=actor(request),
                revision=int(read) if read.isdecimal() else 0,
            )
        except EvalhubError as error:
            problem, status = error.detail, error.status
        else:
            messages.success(
                request,
                f"Item {number:04d} is deleted in v{dataset.version}. Older versions keep it.",
            )
            return redirect("datasets:detail", project.slug, dataset.slug)
    context |= {"item": item, "problem": problem, "next_version": dataset.version + 1}
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/item_delete.html", context, part=part, status=status)
