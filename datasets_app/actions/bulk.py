"""One action on many items: at once up to INLINE_ITEMS, as a job in the background above that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from datasets_app import item_pages, queries
from datasets_app.actions.datasets import create_dataset
from datasets_app.actions.jobs import start_job
from datasets_app.actions.versions import ChangeSet, change_set, lock_for_change
from datasets_app.bulk.action import BulkAction
from datasets_app.bulk.applying import Copied, apply_copy, apply_here
from datasets_app.bulk.changes import Changes
from datasets_app.bulk.moving import leaving_text
from datasets_app.bulk.selected import count_selected, read_selected
from datasets_app.bulk.undoing import read_changed, take_back
from datasets_app.models import Dataset, DatasetJob, ItemRevision
from datasets_app.selection import Selection
from evalhub.access.models import User
from evalhub.kit.errors import FieldError, Invalid, NotFound

INLINE_ITEMS = 5_000
BATCH_ITEMS = 1_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `dataset` is the one that was added to, or else the one of the items.

    `version` is None when nothing changed, and while `job` does the work. Of items that were to be
    copied, `there` had the same content already and those of `skipped` were left out.
    """

    dataset: Dataset
    version: int | None = None
    job: DatasetJob | None = None
    added: int = 0
    changed: int = 0
    removed: int = 0
    there: int = 0
    skipped: tuple[FieldError, ...] = ()


def apply_bulk(
    *, dataset: Dataset, selection: Selection, action: BulkAction, by: User, message: str = ""
) -> Outcome:
    """Do the action to the selected items, as one version (a move makes one in each dataset).

    Raises Invalid when nothing is selected, Conflict when an item was changed after the selection
    was made or an external id is taken, and what `lock_for_change` does.
    """
    queries.find_version(dataset, selection.version)
    count = _count_inline(dataset, selection)
    if count == 0:
        raise Invalid("No item is selected. Nothing was changed.")
    if action.goes_elsewhere:
        return _elsewhere(dataset, selection, action, by, message, count)
    if count is not None:
        message = message or action.sentence(count)
        with change_set(dataset=dataset, by=by, message=message) as changes:
            made = _made(changes)
            for items in _batches(dataset, selection):
                apply_here(action, items, made)
                made.flush()
            made.give_to(changes)
        return _outcome(dataset, made)
    return _job(dataset, action.kind, selection, action, by, message)


def undo_version(*, dataset: Dataset, version: int, by: User, message: str = "") -> Outcome:
    """Reverse exactly what `version` changed, as a new version; what came after it stays.

    Raises NotFound, Invalid when that version changed no item, and Conflict in words when one of
    its items has changed since.
    """
    undone = dataset.versions.filter(number=version, number__lte=dataset.version).first()
    if undone is None:
        raise NotFound(f"{dataset.name} has no version {version}.")
    count = undone.added + undone.changed + undone.removed
    if not count:
        raise Invalid(f"v{version} changed no item, so there is nothing to undo.")
    what = f": {undone.message}" if undone.message else ""
    message = message or f"Undo v{version}{what}"
    if count > INLINE_ITEMS:
        params = {"undone": version}
        job = start_job(
            dataset=dataset, kind="undo", params=params, by=by, message=message, total=count
        )
        return Outcome(dataset, job=job)
    with change_set(dataset=dataset, by=by, message=message) as changes:
        made = _made(changes)
        items = read_changed(dataset.pk, version, 0, INLINE_ITEMS)
        take_back(version, items, made)
        made.flush()
        made.give_to(changes)
    return _outcome(dataset, made)


def _elsewhere(
    dataset: Dataset,
    selection: Selection,
    action: BulkAction,
    by: User,
    message: str,
    count: int | None,
) -> Outcome:
    """Copy or move to another dataset; `count` None: too many for one transaction."""
    origin = f"{dataset.name} v{selection.version}"
    with transaction.atomic():
        if action.new_dataset:
            target = create_dataset(project=dataset.project, name=action.new_dataset, by=by)
        else:
            target = queries.find_dataset(by, dataset.project, action.dataset)
        if target.pk == dataset.pk:
            detail = "The items are in this dataset already. Choose another one."
            raise Invalid(detail, errors=[FieldError("/action/dataset", detail)])
        params: dict[str, Any] = {"source": dataset.pk, "origin": origin}
        if action.kind == "move_to":
            for one in sorted((dataset, target), key=lambda one: one.pk):
                lock_for_change(one)  # in one order, so that two moves never wait for each other
        if count is None:
            if action.kind == "move_to":
                params |= {"leaves": _hold_next(dataset), "said": message[:500]}
            return _job(target, action.kind, selection, action, by, message, **params)
        copied = Copied()
        said = message or f"{action.sentence(count)} from {origin}"
        with change_set(dataset=target, by=by, message=said) as changes:
            made = _made(changes)
            for items in _batches(dataset, selection):
                some = apply_copy(action, origin, items, made)
                copied.there += some.there
                copied.skipped += some.skipped
                made.flush()
            made.give_to(changes)
        if action.kind == "move_to":
            said = message or f"{leaving_text(count)}: moved to {target.name}"
            with change_set(dataset=dataset, by=by, message=said) as changes:
                left = _made(changes)
                for items in _batches(dataset, selection):
                    apply_here(action, items, left)
                    left.flush()
                left.give_to(changes)
    return _outcome(target, made, copied)


def _hold_next(dataset: Dataset) -> int:
    """Keep the next version of the dataset for a job; its number. The caller holds the lock."""
    row = Dataset.objects.filter(pk=dataset.pk)
    row.update(pending_version=F("version") + 1)
    return row.get().version + 1


def _count_inline(dataset: Dataset, selection: Selection) -> int | None:
    """How many items are selected; None when one transaction should not hold them, or when it
    takes long to tell.
    """
    if selection.everything:
        limit = INLINE_ITEMS + len(selection.except_numbers)
        found = item_pages.count(dataset, selection.version, selection.query, limit=limit)
        if not found.exact or found.n > limit:
            return None
    count = count_selected(dataset.pk, selection)
    return count if count <= INLINE_ITEMS else None


def _job(
    dataset: Dataset,
    kind: str,
    selection: Selection,
    action: BulkAction,
    by: User,
    message: str,
    **params: Any,
) -> Outcome:
    params |= {"selection": selection.to_params(), "action": action.to_params()}
    job = start_job(dataset=dataset, kind=kind, params=params, by=by, message=message)
    return Outcome(dataset, job=job)


def _batches(dataset: Dataset, selection: Selection) -> Iterator[list[ItemRevision]]:
    after = 0
    while items := read_selected(dataset.pk, selection, after, BATCH_ITEMS):
        yield items
        after = items[-1].number


def _made(changes: ChangeSet) -> Changes:
    dataset = changes.dataset
    return Changes(dataset.pk, changes.version, dataset.next_item_number)


def _outcome(dataset: Dataset, made: Changes, copied: Copied | None = None) -> Outcome:
    changed = bool(made.added or made.changed or made.removed)
    copied = copied or Copied()
    return Outcome(
        dataset,
        made.version if changed else None,
        added=made.added,
        changed=made.changed,
        removed=made.removed,
        there=copied.there,
        skipped=tuple(copied.skipped),
    )
