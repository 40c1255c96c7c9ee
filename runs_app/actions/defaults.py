"""Set the defaults of a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from datasets_app.public import DatasetRow
from evalhub.access.actions import audit
from evalhub.access.models import Project, User
from evalhub.kit.errors import Conflict, FieldError, Invalid
from evalhub.kit.json import PathError, split_path
from runs_app import targets
from runs_app.actions.scorer_specs import check_scorers
from runs_app.defaults import Defaults, defaults_of
from runs_app.models import DatasetDefaults, RunChange

ROOTS = ("input", "expected_output", "metadata", "context")


@transaction.atomic
def set_defaults(
    *,
    project: Project,
    dataset: DatasetRow,
    by: User,
    target: str | None = None,
    scorers: Sequence[str | dict[str, Any]] | None = None,
    cluster_field: str | None = None,
) -> Defaults:
    """Set what runs of the dataset use when they name none; None leaves a part as it is.

    `target` is a reference ("" for none). The first scorer is the primary. `cluster_field` is a
    path into the item, such as metadata.customer. Raises Invalid with a pointer for every problem,
    and Conflict for an archived dataset.
    """
    if dataset.archived:
        raise Conflict(f"{dataset.name} is archived, so it cannot be changed.")
    current = defaults_of(dataset.id)
    problems: list[FieldError] = []
    if target:
        try:
            target = targets.find(target.strip(), project.slug, dataset_id=dataset.id).ref
        except Invalid as error:
            problems.append(FieldError("/target", error.detail))
    specs = list(current.scorers)
    if scorers is not None:
        specs = [spec.as_dict() for spec in check_scorers(scorers, problems)]
    if cluster_field is not None:
        cluster_field = cluster_field.strip()
        _check_path(cluster_field, problems)
    if problems:
        raise Invalid(problems[0].detail, errors=problems)
    made = Defaults(
        current.target if target is None else target,
        tuple(specs),
        current.cluster_field if cluster_field is None else cluster_field,
    )
    if made != current:
        DatasetDefaults.objects.update_or_create(
            dataset_id=dataset.id,
            defaults={
                "target_ref": made.target[:300],
                "scorers": list(made.scorers),
                "cluster_field": made.cluster_field,
            },
        )
        if _judged_by(made) != _judged_by(current):
            # What lists show of these runs was held to other margins, or other clusters.
            RunChange.objects.filter(run__dataset=dataset.id).delete()
        audit(project, by, "dataset.defaults", dataset.slug)
    return made


def _judged_by(defaults: Defaults) -> tuple[str, list[tuple[Any, Any]]]:
    """The parts of the defaults that verdicts depend on."""
    margins = [(spec.get("name"), spec.get("margin")) for spec in defaults.scorers]
    return defaults.cluster_field, margins


def _check_path(path: str, problems: list[FieldError]) -> None:
    if not path:
        return
    try:
        parts = split_path(path)
    except PathError as error:
        problems.append(FieldError("/cluster_field", error.message))
        return
    if parts[0] not in ROOTS or len(path) > 200:
        detail = f"A path into the item begins with {', '.join(ROOTS)}: metadata.customer."
        problems.append(FieldError("/cluster_field", detail))
