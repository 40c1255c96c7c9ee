"""What happened to a run beside its results: seats taken and given back, pauses, retries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runs_app.models import Run, RunEvent

SHOWN = 20


@dataclass(frozen=True, slots=True)
class EventLine:
    """One event. `before` and `seats` are calls at once, None for an event that leaves them alone
    (`before` also when it is too long ago to be known)."""

    id: int
    at: datetime
    kind: str
    before: int | None
    seats: int | None
    message: str

    @property
    def fewer(self) -> bool:
        return self.seats is not None and self.before is not None and self.seats < self.before


def history(run: Run) -> list[EventLine]:
    """The run's last SHOWN events, newest first; one query."""
    read = 2 * SHOWN
    events = list(RunEvent.objects.filter(run=run).order_by("-pk")[:read])
    # Only where nothing is left out is it known that all began with every seat.
    seats = run.max_concurrency if len(events) < read else None
    lines = []
    for event in reversed(events):
        before = seats if event.seats is not None else None
        lines.append(EventLine(event.pk, event.at, event.kind, before, event.seats, event.message))
        seats = event.seats if event.seats is not None else seats
    return lines[::-1][:SHOWN]
