"""What can be done with versions: label them, say what they changed, restore them."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction

from datasets_app.actions.jobs import start_job
from datasets_app.bulk.job import work
from datasets_app.models import Dataset, DatasetJob, DatasetVersion
from datasets_app.touched import touched_between
from evalhub.access.actions import audit
from evalhub.access.models import User
from evalhub.kit.errors import Conflict, FieldError, Invalid, NotFound

INLINE_ITEMS = 5_000
MAX_LABEL = 60
MAX_MESSAGE = 500


@transaction.atomic
def update_version(
    *,
    dataset: Dataset,
    number: int,
    by: User,
    label: str | None = None,
    message: str | None = None,
) -> DatasetVersion:
    """Change the label ("" removes it) or the message of a version (None: leave it).

    A label belongs to one version of a dataset. Raises Invalid, NotFound, or Conflict when another
    version has the label.
    """
    version = _find(dataset, number)
    if label is not None:
        version.label = _checked_label(label)
        taken = dataset.versions.filter(label=version.label).exclude(pk=version.pk).first()
        if version.label and taken is not None:
            raise _taken(version.label, taken.number)
    if message is not None:
        message = message.strip()
        if len(message) > MAX_MESSAGE:
            detail = f"A message has at most {MAX_MESSAGE} characters."
            raise Invalid(detail, errors=[FieldError("/message", detail)])
        version.message = message
    try:
        with transaction.atomic():
            version.save(update_fields=["label", "message"])
    except IntegrityError as error:
        raise _taken(version.label, None) from error
    audit(
        dataset.project,
        by,
        "dataset.version_updated",
        f"{dataset.slug} v{number}",
        label=version.label,
    )
    return version


def restore_version(*, dataset: Dataset, number: int, by: User, message: str = "") -> DatasetJob:
    """Make the items what they were at version `number`, as a new version with the schemas of now.

    Up to INLINE_ITEMS touched items at once: the job has ended when this returns (failed, when an
    item would break a schema). Above that it goes on in the background. Where nothing differs there
    is no new version. What was purged stays as it is. Raises NotFound, Conflict for the current
    version, and what `lock_for_change` does.
    """
    _find(dataset, number)
    if number == dataset.version:
        raise Conflict(f"v{number} is the latest version already. Choose an older one.")
    touched = touched_between(dataset.pk, number, dataset.version).total
    job = start_job(
        dataset=dataset,
        kind="restore",
        params={"restored": number},
        by=by,
        message=message.strip() or f"Restored v{number}",
    )
    return work_now(job, dataset) if touched <= INLINE_ITEMS else job


def work_now(job: DatasetJob, dataset: Dataset) -> DatasetJob:
    """Do the job here instead of leaving it to a worker; a crash leaves it to them after all."""
    work(job.pk)
    job.refresh_from_db()
    dataset.refresh_from_db()
    return job


def _find(dataset: Dataset, number: int) -> DatasetVersion:
    version = dataset.versions.filter(number=number, number__lte=dataset.version).first()
    if version is None:
        raise NotFound(f"{dataset.name} has no version {number}.")
    return version


def _checked_label(label: str) -> str:
    label = " ".join(label.split())
    detail = ""
    if len(label) > MAX_LABEL or not label.isprintable():
        detail = f"A label has at most {MAX_LABEL} characters, such as “release 4”."
    elif re.fullmatch(r"v?\d+", label, re.IGNORECASE):
        detail = f"“{label}” reads like a version's number. Choose a name, such as “release 4”."
    if detail:
        raise Invalid(detail, errors=[FieldError("/label", detail)])
    return label


def _taken(label: str, number: int | None) -> Conflict:
    holder = "Another version" if number is None else f"v{number}"
    detail = f"{holder} has the label “{label}”. A label belongs to one version: remove it there."
    return Conflict(detail, errors=[FieldError("/label", detail)])
