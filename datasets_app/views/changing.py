"""What becomes of the selected items: the question, the action, and its undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from datasets_app import queries, queries_jobs
from datasets_app.actions.bulk import Outcome, apply_bulk, undo_version
from datasets_app.bulk.action import BulkAction, parse_action
from datasets_app.models import Dataset
from datasets_app.public import shell
from datasets_app.selection import Selection, written
from datasets_app.views.common import actor, part_for
from datasets_app.views.selecting import count_of, list_query
from datasets_app.views.selection_form import selection_in
from evalhub.access.doors import project_view
from evalhub.access.models import Project, Role
from evalhub.kit.errors import EvalhubError, Invalid, NotFound
from evalhub.kit.htmx import render_page

TARGETS_SHOWN = 200
OFFENDERS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Question:
    """How the page asks for one action: its title after the count, and its button."""

    title: str
    button: str
    mark: str
    danger: bool = False


QUESTIONS = {
    "set_split": Question("Set the split of", "Set split", "check"),
    "add_tags": Question("Add tags to", "Add tags", "plus"),
    "remove_tags": Question("Remove tags from", "Remove tags", "x"),
    "delete": Question("Delete", "Delete items", "trash", danger=True),
    "create": Question("Create a dataset from", "Create dataset", "plus"),
    "copy": Question("Add to another dataset:", "Add to dataset", "data"),
}


@require_POST
@project_view(needs=Role.EDITOR)
def change(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """Ask what is needed for the action `act` on the selection; with `sure`, do it."""
    context = shell(actor(request), project, slug, tab="items")
    dataset = context["dataset"]
    act = request.POST.get("act", "")
    if act not in QUESTIONS:
        raise NotFound(f"There is no action “{act[:20]}”.")
    selection = selection_in(request, dataset)
    problem: EvalhubError | None = None
    if selection.is_empty:
        problem = Invalid("No item is selected. Choose some, or select all that match.")
    elif request.POST.get("sure"):
        try:
            action = parse_action(_action(act, request.POST))
            outcome = apply_bulk(
                dataset=dataset, selection=selection, action=action, by=actor(request)
            )
        except EvalhubError as error:
            problem = error
        else:
            return _done(request, project, dataset, selection, action, outcome)
    context |= _question(request, dataset, selection, act)
    if problem is not None:
        context |= {
            "problem": problem.detail,
            "offenders": problem.errors[:OFFENDERS_SHOWN] if len(problem.errors) > 1 else [],
            "more": max(0, len(problem.errors) - OFFENDERS_SHOWN),
            "taken": any(one.pointer.endswith("external_id") for one in problem.errors),
        }
    part = part_for(request, modal="dialog")
    status = 200 if problem is None else problem.status
    return render_page(request, "datasets/items_change.html", context, part=part, status=status)


def _question(
    request: HttpRequest, dataset: Dataset, selection: Selection, act: str
) -> dict[str, Any]:
    targets: list[Dataset] = []
    if act == "copy":
        found = queries.datasets(actor(request), dataset.project).filter(archived_at=None)
        targets = list(found.exclude(pk=dataset.pk)[:TARGETS_SHOWN])
    everything = selection.everything
    return {
        "act": act,
        "question": QUESTIONS[act],
        "selection": selection,
        "count": count_of(dataset, selection, None),
        "held": written(selection.except_numbers if everything else selection.numbers),
        "targets": targets,
        "list_query": list_query(dataset, selection),
        "next_version": dataset.version + 1,
        "given": request.POST,
    }


def _action(act: str, data: QueryDict) -> dict[str, Any]:
    """The action that the form describes, as the API takes it."""
    if act == "delete":
        return {"type": "delete"}
    if act == "set_split":
        return {"type": "set_split", "split": data.get("to_split", "")}
    if act in ("add_tags", "remove_tags"):
        return {"type": act, "tags": data.get("tags", "").split(",")}
    if act == "create":
        return {"type": "copy_to", "new_dataset": data.get("name", "")}
    target = data.get("dataset", "")
    if data.get("move"):
        return {"type": "move_to", "dataset": target}
    on_conflict = "skip" if data.get("skip") else "refuse"
    return {"type": "copy_to", "dataset": target, "on_conflict": on_conflict}


def _done(
    request: HttpRequest,
    project: Project,
    dataset: Dataset,
    selection: Selection,
    action: BulkAction,
    outcome: Outcome,
) -> HttpResponse:
    where = outcome.dataset
    if outcome.job is not None:
        return redirect("datasets:job", project.slug, where.slug, outcome.job.uuid)
    tell(request, project, outcome, moved=action.kind == "move_to")
    address = reverse("datasets:detail", args=[project.slug, where.slug])
    if where.pk == dataset.pk and action.kind != "delete":
        address += list_query(dataset, Selection(dataset.version, selection.query))
    return redirect(address)


def tell(request: HttpRequest, project: Project, outcome: Outcome, *, moved: bool = False) -> None:
    """Say in a toast what was done, with a button that undoes it."""
    sentences = [_sentence(outcome)]
    if outcome.there:
        verb = "was" if outcome.there == 1 else "were"
        sentences.append(f"{_items(outcome.there)} {verb} there already.")
    if outcome.skipped:
        sentences.append(f"{_items(len(outcome.skipped))} left out: {outcome.skipped[0].detail}")
    text = " ".join(sentences)
    if outcome.version is None:
        messages.info(request, text)
        return
    args = [project.slug, outcome.dataset.slug, outcome.version]
    # A move is two versions in two datasets, and each is undone where it was made.
    undo = "" if moved else reverse("datasets:version_undo", args=args)
    messages.success(request, text, extra_tags=undo)


def _sentence(outcome: Outcome) -> str:
    if outcome.version is None:
        return "Nothing changed, so there is no new version."
    counts = (("added", outcome.added), ("changed", outcome.changed), ("deleted", outcome.removed))
    done = ", ".join(f"{_items(count)} {word}" for word, count in counts if count)
    return f"{done} in v{outcome.version}."


def _items(count: int) -> str:
    return f"{count:,} item" if count == 1 else f"{count:,} items"


@require_POST
@project_view(needs=Role.EDITOR)
def undo(request: HttpRequest, project: Project, slug: str, number: int) -> HttpResponse:
    """Reverse exactly what a version changed; what came after it stays."""
    dataset = queries.find_dataset(actor(request), project, slug)
    try:
        outcome = undo_version(dataset=dataset, version=number, by=actor(request))
    except EvalhubError as error:
        if isinstance(error, NotFound):
            raise
        messages.error(request, error.detail)
    else:
        if outcome.job is not None:
            return redirect("datasets:job", project.slug, slug, outcome.job.uuid)
        messages.success(request, f"v{number} is undone in v{outcome.version}.")
    return redirect("datasets:detail", project.slug, slug)


@project_view()
def current(request: HttpRequest, project: Project, slug: str) -> HttpResponse:
    """To whatever writes the dataset's next version now: a job, or else the imports."""
    dataset = queries.find_dataset(actor(request), project, slug)
    writing = queries_jobs.writing_job(dataset)
    if writing is not None:
        return redirect("datasets:job", project.slug, writing.dataset.slug, writing.uuid)
    return redirect("datasets:import", project.slug, slug)
