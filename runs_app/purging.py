"""What runs forget when an item is purged: everything that was said of it or made from it."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from datasets_app.public import ITEM_PURGED
from evalhub.kit import events
from evalhub.kit.errors import Conflict
from runs_app import states
from runs_app.models import Result, Run, RunScorer, RunVector, Score
from runs_app.models.runs import Purpose
from runs_app.models.work import RescoreState

BLANK_OUTPUT = "null"


def register() -> None:
    """Hear of purged items."""
    events.listen(ITEM_PURGED, forget_item)


def forget_item(*, dataset_id: int, project_id: int, number: int, inputs: Collection[str]) -> None:
    """Blank outputs, error messages, spans and score reasons of the item's results.

    Statuses, scores and times stay, so every count of a run stays true. Trials with one of the
    item's inputs are deleted. Raises Conflict while a run or a rescore of the dataset may still
    write about the item.
    """
    runs = Run.objects.filter(dataset=dataset_id)
    busy = runs.filter(
        Q(status__in=states.ACTIVE, deleted_at=None) | Q(rescores__state=RescoreState.OPEN)
    ).first()
    if busy is not None:
        raise Conflict(
            f"Run #{busy.number} is at work on this dataset. Wait for it to end, or cancel it, "
            "then purge the item."
        )
    results = Result.objects.filter(run__in=runs, item_number=number)
    results.exclude(output_json=None).update(output_json=BLANK_OUTPUT)
    results.update(error_message="", spans_json=None, trace_id="")
    # Packed fields of items hold their values; they are read anew when they are needed.
    RunVector.objects.filter(run__in=runs, kind__startswith="label:").delete()
    scorers = RunScorer.objects.filter(run__in=runs)
    Score.objects.filter(run_scorer__in=scorers, item_number=number).update(reason="")
    if inputs:
        _delete_trials(project_id, inputs)


def _delete_trials(project_id: int, inputs: Collection[str]) -> None:
    """A project has a few hundred trials at most, so their items are compared here."""
    trials = Run.objects.filter(project=project_id, status__in=states.TERMINAL)
    items = trials.exclude(purpose=Purpose.RUN).values_list("pk", "inline_item")
    found = [pk for pk, item in items if item is not None and item["input_json"] in inputs]
    if found:
        Run.objects.filter(pk__in=found).delete()
