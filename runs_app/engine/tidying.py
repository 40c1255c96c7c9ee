"""Old trials go: those of yesterday, and all but the newest of a project."""

from __future__ import annotations

import time

from django.db import transaction
from django.db.models import Count

from evalhub.kit.clock import in_seconds
from runs_app import states
from runs_app.models import Purpose, Run
from runs_app.models.runs import RunQuerySet

KEPT_SECONDS = 24 * 3600
KEPT_IN_PROJECT = 200
BATCH = 50  # trials in one transaction; each has a handful of rows
EVERY_SECONDS = 60.0

_next_look = 0.0


def tidy_now_and_then() -> int:
    """`tidy_trials`, unless this process looked less than a minute ago; how many trials went."""
    global _next_look
    now = time.monotonic()
    if now < _next_look:
        return 0
    gone = tidy_trials()
    _next_look = now if gone else now + EVERY_SECONDS  # go on at once while there are more
    return gone


def tidy_trials() -> int:
    """Remove a batch of trials that are over and too old or too many; how many went.

    Any number of workers may do so at once.
    """
    ids = _too_old() or _too_many()
    if ids:
        with transaction.atomic():
            Run.objects.filter(pk__in=ids).delete()
    return len(ids)


def _too_old() -> list[int]:
    over = _over().filter(created_at__lt=in_seconds(-KEPT_SECONDS))
    return list(over.order_by("pk").values_list("pk", flat=True)[:BATCH])


def _too_many() -> list[int]:
    """Trials beyond the newest of a project that has too many; numbers fall, so the oldest have the
    highest.
    """
    trials = Run.objects.exclude(purpose=Purpose.RUN)
    counts = trials.values("project").annotate(count=Count("pk")).order_by("project")
    crowded = counts.filter(count__gt=KEPT_IN_PROJECT).values_list("project", flat=True)
    for project in crowded:
        newest = trials.filter(project=project).order_by("number").values_list("number", flat=True)
        last_kept = newest[KEPT_IN_PROJECT - 1]
        beyond = _over().filter(project=project, number__gt=last_kept).order_by("-number")
        if ids := list(beyond.values_list("pk", flat=True)[:BATCH]):
            return ids
    return []


def _over() -> RunQuerySet:
    return Run.objects.exclude(purpose=Purpose.RUN).filter(status__in=states.TERMINAL)
