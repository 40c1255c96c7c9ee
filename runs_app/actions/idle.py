"""What a run must be before its results are replaced."""

from __future__ import annotations

from evalhub.kit.errors import Conflict
from runs_app.models import Rescore, Run
from runs_app.models.work import RescoreState


def require_idle(run: Run, to_be: str) -> None:
    """Raises Conflict for a run that goes on, is being deleted or is being scored again; `to_be` is
    what was to happen, such as "retried". The caller holds the run's lock.
    """
    if run.active:
        raise Conflict(f"Run #{run.number} is {run.status}. Only a run that is over is {to_be}.")
    if run.deleted_at is not None:
        raise Conflict(f"Run #{run.number} is being deleted.")
    if Rescore.objects.filter(run=run, state=RescoreState.OPEN).exists():
        raise Conflict(f"Run #{run.number} is being scored again. Wait for that to end.")
