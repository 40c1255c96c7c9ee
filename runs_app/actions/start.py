"""Start a run: check everything, freeze the plan, wake a worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from datasets_app import public
from datasets_app.public import DatasetRow
from evalhub.access.actions import audit
from evalhub.access.models import Project, User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import FieldError, Invalid
from runs_app import targets
from runs_app.models import Run, RunScorer
from runs_app.scorers import ScorerSpec, SpecError, parse_spec

MAX_CONCURRENCY = 1024
MAX_TIMEOUT_S = 3600.0
MAX_RETRIES = 10
MAX_SCORERS = 20


def start_run(
    *,
    project: Project,
    dataset: DatasetRow,
    target: str,
    scorers: Sequence[str | dict[str, Any]],
    by: User,
    version: int | None = None,
    name: str = "",
    concurrency: int = 8,
    timeout_s: float = 60.0,
    retries: int = 2,
    limit: int | None = None,
) -> Run:
    """Create a pending run of `dataset` and wake a worker for it.

    `target` is a reference for `targets.find`, each scorer a built-in's name or a specification,
    the first one the primary. `timeout_s` is for one try in seconds; `limit` takes only the first n
    items. Raises Invalid with a pointer for every problem found; then nothing is written.
    """
    problems: list[FieldError] = []
    version, total = _items_of(dataset, version, limit, problems)
    _check_numbers(concurrency, timeout_s, retries, limit, problems)
    try:
        found = targets.find(target, project.slug)
    except Invalid as error:
        problems.append(FieldError("/target", error.detail))
    specs = _check_scorers(scorers, problems)
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
            created_by=by,
            total_items=total,
            total_results=total,
            max_concurrency=concurrency,
            timeout_s=timeout_s,
            retries=retries,
        )
        RunScorer.objects.bulk_create(
            RunScorer(
                run=run,
                position=position,
                name=spec.name,
                spec=spec.as_dict(),
                kind=spec.kind,
                higher_is_better=spec.higher_is_better,
                threshold=spec.threshold,
                low=spec.low,
                high=spec.high,
            )
            for position, spec in enumerate(specs)
        )
        audit(project, by, "run.started", f"#{number}", dataset=dataset.slug, target=found.ref)
        wake("runs.work", run.pk)
    run.refresh_from_db()
    return run


def _items_of(
    dataset: DatasetRow, version: int | None, limit: int | None, problems: list[FieldError]
) -> tuple[int, int]:
    """The version to run and how many of its items."""
    version = dataset.version if version is None else version
    count = public.version_item_count(dataset.id, version) if version else 0
    if count is None or version > dataset.version:
        detail = f"{dataset.name} has no version {version}. Its newest is v{dataset.version}."
        problems.append(FieldError("/version", detail))
        return version, 0
    if not count:
        detail = f"{dataset.name} has no items at v{version}. Add or import some first."
        problems.append(FieldError("/dataset", detail))
    return version, min(count, limit) if limit is not None else count


def _check_numbers(
    concurrency: int,
    timeout_s: float,
    retries: int,
    limit: int | None,
    problems: list[FieldError],
) -> None:
    if not 1 <= concurrency <= MAX_CONCURRENCY:
        problems.append(FieldError("/concurrency", f"Calls at once: 1 to {MAX_CONCURRENCY:,}."))
    if not 0 < timeout_s <= MAX_TIMEOUT_S:
        problems.append(
            FieldError("/timeout", f"The time for one try: above 0, up to {MAX_TIMEOUT_S:,.0f} s.")
        )
    if not 0 <= retries <= MAX_RETRIES:
        problems.append(FieldError("/retries", f"Retries: 0 to {MAX_RETRIES}."))
    if limit is not None and limit < 1:
        problems.append(FieldError("/limit", "The number of items to run is at least 1."))


def _check_scorers(
    scorers: Sequence[str | dict[str, Any]], problems: list[FieldError]
) -> list[ScorerSpec]:
    if len(scorers) > MAX_SCORERS:
        problems.append(FieldError("/scorers", f"A run takes at most {MAX_SCORERS} scorers."))
        return []
    specs: list[ScorerSpec] = []
    for index, given in enumerate(scorers):
        try:
            spec = parse_spec(given)
        except SpecError as error:
            problems.append(FieldError(f"/scorers/{index}{error.pointer}", error.message))
            continue
        if any(other.name == spec.name for other in specs):
            detail = f"Two scorers are named “{spec.name}”. Give one of them another name."
            problems.append(FieldError(f"/scorers/{index}/name", detail))
        specs.append(spec)
    return specs
