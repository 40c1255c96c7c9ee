"""Item revisions: immutable rows, each valid from one version of its dataset to another."""

from __future__ import annotations

import json
from typing import Any, Self

from django.db import models
from django.db.models import F, Q

from datasets_app.models.datasets import Dataset


class ItemRevisionQuerySet(models.QuerySet["ItemRevision"]):
    def at(self, version: int) -> Self:
        """The items as they were at `version`."""
        return self.filter(
            Q(version_to=None) | Q(version_to__gt=version), version_from__lte=version, deleted=False
        )

    def published(self) -> Self:
        """Revisions that somebody may see: those of a running import are left out."""
        return self.filter(version_from__lte=F("dataset__version"))


class ItemRevision(models.Model):
    """What an item said from `version_from` until `version_to` (None: until now).

    JSON is kept as text, just as it was given: key order, big numbers and all. `expected_json` None
    means absent, which differs from the text "null". A row with `deleted` marks the removal in the
    history.
    """

    # Rows are written under the dataset's lock, or that of a job of it, and datasets are only ever
    # hidden. The constraint would cost PostgreSQL as much as writing the row.
    dataset = models.ForeignKey(
        Dataset, models.CASCADE, related_name="revisions", db_index=False, db_constraint=False
    )
    number = models.IntegerField()
    version_from = models.IntegerField()
    version_to = models.IntegerField(null=True)
    deleted = models.BooleanField(default=False)
    input_json = models.TextField()
    expected_json = models.TextField(null=True)
    metadata_json = models.TextField(default="{}")
    context_json = models.TextField(null=True)
    tags_json = models.TextField(default="[]")
    scorers_json = models.TextField(null=True)
    split = models.CharField(max_length=60, default="", blank=True)
    external_id = models.CharField(max_length=200, null=True)
    source = models.CharField(max_length=300, default="", blank=True)
    content_hash = models.CharField(max_length=32)
    purged = models.BooleanField(db_default=False)  # its content was removed for good

    objects = ItemRevisionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "number", "version_from"], name="one_revision_per_version"
            ),
            models.UniqueConstraint(
                fields=["dataset", "external_id"],
                condition=Q(version_to=None, deleted=False, external_id__isnull=False),
                name="external_id_unique_in_dataset",
            ),
        ]
        indexes = [
            models.Index(fields=["dataset", "version_from", "number"], name="revision_by_version"),
            models.Index(
                fields=["dataset", "version_to", "number"],
                condition=Q(version_to__isnull=False),
                name="revision_by_end",
            ),
            # The newest items, without the rows of the past between them.
            models.Index(
                fields=["dataset", "number"],
                condition=Q(version_to=None, deleted=False),
                name="revision_current",
            ),
            models.Index(
                fields=["dataset", "split", "number"],
                condition=Q(version_to=None, deleted=False) & ~Q(split=""),
                name="revision_by_split",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.number}"

    @property
    def input(self) -> Any:
        return json.loads(self.input_json)

    @property
    def has_expected_output(self) -> bool:
        return self.expected_json is not None

    @property
    def expected_output(self) -> Any:
        """The expected output; None when it is absent or null (see `has_expected_output`)."""
        return None if self.expected_json is None else json.loads(self.expected_json)

    @property
    def metadata(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.metadata_json)
        return value

    @property
    def context(self) -> Any:
        return None if self.context_json is None else json.loads(self.context_json)

    @property
    def tags(self) -> list[str]:
        value: list[str] = json.loads(self.tags_json)
        return value
