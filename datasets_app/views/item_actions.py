"""What else becomes of an item: deleted, restored, copied elsewhere, purged; and its history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST

from datasets_app import actions, queries
from datasets_app.models import Dataset
from datasets_app.public import shell
from datasets_app.timeline import timeline
from datasets_app.views.common import actor, number_in, part_for
from datasets_app.views.listing import list_query
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit import toasts
from evalhub.kit.errors import EvalhubError, NotFound
from evalhub.kit.htmx import render_page
from evalhub.kit.whole import LARGEST_ID, whole

HISTORY_PAGE = 50
CHANGES_SHOWN = 50
DATASETS_OFFERED = 200


@project_view(needs=Role.EDITOR)
def delete(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Ask once, then delete the item; older versions keep it, and the toast can undo it."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    item = queries.find_item(dataset, dataset.version, number)
    problem, status = "", 200
    if request.method == "POST":
        try:
            mark = actions.delete_item(
                dataset=dataset,
                number=number,
                by=actor(request),
                revision=_id(request, "revision") or 0,
            )
        except EvalhubError as error:
            problem, status = error.detail, error.status
        else:
            undo = reverse("datasets:item_restore", args=[project.slug, dataset.slug, number])
            state = urlencode({"revision": item.pk, "current": mark.pk})
            toasts.done(
                request,
                f"Item {number:04d} is deleted in v{dataset.version}. Older versions keep it.",
                undo=f"{undo}?{state}",
            )
            address = reverse("datasets:detail", args=[project.slug, dataset.slug])
            return redirect(address + list_query(request))
    context |= {
        "item": item,
        "problem": problem,
        "next_version": dataset.version + 1,
        "list_query": list_query(request),
    }
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/item_delete.html", context, part=part, status=status)


@require_POST
@project_view(needs=Role.EDITOR)
def restore(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Make an earlier revision the item's content again, as a new version."""
    dataset = queries.find_dataset(actor(request), project, slug)
    before = dataset.version
    try:
        actions.restore_revision(
            dataset=dataset,
            number=number,
            revision=_id(request, "revision") or 0,
            current=_id(request, "current"),
            by=actor(request),
        )
    except NotFound:
        raise
    except EvalhubError as error:
        messages.error(request, error.detail)
        return redirect("datasets:item_history", project.slug, dataset.slug, number)
    if dataset.version == before:
        messages.info(request, "The item says that already, so there is no new version.")
    else:
        messages.success(request, f"Item {number:04d} is restored in v{dataset.version}.")
    return redirect("datasets:item", project.slug, dataset.slug, number)


@project_view()
def history(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """All that happened to an item, newest first, with every change; deleted items too."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    entries = queries.history(dataset, number)
    if not entries:
        raise NotFound(f"There is no item #{number} in {dataset.name}.")
    newest = entries[0].revision
    before = number_in(request, "before")
    if before is not None:
        entries = [entry for entry in entries if entry.version.number < before]
    page = entries[:HISTORY_PAGE]
    older = page[-1].version.number if len(entries) > len(page) else None
    context |= {
        "number": number,
        "steps": timeline(page, shown=CHANGES_SHOWN),
        "newest": newest,
        "old": False,
        "next": f"?before={older}" if older else "",
        "previous": "?" if before is not None else "",
    }
    return render_page(request, "datasets/item_history.html", context)


@project_view(needs=Role.EDITOR)
def copy(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Copy the item, as it was at `?v=` or is now, into another dataset of the project."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    version = queries.find_version(dataset, number_in(request, "v"))
    item = queries.find_item(dataset, version, number)
    others = queries.datasets(actor(request), project, archived=False).exclude(pk=dataset.pk)
    problem, status = "", 200
    if request.method == "POST":
        try:
            to = queries.find_dataset(actor(request), project, request.POST.get("to", ""))
            made = actions.copy_item(item=item, of=dataset, to=to, by=actor(request))
        except EvalhubError as error:
            problem, status = error.detail, error.status
        else:
            messages.success(request, f"Item {number:04d} is item {made:04d} of {to.name} now.")
            return redirect("datasets:item", project.slug, to.slug, made)
    context |= {
        "item": item,
        "problem": problem,
        "others": others.order_by("name")[:DATASETS_OFFERED],
        "chosen": request.POST.get("to", ""),
        "list_query": list_query(request),
    }
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/item_copy.html", context, part=part, status=status)


@project_view(needs=Role.EDITOR)
def purge(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Ask for the item's number, then remove its content for good."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    entries = queries.history(dataset, number)
    if not entries:
        raise NotFound(f"There is no item #{number} in {dataset.name}.")
    typed = request.POST.get("number", "")
    context |= _purge_context(dataset, number, len(entries), typed)
    status = 200
    if request.method == "POST":
        try:
            if typed.strip().lstrip("#").lstrip("0") == str(number):
                actions.purge_item(dataset=dataset, number=number, by=actor(request))
                messages.success(request, f"Item {number:04d} is purged from every version.")
                return redirect("datasets:item_history", project.slug, dataset.slug, number)
            context["problem"] = f"Type {number:04d} to purge it."
            status = 422
        except EvalhubError as error:
            context["problem"] = error.detail
            status = error.status
    part = part_for(request, modal="dialog")
    return render_page(request, "datasets/item_purge.html", context, part=part, status=status)


def _purge_context(dataset: Dataset, number: int, revisions: int, typed: str) -> dict[str, Any]:
    return {"number": number, "revisions": revisions, "typed": typed, "problem": ""}


def _id(request: HttpRequest, name: str) -> int | None:
    """The id that the form, or the address of a toast's button, gives; None when it gives none."""
    return whole(request.POST.get(name) or request.GET.get(name, ""), LARGEST_ID)
