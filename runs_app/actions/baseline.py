"""Pin the run that a dataset's other runs are compared with, or unpin it."""

from __future__ import annotations

from django.db import transaction

from datasets_app.public import DatasetRow
from evalhub.access.actions import audit
from evalhub.access.models import Project, User
from evalhub.kit.dispatch import wake
from evalhub.kit.errors import Conflict, FieldError, Invalid
from runs_app.models import DatasetDefaults, Run


@transaction.atomic
def set_baseline(*, project: Project, dataset: DatasetRow, run: Run | None, by: User) -> None:
    """Compare the dataset's runs with `run` from now on; None for no baseline.

    Raises Invalid for a run of another dataset or one that is not over, and Conflict for an
    archived dataset.
    """
    if dataset.archived:
        raise Conflict(f"{dataset.name} is archived, so it cannot be changed.")
    if run is not None and run.dataset_id != dataset.id:
        detail = f"Run #{run.number} is no run of {dataset.name}."
        raise Invalid(detail, errors=[FieldError("/run", detail)])
    if run is not None and run.active:
        detail = f"Run #{run.number} is not over. Pin it when it is."
        raise Invalid(detail, errors=[FieldError("/run", detail)])
    current = DatasetDefaults.objects.filter(dataset=dataset.id).first()
    if (current.baseline_id if current else None) == (run.pk if run else None):
        return
    DatasetDefaults.objects.update_or_create(dataset_id=dataset.id, defaults={"baseline": run})
    number = f"#{run.number}" if run else ""
    audit(project, by, "dataset.baseline", dataset.slug, run=number)
    if run is not None:
        wake("runs.changes", dataset.id)
