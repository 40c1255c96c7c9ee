"""Delete a run."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import Conflict
from runs_app.models import Rescore, Run
from runs_app.models.work import RescoreState


def delete_run(*, run: Run, by: User) -> None:
    """Hide the run at once; its rows go in the background.

    Raises Conflict while it is not over. A rescore under way ends here.
    """
    with transaction.atomic():
        now = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if now.active:
            raise Conflict(f"Run #{run.number} is {now.status}. Cancel it first, then delete it.")
        if now.deleted_at is None:
            Rescore.objects.filter(run=run, state=RescoreState.OPEN).update(
                state=RescoreState.CANCELLED, lease_token=F("lease_token") + 1, lease_until=None
            )
            Run.objects.filter(pk=run.pk).update(deleted_at=Now())
            audit(run.project, by, "run.deleted", f"#{run.number}", name=run.name)
            wake("runs.delete", run.pk)
    run.refresh_from_db()
