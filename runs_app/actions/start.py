"""Start a run: check everything, freeze the plan, wake a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from datasets_app.public import DatasetRow
from evalhub.access.actions import audit
from evalhub.access.models import Project, User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import FieldError, Invalid
from runs_app import targets
from runs_app.actions.scorer_specs import check_scorers, scorer_row
from runs_app.actions.start_checks import (
    Settings,
    check_items,
    check_object,
    check_price,
    check_settings,
    check_tags,
    default_deadline_s,
)
from runs_app.defaults import defaults_of
from runs_app.models import Run, RunScorer


def start_run(
    *,
    project: Project,
    dataset: DatasetRow,
    by: User,
    target: str = "",
    scorers: Sequence[str | dict[str, Any]] | None = None,
    version: int | None = None,
    name: str = "",
    concurrency: int = 8,
    timeout_s: float = 60.0,
    retries: int = 2,
    deadline_s: float | None = None,
    selection: Mapping[str, Any] | None = None,
    repetitions: int = 1,
    context: Mapping[str, Any] | None = None,
    tags: Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    stop_after_errors: int | None = None,
    stop_error_share: float | None = None,
    max_tokens: int | None = None,
    max_cost_usd: float | None = None,
) -> Run:
    """Create a pending run of `dataset` and wake a worker for it.

    `target` is a reference for `targets.find`, each scorer a built-in's name or a specification,
    the first one the primary; without them ("" and None) those of the dataset's defaults are used.
    `selection` says which items (see `selection`), None all of them. `timeout_s` is for one try in
    seconds, `deadline_s` for one result with all its tries. `stop_after_errors` and
    `stop_error_share` (0..1) end the run as failed, the caps before the call that would pass them.
    Raises Invalid with a pointer for every problem; then nothing is written.
    """
    problems: list[FieldError] = []
    if not target or scorers is None:
        usual = defaults_of(dataset.id)
        target = target or usual.target
        scorers = usual.scorers if scorers is None else scorers
    settings = Settings(
        concurrency=concurrency,
        timeout_s=timeout_s,
        retries=retries,
        deadline_s=default_deadline_s(timeout_s, retries) if deadline_s is None else deadline_s,
        repetitions=repetitions,
        stop_after_errors=stop_after_errors,
        stop_error_share=stop_error_share,
        max_tokens=max_tokens,
        max_cost_usd=max_cost_usd,
    )
    version, chosen = check_items(project, dataset, version, selection, repetitions, problems)
    check_settings(settings, problems)
    check_object(context, "context", problems)
    check_object(metadata, "metadata", problems)
    tags = check_tags(tags, problems)
    try:
        if not target:
            raise Invalid(f"Name a target: {dataset.name} has no default one.")
        found = targets.find(target, project.slug, dataset_id=dataset.id)
    except Invalid as error:
        problems.append(FieldError("/target", error.detail))
    else:
        if max_cost_usd is not None:
            check_price(project, found, problems)
    specs = check_scorers(scorers, problems)
    if problems:
        raise Invalid(problems[0].detail, errors=problems)

    with transaction.atomic():
        # The row lock makes run numbers gapless and unique in the project.
        Project.objects.filter(pk=project.pk).update(next_run_number=F("next_run_number") + 1)
        number = Project.objects.values_list("next_run_number", flat=True).get(pk=project.pk) - 1
        run = Run.objects.create(
            project=project,
            dataset_id=dataset.id,
            number=number,
            name=name.strip()[:200] or f"{found.name} on {dataset.name}"[:200],
            dataset_version=version,
            target_ref=found.ref[:300],
            target=found.snapshot(),
            context=dict(context) if context else None,
            tags=tags,
            metadata=dict(metadata or {}),
            created_by=by,
            selection=chosen.selection.as_dict(),
            selected=chosen.numbers,
            repetitions=repetitions,
            total_items=chosen.total,
            total_results=chosen.total * repetitions,
            max_concurrency=concurrency,
            timeout_s=timeout_s,
            deadline_s=settings.deadline_s,
            retries=retries,
            stop_after_errors=stop_after_errors,
            stop_error_share=stop_error_share,
            max_tokens=max_tokens,
            max_cost_usd=max_cost_usd,
        )
        RunScorer.objects.bulk_create(
            scorer_row(spec, position, run=run) for position, spec in enumerate(specs)
        )
        audit(project, by, "run.started", f"#{number}", dataset=dataset.slug, target=found.ref)
        wake("runs.work", run.pk)
    run.refresh_from_db()
    return run


@transaction.atomic
def start_runs(*, targets: Sequence[str], name: str = "", **settings: Any) -> list[Run]:
    """A run for each of `targets` with the same `settings` (see `start_run`), or none at all.

    Raises Invalid for the first target that cannot be run so.
    """
    return [start_run(target=target, name=name, **settings) for target in targets]
