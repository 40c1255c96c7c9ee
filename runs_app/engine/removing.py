"""Removing many rows without holding anybody up: one small transaction after the other."""

from __future__ import annotations

import time
from typing import Any

from django.db import models, transaction

from evalhub.kit.stopping import stopping
from runs_app.models import RunScorer, Score

BATCH = 2_000  # rows in one transaction


def must_leave(leave_at: float) -> bool:
    """Whether the worker shuts down, or `leave_at` (of the monotonic clock) is past."""
    return stopping() or time.monotonic() >= leave_at


def remove_rows(rows: models.QuerySet[Any], order: str, leave_at: float) -> bool:
    """Delete all of `rows`, BATCH at a time in the order of the integer column `order`.

    False when it is time to leave before the end. Rows that share a value of `order` go together.
    """
    while True:
        # The value at the end of the batch is a boundary that needs no list of keys.
        last = rows.order_by(order).values_list(order, flat=True)[BATCH - 1 : BATCH].first()
        with transaction.atomic():
            some = rows if last is None else rows.filter(**{f"{order}__lte": last})
            some.order_by()._raw_delete(some.db)
        if last is None:
            return True
        if must_leave(leave_at):
            return False


def remove_scorer(scorer_id: int, leave_at: float) -> bool:
    """Delete a scorer that belongs to no run any more, scores first; False when it is time to
    leave.
    """
    scores = Score.objects.filter(run_scorer=scorer_id)
    if not remove_rows(scores, "item_number", leave_at):
        return False
    RunScorer.objects.filter(pk=scorer_id).delete()
    return True
