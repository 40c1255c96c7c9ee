"""Try a target with one input: a run with one item of its own, kept out of the lists."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Min
from django.db.models.functions import Now

from evalhub.access.models import Project, User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import Conflict, FieldError, Invalid
from evalhub.kit.json import ABSENT
from runs_app import targets
from runs_app.actions.scorer_specs import check_scorers, scorer_row
from runs_app.engine.finishing import finish_if_cancelled
from runs_app.inline import inline_item
from runs_app.models import Purpose, Run, RunScorer
from runs_app.scorers import ScorerSpec
from runs_app.targets import TargetInfo

MAX_TIMEOUT_S = 3600.0
PATIENCE_S = 60.0  # beyond one try, for the rate limits of a connection


def start_trial(
    *,
    project: Project,
    target: str,
    input: Any,
    by: User,
    expected_output: Any = ABSENT,
    context: Any = None,
    metadata: Any = None,
    scorers: Sequence[str | dict[str, Any]] = (),
    purpose: str = Purpose.PLAYGROUND,
    timeout_s: float = 60.0,
) -> Run:
    """Create a pending run of one item against `target` and wake a worker for it.

    The target is called once; what it gives is shown as it is, so nothing is retried. The checks
    are those of `start_run`. Raises Invalid with a pointer for every problem found; then nothing is
    written.
    """
    problems: list[FieldError] = []
    if not (math.isfinite(timeout_s) and 0 < timeout_s <= MAX_TIMEOUT_S):
        detail = f"The time for the call: above 0, up to {MAX_TIMEOUT_S:,.0f} s."
        problems.append(FieldError("/timeout", detail))
    item: dict[str, Any] = {}
    try:
        item = inline_item(
            input=input, expected_output=expected_output, metadata=metadata, context=context
        )
    except Invalid as error:
        problems += error.errors
    found = None
    try:
        found = targets.find(target, project.slug)
    except Invalid as error:
        problems.append(FieldError("/target", error.detail))
    specs = check_scorers(scorers, problems)
    if problems or found is None:
        raise Invalid(problems[0].detail, errors=problems)
    run = _create(project, found, item, specs, purpose=purpose, timeout_s=timeout_s, by=by)
    run.refresh_from_db()
    return run


def _create(
    project: Project,
    found: TargetInfo,
    item: dict[str, Any],
    specs: list[ScorerSpec],
    *,
    purpose: str,
    timeout_s: float,
    by: User,
) -> Run:
    with transaction.atomic():
        # Numbers below 0, so that trials leave no gaps in those of the project's runs.
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        lowest = Run.objects.filter(project=project, number__lt=0).aggregate(least=Min("number"))
        run = Run.objects.create(
            project=project,
            purpose=purpose,
            dataset=None,
            inline_item=item,
            number=(lowest["least"] or 0) - 1,
            name=f"{found.name}, one item"[:200],
            dataset_version=0,
            target_ref=found.ref[:300],
            target=found.snapshot(),
            created_by=by,
            total_items=1,
            total_results=1,
            max_concurrency=1,
            timeout_s=timeout_s,
            deadline_s=timeout_s + PATIENCE_S,
            retries=0,
        )
        RunScorer.objects.bulk_create(
            scorer_row(spec, position, run=run) for position, spec in enumerate(specs)
        )
        wake("runs.work", run.pk)
    return run


def cancel_trial(*, run: Run) -> Run:
    """Ask the trial to stop; without a worker on it, it stops now. Raises Conflict when it is over.

    Asking twice is fine.
    """
    asked = (
        Run.objects.filter(pk=run.pk, cancel_requested_at=None)
        .active()
        .update(cancel_requested_at=Now())
    )
    finish_if_cancelled(run.pk)
    run.refresh_from_db()
    if not asked and run.cancel_requested_at is None:
        raise Conflict("This trial is over already.")
    return run
