"""Writing an item: new, a copy to start from, edit, two edits at once, and checks while typing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from datasets_app import actions, queries
from datasets_app.actions.items import current_item
from datasets_app.actions.revisions import find_revision
from datasets_app.actions.versions import schemas_at
from datasets_app.item_form import (
    CONTROLS,
    JSON_FIELDS,
    ItemForm,
    add_item_errors,
    form_texts,
    json_problem,
    with_theirs,
)
from datasets_app.items import parse_item
from datasets_app.merging import choices
from datasets_app.models import Dataset, ItemRevision
from datasets_app.public import shell
from datasets_app.timeline import fields_of
from datasets_app.views.common import actor, number_in, part_for, posted, unsaved
from datasets_app.views.listing import list_context, list_query
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit import slots
from evalhub.kit.errors import EvalhubError, NotFound, StaleRevision
from evalhub.kit.htmx import render_page
from evalhub.kit.json import ABSENT
from evalhub.kit.value_field import read_value, reading_of
from evalhub.kit.whole import LARGEST_ID, whole


@project_view(needs=Role.EDITOR)
def new(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Write an item by hand, from nothing or, with `?copy=`, from another item of the dataset."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    like = number_in(request, "copy")
    initial: dict[str, Any] = {}
    if like is not None:
        texts = form_texts(queries.find_item(dataset, dataset.version, like))
        initial = texts | {"external_id": "", "revision": None}
        context["like"] = like
    form = ItemForm(posted(request), initial=initial)
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
                context |= _refused(form, error)
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
    base = _stated(request, dataset, number)
    data = posted(request)
    if data is not None and base is not None and data.get("keep") != "mine":
        data = with_theirs(data, base)
    form = ItemForm(data, kept=current)
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
                context |= _stale(dataset, number, form, base)
                return _form_page(request, context, error.status)
            except EvalhubError as error:
                context |= _refused(form, error)
                status = error.status
            else:
                _say_saved(request, dataset, saved, current)
                address = reverse("datasets:item", args=[project.slug, dataset.slug, number])
                return redirect(address + list_query(request))
    return _form_page(request, context, status)


@require_POST
@project_view(needs=Role.EDITOR)
def check(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Check one JSON field of the item form; answers the lines below it."""
    dataset = queries.find_dataset(actor(request), project, slug)
    name = next((name for name in JSON_FIELDS if name in request.POST), None)
    if name is None:
        raise NotFound(f"Send one of {', '.join(JSON_FIELDS)}.")
    text = request.POST[name]
    problem = json_problem(name, text)
    value = ABSENT if problem else read_value(text)
    schemas = schemas_at(dataset.pk, dataset.version)
    problems = []
    if value is not ABSENT:
        content = parse_item({"input": None, name: value})
        found = schemas.problems(content)
        problems = [one for one in found if one.pointer.split("/")[1] == name]
    context = {
        "problem": problem,
        "problems": problems,
        "is_empty": not text.strip(),
        "is_null": value is None,
        "has_schema": name in dict(schemas.validators),
        "reading": "" if problem else reading_of(text),
        "name": name,
    }
    return render(request, "datasets/_json_answer.html", context)


def _current(dataset: Dataset, number: int) -> ItemRevision | None:
    """The current revision of the item; None when it was deleted or never there."""
    try:
        return queries.find_item(dataset, dataset.version, number)
    except NotFound:
        return None


def _stated(request: HttpRequest, dataset: Dataset, number: int) -> ItemRevision | None:
    """The revision that the form says it began from; None when there is no such."""
    revision = whole(request.POST.get("revision", ""), LARGEST_ID)
    if revision is None:
        return None
    try:
        return find_revision(dataset, number, revision)
    except NotFound:
        return None


def _refused(form: ItemForm, error: EvalhubError) -> dict[str, Any]:
    """What the page of a refused item shows beside the form's errors."""
    add_item_errors(form, error)
    return {"taken_by": error.extra.get("taken_by")}


def _say_saved(
    request: HttpRequest, dataset: Dataset, saved: ItemRevision, before: ItemRevision | None
) -> None:
    if before is not None and saved.pk == before.pk:
        messages.info(request, "Nothing was changed, so there is no new version.")
    else:
        messages.success(request, f"Saved as v{dataset.version}.")


def _stale(
    dataset: Dataset, number: int, form: ItemForm, base: ItemRevision | None
) -> dict[str, Any]:
    """What the page of a refused edit shows: what differs from the item as it is now, and whose
    change each difference is.

    The form then states the current revision: sending it again is to insist.
    """
    dataset.refresh_from_db()
    theirs = current_item(dataset, number)
    author = dataset.versions.select_related("author").get(number=theirs.version_from).author
    found = choices(
        None if base is None else fields_of(base),
        fields_of(theirs),
        fields_of(unsaved(form.content)),
    )
    differing = {name for one in found for name in CONTROLS.get(one.name, (one.name,))}
    rest = [form[name] for name in form.fields if name not in {*differing, "revision", "message"}]
    return {
        "stale": True,
        "theirs": theirs,
        "base": base,
        "revision": theirs.pk,
        "their_author": author,
        "choices": [
            {
                "choice": one,
                "controls": [form[name] for name in CONTROLS.get(one.name, (one.name,))],
            }
            for one in found
        ],
        "rest": [(field.html_name, field.value()) for field in rest],
    }


def _form_page(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    part = part_for(request, detail="detail")
    dataset = context["dataset"]
    number = context.get("number")
    context |= list_context(request, dataset, number=number, rows=part != "detail")
    context |= {
        "is_editing": True,
        "next_version": dataset.version + 1,
        "known_splits": queries.some_splits(dataset),
        "known_scorers": slots.fill("item.scorers", [dataset.pk]).get(dataset.pk, []),
    }
    return render_page(request, "datasets/item_form.html", context, part=part, status=status)
