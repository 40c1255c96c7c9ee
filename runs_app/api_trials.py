"""The API of the playground: try a target with one input, and read what came of it."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from evalhub.access.api_auth import reader, writer
from evalhub.access.idempotency import once
from evalhub.kit.api import StrictBody, answer
from evalhub.kit.json import ABSENT, loads
from runs_app.actions.trial import cancel_trial, start_trial
from runs_app.trials import TrialState, find_trial, find_trial_run, state_of

router = Router(tags=["playground"])


class NewTrial(StrictBody):
    """`scorers` are as in a new run; without `expected_output` those that need one do not score.

    `timeout` is in seconds. The target is called once: nothing is retried.
    """

    target: str
    input: Any
    expected_output: Any = None
    context: Any = None
    metadata: Any = None
    scorers: list[Any] = Field(default_factory=list)
    timeout: float = 60.0


class TrialAnswer(Schema):
    """A trial; trials are kept for a day. `output` is missing until the target has answered, and in
    an error; `expected_output` is missing when none was given.

    `waiting_for_worker`: no worker is alive. `latency_ms` is in milliseconds, tokens and cost are
    null when the target does not say.
    """

    id: str
    status: str
    reason: str
    waiting_for_worker: bool
    purpose: str
    target: dict[str, Any]
    input: Any
    expected_output: Any = None
    metadata: dict[str, Any]
    context: dict[str, Any] | None
    output: Any = None
    error: dict[str, str] | None
    scores: dict[str, dict[str, Any]]
    latency_ms: float | None
    retries: int | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    trace_id: str
    spans: list[Any]
    created_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@router.post("/playground", response={201: TrialAnswer})
def try_target(request: HttpRequest, body: NewTrial) -> HttpResponse:
    """Try a target with one input; the call goes on in the background. Takes an Idempotency-Key."""
    caller = writer(request)
    given = "expected_output" in body.model_fields_set

    def start() -> HttpResponse:
        run = start_trial(
            project=caller.project,
            target=body.target,
            input=body.input,
            expected_output=body.expected_output if given else ABSENT,
            context=body.context,
            metadata=body.metadata,
            scorers=body.scorers,
            timeout_s=body.timeout,
            by=caller.user,
        )
        return answer(trial_payload(state_of(run)), 201)

    return once(request, caller, start)


@router.get("/playground/{id}", response=TrialAnswer)
def get_trial(request: HttpRequest, id: str) -> HttpResponse:
    """A trial, or the check of a target, as it is now."""
    caller = reader(request)
    return answer(trial_payload(find_trial(caller.user, caller.project, id)))


@router.post("/playground/{id}/cancel", response=TrialAnswer)
def cancel_a_trial(request: HttpRequest, id: str) -> HttpResponse:
    """Ask a trial to stop. 409 when it is over already."""
    caller = writer(request)
    run = cancel_trial(run=find_trial_run(caller.user, caller.project, id))
    return answer(trial_payload(state_of(run)))


def trial_payload(trial: TrialState) -> dict[str, Any]:
    """A trial as JSON."""
    outcome = trial.outcome
    payload: dict[str, Any] = {
        "id": trial.id,
        "status": trial.status,
        "reason": trial.reason,
        "waiting_for_worker": trial.waiting_for_worker,
        "purpose": trial.purpose,
        "target": {"ref": trial.target_ref, **trial.target},
        "input": loads(trial.input_json),
        "metadata": loads(trial.metadata_json),
        "context": None if trial.context_json is None else loads(trial.context_json),
        "error": None,
        "scores": {
            score.name: {
                "state": score.state,
                "value": score.value,
                "passed": score.passed,
                "reason": score.reason,
            }
            for score in trial.scores
        },
        "latency_ms": None if outcome is None else outcome.latency_ms,
        "retries": None if outcome is None else outcome.retries,
        "input_tokens": None if outcome is None else outcome.input_tokens,
        "output_tokens": None if outcome is None else outcome.output_tokens,
        "cost_usd": None if outcome is None else outcome.cost_usd,
        "trace_id": "" if outcome is None else outcome.trace_id,
        "spans": loads(outcome.spans_json) if outcome and outcome.spans_json else [],
        "created_by": trial.created_by,
        "created_at": trial.created_at.isoformat(),
        "started_at": trial.started_at.isoformat() if trial.started_at else None,
        "finished_at": trial.finished_at.isoformat() if trial.finished_at else None,
    }
    if trial.expected_json is not None:
        payload["expected_output"] = loads(trial.expected_json)
    if outcome is not None and outcome.error_type:
        payload["error"] = {"type": outcome.error_type, "message": outcome.error_message}
    elif outcome is not None and outcome.output_json is not None:
        payload["output"] = loads(outcome.output_json)
    return payload
