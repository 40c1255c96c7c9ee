"""Score the results of a finished run again, without calling its target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from django.db import transaction

from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import FieldError, Invalid
from runs_app.actions.idle import require_idle
from runs_app.actions.scorer_specs import MAX_SCORERS, check_scorers, scorer_row
from runs_app.models import Rescore, Run, RunScorer
from runs_app.scorers import ScorerSpec

Mode = Literal["add", "replace"]


def rescore_run(
    *, run: Run, scorers: Sequence[str | dict[str, Any]], by: User, mode: Mode = "add"
) -> Rescore:
    """Let `scorers` score what the run has, in the background; the run shows them once all is done.

    With "add", a scorer of a name that the run has takes its place, others come after those that
    are there. With "replace" all present scorers go. Raises Invalid with pointers, and Conflict
    when the run is not over or is being scored already.
    """
    problems: list[FieldError] = []
    specs = check_scorers(scorers, problems)
    if not scorers:
        problems.append(FieldError("/scorers", "Name at least one scorer."))
    if mode not in ("add", "replace"):
        problems.append(FieldError("/mode", "The mode is add or replace."))
    if problems:
        raise Invalid(problems[0].detail, errors=problems)
    with transaction.atomic():
        now = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        require_idle(now, "rescored")
        present = list(RunScorer.objects.filter(run=run).order_by("position"))
        going, positions = _plan(present, specs, mode)
        if len(present) - len(going) + len(specs) > MAX_SCORERS:
            detail = f"A run takes at most {MAX_SCORERS} scorers, with those that it has."
            raise Invalid(detail, errors=[FieldError("/scorers", detail)])
        job = Rescore.objects.create(run=run, created_by=by)
        # Until the new scores are there, the scorers that will go belong to both the run and the
        # job.
        RunScorer.objects.filter(pk__in=[scorer.pk for scorer in going]).update(rescore=job)
        RunScorer.objects.bulk_create(
            scorer_row(spec, position, rescore=job)
            for spec, position in zip(specs, positions, strict=True)
        )
        names = [spec.name for spec in specs]
        audit(run.project, by, "run.rescored", f"#{run.number}", scorers=names, mode=mode)
        wake("runs.rescore", job.pk)
    job.refresh_from_db()
    return job


def _plan(
    present: Sequence[RunScorer], specs: Sequence[ScorerSpec], mode: Mode
) -> tuple[list[RunScorer], list[int]]:
    """The scorers that will go, and the position of each new one."""
    if mode == "replace":
        return list(present), list(range(len(specs)))
    names = {spec.name for spec in specs}
    going = {scorer.name: scorer for scorer in present if scorer.name in names}
    after = max((scorer.position for scorer in present), default=-1)
    positions = []
    for spec in specs:
        if spec.name in going:
            positions.append(going[spec.name].position)
        else:
            after += 1
            positions.append(after)
    return list(going.values()), positions
