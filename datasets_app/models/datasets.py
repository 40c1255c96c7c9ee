"""Datasets and their versions."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from evalhub.access.models import Project, User


class DatasetQuerySet(models.QuerySet["Dataset"]):
    def for_user(self, user: User) -> Self:
        """Datasets of the projects that `user` is a member of, without deleted ones."""
        return self.filter(project__members__user=user, deleted_at=None)

    def at_hand(self) -> Self:
        """Datasets that are not archived."""
        return self.filter(archived_at=None)


class Dataset(models.Model):
    """A named, versioned set of items. `version` is the newest published one; 0 is empty.

    While `pending_version` is set, an import is writing that version and nobody else may change
    items.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="datasets")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    version = models.IntegerField(default=0)
    pending_version = models.IntegerField(null=True)
    next_item_number = models.IntegerField(default=1)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    tags = models.JSONField(default=list)
    pinned_at = models.DateTimeField(null=True)  # pinned ones come first in lists
    archived_at = models.DateTimeField(null=True)  # out of the way, and read-only
    deleted_at = models.DateTimeField(null=True)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "slug"],
                condition=models.Q(deleted_at=None),
                name="dataset_slug_unique_in_project",
            )
        ]

    def __str__(self) -> str:
        return self.name


class DatasetVersion(models.Model):
    """One change set: an edit, a bulk action or an import. Version N reads exactly as it was, for
    ever.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="versions")
    number = models.IntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    message = models.CharField(max_length=500, blank=True)
    label = models.CharField(max_length=60, blank=True, default="")
    # JSON Schemas by field (input, expected_output, metadata) that hold from this version on.
    schemas = models.JSONField(default=dict)
    added = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    removed = models.IntegerField(default=0)
    item_count = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="version_number_unique"),
            models.UniqueConstraint(
                fields=["dataset", "label"],
                condition=~models.Q(label=""),
                name="version_label_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"
