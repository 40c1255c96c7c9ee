"""Connections to providers, saved targets with their versions, and uploaded outputs."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from evalhub.access.models import Project, User
from evalhub.kit.vault import EncryptedTextField


class InProjectQuerySet(models.QuerySet[Any]):
    def for_user(self, user: User) -> Self:
        """Those of the projects that `user` is a member of."""
        return self.filter(project__members__user=user)


class Connection(models.Model):
    """How to reach a provider: an address and a key.

    The key is encrypted at rest and never shown again; `key_env` names an environment variable of
    the worker instead. Limits are for all workers together; None: none.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="connections")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    base_url = models.CharField(max_length=500)
    key = EncryptedTextField(null=True, blank=True)
    key_env = models.CharField(max_length=120, blank=True, default="")
    requests_per_minute = models.IntegerField(null=True, blank=True)
    tokens_per_minute = models.IntegerField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    objects = InProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "slug"], name="connection_slug_unique_in_project"
            )
        ]

    def __str__(self) -> str:
        return self.name


class RatePace(models.Model):
    """When the next request, and the next token, of a connection may go out: seconds since 1970.

    Only where there is no Redis; see engine/pace.py.
    """

    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="pace"
    )
    requests_at = models.FloatField(default=0)
    tokens_at = models.FloatField(default=0)

    def __str__(self) -> str:
        return f"Pace of {self.connection}"


class SavedTarget(models.Model):
    """A target that people of the project have set up. `version` is its newest."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="targets")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12)  # agent, workflow, scorer, processor
    transport = models.CharField(max_length=12)  # chat, http, python, recorded, scorer
    description = models.CharField(max_length=500, blank=True)
    version = models.IntegerField(default=1)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())
    deleted_at = models.DateTimeField(null=True)

    objects = InProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "slug"],
                condition=models.Q(deleted_at=None),
                name="target_slug_unique_in_project",
            )
        ]

    def __str__(self) -> str:
        return self.name


class TargetVersion(models.Model):
    """What a saved target is from this version on. `config` holds no secret."""

    target = models.ForeignKey(SavedTarget, models.CASCADE, related_name="versions")
    number = models.IntegerField()
    config = models.JSONField()
    message = models.CharField(max_length=500, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["target", "number"], name="target_version_number_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.target} v{self.number}"


class Recording(models.Model):
    """Outputs that were uploaded, keyed by item number or external id (`key_field`)."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="recordings")
    slug = models.SlugField(max_length=80)
    name = models.CharField(max_length=120)
    key_field = models.CharField(max_length=12)  # number or external_id
    rows = models.IntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(db_default=Now())

    objects = InProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "slug"], name="recording_slug_unique_in_project"
            )
        ]

    def __str__(self) -> str:
        return self.name


class RecordedOutput(models.Model):
    """One uploaded output."""

    recording = models.ForeignKey(Recording, models.CASCADE, related_name="outputs", db_index=False)
    key = models.CharField(max_length=200)
    output_json = models.TextField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recording", "key"], name="one_output_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.recording}: {self.key}"
