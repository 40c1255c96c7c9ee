"""Work on many items of a dataset in the background, as leased work."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from datasets_app.models.datasets import Dataset
from evalhub.access.models import User
from evalhub.kit.leases import LeasedQuerySet, LeasedWork


class JobState(models.TextChoices):
    WORKING = "working", "Working"
    UNDOING = "undoing", "Removing its rows"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class JobQuerySet(LeasedQuerySet["DatasetJob"]):
    def for_user(self, user: User) -> Self:
        return self.filter(dataset__project__members__user=user, dataset__deleted_at=None)

    def writing(self, dataset: Dataset) -> Self:
        """The job, if any, that writes the dataset's pending version."""
        number = dataset.pending_version
        here = Q(dataset=dataset, version=number)
        left = Q(params__source=dataset.pk, params__leaves=number)
        return self.filter(here | left, state__in=DatasetJob.OPEN_STATES)


class DatasetJob(LeasedWork):
    """A bulk action or a schema check over many items. `after_number` is where to go on.

    One that changes items writes them under `version`, which the dataset holds as its
    `pending_version` until all is there (see "Publish by number" in docs/architecture.md).
    """

    OPEN_STATES = (JobState.WORKING, JobState.UNDOING)

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=20)  # set_split, add_tags, delete, set_schemas, restore, ...
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=JobState, default=JobState.WORKING)
    ends_as = models.CharField(max_length=12, blank=True, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    after_number = models.IntegerField(default=0)
    done = models.IntegerField(default=0)  # items looked at
    total = models.IntegerField(default=0)
    added = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    removed = models.IntegerField(default=0)
    version = models.IntegerField(null=True)  # the one that it writes, later: wrote
    problems = models.JSONField(default=list)
    message = models.TextField(blank=True)  # why it failed

    objects = JobQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} on {self.dataset}"

    @property
    def active(self) -> bool:
        return self.state in self.OPEN_STATES

    @property
    def written(self) -> list[tuple[int, int]]:
        """The datasets whose pending version it writes, by id, each with the version; a move to
        another dataset (`dataset`) writes that from which its items go as well.
        """
        found = [] if self.version is None else [(self.dataset_id, self.version)]
        if found and "leaves" in self.params:
            found.append((self.params["source"], self.params["leaves"]))
        return sorted(found)

    @property
    def folder(self) -> Path:
        """For files that it leaves, such as the list of items that break a schema."""
        return Path(settings.EVALHUB_HOME) / "uploads" / f"job-{self.uuid.hex}"
