"""An import: a staged file on its way into a dataset, as leased work."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from datasets_app.models.datasets import Dataset
from evalhub.access.models import Project, User
from evalhub.kit.leases import LeasedQuerySet, LeasedWork


class ImportState(models.TextChoices):
    STAGED = "staged", "Uploaded"
    CHECKING = "checking", "Checking"
    CHECKED = "checked", "Checked"
    IMPORTING = "importing", "Importing"
    UNDOING = "undoing", "Removing its rows"
    DONE = "done", "Imported"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class ImportQuerySet(LeasedQuerySet["ImportJob"]):
    def for_user(self, user: User) -> Self:
        return self.filter(dataset__project__members__user=user, dataset__deleted_at=None)


class ImportJob(LeasedWork):
    """Upload, map, check, apply. The file lies in the data folder; `rows_done` is where to go on.

    An action that moves the job raises `lease_token`: who works on it finds out at the next batch.
    """

    OPEN_STATES = (ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING)

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, choices=ImportState, default=ImportState.STAGED)
    # What the job becomes once its rows are removed (state undoing): failed or cancelled.
    ends_as = models.CharField(max_length=12, blank=True, default="")
    filename = models.CharField(max_length=255)
    size = models.BigIntegerField(default=0)
    # How the file is read: format, encoding, delimiter, has_header (Detected.to_dict()).
    reading = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    # When a row has a problem: import the good ones (skip), or nothing (abort).
    on_error = models.CharField(max_length=8, default="skip")
    # Rows that are known: by external_id or by content; skip them, update the item, or refuse them.
    known_by = models.CharField(max_length=12, default="external_id")
    known_are = models.CharField(max_length=8, default="skip")
    rows_updated = models.BigIntegerField(default=0)
    apply_after_check = models.BooleanField(default=False)  # on_error abort: all is checked first
    rows_done = models.BigIntegerField(default=0)
    rows_good = models.BigIntegerField(default=0)  # items, known ones too
    rows_bad = models.BigIntegerField(default=0)
    rows_known = models.BigIntegerField(default=0)  # already in the dataset with the same content
    rows_total = models.BigIntegerField(null=True)  # known after a check
    bytes_done = models.BigIntegerField(default=0)
    problems = models.JSONField(default=list)  # ProblemGroup.to_dict(), the largest group first
    problems_bytes = models.BigIntegerField(default=0)  # of problems.csv that are committed
    version = models.IntegerField(null=True)  # the one that it writes, later: wrote
    message = models.TextField(blank=True)

    objects = ImportQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.filename} into {self.dataset}"

    @property
    def folder(self) -> Path:
        return Path(settings.EVALHUB_HOME) / "uploads" / self.uuid.hex

    @property
    def file(self) -> Path:
        return self.folder / "file"

    @property
    def problems_file(self) -> Path:
        return self.folder / "problems.csv"

    @property
    def row_unit(self) -> str:
        """What a place in the file counts: "line", or "row" where there are no lines."""
        return "row" if self.reading.get("format") == "parquet" else "line"

    @property
    def rows_new(self) -> int:
        """Rows that are new items."""
        return self.rows_good - self.rows_known - self.rows_updated

    @property
    def active(self) -> bool:
        return self.state in self.OPEN_STATES

    @property
    def share_done(self) -> float:
        """0..1, by bytes of the file."""
        return min(1.0, self.bytes_done / self.size) if self.size else 0.0


class RememberedMapping(models.Model):
    """How columns were last mapped in a project: the proposal for the next file that has them."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="mappings")
    columns_hash = models.CharField(max_length=64)  # of the columns' names in order
    mapping = models.JSONField()
    used_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "columns_hash"], name="one_mapping_per_columns"
            )
        ]

    def __str__(self) -> str:
        return f"Mapping in {self.project}"
