"""Cancel a run."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit.errors import Conflict
from runs_app.engine.finishing import finish_if_cancelled
from runs_app.models import Run


def cancel_run(*, run: Run, by: User) -> Run:
    """Ask the run to stop. Its workers leave at their next tick (a second); without one it stops
    now.

    Raises Conflict when the run is over already; asking twice is fine.
    """
    with transaction.atomic():
        asked = (
            Run.objects.filter(pk=run.pk, cancel_requested_at=None)
            .active()
            .update(cancel_requested_at=Now())
        )
        if asked:
            audit(run.project, by, "run.cancelled", f"#{run.number}")
    finish_if_cancelled(run.pk)
    run.refresh_from_db()
    if not asked and run.cancel_requested_at is None:
        raise Conflict(f"Run #{run.number} is {run.status} already.")
    return run
