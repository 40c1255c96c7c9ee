"""Reading trials: what the playground and a check of a target show of their one result."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evalhub.access.models import Project, User
from evalhub.kit.errors import NotFound
from evalhub.kit.models import Worker
from runs_app import passing, states
from runs_app.models import Purpose, Result, Run, Score
from runs_app.results import ScoreRow

EARLIER = 10  # trials in the list of somebody's last ones
OUTCOME_FIELDS = (
    "output_json",
    "error_type",
    "error_message",
    "latency_ms",
    "retries",
    "input_tokens",
    "output_tokens",
    "cost_usd",
    "trace_id",
    "spans_json",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the target gave. `output_json` is None in an error; tokens and cost are None when the
    target does not say.
    """

    output_json: str | None
    error_type: str
    error_message: str
    latency_ms: float
    retries: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    trace_id: str
    spans_json: str | None


@dataclass(frozen=True, slots=True)
class TrialState:
    """A trial as it is now. `outcome` is None until the target has answered, and for a trial that
    was stopped or could not be set up (`reason` then says why).

    `specs` are the scorers that it was started with, `scores` what they said so far, in their
    order. `waiting_for_worker`: it cannot begin, because no worker is alive.
    """

    id: str
    purpose: str
    target_ref: str
    target: dict[str, Any]
    status: str
    running: bool
    stopping: bool
    waiting_for_worker: bool
    reason: str
    input_json: str
    expected_json: str | None
    metadata_json: str
    context_json: str | None
    specs: tuple[dict[str, Any], ...]
    outcome: Outcome | None
    scores: tuple[ScoreRow, ...]
    created_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class EarlierTrial:
    """One trial in the list of somebody's last ones."""

    id: str
    target_ref: str
    target_name: str
    input_json: str
    created_at: datetime


def earlier_trials(user: User, project: Project) -> list[EarlierTrial]:
    """The last EARLIER trials that `user` made in the playground, newest first; one query."""
    found = Run.objects.for_user(user).filter(
        project=project, purpose=Purpose.PLAYGROUND, created_by=user, deleted_at=None
    )
    return [
        EarlierTrial(
            id=str(run.uuid),
            target_ref=run.target_ref,
            target_name=run.target_name,
            input_json=(run.inline_item or {})["input_json"],
            created_at=run.created_at,
        )
        for run in found.order_by("number")[:EARLIER]
    ]


def find_trial_run(user: User, project: Project, id: str) -> Run:
    """The run behind a trial, by its uuid. Raises NotFound for any run that is no trial."""
    try:
        wanted = uuid.UUID(id)
    except ValueError:
        raise NotFound("There is no such trial.") from None
    run = (
        Run.objects.for_user(user)
        .select_related("created_by")
        .filter(project=project, uuid=wanted, deleted_at=None)
        .exclude(purpose=Purpose.RUN)
        .first()
    )
    if run is None:
        raise NotFound("There is no such trial. Trials are kept for a day.")
    return run


def find_trial(user: User, project: Project, id: str) -> TrialState:
    """A trial of the project, by its uuid. Raises NotFound."""
    return state_of(find_trial_run(user, project, id))


def state_of(run: Run) -> TrialState:
    """The state of a trial: two queries more, three once it has scores, one for a pending one."""
    item = run.inline_item or {}
    scorers = list(run.scorers.all())
    found = Result.objects.filter(run=run).values_list(*OUTCOME_FIELDS).first()
    pending = run.status == states.PENDING
    scores: list[ScoreRow] = []
    if found is not None and scorers:
        by_scorer = {row.run_scorer_id: row for row in Score.objects.filter(run_scorer__in=scorers)}
        scores = [
            ScoreRow(
                scorer.name, row.state, row.value, row.reason, passing.passes(scorer, row.value)
            )
            for scorer in scorers
            if (row := by_scorer.get(scorer.pk)) is not None
        ]
    return TrialState(
        id=str(run.uuid),
        purpose=run.purpose,
        target_ref=run.target_ref,
        target=run.target,
        status=run.status,
        running=run.active,
        stopping=run.active and run.cancel_requested_at is not None,
        waiting_for_worker=pending and not Worker.objects.alive().exists(),
        reason=run.reason,
        input_json=item["input_json"],
        expected_json=item["expected_json"],
        metadata_json=item["metadata_json"],
        context_json=item["context_json"],
        specs=tuple(scorer.spec for scorer in scorers),
        outcome=None if found is None else Outcome(*found),
        scores=tuple(scores),
        created_by=run.created_by.username if run.created_by else None,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
    )
