"""Pause a run, and go on with it. A pause is a mark on an active run, not a status of its own."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import Conflict
from runs_app.models import Run, RunEvent


def pause_run(*, run: Run, by: User) -> Run:
    """Let no new call begin; those in flight end as usual and are kept.

    Raises Conflict when the run is over or being cancelled; asking twice is fine.
    """
    with transaction.atomic():
        _require_going(run)
        if Run.objects.filter(pk=run.pk, paused_at=None).update(paused_at=Now()):
            _tell(run, by, "paused", f"Paused by {by.username}.")
    run.refresh_from_db()
    return run


def resume_run(*, run: Run, by: User) -> Run:
    """Go on with a paused run.

    Raises Conflict when the run is over or being cancelled; one that is not paused stays as it is.
    """
    with transaction.atomic():
        _require_going(run)
        if Run.objects.filter(pk=run.pk).exclude(paused_at=None).update(paused_at=None):
            _tell(run, by, "resumed", f"Resumed by {by.username}.")
            wake("runs.work", run.pk)
    run.refresh_from_db()
    return run


def _require_going(run: Run) -> None:
    """Locks the run's row, so that it cannot end meanwhile."""
    now = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    if not now.active:
        raise Conflict(f"Run #{run.number} is {now.status} already.")
    if now.cancel_requested_at is not None:
        raise Conflict(f"Run #{run.number} is being cancelled.")


def _tell(run: Run, by: User, kind: str, message: str) -> None:
    RunEvent.objects.create(run=run, kind=kind, message=message[:300])
    audit(run.project, by, f"run.{kind}", f"#{run.number}")
